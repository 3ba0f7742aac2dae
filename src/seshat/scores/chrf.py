"""chrF2 from statistics that add up, as sacreBLEU computes it (Popović 2015; beta 2, six characters, no words)."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ORDER = 6
Floats = NDArray[np.float64]


@lru_cache(maxsize=20_000)
def grams(text: str) -> tuple[Counter[str], ...]:
    """Character n-grams of 1 to 6, white space left out."""
    dense = "".join(text.split())
    return tuple(Counter(dense[i : i + n] for i in range(len(dense) - n + 1)) for n in range(1, ORDER + 1))


def statistics(hypothesis: str, reference: str) -> Floats:
    """18 numbers: per order, n-grams of the hypothesis, of the reference, and shared."""
    row = np.zeros(3 * ORDER)
    for n, (ours, theirs) in enumerate(zip(grams(hypothesis), grams(reference), strict=True)):
        small, large = (ours, theirs) if len(ours) < len(theirs) else (theirs, ours)
        row[3 * n] = ours.total() if theirs else 0  # as sacreBLEU: an order that the reference lacks does not count
        row[3 * n + 1] = theirs.total()
        row[3 * n + 2] = sum(min(count, large[gram]) for gram, count in small.items())
    return row


def score(rows: Floats) -> Floats:
    """The chrF2 (0 to 100) of statistics; the last axis holds the 18 numbers.

    Sum the rows of a corpus before for its score.
    """
    hypothesis, reference, shared = rows[..., 0::3], rows[..., 1::3], rows[..., 2::3]
    precision = np.divide(shared, hypothesis, out=np.zeros_like(shared), where=hypothesis > 0)
    recall = np.divide(shared, reference, out=np.zeros_like(shared), where=reference > 0)
    used = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(used.sum(axis=-1), 1)
    p, r = (precision * used).sum(axis=-1) / orders, (recall * used).sum(axis=-1) / orders
    below = 4 * p + r
    result: Floats = 100 * np.divide(5 * p * r, below, out=np.zeros_like(below), where=below > 0)
    return result
