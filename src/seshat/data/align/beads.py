"""What an alignment is made of."""

from __future__ import annotations

from dataclasses import dataclass

SHAPES: tuple[tuple[int, int], ...] = (
    (1, 1),
    (1, 2),
    (2, 1),
    (2, 2),
    (1, 3),
    (3, 1),
    (2, 3),
    (3, 2),
    (1, 4),
    (4, 1),
)
"""Shapes of beads that pair something: so many source lines with so many target lines."""

LARGEST = 4
"""Most lines of one side in a bead."""


@dataclass(frozen=True)
class Bead:
    """Source lines that say the same as target lines; half-open ranges of 0-based line numbers, one may be empty."""

    source: tuple[int, int]
    target: tuple[int, int]
    confidence: float = 1.0
    """Posterior probability of exactly this bead, 0 to 1."""
    locked: bool = False
    """Decided by a person."""

    @property
    def shape(self) -> tuple[int, int]:
        """How many source and target lines."""
        return self.source[1] - self.source[0], self.target[1] - self.target[0]

    @property
    def key(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Its lines; an empty side is (0, 0) wherever it stands."""
        return self.source if self.shape[0] else (0, 0), self.target if self.shape[1] else (0, 0)

    @property
    def paired(self) -> bool:
        """Whether there is something on both sides."""
        return self.shape[0] > 0 and self.shape[1] > 0


@dataclass(frozen=True)
class Block:
    """A stretch between two anchors: source lines that can only pair with these target lines, and the reverse."""

    source: tuple[int, int]
    target: tuple[int, int]
