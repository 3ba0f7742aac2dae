"""A translation memory: the training example whose source is nearest to a text.

Nearness is the cosine between sets of character trigrams, rare ones weighing more (inverse document frequency).
The index is a compressed table of trigram hashes in numpy: no trigram is ever a Python object, so that a million
sentences fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ORDER = 3
_BITS = 20
_BUCKETS = 1 << _BITS
"""Trigrams are hashed into so many buckets; two that share one count as the same, which hardly ever matters."""
_MULTIPLIER = 1_000_003


class Neighbour(NamedTuple):
    """The place of the nearest text, and how near it is, 0 to 1."""

    place: int
    similarity: float


class TrigramIndex:
    """Finds the nearest of many texts; of equally near ones the first.

    Args:
        texts: the texts to search.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        buckets, places = _trigrams(texts)
        order = np.argsort(buckets, kind="stable")
        self._places = places[order].astype(np.int32)
        self._offsets = np.zeros(_BUCKETS + 1, dtype=np.int64)
        frequency = np.bincount(buckets, minlength=_BUCKETS)
        np.cumsum(frequency, out=self._offsets[1:])
        self._weight = np.log1p(len(texts) / np.maximum(frequency, 1))
        squares = np.bincount(places, self._weight[buckets] ** 2, minlength=len(texts))
        self._norm = np.sqrt(np.maximum(squares, 1e-12))

    def nearest(self, text: str) -> Neighbour | None:
        """The nearest text; None when none shares a trigram with ``text``."""
        buckets, _ = _trigrams([text])
        if not len(buckets) or not len(self._norm):
            return None
        similarity = np.zeros(len(self._norm))
        for bucket in buckets:
            # A text stands at most once under a bucket, so that plain indexing adds.
            similarity[self._places[self._offsets[bucket] : self._offsets[bucket + 1]]] += self._weight[bucket] ** 2
        similarity /= self._norm
        place = int(similarity.argmax())
        if not similarity[place]:
            return None
        return Neighbour(place, float(similarity[place] / np.sqrt((self._weight[buckets] ** 2).sum())))


def _trigrams(texts: Sequence[str]) -> tuple[Integers, Integers]:
    """The different trigrams of each text, as (buckets, places of the texts), ordered by text, then bucket."""
    padded = [f" {' '.join(text.casefold().split())} " for text in texts]
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(texts)), lengths)
    if len(points) < _ORDER:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    hashed = np.zeros(len(points) - _ORDER + 1, dtype=np.uint64)
    for step in range(_ORDER):
        hashed = hashed * np.uint64(_MULTIPLIER) + points[step : len(hashed) + step]
    hashed = (hashed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _BITS)
    inside = owners[: len(hashed)] == owners[_ORDER - 1 :]
    keys = np.sort(owners[: len(hashed)][inside] * _BUCKETS + hashed[inside].astype(np.int64))
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return keys % _BUCKETS, keys // _BUCKETS
