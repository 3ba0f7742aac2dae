"""Weights tuned for chrF2 at the right length: pooled n-best lists, coordinate search, seeded restarts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

from seshat.core.progress import track
from seshat.models.statistical.decoder import Translation
from seshat.models.statistical.features import FEATURES, JUMP, LANGUAGE_MODEL, POSITIVE, START
from seshat.scores.metrics import CHRF2_COLUMNS, chrf, chrf2_counts

Floats = NDArray[np.float64]
Weights = tuple[float, ...]
Decode = Callable[[Weights], list[list[Translation]]]
Render = Callable[[int, tuple[str, ...]], str]
ROUNDS = 5
TOO_LONG = 10.0
"""chrF2 points that a translation twice as long as the reference must bring for its length. chrF2 rewards recall, so
without it the weights drift to translations that say more than the text does (docs/decisions.md)."""
STRAY = 0.03
"""chrF2 points that a weight must bring for going one unit of :data:`PRIOR` away from the start."""
PRIOR = np.array([2.0, 20.0, *[2.0] * (len(START) - 2)])
_STEPS = (-1.0, -0.5, -0.25, -0.1, -0.04, 0.04, 0.1, 0.25, 0.5, 1.0)


class Pool:
    """All candidates seen so far, per sentence, with features and chrF statistics."""

    def __init__(self, references: Sequence[str], render: Render) -> None:
        self.references = references
        self.render = render
        self.seen: list[dict[tuple[str, ...], tuple[Floats, Floats]]] = [{} for _ in references]

    def add(self, lists: Sequence[Sequence[Translation]]) -> None:
        """Take in new candidates; of the same words, the ones found last hold."""
        for place, candidates in enumerate(lists):
            for one in candidates:
                old = self.seen[place].get(one.tokens)
                statistics = old[1] if old else chrf2_counts(self.render(place, one.tokens), self.references[place])
                self.seen[place][one.tokens] = (np.array(one.features), statistics)

    def arrays(self) -> tuple[Floats, Floats]:
        """Features (segments, candidates, features) and statistics, padded by repeating the first candidate."""
        lists = [list(table.values()) for table in self.seen if table]
        longest = max(len(one) for one in lists)
        padded = [one + [one[0]] * (longest - len(one)) for one in lists]
        return (
            np.array([[features for features, _ in one] for one in padded]),
            np.array([[statistics for _, statistics in one] for one in padded]),
        )


def tune(decode: Decode, pool: Pool, seed: int, start: Weights = START, rounds: int = ROUNDS) -> tuple[Weights, float]:
    """Find weights that make the best candidates of the validation segments score well.

    Returns:
        The weights, and the chrF2 of the candidates that the decoder puts first with them.
    """
    weights, best, best_worth, best_score = start, start, -np.inf, 0.0
    for _ in track(range(rounds), "tune weights"):
        lists = decode(weights)
        first = sum(
            (chrf2_counts(pool.render(i, one[0].tokens), pool.references[i]) for i, one in enumerate(lists) if one),
            np.zeros(CHRF2_COLUMNS),
        )
        if worth(first) > best_worth:
            best, best_worth, best_score = weights, worth(first), float(chrf(first))
        pool.add(lists)
        features, statistics = pool.arrays()
        weights = search(features, statistics, weights, Random(seed), centre=start)
    return best, best_score


def search(
    features: Floats,
    statistics: Floats,
    start: Weights,
    random: Random,
    restarts: int = 6,
    centre: Weights = START,
) -> Weights:
    """Coordinate search on fixed candidates from the start and from random points near it; ``centre`` is the prior."""
    home = np.array(centre)
    scale = np.maximum(features.reshape(-1, features.shape[-1]).std(axis=0), 1e-3)
    starts = [np.array(start)]
    starts += [np.array(start) + np.array([random.gauss(0, 0.3) for _ in start]) / scale for _ in range(restarts)]
    found = [_climb(features, statistics, _bounded(one), scale, home) for one in starts]
    weights = max(found, key=lambda one: one[1])[0]
    return tuple(
        round(float(value), 6) for value in weights / max(weights[LANGUAGE_MODEL], 0.05) * START[LANGUAGE_MODEL]
    )


def _bounded(weights: Floats) -> Floats:
    weights = weights.copy()
    weights[list(POSITIVE)] = np.maximum(weights[list(POSITIVE)], 0.0)
    weights[LANGUAGE_MODEL] = max(weights[LANGUAGE_MODEL], 0.05)
    weights[JUMP] = max(weights[JUMP], 0.001)
    return weights


def worth(statistics: Floats) -> float:
    """Corpus chrF2 from summed statistics, less what text beyond the length of the references must bring."""
    return float(chrf(statistics)) - TOO_LONG * max(0.0, float(statistics[0] / max(statistics[1], 1.0)) - 1.0)


def objective(features: Floats, statistics: Floats, weights: Floats, centre: Floats) -> float:
    """The worth of the candidates that the weights put first, less a little for straying from the centre."""
    chosen = (features @ weights).argmax(axis=1)
    strayed = float((((weights - centre) * PRIOR) ** 2).sum())
    total = statistics[np.arange(len(chosen)), chosen].sum(axis=0)
    return worth(total) - STRAY * strayed


def _climb(
    features: Floats, statistics: Floats, weights: Floats, scale: Floats, centre: Floats
) -> tuple[Floats, float]:
    best = objective(features, statistics, weights, centre)
    improved = True
    while improved:
        improved = False
        for place in range(len(FEATURES)):
            for step in _STEPS:
                trial = weights.copy()
                trial[place] += step / scale[place]
                trial = _bounded(trial)
                value = objective(features, statistics, trial, centre)
                if value > best + 1e-4:
                    weights, best, improved = trial, value, True
    return weights, best
