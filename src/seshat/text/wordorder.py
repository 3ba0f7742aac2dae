"""Whether words follow each other as they do in known text: pairs of how words end and begin, counted in hashed tables.

A model of characters hardly looks beyond a word, so that words in another order are no surprise to it. Here every word
is its last two characters, and the next one its last two and its first; a line break is a word, too. What is known of a
pair is the logarithm of how often it was seen over how often chance would have made it (pointwise mutual information,
Church and Hanks 1990), smoothed; a text is worth the mean over its words. Shuffled, it is worth less than nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read

MOST = 4_000_000
"""Characters of training text that are counted."""
_BITS = 20
"""Logarithm of the size of each table to base 2."""
_SMOOTHING = 2.0
"""What a pair counts for before it is seen: this often as chance would have made it, at most this often."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_NAMES = ("end_end", "end_begin")
"""The two kinds of pairs."""
_PREFIX = "order/"

Table = NDArray[np.float32]
Slots = NDArray[np.uint64]


def _slots(*parts: Slots) -> Slots:
    """Places in a table for what several numbers make together."""
    found = np.zeros(len(parts[0]), dtype=np.uint64)
    for part in parts:
        found = (found ^ part) * _MIX
        found ^= found >> np.uint64(29)
    return (found * _MIX) >> np.uint64(64 - _BITS)


def _pairs(lines: Sequence[str]) -> Iterator[tuple[Slots, Slots, Slots]]:
    """Of each kind the places of what stands left, of what stands right, and of both."""
    text = " \n ".join(" ".join(line.casefold().split()) for line in ("", *lines, ""))
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    (spaces,) = np.nonzero(points == 32)
    first, last = np.concatenate([[0], spaces + 1]), np.concatenate([spaces - 1, [len(points) - 1]])
    filled = first <= last  # empty lines
    first, last = first[filled], last[filled]
    ends = _slots(points[np.maximum(last - 1, 0)], points[last])
    left, right, begins = ends[:-1], ends[1:], _slots(points[first[1:]])
    yield left, right, _slots(left, right)
    yield left, begins, _slots(left, begins)


@dataclass(frozen=True)
class WordOrder:
    """Counts of both kinds of pairs."""

    left: tuple[Table, ...]
    right: tuple[Table, ...]
    both: tuple[Table, ...]

    @classmethod
    def learn(cls, texts: Iterable[Sequence[str]], most: int = MOST) -> WordOrder:
        """Count the pairs of texts.

        Args:
            texts: the lines of each.
            most: characters after which no more are read.
        """
        tables = [[np.zeros(1 << _BITS, dtype=np.float32) for _ in _NAMES] for _ in range(3)]
        read = 0
        for lines in texts:
            for kind, places in enumerate(_pairs(lines)):
                for table, place in zip(tables, places, strict=True):
                    np.add.at(table[kind], place, 1.0)
            read += sum(map(len, lines))
            if read >= most:
                break
        left, right, both = (tuple(table) for table in tables)
        return cls(left, right, both)

    @cached_property
    def _totals(self) -> list[float]:
        return [max(1.0, float(table.sum())) for table in self.left]

    def bits_per_word(self, lines: Sequence[str]) -> float:
        """How much better than chance each word of a text follows the one before: 0 for no better."""
        total, count = 0.0, 1
        for kind, (left, right, both) in enumerate(_pairs(lines)):
            before, after = self.left[kind][left], self.right[kind][right]
            chance = before * after / self._totals[kind]
            known = chance > 0
            chance, seen = chance[known], self.both[kind][both[known]]
            prior = _SMOOTHING * np.minimum(1.0, chance)
            total += float(np.log2((seen + prior) / (chance + prior)).sum())
            count = len(left) or 1
        return total / count

    def tables(self, prefix: str = _PREFIX) -> dict[str, NDArray[Any]]:
        """The model as arrays, for a file: only the places that are not empty."""
        found: dict[str, NDArray[Any]] = {}
        for name, tables in (("left", self.left), ("right", self.right), ("both", self.both)):
            for kind, table in zip(_NAMES, tables, strict=True):
                (places,) = np.nonzero(table)
                found[f"{prefix}{name}/{kind}"] = places.astype(np.uint32)
                found[f"{prefix}{name}/{kind}v"] = table[places]
        return found


def load_order(path: Path) -> WordOrder | None:
    """The model in a file of :func:`seshat.text.charmodel.save`; none where the file has none.

    Raises:
        DataError: there is no such file, or it is damaged.
    """

    def table(arrays: Any, name: str) -> Table:
        full = np.zeros(1 << _BITS, dtype=np.float32)
        full[arrays[f"{_PREFIX}{name}"]] = arrays[f"{_PREFIX}{name}v"]
        return full

    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            if f"{_PREFIX}left/{_NAMES[0]}" not in arrays.files:
                return None
            left, right, both = (
                tuple(table(arrays, f"{name}/{kind}") for kind in _NAMES) for name in ("left", "right", "both")
            )
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:  # damaged archives raise anything
        raise DataError(f"{path}: this is no file of language models: {error}.", "Learn it again.") from error
    return WordOrder(left, right, both)
