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
