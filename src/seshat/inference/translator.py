"""The seam that everything which produces a translation implements: requests in, hypotheses out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seshat.config import Direction
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.inference.dialogue import Dialogue


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

    @property
    def others(self) -> tuple[Candidate, ...]:
        """The alternatives without the best, which engines list among them: what people are shown beside it."""
        return tuple(one for one in self.alternatives if one.text != self.text)[: max(0, len(self.alternatives) - 1)]


EMPTY = Hypothesis("", 0.0)
"""The translation of a text without words."""
Search = Callable[[Sequence[Request], int], Sequence[Sequence[Candidate]]]
"""Gives so many candidates for each of some requests, best first; no text of them is empty."""


class Translator(ABC):
    """Translates texts in one direction. Texts come in and go out as people write them."""

    name: str
    direction: Direction
    context: int = 0
    """How many of the sentences before a text it reads."""
    batch_size: int | None = None
    """The most texts that it wants at a time; ``None``: as many as usual."""
    sums_scores: bool = False
    """Whether the score of a text is the sum of those of its parts; else it is a mean."""
    samples: bool = False
    """Whether :meth:`sample` works: the neural engines can, the statistical one cannot."""

    @abstractmethod
    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch.

        Args:
            requests: texts in ``direction.source``; an empty one gives an empty translation.

        Returns:
            One hypothesis per request, in their order.
        """

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch by chance.

        Args:
            requests: as for :meth:`translate`; an empty text gives empty translations.
            count: how many to draw per text; the same one may come several times.
            temperature: above 0; the higher, the more unlike each other.
            top_p: draw among the likeliest tokens that have this much probability together.
            seed: the same texts and seed give the same translations.

        Returns:
            ``count`` candidates per text, in the order of ``requests``, the best-scored first.
        """
        raise NotImplementedError(f"{self.name} draws nothing by chance")

    def fits(self, text: str) -> bool:  # noqa: ARG002 - some take any
        """Whether a text is short enough to be translated as a whole, in a time that people wait for."""
        return True

    def expect(self, requests: Sequence[Request]) -> None:  # noqa: B027 - few have a budget
        """Hear what all is to be translated; what has a time budget plans with it."""

    def learn(self, source: str, target: str) -> None:  # noqa: B027 - few learn
        """Learn from a text and its translation at once, where it can; it lasts as long as this object does."""

    def for_server(self) -> None:  # noqa: B027 - few need to
        """Get ready to be asked by many, in a process that has others to answer meanwhile."""

    def dialogue(self) -> Dialogue | None:
        """The model to talk to; None where it only translates."""
        return None

    def close(self) -> None:  # noqa: B027 - many hold nothing
        """Let go of what it holds: processes, memory, connections."""


def searched(requests: Sequence[Request], search: Search) -> list[Hypothesis]:
    """The hypotheses of an engine that searches for candidates: requests for as many are searched for together."""
    found = [EMPTY] * len(requests)
    by_count: dict[int, list[int]] = {}
    for place, request in enumerate(requests):
        if request.text.strip():
            by_count.setdefault(request.n_best, []).append(place)
    for n_best, places in by_count.items():
        for place, candidates in zip(places, search([requests[n] for n in places], n_best), strict=True):
            found[place] = hypothesis(candidates, n_best)
    return found


def drawn(requests: Sequence[Request], count: int, search: Search) -> list[list[Candidate]]:
    """``count`` candidates for each request, the best-scored first; empty ones for an empty text."""
    places = [place for place, request in enumerate(requests) if request.text.strip()]
    found = [[Candidate("", 0.0)] * count for _ in requests]
    if places:
        for place, candidates in zip(places, search([requests[n] for n in places], count), strict=True):
            found[place] = sorted(candidates, key=lambda one: -one.score)
    return found


def hypothesis(candidates: Sequence[Candidate], n_best: int) -> Hypothesis:
    """What candidates for one text come to, best first; the same text counts once."""
    different: dict[str, Candidate] = {}
    for one in candidates:
        different.setdefault(one.text, one)
    best, *others = different.values()
    return Hypothesis(best.text, best.score, (best, *others)[:n_best] if n_best > 1 else ())
