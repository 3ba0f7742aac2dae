"""How sure a score is: bootstrap intervals and paired tests, from counts per sentence.

Everything here works on a row of numbers per sentence whose sums give the score: those of
:meth:`seshat.scores.metrics.Scorer.count`, or two columns whose quotient is a rate (:func:`rate`). All systems are
judged on the same resamples, so that differences between them are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seshat.scores.formulas import Floats
from seshat.scores.metrics import scores

Rows = NDArray[Any]
"""Numbers of (sentences, columns)."""
Score = Callable[[NDArray[Any]], Floats]
"""Sums of rows, an array of (..., columns), to scores of (..., scores)."""

SIGNIFICANT = 0.05
"""A difference whose p-value is below is called significant."""
TRIALS_PER_SAMPLE = 10
"""The paired test makes so many trials for every sample of the bootstrap; sacreBLEU's defaults, too, are 10 to 1."""
_CELLS = 4_000_000
"""Largest block of random numbers, in cells: 32 MB."""


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


def rate(sums: NDArray[Any]) -> Floats:
    """The quotient of two columns: bits per byte, right answers per question. 0 where there is nothing to divide by."""
    values = np.asarray(sums, dtype=np.float64)
    part, whole = values[..., :1], values[..., 1:2]
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def percent(sums: NDArray[Any]) -> Floats:
    """The quotient of two columns in per cent."""
    return 100 * rate(sums)


def bootstrap(counts: Mapping[str, Rows], samples: int, seed: int, score: Score = scores) -> dict[str, Floats]:
    """Scores of each system on resamples of the test set (drawn with replacement, as large as the test set).

    Bootstrap resampling for machine translation is Koehn 2004, https://aclanthology.org/W04-3250.

    Args:
        counts: per system, counts of (sentences, columns); the same sentences in the same order.
        samples: how many resamples.
        seed: start of the random numbers.
        score: what gives the scores of sums.

    Returns:
        Per system, an array of (samples, scores). Row *i* is the same resample for every system.
    """
    names = list(counts)
    if not names:
        return {}
    table = np.hstack([counts[name] for name in names]).astype(np.float64)
    parts = [block @ table for block in _resamples(len(table), samples, seed)]
    values = score(np.concatenate(parts).reshape(samples, len(names), -1))
    return {name: values[:, number] for number, name in enumerate(names)}


def interval(values: Floats) -> Interval:
    """The 95 % percentile interval of resampled values; the bounds are those of sacreBLEU's ``estimate_ci``."""
    ordered = np.sort(values)
    outside = len(ordered) // 40
    return Interval(float(ordered[outside]), float(ordered[len(ordered) - outside - 1]))


def paired_randomisation(first: Rows, second: Rows, trials: int, seed: int, score: Score = scores) -> Floats:
    """p-values of a difference between two systems: paired approximate randomisation, two-sided.

    Were both systems equally good, it would not matter which of them said what: sentence by sentence their
    translations change places at random, and p is the share of trials with a difference at least as large as the
    real one (Riezler and Maxwell 2005, https://aclanthology.org/W05-0908).

    Unlike sacreBLEU, which counts larger differences only, an equal difference counts: two identical systems have
    p = 1 and not p = 1 / (trials + 1).

    Returns:
        One p-value per score; at least ``1 / (trials + 1)``.
    """
    real = np.abs(score(first.sum(axis=0)) - score(second.sum(axis=0)))
    change = (first - second).astype(np.float64)
    start = second.sum(axis=0).astype(np.float64)
    total = start + first.sum(axis=0)
    rng = np.random.default_rng(seed)
    at_least = np.zeros_like(real)
    for size in _block_sizes(len(first), trials):
        mixed = start + (rng.random((size, len(first))) < 0.5).astype(np.float64) @ change
        differences = np.abs(score(mixed) - score(total - mixed))
        at_least += (differences >= real - 1e-12).sum(axis=0)
    result: Floats = (at_least + 1) / (trials + 1)
    return result


def _resamples(size: int, samples: int, seed: int) -> Iterator[Floats]:
    """Blocks of (some samples, size): how often each sentence stands in each resample."""
    rng = np.random.default_rng(seed)
    for rows in _block_sizes(size, samples):
        drawn = rng.integers(size, size=(rows, size)) + np.arange(rows)[:, None] * size
        yield np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)


def _block_sizes(size: int, total: int) -> Iterator[int]:
    """``total`` rows of ``size`` cells, cut into blocks that fit into memory."""
    rows = max(1, _CELLS // max(size, 1))
    for start in range(0, total, rows):
        yield min(rows, total - start)
