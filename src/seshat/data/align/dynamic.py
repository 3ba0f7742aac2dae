"""Dynamic programming over a band of the lattice: the best path, and the posterior of every bead.

A node ``(i, j)`` of the lattice says that the first ``i`` source lines and the first ``j`` target lines are done. A
bead is an arc. Rows are worked one after the other, the columns of a row all at once; arcs inside a row (target lines
without a partner) are a running maximum or a running sum. The posterior of a bead is the share of all paths, weighted
by their probability, that run through it (forward-backward; Rabiner 1989, section III).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.data.align.beads import Bead, Block

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
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


class _Arcs:
    """The arcs of a lattice laid out so that all that end or begin in one row are found by one look-up.

    ``table[shape, row, 1 + place]`` is the score of the arc that begins there; the columns at both ends, and the rows
    that states have before the first and behind the last row, are impossible, and stand for all that lies outside.
    """

    def __init__(self, lattice: Lattice) -> None:
        band = lattice.band
        self.band, self.width = band, band.width + 2
        self.shapes = [*lattice.scores, (1, 0)]
        self.table = np.full((len(self.shapes), band.rows, self.width), IMPOSSIBLE, np.float32)
        for number, scores in enumerate(lattice.scores.values()):
            self.table[number, :, 1:-1] = scores
        self.table[-1, :-1, 1:-1] = lattice.drop_source[:, None]
        self.drops = np.concatenate([[0.0], np.cumsum(lattice.drop_target)])
        self.counts = (band.high - band.low + 1).tolist()
        self.margin = max(a for a, _ in self.shapes)
        a, b = np.array(self.shapes).T[:, :, None]
        rows = np.arange(band.rows)[None, :]
        before, behind = np.maximum(rows - a, 0), np.minimum(rows + a, band.rows - 1)
        self._start = band.low[rows] - b - band.low[before] + 1
        self._end = band.low[rows] + b - band.low[behind] + 1
        self._start_row = (rows - a + self.margin) * self.width
        self._end_row = (rows + a + self.margin) * self.width
        self._score_row = (np.arange(len(self.shapes))[:, None] * band.rows + before) * self.width
        self._places = np.arange(band.width)[None, :]

    def states(self) -> Floats:
        """A value for every node, all impossible: rows with their margin, columns with theirs."""
        return np.full((self.band.rows + 2 * self.margin, self.width), IMPOSSIBLE)

    def inside(self, states: Floats, row: int) -> Floats:
        """The nodes of one row that are in the band, as they stand in ``states``."""
        found: Floats = states[row + self.margin, 1 : 1 + self.counts[row]]
        return found

    def entering(self, states: Floats, row: int) -> Floats:
        """Shapes by places: the value of the node where each arc that ends in a row begins, and its score."""
        column = np.clip(self._start[:, row, None] + self._places, 0, self.width - 1)
        found: Floats = states.ravel().take(column + self._start_row[:, row, None])
        found += self.table.ravel().take(column + self._score_row[:, row, None])
        return found

    def leaving(self, states: Floats, row: int) -> Floats:
        """Shapes by places: the value of the node where each arc that begins in a row ends, and its score."""
        column = np.clip(self._end[:, row, None] + self._places, 0, self.width - 1)
        found: Floats = states.ravel().take(column + self._end_row[:, row, None])
        found += self.table[:, row, 1:-1]
        return found

    def dropped(self, row: int) -> Floats:
        """Running sum of ``drop_target`` along the columns of a row."""
        low, high = int(self.band.low[row]), int(self.band.high[row])
        return np.asarray(self.drops[low : high + 1] - self.drops[low])


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

    def likely(self, least: float, most: int) -> tuple[Integers, Floats]:
        """Beads with both sides, of at most so many lines together, whose posterior is at least ``least``.

        Returns:
            Beads by first and last (exclusive) source and target line; and their posteriors.
        """
        lines, shares = [np.zeros((0, 4), np.int64)], [np.zeros(0)]
        for (a, b), table in self.paired.items():
            if a + b <= most:
                row, place = np.nonzero(table >= least)
                column = self.band.low[row] + place
                lines.append(np.stack([row, row + a, column, column + b], axis=1))
                shares.append(np.minimum(1.0, table[row, place]))
        return np.concatenate(lines), np.concatenate(shares)

    def counts(self) -> dict[tuple[int, int], float]:
        """Expected number of beads of each shape."""
        tables = {**self.paired, (1, 0): self.drop_source, (0, 1): self.drop_target}
        return {shape: float(table.sum(dtype=np.float64)) for shape, table in tables.items()}


def posteriors(lattice: Lattice) -> Posteriors:
    """Forward-backward over the lattice."""
    arcs = _Arcs(lattice)
    forward = arcs.states()
    arcs.inside(forward, 0)[0] = 0.0
    for row in range(lattice.band.rows):
        here = arcs.inside(forward, row)
        if row:
            here[:] = _log_sum(arcs.entering(forward, row))[: len(here)]
        drops = arcs.dropped(row)
        here[:] = np.logaddexp.accumulate(here - drops) + drops
    return _backward(arcs, forward - arcs.inside(forward, lattice.band.rows - 1)[-1])


def _log_sum(values: Floats) -> Floats:
    highest = values.max(axis=0)
    total: Floats = np.log(np.exp(values - highest).sum(axis=0)) + highest
    return total


def _backward(arcs: _Arcs, forward: Floats) -> Posteriors:
    """Backward pass; ``forward`` is divided by the probability of the whole, so products are posteriors."""
    band, last = arcs.band, arcs.band.rows - 1
    backward = arcs.states()
    found = np.zeros((len(arcs.shapes), band.rows, band.width), np.float32)
    drop_target = np.zeros((band.rows, band.width), np.float32)
    for row in range(last, -1, -1):
        before, here = arcs.inside(forward, row), arcs.inside(backward, row)
        count = len(here)
        onward = arcs.leaving(backward, row)[:, :count]
        found[:, row, :count] = np.exp(np.minimum(0.0, before + onward))
        here[:] = _log_sum(onward)
        if row == last:
            here[-1] = 0.0
        drops = arcs.dropped(row)
        here[:] = np.logaddexp.accumulate((here + drops)[::-1])[::-1] - drops
        if count > 1:
            through = np.diff(drops) + here[1:]
            drop_target[row, : count - 1] = np.exp(np.minimum(0.0, before[:-1] + through))
    return Posteriors(band, dict(zip(arcs.shapes[:-1], found, strict=False)), found[-1], drop_target)


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
    band, arcs = lattice.band, _Arcs(lattice)
    best = arcs.states()
    dropped = len(arcs.shapes)
    came_by = np.full((band.rows, band.width), dropped, np.uint8)
    places = np.arange(band.width)
    arcs.inside(best, 0)[0] = 0.0
    for row in range(band.rows):
        here, by = arcs.inside(best, row), came_by[row, : arcs.counts[row]]
        if row:
            values = arcs.entering(best, row)
            by[:] = values.argmax(axis=0)[: len(here)]
            here[:] = values[by, places[: len(here)]]
        drops = arcs.dropped(row)
        entered = here - drops
        running = np.maximum.accumulate(entered)
        by[running > entered] = dropped
        here[:] = running + drops
    return _trace(band, came_by, [*arcs.shapes, (0, 1)])


def _trace(band: Band, came_by: NDArray[np.uint8], shapes: Sequence[tuple[int, int]]) -> list[Bead]:
    beads: list[Bead] = []
    row, column = band.rows - 1, int(band.high[-1])
    while row > 0 or column > 0:
        a, b = shapes[came_by[row, column - int(band.low[row])]]
        beads.append(Bead((row - a, row), (column - b, column)))
        row, column = row - a, column - b
    return beads[::-1]
