"""Section ``project``: what the language is, and what a run may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import Field

from seshat.config.base import Language, Mistake, Section
from seshat.core.records import Access


class Direction(NamedTuple):
    """From one language into another."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"

    @property
    def reverse(self) -> Direction:
        """The other way round."""
        return Direction(self.target, self.source)


class LanguageInfo(Section):
    """What is known about one language."""

    name: str
    """The name people read in reports and prompts."""
    script: str | None = None
    """The script it is written in, as Unicode names it: Latin, Tamil, Devanagari …"""


class ProjectSection(Section):
    """What the language is, and what a run may use."""

    name: str = "My language"
    """The title of reports."""
    language: Language = "xx"
    """Tag of the low-resource language."""
    pivot: Language = "es"
    """Tag of the language it is translated into and from."""
    languages: dict[Language, LanguageInfo] = Field(default_factory=dict)
    """Names and scripts by language tag."""
    seed: int = 13
    """Every random choice of every stage starts from this number."""
    max_access: Access = Access.PUBLIC
    """The least open records that a run may use: public < registered < community < restricted < sealed."""
    purpose: str = "research"
    """What the results are for; recorded with every run."""

    def mistakes(self) -> Iterator[Mistake]:
        """One language twice."""
        if self.language == self.pivot:
            message = f"language and pivot are both '{self.pivot}'; a translator needs two languages"
            yield Mistake((), message)

    @property
    def directions(self) -> tuple[Direction, Direction]:
        """Into the pivot first, then back."""
        forward = Direction(self.language, self.pivot)
        return forward, forward.reverse

    def language_name(self, tag: str) -> str:
        """The name of a language, or its tag when no name is given."""
        info = self.languages.get(tag)
        return info.name if info else tag
