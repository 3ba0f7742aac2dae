"""How much two beads share: words linked across the two languages, weighted by how much they tell.

Every source word is compared with every target word once; what they have in common is the *link*, 0 to 1:

* the same number, name or punctuation mark on both sides;
* cognates: alike in spelling, where both sides use one script;
* the project's own lexicon;
* a word-translation table learned from the beads of the pass before.

The similarity of a bead is the share of its words, on both sides and weighted by inverse document frequency, that
have a link inside the bead. The links of a word count by the best one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.text.wordtable import ranges

Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

_DEPENDENCE = 0.7
"""Words of a line are not independent of each other, so each counts less than a whole word."""


@dataclass(frozen=True)
class Vocabulary:
    """The distinct words of one side of all documents, and their weight."""

    words: tuple[str, ...]
    number: dict[str, int]
    weight: Singles
    """Inverse document frequency, scaled so that a word that stands in one line of all weighs 1."""

    @classmethod
    def of(cls, lines: Iterable[Sequence[str]]) -> Vocabulary:
        """Count the words of all lines."""
        number: dict[str, int] = {}
        counts: list[int] = []
        total = 0
        for line in lines:
            total += 1
            for word in dict.fromkeys(line):
                place = number.setdefault(word, len(number))
                if place == len(counts):
                    counts.append(0)
                counts[place] += 1
        frequency = np.array(counts, np.float64)
        weight = np.log((total + 1.0) / (frequency + 0.5)) / np.log(max(2.0, (total + 1.0) / 1.5))
        return cls(tuple(number), number, np.maximum(weight, 0.0).astype(np.float32))


@dataclass(frozen=True)
class Links:
    """Links between source and target words, sparse: three parallel arrays, sorted by source word."""

    source: Integers
    target: Integers
    value: Singles

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, float]]) -> Links:
        """Links from (source word, target word, link)."""
        table = np.array(sorted(rows), np.float64).reshape(-1, 3)
        return cls(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2].astype(np.float32))

    @classmethod
    def merged(cls, parts: Sequence[Links]) -> Links:
        """The strongest link of every pair of words."""
        source = np.concatenate([part.source for part in parts])
        target = np.concatenate([part.target for part in parts])
        value = np.concatenate([part.value for part in parts])
        order = np.lexsort((-value, target, source))
        source, target, value = source[order], target[order], value[order]
        first = np.ones(len(source), bool)
        first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
        return cls(source[first], target[first], value[first])

    @property
    def turned(self) -> Links:
        """The same links seen from the other side."""
        order = np.lexsort((self.source, self.target))
        return Links(self.target[order], self.source[order], self.value[order])


@dataclass(frozen=True)
class Side:
    """One side of a document in numbers."""

    tokens: Integers
    """Places in the vocabulary, all lines one after the other."""
    starts: Integers
    """Where each line starts in ``tokens``; one more than lines."""
    weights: Singles
    """Weight of each token."""
    totals: Singles
    """Weight of each line."""

    @classmethod
    def of(cls, lines: Sequence[Sequence[str]], vocabulary: Vocabulary) -> Side:
        """Number the words of some lines."""
        tokens = np.array([vocabulary.number[word] for line in lines for word in line], np.int64)
        starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
        weights = vocabulary.weight[tokens]
        sums = np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])
        return cls(tokens, starts, weights, (sums[starts[1:]] - sums[starts[:-1]]).astype(np.float32))

    def part(self, first: int, last: int) -> Side:
        """Lines ``first`` to ``last`` (exclusive)."""
        begin, end = int(self.starts[first]), int(self.starts[last])
        return Side(
            self.tokens[begin:end],
            self.starts[first : last + 1] - begin,
            self.weights[begin:end],
            self.totals[first:last],
        )

    def telling(self, least: float) -> Side:
        """The same with the words of at least some weight alone: the others tell little and are most of a text."""
        kept = np.concatenate([[0], np.cumsum(self.weights >= least)])
        sums = np.concatenate([[0.0], np.cumsum(np.where(self.weights >= least, self.weights, 0.0), dtype=np.float64)])
        totals = (sums[self.starts[1:]] - sums[self.starts[:-1]]).astype(np.float32)
        own = self.weights >= least
        return Side(self.tokens[own], kept[self.starts], self.weights[own], totals)

    def runs(self, first: Integers, last: Integers) -> Side:
        """Runs of lines, each as one line."""
        begin, end = self.starts[first], self.starts[last]
        place = ranges(begin, end - begin)
        starts = np.concatenate([[0], np.cumsum(end - begin)])
        sums = np.concatenate([[0.0], np.cumsum(self.totals, dtype=np.float64)])
        return Side(self.tokens[place], starts, self.weights[place], (sums[last] - sums[first]).astype(np.float32))

    @classmethod
    def together(cls, sides: Sequence[Side]) -> Side:
        """The lines of several sides, one after the other."""
        lengths = np.concatenate([np.diff(side.starts) for side in sides])
        tokens, weights, totals = (
            np.concatenate([getattr(side, name) for side in sides]) for name in ("tokens", "weights", "totals")
        )
        return cls(tokens, np.concatenate([[0], np.cumsum(lengths)]), weights, totals)


@dataclass(frozen=True)
class Rates:
    """How much of the words of a line has a link in the other side."""

    together: float = 0.2
    """Share in lines that belong together …"""
    by_chance: float = 0.03
    """… and in lines that do not."""

    def score(self, linked: Floats, weight: Floats) -> Floats:
        """Log-likelihood ratio of a bead: each word is linked or not, more often so when the lines belong together."""
        gain = math.log(self.together / self.by_chance)
        loss = math.log((1.0 - self.together) / (1.0 - self.by_chance))
        return np.asarray(_DEPENDENCE * (linked * gain + (weight - linked) * loss))


def linked_weight(one: Side, other: Side, links: Links, reach: int) -> list[Singles]:
    """Weight of the words in each line of ``one`` that have a link among lines of ``other``.

    Args:
        one: the lines whose words are counted.
        other: the lines where links are looked for.
        links: links from the vocabulary of ``one`` to that of ``other``.
        reach: longest run of lines of ``other`` to look at.

    Returns:
        For each run length ``b`` from 1 to ``reach``, an array of lines of ``one`` by lines of ``other``: the weight
        linked to lines ``j .. j + b`` of ``other``. Runs over the end stop there.
    """
    kinds, token_kind = np.unique(one.tokens, return_inverse=True)
    table = _best_links(kinds, other, links)
    found: list[Singles] = []
    running = table
    for run in range(reach):
        if 0 < run < table.shape[1]:
            ahead = np.zeros_like(table)
            ahead[:, : table.shape[1] - run] = table[:, run:]
            running = np.maximum(running, ahead)
        found.append(_sum_lines(running, token_kind, one))
    return found


def _best_links(kinds: Integers, other: Side, links: Links) -> Singles:
    """The strongest link of each of some words in each line of ``other``."""
    lines = len(other.starts) - 1
    table = np.zeros((len(kinds), lines), np.float32)
    if not len(kinds) or not len(other.tokens):
        return table
    # Where each word of the other side stands: postings sorted by word.
    line_of = np.repeat(np.arange(lines), np.diff(other.starts))
    order = np.argsort(other.tokens, kind="stable")
    posted, posted_line = other.tokens[order], line_of[order]
    first = np.searchsorted(links.source, kinds)
    counts = np.searchsorted(links.source, kinds, side="right") - first
    place = ranges(first, counts)
    row = np.repeat(np.arange(len(kinds)), counts)
    target, value = links.target[place], links.value[place]
    begin = np.searchsorted(posted, target)
    hits = np.searchsorted(posted, target, side="right") - begin
    np.maximum.at(table, (np.repeat(row, hits), posted_line[ranges(begin, hits)]), np.repeat(value, hits))
    return table


def _sum_lines(table: Singles, token_kind: Integers, side: Side) -> Singles:
    """Weighted sum over the tokens of each line."""
    sums = np.zeros((len(side.starts) - 1, table.shape[1]), np.float32)
    full = np.flatnonzero(np.diff(side.starts))
    if len(full):
        sums[full] = np.add.reduceat(table[token_kind] * side.weights[:, None], side.starts[full], axis=0)
    return sums
