"""Learning on validation how far a model may be trusted, and measuring on the test set how well that works."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from seshat.inference.confidence import FEWEST, LEVELS, Calibration
from seshat.inference.translator import Hypothesis
from seshat.scores.formulas import Floats
from seshat.scores.metrics import Scorer, sentence_chrf2


def calibrate(
    sources: Sequence[str],
    references: Sequence[str],
    hypotheses: Sequence[Hypothesis],
    known: Collection[str],
    tokenizer: str = "13a",
) -> Calibration | None:
    """Learn from the translations of validation sentences.

    Args:
        sources: texts of validation.
        references: their human translations.
        hypotheses: what the model says, as people get it.
        known: the source words of the training data, case-folded.
        tokenizer: how BLEU cuts words; chrF2, which is learnt here, does not depend on it.

    Returns:
        ``None`` when there are too few sentences to learn from.
    """
    if len(sources) < FEWEST:
        return None
    counts = Scorer(references, tokenizer).count([one.text for one in hypotheses])
    return Calibration.fit(sources, hypotheses, sentence_chrf2(counts), known)


def judge(
    calibration: Calibration, sources: Sequence[str], hypotheses: Sequence[Hypothesis], quality: Floats
) -> dict[str, Any]:
    """What the confidence is worth on the test set.

    Args:
        calibration: what was learnt on validation.
        sources: the test sentences.
        hypotheses: their translations.
        quality: chrF2 of each, 0 to 100.

    Returns:
        ``learnt_from`` (validation sentences), ``correlation`` (Pearson's, of the confidence with the chrF2 of the
        sentence; null when one of them never changes) and ``levels``: per level ``{level, segments, expected,
        measured}``, the mean chrF2 that the confidence promises and the one that was reached (null without segments).
    """
    graded = [calibration.grade(one, source) for one, source in zip(hypotheses, sources, strict=True)]
    values = np.array([100 * one.value for one in graded])
    levels = []
    for level in LEVELS:
        chosen = np.array([one.level == level for one in graded], dtype=bool)
        levels.append(
            {
                "level": level,
                "segments": int(chosen.sum()),
                "expected": round(float(values[chosen].mean()), 2) if chosen.any() else None,
                "measured": round(float(quality[chosen].mean()), 2) if chosen.any() else None,
            }
        )
    varies = len(values) > 1 and values.std() > 0 and quality.std() > 0
    return {
        "learnt_from": calibration.segments,
        "correlation": round(float(np.corrcoef(values, quality)[0, 1]), 4) if varies else None,
        "levels": levels,
    }
