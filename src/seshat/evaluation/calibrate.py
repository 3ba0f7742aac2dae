"""Learning on validation how far a model may be trusted, and measuring on the test set how well that works."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from seshat.inference.confidence import FEWEST, LEVELS, Calibration
from seshat.inference.translator import Hypothesis
from seshat.report.results import Confidence, Level
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
) -> Confidence:
    """What the confidence is worth on the test set.

    Args:
        calibration: what was learnt on validation.
        sources: the test sentences.
        hypotheses: their translations.
        quality: chrF2 of each, 0 to 100.
    """
    graded = [calibration.grade(one, source) for one, source in zip(hypotheses, sources, strict=True)]
    values = np.array([100 * one.value for one in graded])
    levels = []
    for level in LEVELS:
        chosen = np.array([one.level == level for one in graded], dtype=bool)
        expected, measured = (
            round(float(found[chosen].mean()), 2) if chosen.any() else None for found in (values, quality)
        )
        levels.append(Level(level=level, segments=int(chosen.sum()), expected=expected, measured=measured))
    varies = len(values) > 1 and values.std() > 0 and quality.std() > 0
    correlation = round(float(np.corrcoef(values, quality)[0, 1]), 4) if varies else None
    return Confidence(learnt_from=calibration.segments, correlation=correlation, levels=levels)
