"""The seam that everything which produces a translation implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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


EMPTY = Hypothesis("", 0.0)
"""The translation of a text without words."""


def hypothesis(candidates: Sequence[Candidate], n_best: int) -> Hypothesis:
    """What candidates for one text come to, best first; the same text counts once."""
    found: dict[str, Candidate] = {}
    for one in candidates:
        found.setdefault(one.text, one)
    best, *others = found.values()
    return Hypothesis(best.text, best.score, (best, *others)[:n_best] if n_best > 1 else ())


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


@runtime_checkable
class Sampler(Protocol):
    """A translator that can also draw translations by chance: the neural engines, not the statistical one."""

    def sample(
        self, texts: Sequence[str], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch.

        Args:
            texts: as for :meth:`Translator.translate`; an empty one gives empty translations.
            count: how many to draw per text; the same one may come several times.
            temperature: above 0; the higher, the more unlike each other.
            top_p: draw among the likeliest tokens that have this much probability together.
            seed: the same texts and seed give the same translations.

        Returns:
            ``count`` candidates per text, in the order of ``texts``, the best-scored first.
        """
        ...


def close(translator: object) -> None:
    """Let go of what a translator holds (processes, memory, connections), where it holds anything."""
    if callable(end := getattr(translator, "close", None)):
        end()
