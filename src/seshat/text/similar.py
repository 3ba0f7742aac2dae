"""A translation memory: the texts that are nearest to a text.

Nearness is the cosine between sets of character trigrams, rare ones weighing more (inverse document frequency).
The index is a compressed table of trigram hashes in numpy: no trigram is ever a Python object, so that a million
sentences fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]

_ORDER = 3
_BITS = 20
_BUCKETS = 1 << _BITS
"""Trigrams are hashed into so many buckets; two that share one count as the same, which hardly ever matters."""
_MULTIPLIER = 1_000_003
_BLOCK = 20_000
"""Texts cut into trigrams at a time, which bounds the memory that takes."""
_TOO_COMMON = 20_000
"""A trigram of more texts is left out: it says little, and looking at all of them for every query takes long."""
_NOTHING: Integers = np.zeros(0, dtype=np.int32)


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
        blocks = [_trigrams(texts[start : start + _BLOCK], start) for start in range(0, len(texts), _BLOCK)]
        buckets = np.concatenate([found for found, _ in blocks] or [_NOTHING])
        places = np.concatenate([found for _, found in blocks] or [_NOTHING])
        del blocks
        frequency = np.bincount(buckets, minlength=_BUCKETS)
        self._weight = np.log1p(len(texts) / np.maximum(frequency, 1)) ** 2
        self._weight[frequency > _TOO_COMMON] = 0.0
        self._norm = np.sqrt(np.maximum(np.bincount(places, self._weight[buckets], minlength=len(texts)), 1e-12))
        self._places = places[np.argsort(buckets, kind="stable")]
        self._offsets = np.concatenate([[0], np.cumsum(frequency)])

    def nearest(self, text: str) -> Neighbour | None:
        """The nearest text; None when none shares a trigram with ``text``."""
        return next(iter(self.neighbours(text, 1)), None)

    def neighbours(self, text: str, count: int) -> list[Neighbour]:
        """The nearest texts, nearest first; only those that share a trigram with ``text``."""
        buckets, _ = _trigrams([text], 0)
        buckets = buckets[self._weight[buckets] > 0]
        if not len(buckets) or not len(self._norm):
            return []
        similarity = np.zeros(len(self._norm))
        for bucket in buckets:
            # A text stands at most once under a bucket, so that plain indexing adds.
            similarity[self._places[self._offsets[bucket] : self._offsets[bucket + 1]]] += self._weight[bucket]
        similarity /= self._norm
        own = np.sqrt(self._weight[buckets].sum())
        return [Neighbour(place, float(similarity[place] / own)) for place in _largest(similarity, count)]


def _largest(values: NDArray[np.float64], count: int) -> list[int]:
    """The places of the largest values above 0, largest first, of equal ones the first."""
    if count == 1:
        best = int(values.argmax())
        return [best] if values[best] else []
    # All that are as large as the last one kept, so that ties do not depend on the partition.
    least = np.partition(values, -count)[-count] if count < len(values) else 0.0
    places = np.flatnonzero((values >= least) & (values > 0))
    return [int(place) for place in places[np.argsort(-values[places], kind="stable")][:count]]


def _trigrams(texts: Sequence[str], first: int) -> tuple[Integers, Integers]:
    """The different trigrams of each text, as (buckets, places of the texts), ordered by text, then bucket.

    Args:
        texts: some of the texts.
        first: the place of the first of them.
    """
    padded = [f" {' '.join(text.casefold().split())} " for text in texts]
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(texts)), lengths)
    if len(points) < _ORDER:
        return _NOTHING, _NOTHING
    hashed = np.zeros(len(points) - _ORDER + 1, dtype=np.uint64)
    for step in range(_ORDER):
        hashed = hashed * np.uint64(_MULTIPLIER) + points[step : len(hashed) + step]
    hashed = (hashed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _BITS)
    inside = owners[: len(hashed)] == owners[_ORDER - 1 :]
    keys = np.sort(owners[: len(hashed)][inside] * _BUCKETS + hashed[inside].astype(np.int64))
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return (keys % _BUCKETS).astype(np.int32), (keys // _BUCKETS + first).astype(np.int32)
