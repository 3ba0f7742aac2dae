"""Part ``translate.postprocess``: what is mended in a translation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seshat.config.base import Mistake, Section

Fallback = Literal["candidate", "word-by-word", "copy"]


class ResidueStep(Section):
    """Take out what a model says beside the translation: thoughts, tokens of its template, labels, quotation marks."""

    type: Literal["residue"]
    labels: tuple[str, ...] = ("translation", "translated text", "answer", "output", "result", "assistant", "model")
    """Labels that models write before a translation (`Translation:`); the names of the two languages count too."""
    notes: tuple[str, ...] = ("note", "notes", "explanation", "comment")
    """What begins a remark that a model adds below the translation (`Note: …`), also in the language it writes."""


class RepetitionsStep(Section):
    """Say once what a model says again and again, unless the source does the same."""

    removed: ClassVar[dict[str, str]] = {"longest": "loops of up to 12 words are looked for"}

    type: Literal["repetitions"]
    times: int = Field(default=3, ge=2)
    """Said so many times in a row, words are a loop. Twice is often meant: many languages double words."""


class NamesStep(Section):
    """Write proper names as the lexicon does, where a name of the source comes out misspelt."""

    type: Literal["names"]
    types: tuple[str, ...] = ("name", "person", "place", "people", "deity", "organisation", "pn", "gn", "dn")
    """Types of the lexicon entries that are names; `pn`, `gn` and `dn` are personal, geographic and divine names."""
    threshold: float = Field(default=80.0, ge=50.0, le=100.0)
    """How alike (0 to 100) what stands there must be to the name to count as a misspelling of it."""


class MarksStep(Section):
    """Write marks as the target language does: Spanish opens questions, French sets spaces; no quotation mark alone."""

    type: Literal["marks"]


class WhitespaceStep(Section):
    """One space between words, none at the ends, no invisible characters; a translation of a line is a line."""

    type: Literal["whitespace"]


class EmptyStep(Section):
    """Give something where a model gives nothing for a text that says something."""

    type: Literal["empty"]
    fallback: tuple[Fallback, ...] = Field(default=("candidate", "word-by-word", "copy"), min_length=1)
    """What to give, the first that there is: the model's next `candidate`, a `word-by-word` translation, or a
    `copy` of the source."""


PostprocessStep = Annotated[
    ResidueStep | RepetitionsStep | NamesStep | MarksStep | WhitespaceStep | EmptyStep, Field(discriminator="type")
]


class PostprocessSection(Section):
    """What is mended in a translation."""

    steps: tuple[PostprocessStep, ...] = (
        ResidueStep(type="residue"),
        RepetitionsStep(type="repetitions"),
        NamesStep(type="names"),
        MarksStep(type="marks"),
        WhitespaceStep(type="whitespace"),
        EmptyStep(type="empty"),
    )
    """The steps, in order; `seshat evaluate` says of each whether it helps. None: `[]`."""

    def mistakes(self) -> Iterator[Mistake]:
        """A step that stands there twice."""
        twice = [name for name, count in Counter(step.type for step in self.steps).items() if count > 1]
        if twice:
            yield Mistake((), f"the step '{twice[0]}' stands there twice; each step works once")
