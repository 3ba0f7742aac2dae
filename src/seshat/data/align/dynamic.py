"""Dynamic programming over a band of the lattice: the best path, and the posterior of every bead.

A node ``(i, j)`` of the lattice says that the first ``i`` source lines and the first ``j`` target lines are done. A
bead is an arc. Rows are worked one after the other, the columns of a row all at once; arcs inside a row (target lines
without a partner) are a running maximum or a running sum. The posterior of a bead is the share of all paths, weighted
by their probability, that run through it (forward-backward; Rabiner 1989, section III).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.data.align.beads import Bead, Block

Floats = NDArray[np.float64]
Scores = dict[tuple[int, int], NDArray[np.float32]]

IMPOSSIBLE = -1e30
"""Log-probability of what cannot be; finite, so that differences of two stay numbers."""


@dataclass(frozen=True)
class Band:
    """The part of the lattice that is searched: columns ``low[i] .. high[i]`` (inclusive) of row ``i``."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Source lines + 1."""
        return len(self.low)

    @property
    def width(self) -> int:
        """Columns of the widest row."""
        return int((self.high - self.low).max()) + 1

    @classmethod
    def around(cls, blocks: Sequence[Block], gap: int) -> Band:
        """The nodes at most ``gap`` columns from the diagonal of their block."""
        rows = blocks[-1].source[1] + 1
        low = np.full(rows, np.iinfo(np.int64).max)
        high = np.full(rows, -1)
        for block in blocks:
            (s0, s1), (t0, t1) = block.source, block.target
            slope = (t1 - t0) / max(1, s1 - s0)
            middle = t0 + np.round(np.arange(s1 - s0 + 1) * slope).astype(np.int64)
            # Neighbouring rows must overlap, and a block without source lines is one row with all its columns.
            reach = max(gap, math.ceil(slope)) if s1 > s0 else t1 - t0
            below, above = middle - reach, middle + reach
            low[s0 : s1 + 1] = np.minimum(low[s0 : s1 + 1], np.maximum(below, t0))
            high[s0 : s1 + 1] = np.maximum(high[s0 : s1 + 1], np.minimum(above, t1))
        return cls(low, high)

    def near(self, path: Sequence[Bead], gap: int) -> Band:
        """The part of this band at most ``gap`` columns from a path."""
        low, high = np.full(self.rows, np.iinfo(np.int64).max), np.full(self.rows, -1)
        for bead in path:
            for row in bead.source:
                low[row], high[row] = min(low[row], bead.target[0]), max(high[row], bead.target[1])
        # Rows inside a bead lie between its ends.
        low = np.minimum.accumulate(low[::-1])[::-1]
        high = np.maximum.accumulate(high)
        low = np.minimum(low, high)
        return Band(np.maximum(self.low, low - gap), np.minimum(self.high, high + gap))


@dataclass(frozen=True)
class Lattice:
    """Scores of all arcs of a band.

    ``scores[a, b][i, k]`` is the log-score of the bead of ``a`` source lines from ``i`` on and ``b`` target lines from
    ``low[i] + k`` on; ``drop_source[i]`` and ``drop_target[j]`` are those of a line without a partner.
    """

    band: Band
    scores: Scores
    drop_source: Floats
    drop_target: Floats

    def arcs(self, row: int) -> Iterator[tuple[tuple[int, int], slice, slice, Floats]]:
        """Arcs that leave a row for a later one: shape, columns here, columns there (in band places), scores."""
        band = self.band
        count = int(band.high[row] - band.low[row]) + 1
        for (a, b), table in self.scores.items():
            below = row + a
            if below < band.rows:
                here, there = self._overlap(row, below, b, count)
                if here.stop > here.start:
                    yield (a, b), here, there, table[row, here].astype(np.float64)
        if row + 1 < band.rows:
            here, there = self._overlap(row, row + 1, 0, count)
            if here.stop > here.start:
                yield (1, 0), here, there, np.full(here.stop - here.start, self.drop_source[row])

    def _overlap(self, row: int, below: int, b: int, count: int) -> tuple[slice, slice]:
        shift = int(self.band.low[row]) + b - int(self.band.low[below])
        start = max(0, -shift)
        stop = min(count, int(self.band.high[below] - self.band.low[below]) + 1 - shift)
        return slice(start, stop), slice(start + shift, stop + shift)

    def drops(self, row: int) -> Floats:
        """Running sum of ``drop_target`` along the columns of a row."""
        low, high = int(self.band.low[row]), int(self.band.high[row])
        return np.concatenate([[0.0], np.cumsum(self.drop_target[low:high])])


@dataclass(frozen=True)
class Posteriors:
    """Probability of every arc, in the layout of :class:`Lattice`."""

    band: Band
    paired: dict[tuple[int, int], NDArray[np.float32]]
    drop_source: NDArray[np.float32]
    drop_target: NDArray[np.float32]

    def of(self, bead: Bead) -> float:
        """The posterior of one bead."""
        (i, _), (j, _) = bead.source, bead.target
        place = j - int(self.band.low[i])
        tables = {**self.paired, (1, 0): self.drop_source, (0, 1): self.drop_target}
        return min(1.0, float(tables[bead.shape][i, place]))

    def likely(self, least: float) -> list[Bead]:
        """Beads with both sides whose posterior is at least ``least``."""
        beads = []
        for (a, b), table in self.paired.items():
            for row, place in np.argwhere(table >= least).tolist():
                column = int(self.band.low[row]) + place
                beads.append(Bead((row, row + a), (column, column + b), min(1.0, float(table[row, place]))))
        return beads

    def counts(self) -> dict[tuple[int, int], float]:
        """Expected number of beads of each shape."""
        tables = {**self.paired, (1, 0): self.drop_source, (0, 1): self.drop_target}
        return {shape: float(table.sum(dtype=np.float64)) for shape, table in tables.items()}


def posteriors(lattice: Lattice) -> Posteriors:
    """Forward-backward over the lattice."""
    band = lattice.band
    forward = np.full((band.rows, band.width), IMPOSSIBLE)
    forward[0, 0] = 0.0
    for row in range(band.rows):
        count = int(band.high[row] - band.low[row]) + 1
        drops = lattice.drops(row)
        forward[row, :count] = np.logaddexp.accumulate(forward[row, :count] - drops) + drops
        for (a, _), here, there, scores in lattice.arcs(row):
            forward[row + a, there] = np.logaddexp(forward[row + a, there], forward[row, here] + scores)
    total = forward[-1, int(band.high[-1] - band.low[-1])]
    return _backward(lattice, forward - total)


def _backward(lattice: Lattice, forward: Floats) -> Posteriors:
    """Backward pass; ``forward`` is divided by the probability of the whole, so products are posteriors."""
    band = lattice.band
    backward = np.full((band.rows, band.width), IMPOSSIBLE)
    backward[-1, int(band.high[-1] - band.low[-1])] = 0.0
    found = {shape: np.zeros_like(table) for shape, table in lattice.scores.items()}
    drop_source = np.zeros((band.rows, band.width), np.float32)
    drop_target = np.zeros((band.rows, band.width), np.float32)
    for row in range(band.rows - 1, -1, -1):
        for (a, b), here, there, scores in lattice.arcs(row):
            onward = scores + backward[row + a, there]
            backward[row, here] = np.logaddexp(backward[row, here], onward)
            table = drop_source if b == 0 else found[a, b]
            table[row, here] = np.exp(np.minimum(0.0, forward[row, here] + onward))
        count = int(band.high[row] - band.low[row]) + 1
        drops = lattice.drops(row)
        backward[row, :count] = np.logaddexp.accumulate((backward[row, :count] + drops)[::-1])[::-1] - drops
        if count > 1:
            onward = np.diff(drops) + backward[row, 1:count]
            drop_target[row, : count - 1] = np.exp(np.minimum(0.0, forward[row, : count - 1] + onward))
    return Posteriors(band, found, drop_source, drop_target)


def most_expected(found: Posteriors) -> list[Bead]:
    """The path with the largest expected number of right beads: the sum of the posteriors along it.

    It is a better guess than the likeliest path when many paths are about as likely (as Kumar and Byrne 2002 do for
    word alignments). A tiny cost per bead decides between equals for fewer beads.
    """
    band = found.band
    scores = {
        shape: np.where(table > 0.0, table - np.float32(1e-6), np.float32(IMPOSSIBLE)).astype(np.float32)
        for shape, table in found.paired.items()
    }
    columns = int(band.high[-1])
    return best_path(Lattice(band, scores, np.zeros(band.rows - 1), np.zeros(columns)))


def best_path(lattice: Lattice) -> list[Bead]:
    """The path of the highest score."""
    band = lattice.band
    best = np.full((band.rows, band.width), IMPOSSIBLE)
    shapes = [(0, 1), (1, 0), *lattice.scores]
    came_by = np.zeros((band.rows, band.width), np.uint8)
    best[0, 0] = 0.0
    for row in range(band.rows):
        count = int(band.high[row] - band.low[row]) + 1
        drops = lattice.drops(row)
        entered = best[row, :count] - drops
        running = np.maximum.accumulate(entered)
        came_by[row, :count][running > entered] = 0
        best[row, :count] = running + drops
        for shape, here, there, scores in lattice.arcs(row):
            below = row + shape[0]
            value = best[row, here] + scores
            better = value > best[below, there]
            best[below, there] = np.where(better, value, best[below, there])
            came_by[below, there][better] = shapes.index(shape)
    return _trace(band, came_by, shapes)


def _trace(band: Band, came_by: NDArray[np.uint8], shapes: Sequence[tuple[int, int]]) -> list[Bead]:
    beads: list[Bead] = []
    row, column = band.rows - 1, int(band.high[-1])
    while row > 0 or column > 0:
        a, b = shapes[came_by[row, column - int(band.low[row])]]
        beads.append(Bead((row - a, row), (column - b, column)))
        row, column = row - a, column - b
    return beads[::-1]
