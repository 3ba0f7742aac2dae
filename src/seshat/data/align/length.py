"""How well the lengths of two sides agree (in the manner of Gale and Church 1993, and of Moore 2002).

The score of a bead is a likelihood ratio: how likely the target is so long *because* of the source, against how likely
its lines are so long by themselves. Being a ratio it can be weighed against a line without a partner, and the share of
each kind of bead can be learned from the documents without running away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FREEDOM = 4.0
"""Degrees of freedom of Student's t: heavier tails than the normal, because translators shorten and explain."""
_CONSTANT = math.lgamma((_FREEDOM + 1) / 2) - math.lgamma(_FREEDOM / 2) - 0.5 * math.log(_FREEDOM * math.pi)
_MEDIAN_SQUARE = 0.5486
"""Median of the square of that distribution (0.7407 squared)."""


@dataclass(frozen=True)
class LengthModel:
    """Target characters per source character, the variance of their difference, and lengths of single lines."""

    ratio: float
    variance: float = 4.0
    """Per character; Gale and Church 1993 found 6.8 with a normal distribution."""
    mean_log: float = 4.0
    """Mean of the logarithm of (characters + 1) of target lines."""
    spread_log: float = 1.0
    """Its standard deviation."""

    @classmethod
    def start(cls, source: Sequence[str], target: Sequence[str]) -> LengthModel:
        """Before anything is aligned: the ratio of all characters, the lengths of target lines."""
        logs = np.log(np.array([len(line) for line in target], np.float64) + 1.0)
        characters = max(1, sum(map(len, source))), max(1, sum(map(len, target)))
        return cls(characters[1] / characters[0], mean_log=float(logs.mean()), spread_log=float(logs.std()) + 0.1)

    def learned(self, pairs: Sequence[tuple[int, int]], strength: float = 20.0) -> LengthModel:
        """Ratio and variance from the lengths of believed pairs; the variance is pulled here as by ``strength`` pairs.

        The median keeps the pairs that are wrong from widening the distribution.
        """
        lengths = np.array(pairs, np.float64).reshape(-1, 2)
        source, target = lengths[:, 0], lengths[:, 1]
        if source.sum() < 1 or target.sum() < 1:
            return self
        ratio = float(target.sum() / source.sum())
        squares = (target - source * ratio) ** 2 / np.maximum((source * ratio + target) / 2.0, 1.0)
        spread = float(np.median(squares)) / _MEDIAN_SQUARE
        variance = (spread * len(lengths) + self.variance * strength) / (len(lengths) + strength)
        return LengthModel(ratio, max(variance, 1.0), self.mean_log, self.spread_log)

    def alone(self, target: Floats) -> Floats:
        """Log-probability density of the length of single target lines (log-normal)."""
        logs = np.log(target + 1.0)
        deviation = (logs - self.mean_log) / self.spread_log
        return np.asarray(-0.5 * deviation**2 - math.log(self.spread_log * math.sqrt(2.0 * math.pi)) - logs)

    def together(self, source: Floats, target: Floats, lines: int) -> Floats:
        """Log-probability density of ``lines`` target lines of so many characters, given those of the source.

        Where the line breaks fall between them is taken as equally likely everywhere.
        """
        scale = np.sqrt(self.variance * np.maximum((source * self.ratio + target) / 2.0, 1.0))
        deviation = (target - source * self.ratio) / scale
        density = _CONSTANT - (_FREEDOM + 1) / 2 * np.log1p(deviation**2 / _FREEDOM) - np.log(scale)
        return np.asarray(density - (lines - 1) * np.log(np.maximum(target, 2.0)))
