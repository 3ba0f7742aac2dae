"""What a project has so far, for everything that makes more of it.

And what publications gave: a text with its translation, and the count of what became of the pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from seshat.augment.gate import Gate
from seshat.augment.layout import Page
from seshat.augment.made import digest
from seshat.augment.passages import Passage
from seshat.core.records import Entry, Reject, Segment
from seshat.project.folder import Project

_KNOWN_BYTES = 500_000
"""Of each language, the text that the gate learns from."""


class Material:
    """What the project has so far, as often as it is needed: always read from the files.

    Args:
        project: the project; what this run may not use is left out.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.languages = project.config.project.pair
        self._excluded = project.config.split.excludes

    def segments(self) -> Iterator[Segment]:
        """Everything that is neither excluded by a tag, nor above the access level, nor fixed as test."""
        for folder in (self.project.cleaned, self.project.aligned):
            for segment in self.project.gate.read(folder / "segments.jsonl", Segment):
                if segment.meta.split != "test" and not any(map(self._excluded, segment.meta.tags)):
                    yield segment

    def entries(self) -> Iterator[Entry]:
        """The lexicon, as far as this run may use it."""
        for entry in self.project.gate.read(self.project.cleaned / "entries.jsonl", Entry):
            if not any(map(self._excluded, entry.meta.tags)):
                yield entry

    def pairs(self) -> Iterator[Segment]:
        """Segments in both languages."""
        for segment in self.segments():
            if all(segment.texts.get(tag, "").strip() for tag in self.languages):
                yield segment

    def texts(self, tag: str, most: int = _KNOWN_BYTES) -> list[str]:
        """Texts in one language, about so many bytes of them, drawn from all sources alike."""
        total = sum(len(segment.texts.get(tag, "").encode()) for segment in self.segments())
        share = min(1.0, most / max(1, total))
        found: dict[str, None] = {}
        for segment in self.segments():
            text = segment.texts.get(tag, "").strip()
            if text and int(digest(text)[:8], 16) / 16**8 < share:
                found[text] = None
        return list(found)

    def gate(self) -> Gate:
        """The gate, taught by what there is."""
        texts = {tag: self.texts(tag) for tag in self.languages}
        return Gate(self.project.config.augment.filters, (pair.texts for pair in self.pairs()), texts)


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
