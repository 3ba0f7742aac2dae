"""Runs of characters counted in texts, in tables of numpy: a language model that is quick enough for a corpus.

Interpolated after Witten and Bell, method C, as :mod:`seshat.text.ngrams`, but over characters, and with the counts in
hashed tables: a text of 600 characters takes a tenth of a millisecond. It tells one language from another, and what is
odd in a language: its bits a character are the logarithm of the perplexity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seshat.core.errors import DataError
from seshat.core.jsonl import atomic_path, cannot_read
from seshat.text.wordorder import WordOrder

ORDER = 5
"""Longest run that is counted, the character that follows included."""
MOST = 4_000_000
"""Characters of training text that are counted."""
_FLOOR = 1e-5
"""Chance of a character of which nothing is known: there are some 150,000."""
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_VERSION = 1

Table = NDArray[np.float32]
Hashes = NDArray[np.uint64]


def _folded(text: str) -> str:
    return f" {' '.join(text.casefold().split())} "


def _slots(text: str, bits: int) -> tuple[list[Hashes], list[Hashes]]:
    """For every order the places of all runs of a text in the tables, and those of what stands before.

    Returns:
        Two lists of ``ORDER`` arrays, the run of order n and its context for each character but the first ``n - 1``.
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    shift = np.uint64(64 - bits)
    before: Hashes = np.zeros(len(points) + 1, dtype=np.uint64)
    runs, contexts = [], []
    for order in range(ORDER):
        hashed = before[: len(points) - order] * _PRIME + points[order:] + np.uint64(1)
        contexts.append(((before[: len(points) - order] + np.uint64(order)) * _MIX) >> shift)
        runs.append(((hashed ^ (hashed >> np.uint64(29))) * _MIX) >> shift)
        before = hashed
    return runs, contexts


@dataclass(frozen=True)
class CharModel:
    """A trained model: for every order two tables of 2**bits places."""

    bits: int
    costs: list[Table]
    """Minus the logarithm of the chance of the last character of each run that was seen; 0 for others."""
    penalties: list[Table]
    """What is added for each context that was seen when its run was not: the shorter run is asked instead."""

    @classmethod
    def learn(cls, texts: Iterable[str], bits: int = 20, most: int = MOST) -> CharModel:
        """Count the runs of texts.

        Args:
            texts: training texts.
            bits: logarithm of the size of each table to base 2.
            most: characters after which no more are read.
        """
        size, blocks = 1 << bits, list(_blocks(texts, most))
        runs, contexts, followers = ([np.zeros(size, dtype=np.float32) for _ in range(ORDER)] for _ in range(3))
        for block in blocks:
            for order, (run, context) in enumerate(zip(*_slots(block, bits), strict=True)):
                seen, first, count = np.unique(run, return_index=True, return_counts=True)
                np.add.at(followers[order], context[first[runs[order][seen] == 0]], 1.0)
                runs[order][seen] += count
                np.add.at(contexts[order], context, 1.0)
        costs = [np.zeros(size, dtype=np.float32) for _ in range(ORDER)]
        for block in blocks:
            chance = np.full(len(block), _FLOOR)
            for order, (run, context) in enumerate(zip(*_slots(block, bits), strict=True)):
                different = followers[order][context]
                chance[order:] = (runs[order][run] + different * chance[order:]) / (
                    contexts[order][context] + different
                )
                costs[order][run] = -np.log2(chance[order:])
        penalties = [
            np.where(total > 0, -np.log2(np.maximum(different, 1) / np.maximum(total + different, 1)), 0.0).astype(
                np.float32
            )
            for total, different in zip(contexts, followers, strict=True)
        ]
        return cls(bits, costs, penalties)

    def bits_per_character(self, text: str) -> float:
        """What a character of a text costs: minus the mean logarithm of its chance to base 2; 0 for an empty one."""
        folded = _folded(text)
        if len(folded) < ORDER + 2:
            return 0.0
        runs, contexts = _slots(folded, self.bits)
        total = 0.0
        places = np.arange(1, len(folded))
        for order in reversed(range(ORDER)):
            here = places[places >= order] - order
            shorter = places[places < order]
            cost = self.costs[order][runs[order][here]]
            total += float(cost.sum())
            unseen = here[cost == 0]
            total += float(self.penalties[order][contexts[order][unseen]].sum())
            places = np.concatenate([shorter, unseen + order])
        return (total - len(places) * math.log2(_FLOOR)) / (len(folded) - 1)

    def tables(self, prefix: str = "") -> dict[str, NDArray[Any]]:
        """The model as arrays, for a file of several: only the places that are not empty."""
        found: dict[str, NDArray[Any]] = {f"{prefix}bits": np.array([self.bits, _VERSION])}
        for name, tables in (("costs", self.costs), ("penalties", self.penalties)):
            for order, table in enumerate(tables):
                (places,) = np.nonzero(table)
                found[f"{prefix}{name}{order}"] = places.astype(np.uint32)
                found[f"{prefix}{name}{order}v"] = table[places]
        return found

    @classmethod
    def of_tables(cls, arrays: Any, prefix: str = "") -> CharModel:
        """The model that :meth:`tables` gave.

        Raises:
            KeyError: it is not there.
            ValueError: it is of another version.
        """
        bits, version = arrays[f"{prefix}bits"].tolist()
        if version != _VERSION or not 8 <= bits <= 24:
            raise ValueError("another version")

        def table(name: str) -> Table:
            full = np.zeros(1 << bits, dtype=np.float32)
            full[arrays[f"{prefix}{name}"]] = arrays[f"{prefix}{name}v"]
            return full

        costs, penalties = ([table(f"{name}{order}") for order in range(ORDER)] for name in ("costs", "penalties"))
        return cls(bits, costs, penalties)


def save(path: Path, models: Mapping[str, CharModel], order: WordOrder | None = None) -> None:
    """Write models by name into one file, and perhaps one of the order of words, atomically."""
    arrays = order.tables() if order is not None else {}
    arrays |= {key: table for name, model in models.items() for key, table in model.tables(f"{name}/").items()}
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def load(path: Path) -> dict[str, CharModel]:
    """The models of a file that :func:`save` wrote, by name.

    Raises:
        DataError: there is no such file, or it holds something else.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            names = [key.removesuffix("/bits") for key in arrays.files if key.endswith("/bits")]
            return {name: CharModel.of_tables(arrays, f"{name}/") for name in names}
    except OSError as error:
        raise cannot_read(path, error) from error
    except Exception as error:  # damaged archives raise anything
        raise DataError(f"{path}: this is no file of language models: {error}.", "Learn it again.") from error


def _blocks(texts: Iterable[str], most: int) -> Iterable[str]:
    """The texts as they are counted, many joined into one, up to so many characters."""
    parts: list[str] = []
    size, left = 0, most
    for text in texts:
        parts.append(_folded(text)[:left])
        size, left = size + len(parts[-1]), left - len(parts[-1])
        if size > 200_000 or left <= 0:
            yield "".join(parts)
            parts, size = [], 0
        if left <= 0:
            return
    if size > ORDER:
        yield "".join(parts)
