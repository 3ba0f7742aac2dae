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

NULL = ""
"""The null word: makes the target words that no source word accounts for."""

ITERATIONS = 5
"""Rounds of expectation-maximisation; 5 is the customary number."""
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
        iterations: int = ITERATIONS,
        *,
        weights: Sequence[float] | None = None,
        null: bool = True,
        min_probability: float = 1e-4,
    ) -> WordTable:
        """Learn a table by expectation-maximisation.

        Args:
            pairs: source words and target words of each sentence pair.
            iterations: rounds of expectation-maximisation.
            weights: how often each pair counts, such as the probability that it is one; default: once each.
            null: let a null word make target words too, which keeps function words from sticking to rare words.
            min_probability: entries below are left out of the finished table.

        Returns:
            The table; an empty one when no pair has words on both sides.
        """
        kept: list[float] = []
        source, target = _Numbering(), _Numbering()
        for (mine, theirs), weight in zip(pairs, weights if weights is not None else repeat(1.0), strict=False):
            if mine and theirs and (len(mine) + 1) * len(theirs) <= _MAX_CELLS:
                source.add(mine)
                target.add(theirs)
                kept.append(weight)
        rows, columns = source.lines(), target.lines()
        source_words, target_words = [NULL, *source.words] if null and kept else list(source.words), list(target.words)
        cells = _Cells.of(rows, columns, len(target_words), np.array(kept))
        learned, nothing = cells.forth().learned(cells.keys, len(target_words), iterations, null=null)
        if null and kept:  # the null word is the first
            learned = Learned(
                np.concatenate([np.zeros(len(nothing), np.int64), learned.sources + 1]),
                np.concatenate([np.arange(len(nothing)), learned.targets]),
                np.concatenate([nothing, learned.probabilities]),
                np.concatenate([nothing, learned.support]),
            )
        keep = np.flatnonzero(learned.probabilities >= min_probability)
        keep = keep[np.lexsort((learned.targets[keep], -learned.probabilities[keep], learned.sources[keep]))]
        counts = np.bincount(learned.sources[keep], minlength=len(source_words))
        return cls(
            tuple(source_words),
            tuple(target_words),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            learned.targets[keep].astype(np.int32),
            learned.probabilities[keep].astype(np.float32),
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


class _Numbering:
    """Gives words numbers, sentence by sentence."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self._tokens: list[int] = []
        self._starts = [0]

    def add(self, sentence: Sequence[str]) -> None:
        self._tokens += [self.words.setdefault(word, len(self.words)) for word in sentence]
        self._starts.append(len(self._tokens))

    def lines(self) -> Lines:
        return Lines(np.array(self._tokens, np.int64), np.array(self._starts, np.int64))


@dataclass(frozen=True)
class Lines:
    """Numbered words of some sentences: all of them, and where each sentence begins; one more place than sentences."""

    tokens: Integers
    starts: Integers


@dataclass(frozen=True)
class Learned:
    """P(target | source), an entry for each two words that stand in one pair; by source and target, ascending."""

    sources: Integers
    targets: Integers
    probabilities: Floats
    support: Floats
    """How often the two stand in one pair, by the weights of the pairs."""


def train_both(source: Lines, target: Lines, width: int, weights: Floats) -> tuple[Learned, Learned]:
    """As :meth:`WordTable.train`, of words that have numbers, both ways: P(target | source) and P(source | target).

    Both have the same entries in the same order; ``sources`` are source words, ``targets`` target words.

    Args:
        source: source words of each pair.
        target: target words.
        width: more than the highest number of a target word.
        weights: how often each pair counts.
    """
    lengths = np.diff(source.starts), np.diff(target.starts)
    fit = np.flatnonzero((lengths[0] > 0) & (lengths[1] > 0) & ((lengths[0] + 1) * lengths[1] <= _MAX_CELLS))
    source, target = (
        Lines(one.tokens[ranges(one.starts[fit], length[fit])], np.concatenate([[0], np.cumsum(length[fit])]))
        for one, length in zip((source, target), lengths, strict=True)
    )
    cells = _Cells.of(source, target, width, weights[fit])
    there, _ = cells.forth().learned(cells.keys, width, ITERATIONS)
    back, _ = cells.back().learned(cells.keys, width, ITERATIONS, given_target=True)
    return there, back


def ranges(starts: Integers, counts: Integers) -> Integers:
    """``starts[0] .. starts[0] + counts[0]``, then the next range, in one array."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts - starts, counts)


@dataclass(frozen=True)
class _Chunk:
    """Cells of some sentence pairs, grouped by the word that is made: the place of each cell in the table."""

    entries: NDArray[np.int32]
    starts: Integers
    lengths: Integers
    weights: Floats
    words: Integers
    """Which word is made."""


@dataclass(frozen=True)
class _Grouped:
    """The data of expectation-maximisation: what makes each word, of which nothing (the null word) is one."""

    chunks: list[_Chunk]

    def learned(
        self, keys: Integers, width: int, iterations: int, *, null: bool = True, given_target: bool = False
    ) -> tuple[Learned, Floats]:
        """The table, and the probabilities of the words that nothing makes.

        Args:
            keys: entries of the table, ``source * width + target``.
            width: more than the highest number of a target word.
            iterations: rounds.
            null: whether nothing can make a word.
            given_target: it is the target words that make source words.
        """
        sources = keys // max(1, width)
        targets = keys - sources * width
        makers = targets if given_target else sources
        probabilities, support = np.ones(len(keys)), np.zeros(len(keys))
        made = max((int(chunk.words.max()) for chunk in self.chunks), default=-1) + 1
        nothing = np.full(made, float(null))
        for number in range(max(1, iterations)):
            expected, from_nothing = np.zeros(len(keys)), np.zeros(made)
            for chunk in self.chunks:
                shares = probabilities[chunk.entries]
                alone = nothing[chunk.words]
                factor = chunk.weights / (np.add.reduceat(shares, chunk.starts) + alone)
                from_nothing += np.bincount(chunk.words, factor * alone, minlength=made)
                shares *= np.repeat(factor, chunk.lengths)
                expected += np.bincount(chunk.entries, shares, minlength=len(expected))
                if not number:
                    counts = np.repeat(chunk.weights, chunk.lengths)
                    support += np.bincount(chunk.entries, counts, minlength=len(support))
            probabilities = expected / np.maximum(np.bincount(makers, expected), 1e-300)[makers]
            nothing = from_nothing / max(1e-300, float(from_nothing.sum()))
        return Learned(sources, targets, probabilities, support), nothing


@dataclass(frozen=True)
class _Part:
    """Some sentence pairs: their cells in the order of target words, for each all source words."""

    entries: NDArray[np.int32]
    source: Lines
    target: Lines
    weights: Floats

    def by_target(self) -> _Chunk:
        """Grouped by target word."""
        source, target = np.diff(self.source.starts), np.diff(self.target.starts)
        lengths = np.repeat(source, target)
        weights = np.repeat(self.weights, target)
        return _Chunk(self.entries, np.cumsum(lengths) - lengths, lengths, weights, self.target.tokens)

    def by_source(self) -> _Chunk:
        """Grouped by source word: every so many cells apart as its sentence has source words."""
        source, target = np.diff(self.source.starts), np.diff(self.target.starts)
        lengths = np.repeat(target, source)
        starts = np.cumsum(lengths) - lengths
        cells = np.cumsum(source * target) - source * target
        first = np.repeat(cells - self.source.starts[:-1], source) + np.arange(len(self.source.tokens))
        step = np.repeat(np.repeat(source, source), lengths)
        place = np.repeat(first, lengths) + (np.arange(int(lengths.sum())) - np.repeat(starts, lengths)) * step
        return _Chunk(self.entries[place], starts, lengths, np.repeat(self.weights, source), self.source.tokens)


@dataclass(frozen=True)
class _Cells:
    """Every (source word, target word) that stands in one pair: ``keys`` as ``source * width + target``, ascending."""

    keys: Integers
    parts: list[_Part]

    @classmethod
    def of(cls, source: Lines, target: Lines, width: int, weights: Floats) -> _Cells:
        """Lay out pairs that have words on both sides."""
        # The keys of a part are sorted before they are looked up: walking the table in order is ten times faster.
        found: list[Integers] = []
        drafts: list[_Part] = []
        for part in _parts(source, target, weights):
            mine, theirs = np.diff(part.source.starts), np.diff(part.target.starts)
            lengths = np.repeat(mine, theirs)
            places = ranges(np.repeat(part.source.starts[:-1], theirs), lengths)
            cells = part.source.tokens[places] * width + np.repeat(part.target.tokens, lengths)
            distinct, entries = _numbered(cells)
            found.append(distinct)
            drafts.append(replace(part, entries=entries))
        keys = _distinct(found)
        if len(found) > 1:
            drafts = [
                replace(draft, entries=np.searchsorted(keys, distinct).astype(np.int32)[draft.entries])
                for distinct, draft in zip(found, drafts, strict=True)
            ]
        return cls(keys, drafts)

    def forth(self) -> _Grouped:
        """What source words make."""
        return _Grouped([part.by_target() for part in self.parts])

    def back(self) -> _Grouped:
        """What target words make."""
        return _Grouped([part.by_source() for part in self.parts])


def _parts(source: Lines, target: Lines, weights: Floats) -> Iterator[_Part]:
    """Pairs in parts of about :data:`_CHUNK` cells."""
    done = np.concatenate([[0], np.cumsum(np.diff(source.starts) * np.diff(target.starts))])
    begin = 0
    while begin < len(weights):
        end = min(len(weights), max(begin + 1, int(np.searchsorted(done, done[begin] + _CHUNK))))
        mine, theirs = (
            Lines(one.tokens[one.starts[begin] : one.starts[end]], one.starts[begin : end + 1] - one.starts[begin])
            for one in (source, target)
        )
        yield _Part(np.zeros(0, np.int32), mine, theirs, weights[begin:end])
        begin = end


def _numbered(cells: Integers) -> tuple[Integers, NDArray[np.int32]]:
    """The distinct values, ascending, and the place of each value among them.

    As :func:`numpy.unique`, several times faster: value and place are sorted as one number, where they fit into it.
    """
    bits = len(cells).bit_length()
    if int(cells.max()).bit_length() + bits > 63:
        distinct, places = np.unique(cells, return_inverse=True)
        return distinct, places.astype(np.int32)
    packed = np.sort((cells << bits) | np.arange(len(cells)))
    ordered = packed >> bits
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    entries = np.empty(len(cells), np.int32)
    entries[packed & ((1 << bits) - 1)] = np.cumsum(first) - 1
    return np.asarray(ordered[first]), entries


def _distinct(parts: list[Integers]) -> Integers:
    """All values of some sorted arrays, each once, ascending; merged in pairs to bound the memory."""
    while len(parts) > 1:
        merged = [np.sort(np.concatenate(parts[i : i + 2]), kind="stable") for i in range(0, len(parts), 2)]
        parts = [values[np.concatenate([[True], values[1:] != values[:-1]])] for values in merged]
    return parts[0] if parts else np.zeros(0, np.int64)
