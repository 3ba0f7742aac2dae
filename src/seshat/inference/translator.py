"""The seam that everything which produces a translation implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seshat.config import Direction


@dataclass(frozen=True)
class Candidate:
    """One translation and its score (natural log-probability or model score; higher is better)."""

    text: str
    score: float


@dataclass(frozen=True)
class Hypothesis:
    """The translation of one text: the best candidate, and the others asked for, best first."""

    text: str
    score: float
    alternatives: tuple[Candidate, ...] = ()
    changes: tuple[str, ...] = ()
    """The steps of post-processing that changed the text."""
    agreement: float | None = None
    """How much the candidates agree on it, 0 to 1; only when there were several."""


class Translator(Protocol):
    """Translates texts in one direction. Texts come in and go out as people write them."""

    name: str
    direction: Direction

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Translate a batch.

        Args:
            texts: texts in ``direction.source``; an empty one gives an empty translation.
            n_best: how many candidates to return per text; 1 gives no alternatives.

        Returns:
            One hypothesis per text, in the order of ``texts``.
        """
        ...
