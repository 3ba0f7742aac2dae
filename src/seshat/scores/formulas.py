"""The formulas of sacreBLEU, over counts that are already summed: many scores at once.

The n-gram orders stand on the first axis, and all is computed in the order in which sacreBLEU computes it, so that not
even the last bit differs, and ties fall the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FACTOR = 4  # beta², with beta 2: recall counts twice as much as precision (Popović 2016, aclanthology.org/W16-2341)


def chrf(own: NDArray[Any], wanted: NDArray[Any], common: NDArray[Any]) -> Floats:
    """The F-score over the mean precision and recall of all orders (``sacrebleu.CHRF``), 0 to 100.

    Args:
        own: n-grams of the text, an array of (orders, ...).
        wanted: n-grams of the reference.
        common: n-grams that both have.
    """
    orders = np.maximum(_total((own > 0) & (wanted > 0)), 1)
    precision = _total(common / np.maximum(own, 1)) / orders  # nothing is in common where one of the two is 0
    recall = _total(common / np.maximum(wanted, 1)) / orders
    above = (1 + _FACTOR) * precision * recall
    below = _FACTOR * precision + recall
    score: Floats = 100 * np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return score


def bleu(
    own: NDArray[Any], wanted: NDArray[Any], common: NDArray[Any], totals: NDArray[Any], *, effective_order: bool
) -> Floats:
    """BLEU with the smoothing that sacreBLEU calls `exp` (``sacrebleu.BLEU.compute_bleu``), 0 to 100.

    Args:
        own: words of the text, an array of (...).
        wanted: words of the reference.
        common: n-grams that both have, an array of (orders, ...).
        totals: n-grams of the text; of the shape of ``common`` but for axes of length 1.
        effective_order: judge a text that is shorter than the longest n-gram by the n-grams it has, as is done for
            single sentences; otherwise it scores 0.
    """
    own, wanted, has = np.maximum(own, 1), np.asarray(wanted), totals > 0
    # An order without a match counts as 1 / 2, 1 / 4, … of a match.
    smoothing = np.exp2(np.cumsum(has & (common == 0), axis=0))
    made = np.maximum(totals, 1)
    precision = np.where(common > 0, 100.0 * common / made, 100.0 / (smoothing * made))
    logs = _total(np.where(has, _exactly(math.log, precision), 0.0))
    orders = np.maximum(_total(has), 1) if effective_order else len(common)
    brevity = np.where(own < wanted, _exactly(math.exp, np.minimum(1 - wanted / own, 0.0)), 1.0)
    score = brevity * _exactly(math.exp, logs / orders)
    # Without a word in common there is no longer n-gram in common.
    defined = (common > 0).any(axis=0) & (effective_order | has.all(axis=0))
    return np.where(defined, score, 0.0)


def _total(orders: NDArray[Any]) -> Floats:
    """The sum over the first axis, one order after the other: NumPy's own sum may go another way."""
    total: Floats = orders[0].astype(np.float64)
    for order in orders[1:]:
        total += order
    return total


def _exactly(function: Callable[[float], float], values: Floats) -> Floats:
    """A function of the C library for every value; NumPy's own may differ in the last bit."""
    return np.array([function(value) for value in values.ravel().tolist()]).reshape(values.shape)
