"""Scores of translations made during training."""

from __future__ import annotations

from collections.abc import Sequence


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Corpus chrF2, chrF++, BLEU (sacreBLEU's defaults) and the geometric mean of the last two, 0 to 100."""
    from seshat.scores.metrics import Scorer, corpus_scores

    found = corpus_scores(Scorer(references).count(translations))
    return {"chrf2": found.chrf2, "chrf++": found.chrfpp, "bleu": found.bleu, "geometric_mean": found.geomean}


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
