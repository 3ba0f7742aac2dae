"""Minimum Bayes risk: of many candidates, the one most like the others (Kumar & Byrne 2004), likeness being chrF2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seshat.models.statistical import chrf

Floats = NDArray[np.float64]


def consensus(texts: Sequence[str], scores: Sequence[float], scale: float = 1.0) -> Floats:
    """Expected chrF2 of every candidate against all, weighted by their probability.

    Args:
        texts: candidates of one sentence.
        scores: their model scores.
        scale: how sharply scores become probabilities.

    Returns:
        Expected chrF2 per candidate, 0 to 100.
    """
    logits = np.array(scores) * scale
    weights = np.exp(logits - logits.max())
    weights /= weights.sum()
    places: dict[str, int] = {}
    bags = [chrf.grams(text) for text in texts]
    for bag in bags:
        for table in bag:
            for gram in table:
                places.setdefault(gram, len(places))
    orders = np.zeros(len(places), dtype=np.int64)
    counts = np.zeros((len(texts), len(places)))
    for row, bag in enumerate(bags):
        for n, table in enumerate(bag):
            for gram, count in table.items():
                counts[row, places[gram]] = count
                orders[places[gram]] = n
    select = np.eye(chrf.ORDER)[orders]
    totals = counts @ select
    expected = np.zeros(len(texts))
    for row in range(len(texts)):
        shared = np.minimum(counts, counts[row]) @ select
        statistics = np.zeros((len(texts), 3 * chrf.ORDER))
        statistics[:, 0::3], statistics[:, 1::3], statistics[:, 2::3] = totals[row], totals, shared
        expected[row] = weights @ chrf.score(statistics)
    return expected
