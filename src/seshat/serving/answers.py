"""What the service answers: plain values without HTTP, for the API and the page alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seshat.core.records import Access
from seshat.inference.translator import Candidate

if TYPE_CHECKING:
    from seshat.inference.confidence import Confidence


@dataclass(frozen=True)
class Example:
    """A training example like the text, or a correction."""

    id: str
    source: str
    target: str
    similarity: float
    """0 to 1."""
    origin: str | None = None
    """Where it comes from: the name of its source."""
    by: str = ""
    """Of a correction: who says so, as they want to be named."""
    at: str = ""
    """Of a correction: when (ISO 8601, UTC)."""


@dataclass(frozen=True)
class Used:
    """A lexicon entry about a word of the text."""

    start: int
    """Place in the text that was asked about, in characters."""
    end: int
    surface: str
    """The word as it stands in the text."""
    headword: str
    meanings: tuple[str, ...]
    """In the target language."""
    exact: bool
    """Whether the word is the headword or one of its forms; otherwise a variant or an inflected form."""


@dataclass(frozen=True)
class Answer:
    """The translation of one text, and why."""

    text: str
    score: float
    alternatives: tuple[Candidate, ...] = ()
    """Other candidates, best first; empty when one was asked for."""
    confidence: Confidence | None = None
    """What to expect of it, by what was measured on validation; None where nothing was."""
    agreement: float | None = None
    """How much the candidates agree on it, 0 to 1."""
    changes: tuple[str, ...] = ()
    """The steps of post-processing that changed the text."""
    echo: bool = False
    """Whether it only repeats its source, which may be in the target language already."""
    copied: tuple[str, ...] = ()
    """Words of the text that came through as they are, and stand in no text or entry of the target language."""
    invented: tuple[str, ...] = ()
    """Words of the translation that stand in no text or lexicon of its language, nor in the source."""
    entries: tuple[Used, ...] = ()
    examples: tuple[Example, ...] = ()
    """Most similar first."""


@dataclass(frozen=True)
class LexiconEntry:
    """An entry of the dictionary."""

    id: str
    language: str
    headword: str
    forms: tuple[str, ...]
    pos: str | None
    type: str
    glosses: tuple[dict[str, tuple[str, ...]], ...]
    """Per sense: language -> meanings."""
    examples: tuple[dict[str, str], ...]
    """Language -> phrase."""
    source: str | None = None


@dataclass(frozen=True)
class Hit:
    """A line of the concordance: a keyword in its context."""

    id: str
    """Of the segment."""
    tier: str
    """A language tag, ``gloss`` or ``morphemes``."""
    before: str
    match: str
    after: str
    spans: tuple[tuple[int, int], ...]
    """Every match in the line (before + match + after), as (start, end) in characters; the first is ``match``."""
    others: dict[str, str] = field(default_factory=dict)
    """The other tiers of the segment: tier -> text."""
    split: str | None = None
    source: str | None = None
    document: str | None = None


@dataclass(frozen=True)
class Concordance:
    """Lines in which something stands."""

    hits: tuple[Hit, ...]
    total: int | None
    """Lines in all; None when that is not known (regular expressions)."""
    complete: bool
    """False when the time was over before the end of the corpus."""
    following: int | None
    """What to give as ``after`` for the next lines; None at the end."""


@dataclass(frozen=True)
class Model:
    """A model that can be asked."""

    name: str
    family: str
    directions: tuple[str, ...]
    """Such as ``shp-es``; what can be asked for as ``NAME:shp-es``."""
    chat: bool
    """Whether it answers questions in free words."""


@dataclass(frozen=True)
class Card:
    """What there is to read about a model."""

    name: str
    text: str
    """Markdown: the model card where there is one, else what ``model.json`` says."""
    access: Access
    """The least open record that it was trained on."""
