"""The score of every bead in the band: prior, length, and shared words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seshat.data.align.beads import LARGEST, SHAPES, Bead
from seshat.data.align.dynamic import IMPOSSIBLE, Band, Lattice
from seshat.data.align.length import LengthModel
from seshat.data.align.lexical import Links, Rates, Side, linked_weight

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PRIORS: Mapping[tuple[int, int], float] = {
    (1, 1): 0.85,
    (1, 2): 0.05,
    (2, 1): 0.05,
    (2, 2): 0.005,
    (1, 3): 0.01,
    (3, 1): 0.01,
    (2, 3): 0.002,
    (3, 2): 0.002,
    (1, 4): 0.002,
    (4, 1): 0.002,
    (1, 0): 0.01,
    (0, 1): 0.01,
}
"""Share of each shape before the documents are seen (after Gale and Church 1993, table 5)."""

BELIEVED = 0.5
"""Posterior from which a 1-1 bead teaches about lengths and rates."""
_SAMPLE = 200
_SHIFTS = (-7, -5, 5, 7)
"""So far apart lines have nothing to do with each other, but are about the same things."""
_SMOOTHING = 20.0
_ROWS = 40
"""Source lines scored at once, at least; more in a wide band, so that not much is scored outside of it."""


@dataclass(frozen=True)
class Text:
    """Both sides of one document in numbers."""

    source: Side
    target: Side
    source_lengths: Floats
    """Characters of each line."""
    target_lengths: Floats
    source_blocks: Integers
    """Block of each line; a bead stays inside one block. Lines decided by a person have a negative number."""
    target_blocks: Integers


@dataclass(frozen=True)
class Model:
    """Everything a score depends on besides the text."""

    priors: Mapping[tuple[int, int], float]
    length: LengthModel
    links: Links | None
    """None: lengths alone."""
    turned: Links | None
    rates: Rates

    @classmethod
    def of(
        cls, priors: Mapping[tuple[int, int], float], length: LengthModel, links: Links | None, rates: Rates
    ) -> Model:
        """A model; the links are turned once."""
        return cls(priors, length, links, links.turned if links is not None else None, rates)


def lattice(text: Text, band: Band, model: Model, shapes: Sequence[tuple[int, int]] = SHAPES) -> Lattice:
    """Score all beads of a band, of some shapes."""
    rows, columns = len(text.source_lengths), len(text.target_lengths)
    scores = {shape: np.full((rows + 1, band.width), IMPOSSIBLE, np.float32) for shape in shapes}
    step = max(_ROWS, band.width // 4)
    for first in range(0, rows, step):
        window = _Window.of(text, band, model, range(first, min(rows, first + step)), shapes)
        for (a, b), row, column, score in window.scores():
            place = column - band.low[row]
            inside = (place >= 0) & (column <= band.high[row])
            at = np.broadcast_to(row, place.shape)
            scores[a, b][at[inside], place[inside]] = score[inside]
    dropped = [math.log(model.priors[shape]) for shape in ((1, 0), (0, 1))]
    return Lattice(band, scores, np.full(rows, dropped[0]), np.full(columns, dropped[1]))


def observed_rates(texts: Sequence[Text], beads: Sequence[Sequence[Bead]], links: Links) -> Rates:
    """Rates among 1-1 beads that are believed, and among the same lines shifted against each other.

    Some hundred beads, evenly spread, are enough.
    """
    believed = [
        (text, bead.source[0], bead.target[0])
        for text, path in zip(texts, beads, strict=True)
        for bead in path
        if bead.shape == (1, 1) and bead.confidence >= BELIEVED
    ]
    turned = links.turned
    together, by_chance = [0.0, 0.0], [0.0, 0.0]
    for text, row, column in believed[:: max(1, len(believed) // _SAMPLE)]:
        for shift in (0, *_SHIFTS):
            if 0 <= column + shift < len(text.target_lengths):
                one, other = text.source.part(row, row + 1), text.target.part(column + shift, column + shift + 1)
                counts = by_chance if shift else together
                counts[0] += float(linked_weight(one, other, links, 1)[0][0, 0])
                counts[0] += float(linked_weight(other, one, turned, 1)[0][0, 0])
                counts[1] += float(one.totals[0] + other.totals[0])
    # Where little is believed, what the first pass assumes is not far off.
    start = Rates()
    chance = (by_chance[0] + start.by_chance * _SMOOTHING) / (by_chance[1] + _SMOOTHING)
    share = (together[0] + start.together * _SMOOTHING) / (together[1] + _SMOOTHING)
    return Rates(min(max(share, 1.2 * chance), 0.95), min(chance, 0.75))


def _sums(values: Floats | NDArray[np.float32] | NDArray[np.bool_]) -> Floats:
    """Running sum from 0, so that a difference of two places is the sum between them."""
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])


@dataclass(frozen=True)
class _Window:
    """Some source lines and all target lines that their band touches."""

    text: Text
    model: Model
    rows: tuple[int, int]
    """Where beads may start …"""
    last_row: int
    """… and the last line (exclusive) they may reach."""
    columns: tuple[int, int]
    shapes: Sequence[tuple[int, int]]
    forth: Sequence[NDArray[np.float32]]
    """Linked weight of source lines, for runs of 1, 2 … target lines."""
    back: Sequence[NDArray[np.float32]]
    """Linked weight of target lines, for runs of source lines; source lines by target lines."""

    @classmethod
    def of(cls, text: Text, band: Band, model: Model, lines: range, shapes: Sequence[tuple[int, int]]) -> _Window:
        rows = lines.start, lines.stop
        last = min(len(text.source_lengths), rows[1] + LARGEST - 1)
        reach = band.high[rows[0] : rows[1] + 1].max() + LARGEST
        columns = int(band.low[rows[0] : rows[1] + 1].min()), int(min(len(text.target_lengths), reach))
        forth: list[NDArray[np.float32]] = []
        back: list[NDArray[np.float32]] = []
        if model.links is not None and model.turned is not None:
            source, target = text.source.part(rows[0], last), text.target.part(*columns)
            forth = linked_weight(source, target, model.links, max(b for _, b in shapes))
            back = [table.T for table in linked_weight(target, source, model.turned, max(a for a, _ in shapes))]
        return cls(text, model, rows, last, columns, shapes, forth, back)

    def scores(self) -> Iterator[tuple[tuple[int, int], Integers, Integers, Floats]]:
        """Shape, rows (a column), columns (a row) and scores of all beads that start in the window."""
        text, model = self.text, self.model
        characters = _sums(text.source_lengths), _sums(text.target_lengths)
        weights = _sums(text.source.totals), _sums(text.target.totals)
        alone = _sums(model.length.alone(text.target_lengths))
        for a, b in self.shapes:
            row = np.arange(self.rows[0], min(self.rows[1], self.last_row - a + 1))[:, None]
            column = np.arange(self.columns[0], max(self.columns[0], self.columns[1] - b + 1))[None, :]
            if not row.size or not column.size:
                continue
            lengths = characters[0][row + a] - characters[0][row], characters[1][column + b] - characters[1][column]
            score = model.length.together(*lengths, b) - (alone[column + b] - alone[column])
            score += math.log(model.priors[a, b])
            if self.forth:
                weight = weights[0][row + a] - weights[0][row] + weights[1][column + b] - weights[1][column]
                score += model.rates.score(self._linked(a, b, len(row), column.shape[1]), weight)
            score[~self._allowed(row, column, a, b)] = IMPOSSIBLE
            yield (a, b), row, column, score

    def _linked(self, a: int, b: int, rows: int, columns: int) -> Floats:
        """Linked weight of both sides of every bead of one shape."""
        total = np.zeros((rows, columns))
        for line in range(a):
            total += self.forth[b - 1][line : line + rows, :columns]
        for line in range(b):
            total += self.back[a - 1][:rows, line : line + columns]
        return total

    def _allowed(self, row: Integers, column: Integers, a: int, b: int) -> NDArray[np.bool_]:
        mine, theirs = self.text.source_blocks, self.text.target_blocks
        inside = (mine[row] == mine[row + a - 1]) & (theirs[column] == theirs[column + b - 1])
        decided = _sums(mine < 0), _sums(theirs < 0)
        free = (decided[0][row + a] == decided[0][row]) & (decided[1][column + b] == decided[1][column])
        return np.asarray(inside & free & (mine[row] == theirs[column]))
