"""BLEU, chrF, pairwise scores, intervals and signatures.

:mod:`~seshat.scores.formulas` turns sums of counts into scores; :mod:`~seshat.scores.metrics` counts translations
against references, :mod:`~seshat.scores.utility` texts against each other, :mod:`~seshat.scores.marks` what must come
out exactly; :mod:`~seshat.scores.significance` gives any of them its interval and its p-value.
"""

from __future__ import annotations

from typing import Literal, get_args

Metric = Literal["bleu", "chrf2", "chrf++", "geomean", "chrf2_spaces", "bleu_spaces"]
"""A score of whole test sets: see :mod:`seshat.scores.metrics`."""

METRICS: tuple[Metric, ...] = get_args(Metric)
"""Names of the scores, in the order of the last axis of what :func:`seshat.scores.metrics.scores` returns."""

LABELS: dict[Metric, str] = {
    "bleu": "BLEU",
    "chrf2": "chrF2",
    "chrf++": "chrF++",
    "geomean": "√(BLEU·chrF++)",
    "chrf2_spaces": "chrF2 with spaces",
    "bleu_spaces": "BLEU as spaced",
}
"""The scores as people write them."""


SPACED: tuple[Metric, ...] = ("chrf2_spaces", "bleu_spaces")
"""The scores that see spaces; tables have them apart from the others."""


def columns(headline: Metric) -> list[Metric]:
    """The scores of a table in the order of its columns: what it goes by first, BLEU next."""
    return list(dict.fromkeys((headline, "bleu", *(name for name in METRICS if name not in SPACED))))


def worse(score: float, metric: str) -> float:
    """A score as a number that is low for good ones: a loss is, the others are not."""
    return score if metric == "loss" else -score
