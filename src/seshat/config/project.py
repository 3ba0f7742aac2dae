"""Section ``project``: what the language is, and what a run may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import Field

from seshat.config.base import Language, Mistake, Section
from seshat.core.errors import UsageError
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
    pivot: Language | None = None
    """Tag of the language it is translated into and from; none for a language alone, whose texts are learned."""
    languages: dict[Language, LanguageInfo] = Field(default_factory=dict)
    """Names and scripts by language tag."""
    seed: int = 13
    """Every random choice of every stage starts from this number."""
    max_access: Access = Access.PUBLIC
    """The least open records that a run may use: public < registered < community < restricted < sealed."""
    purpose: str = "research"
    """What the results are for; recorded with every run."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The language and the pivot; the language alone where there is no pivot. All that a text has to be in."""
        return (self.language,) if self.pivot is None else (self.language, self.pivot)

    @property
    def pair(self) -> tuple[str, str]:
        """The language and the pivot, for what needs two.

        Raises:
            UsageError: there is no pivot.
        """
        if self.pivot is None:
            raise UsageError(
                f"project.pivot is not set: there is nothing that '{self.language}' is translated into or from.",
                "Name the other language in seshat.yaml (project: pivot: es), if there are translations. Of a language "
                "alone a model is made by `seshat run` with model.preset=xlmr-base-mlm or gemma3-1b-qlora: the report "
                "shows what it puts into gaps or how it goes on, and `seshat export gguf` hands it to other programs.",
            )
        return self.language, self.pivot

    def mistakes(self) -> Iterator[Mistake]:
        """One language twice."""
        if self.language == self.pivot:
            message = f"language and pivot are both '{self.pivot}'; a translator needs two languages"
            yield Mistake((), message)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Into the pivot first, then back; none for a language alone."""
        if self.pivot is None:
            return ()
        forward = Direction(self.language, self.pivot)
        return forward, forward.reverse

    def language_name(self, tag: str) -> str:
        """The name of a language, or its tag when no name is given."""
        info = self.languages.get(tag)
        return info.name if info else tag
