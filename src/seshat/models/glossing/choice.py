"""Choosing one of several candidates by weighted features: multinomial logistic regression (McFadden 1974)."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence

Features = dict[str, float]
ROUNDS, RATE, DECAY = 15, 0.3, 1e-3
"""Passes, step and weight decay of AdaGrad (Duchi, Hazan and Singer 2011)."""


class Choice:
    """Weights of features."""

    def __init__(self, weights: dict[str, float] | None = None) -> None:
        self.weights = weights or {}

    def best(self, candidates: Sequence[Features]) -> int:
        """Place of the candidate with the highest score; the first among equals."""
        return max(range(len(candidates)), key=lambda place: (self._score(candidates[place]), -place))

    def _score(self, features: Features) -> float:
        return sum(self.weights.get(name, 0.0) * value for name, value in features.items())

    @classmethod
    def learn(cls, examples: Sequence[tuple[Sequence[Features], set[int]]], seed: int) -> Choice:
        """Learn from candidates and the places of the right ones among them."""
        random_ = random.Random(seed)
        weights: dict[str, float] = defaultdict(float)
        squares: dict[str, float] = defaultdict(float)
        order = list(examples)
        for _ in range(ROUNDS):
            random_.shuffle(order)
            for candidates, right in order:
                scores = [sum(weights[name] * value for name, value in one.items()) for one in candidates]
                highest = max(scores)
                shares = [math.exp(score - highest) for score in scores]
                total = sum(shares)
                slopes: dict[str, float] = defaultdict(float)
                for place, features in enumerate(candidates):
                    error = shares[place] / total - (1 / len(right) if place in right else 0.0)
                    for name, value in features.items():
                        slopes[name] += error * value
                for name, slope in slopes.items():
                    step = slope + DECAY * weights[name]
                    squares[name] += step * step
                    weights[name] -= RATE * step / math.sqrt(squares[name] + 1e-8)
        return cls(dict(weights))
