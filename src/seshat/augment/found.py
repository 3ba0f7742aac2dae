"""What publications gave: a text with its translation, and the count of what became of the pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from seshat.augment.layout import Page
from seshat.augment.passages import Passage
from seshat.core.records import Reject


@dataclass(frozen=True)
class Found:
    """A text that a publication gives with its translation."""

    id: str
    publication: str
    page: Page
    lines: tuple[str, ...]
    text: str
    """In the language: as the list of texts has it, or else as the page does."""
    known: bool
    """Whether the text is that of the list."""
    passages: tuple[Passage, ...]
    tongue: str
    confidence: float
    translated: tuple[Passage, ...] = ()
    """The passages in the pivot, where they had to be translated."""

    @property
    def in_pivot(self) -> tuple[Passage, ...]:
        """The passages in the pivot."""
        return self.translated or self.passages

    @property
    def translation(self) -> str:
        """The whole translation in the pivot."""
        return " ".join(passage.text for passage in self.in_pivot)


@dataclass
class Tally:
    """What became of the pages."""

    counts: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    cost: float | None = None
    """Of all runs, where a language model was asked."""

    def as_dict(self) -> dict[str, Any]:
        """As figures for a report."""
        cost = {} if self.cost is None else {"cost": self.cost}
        return {**dict(sorted(self.counts.items())), **cost, "languages": dict(sorted(self.languages.items()))}
