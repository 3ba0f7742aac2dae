"""Scores of several systems with their intervals, and how each differs from one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from seshat.scores import METRICS
from seshat.scores.formulas import Floats
from seshat.scores.metrics import scores
from seshat.scores.significance import TRIALS_PER_SAMPLE, Rows, bootstrap, interval, paired_randomisation
from seshat.scores.significance import Score as Formula

_DIGITS, _DIGITS_OF_P = 4, 6


class Score(BaseModel):
    """A score with its 95 % interval."""

    score: float
    low: float
    high: float


class Difference(Score):
    """A difference between two systems, with its interval and its p-value."""

    p: float


class Scored(BaseModel):
    """A system and its scores by name."""

    name: str
    scores: dict[str, Score]
    difference: dict[str, Difference] = {}
    """From the system compared with; that one has none."""


def score_table(
    counts: Mapping[str, Rows],
    reference: str,
    samples: int,
    seed: int,
    metrics: Sequence[str] = METRICS,
    score: Formula = scores,
) -> list[Scored]:
    """Scores with intervals, and the difference from the reference system with interval and p-value.

    Any measure whose rows add up fits: those of :class:`~seshat.scores.metrics.Scorer`, or two columns and
    :func:`~seshat.scores.significance.rate` for bits per byte, errors per character or word, right answers.

    Args:
        counts: per system, counts per sentence.
        reference: the system to compare with; without it in ``counts`` there are no differences.
        samples: resamples of the bootstrap.
        seed: start of the random numbers.
        metrics: names of the scores.
        score: what gives the scores of sums of counts, in the order of ``metrics``.
    """
    resampled = bootstrap(counts, samples, seed, score)
    totals = {name: score(rows.sum(axis=0)) for name, rows in counts.items()}
    table = []
    for name, rows in counts.items():
        row = Scored(name=name, scores=_with_intervals(metrics, totals[name], resampled[name]))
        if reference in counts and name != reference:
            spread = _with_intervals(metrics, totals[name] - totals[reference], resampled[name] - resampled[reference])
            chances = paired_randomisation(rows, counts[reference], samples * TRIALS_PER_SAMPLE, seed, score)
            for (metric, value), chance in zip(spread.items(), chances, strict=True):
                row.difference[metric] = Difference(**value.model_dump(), p=round(float(chance), _DIGITS_OF_P))
        table.append(row)
    return table


def _with_intervals(metrics: Sequence[str], values: Floats, resampled: Floats) -> dict[str, Score]:
    return {metric: with_interval(float(values[column]), resampled[:, column]) for column, metric in enumerate(metrics)}


def with_interval(value: float, resampled: Floats) -> Score:
    """A score, and the interval that its resampled values give it."""
    low, high = interval(resampled)
    return Score(score=round(value, _DIGITS), low=round(low, _DIGITS), high=round(high, _DIGITS))
