"""Scores of translations made during training."""

from __future__ import annotations

import math
from collections.abc import Sequence


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Corpus chrF2, chrF++, BLEU (sacreBLEU's defaults) and the geometric mean of the last two, 0 to 100."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    wanted = [list(references)]
    chrfpp = float(CHRF(word_order=2).corpus_score(list(translations), wanted).score)
    bleu = float(BLEU(force=True).corpus_score(list(translations), wanted).score)
    return {
        "chrf2": float(CHRF().corpus_score(list(translations), wanted).score),
        "chrf++": chrfpp,
        "bleu": bleu,
        "geometric_mean": math.sqrt(bleu * chrfpp),
    }


def by_direction(directions: Sequence[str], translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Scores of each direction, named like ``chrf2 shp-es``, and the mean over the directions of each score."""
    found: dict[str, dict[str, float]] = {}
    for direction in dict.fromkeys(directions):
        chosen = [i for i, one in enumerate(directions) if one == direction]
        found[direction] = scores([translations[i] for i in chosen], [references[i] for i in chosen])
    names = next(iter(found.values()))
    means = {name: sum(one[name] for one in found.values()) / len(found) for name in names}
    several = {f"{name} {way}": value for way, one in found.items() for name, value in one.items()}
    return {**means, **several} if len(found) > 1 else means
