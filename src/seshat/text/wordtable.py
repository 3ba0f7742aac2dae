"""A word-translation table learned from sentence pairs: IBM model 1, in numpy.

The aligner, the word-by-word floor of the evaluation and lexicon induction share it. The model is that of Brown et
al. 1993, "The Mathematics of Statistical Machine Translation", section 4.1: every target word is made by one source
word of its sentence, or by the null word, whatever their places. Its likelihood has one maximum, so the result
depends on the data alone.

This module imports numpy: import it inside the function that needs it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seshat.core.errors import DataError
from seshat.core.jsonl import write_bytes

Pair = tuple[Sequence[str], Sequence[str]]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
_Numbered = tuple[list[int], list[int], float]
"""Source words, target words and weight of a pair."""

NULL = ""
"""The null word: makes the target words that no source word accounts for."""

_MAX_CELLS = 40_000
"""Pairs with more cells (source words by target words) are left out: they say little about words and cost much."""
_CHUNK = 2_000_000
"""Cells handled at once: bounds the memory of the sums, about 100 MB."""


@dataclass(frozen=True)
class WordTable:
    """P(target word | source word), sparse: one row per source word, its targets best first.

    Row ``i`` stands at ``offsets[i]:offsets[i + 1]`` of ``targets`` (places in ``target_words``) and
    ``probabilities``. Words are compared as given: fold their case before, if at all.
    """

    source_words: tuple[str, ...]
    target_words: tuple[str, ...]
    offsets: NDArray[np.int64]
    targets: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    _rows: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {word: row for row, word in enumerate(self.source_words)})

    @classmethod
    def train(
        cls,
        pairs: Sequence[Pair],
        iterations: int = 5,
        *,
        weights: Sequence[float] | None = None,
        null: bool = True,
        min_probability: float = 1e-4,
    ) -> WordTable:
        """Learn a table by expectation-maximisation.

        Args:
            pairs: source words and target words of each sentence pair.
            iterations: rounds of expectation-maximisation; 5 is the customary number.
            weights: how often each pair counts, such as the probability that it is one; default: once each.
            null: let a null word make target words too, which keeps function words from sticking to rare words.
            min_probability: entries below are left out of the finished table.

        Returns:
            The table; an empty one when no pair has words on both sides.
        """
        source_words, target_words, cells = _cells(pairs, weights, null=null)
        if not cells.chunks:
            return cls((), (), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
        width = len(target_words)
        sources = cells.keys // width
        probabilities = np.full(len(cells.keys), 1.0)
        for _ in range(max(1, iterations)):
            expected = np.zeros(len(cells.keys))
            for chunk in cells.chunks:
                shares = probabilities[chunk.entries]
                shares /= np.repeat(np.add.reduceat(shares, chunk.starts), chunk.lengths)
                shares *= np.repeat(chunk.weights, chunk.lengths)
                expected += np.bincount(chunk.entries, shares, minlength=len(expected))
            probabilities = expected / np.maximum(np.bincount(sources, expected), 1e-300)[sources]
        keep = np.flatnonzero(probabilities >= min_probability)
        keep = keep[np.lexsort((cells.keys[keep] % width, -probabilities[keep], sources[keep]))]
        counts = np.bincount(sources[keep], minlength=len(source_words))
        return cls(
            tuple(source_words),
            tuple(target_words),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            (cells.keys[keep] % width).astype(np.int32),
            probabilities[keep].astype(np.float32),
        )

    def __len__(self) -> int:
        """How many entries the table has."""
        return len(self.targets)

    def known(self, word: str) -> bool:
        """Whether the word has a translation."""
        row = self._rows.get(word)
        return row is not None and bool(self.offsets[row + 1] > self.offsets[row])

    def candidates(self, word: str, n: int) -> list[tuple[str, float]]:
        """Up to ``n`` translations of a word with their probabilities, best first; none when it is unknown."""
        row = self._rows.get(word)
        if row is None:
            return []
        start, end = int(self.offsets[row]), int(self.offsets[row + 1])
        end = min(end, start + n)
        targets, probabilities = self.targets[start:end].tolist(), self.probabilities[start:end].tolist()
        return [(self.target_words[target], value) for target, value in zip(targets, probabilities, strict=True)]

    def best(self, word: str) -> str | None:
        """The likeliest translation of a word, or None when it is unknown."""
        found = self.candidates(word, 1)
        return found[0][0] if found else None

    def probability(self, source: str, target: str) -> float:
        """P(target | source); 0 when the two were never seen together."""
        row = self._rows.get(source)
        column = self._columns().get(target)
        if row is None or column is None:
            return 0.0
        start, end = int(self.offsets[row]), int(self.offsets[row + 1])
        hit = np.flatnonzero(self.targets[start:end] == column)
        return float(self.probabilities[start + int(hit[0])]) if len(hit) else 0.0

    def _columns(self) -> dict[str, int]:
        columns: dict[str, int] | None = self.__dict__.get("_column_of")
        if columns is None:
            columns = {word: column for column, word in enumerate(self.target_words)}
            object.__setattr__(self, "_column_of", columns)
        return columns

    def save(self, path: Path) -> None:
        """Write the table atomically as a compressed ``.npz``; the same table gives the same bytes."""
        words = json.dumps([self.source_words, self.target_words], ensure_ascii=False).encode()
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            words=np.frombuffer(words, np.uint8),
            offsets=self.offsets,
            targets=self.targets,
            probabilities=self.probabilities,
        )
        write_bytes(path, stream.getvalue())

    @classmethod
    def load(cls, path: Path) -> WordTable:
        """Read a table written by :meth:`save`.

        Raises:
            DataError: the file is missing or is not such a table.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                source_words, target_words = json.loads(stored["words"].tobytes())
                return cls(
                    tuple(source_words),
                    tuple(target_words),
                    stored["offsets"],
                    stored["targets"],
                    stored["probabilities"],
                )
        except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path}: not a word table: {error}.", "Run the stage that wrote it again.") from error


@dataclass(frozen=True)
class _Chunk:
    """Cells of some sentence pairs, grouped by target word: the place of each cell in the table."""

    entries: NDArray[np.int32]
    starts: Integers
    lengths: Integers
    weights: Floats


@dataclass(frozen=True)
class _Cells:
    """``keys`` (source word * number of target words + target word) of the table, ascending, and the data."""

    keys: Integers
    chunks: list[_Chunk]


def _cells(
    pairs: Sequence[Pair], weights: Sequence[float] | None, *, null: bool
) -> tuple[list[str], list[str], _Cells]:
    """Number the words and lay out every (source word, target word) that stands in one pair."""
    sources: dict[str, int] = {NULL: 0} if null else {}
    targets: dict[str, int] = {}
    numbered: list[_Numbered] = []
    for (source, target), weight in zip(pairs, weights if weights is not None else repeat(1.0), strict=False):
        if not source or not target or (len(source) + 1) * len(target) > _MAX_CELLS:
            continue
        row = [sources.setdefault(word, len(sources)) for word in source]
        column = [targets.setdefault(word, len(targets)) for word in target]
        numbered.append(([0, *row] if null else row, column, weight))
    # The keys of a chunk are sorted before they are looked up: walking the table in order is ten times faster.
    found: list[Integers] = []
    drafts: list[_Chunk] = []
    for cells, part in _expand(numbered, len(targets)):
        distinct, entries = np.unique(cells, return_inverse=True)
        found.append(distinct)
        drafts.append(replace(part, entries=entries.astype(np.int32)))
    keys = _distinct(found)
    chunks = [
        replace(draft, entries=np.searchsorted(keys, distinct).astype(np.int32)[draft.entries])
        for distinct, draft in zip(found, drafts, strict=True)
    ]
    return list(sources), list(targets), _Cells(keys, chunks)


def _distinct(parts: list[Integers]) -> Integers:
    """All values of some sorted arrays, each once, ascending; merged in pairs to bound the memory."""
    while len(parts) > 1:
        merged = [np.sort(np.concatenate(parts[i : i + 2]), kind="stable") for i in range(0, len(parts), 2)]
        parts = [values[np.concatenate([[True], values[1:] != values[:-1]])] for values in merged]
    return parts[0] if parts else np.zeros(0, np.int64)


def _expand(numbered: list[_Numbered], width: int) -> Iterator[tuple[Integers, _Chunk]]:
    """Keys of the cells, chunk by chunk; the chunk has everything but its entries."""
    begin = 0
    while begin < len(numbered):
        end, cells = begin, 0
        while end < len(numbered) and (cells < _CHUNK or end == begin):
            cells += len(numbered[end][0]) * len(numbered[end][1])
            end += 1
        part = numbered[begin:end]
        lengths_of_source = np.array([len(source) for source, _, _ in part])
        lengths_of_target = np.array([len(target) for _, target, _ in part])
        source = np.array([word for words, _, _ in part for word in words], np.int64)
        target = np.array([word for _, words, _ in part for word in words], np.int64)
        lengths = np.repeat(lengths_of_source, lengths_of_target)
        first = np.repeat(np.cumsum(lengths_of_source) - lengths_of_source, lengths_of_target)
        starts = np.cumsum(lengths) - lengths
        places = np.arange(int(lengths.sum())) - np.repeat(starts - first, lengths)
        weights = np.repeat(np.array([weight for _, _, weight in part]), lengths_of_target)
        unknown = np.zeros(0, np.int32)
        yield source[places] * width + np.repeat(target, lengths), _Chunk(unknown, starts, lengths, weights)
        begin = end
