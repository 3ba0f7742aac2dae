"""The three records that everything else reads and writes.

``Segment`` (a sentence or phrase), ``Entry`` (a lexicon entry) and ``Document`` (lines not aligned yet) are
direction-free: texts are keyed by language tag, as in the Hugging Face ``translation`` feature, so that mono-,
bi- and trilingual data are the same thing. ``Meta`` travels with each of them to the end.

Files of records are JSON Lines; reading and writing them is in :mod:`seshat.core.jsonl`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Access(StrEnum):
    """Who may see a record, from the most to the least open. The order of the members is the order of the levels."""

    PUBLIC = "public"
    REGISTERED = "registered"
    COMMUNITY = "community"
    RESTRICTED = "restricted"
    SEALED = "sealed"

    @property
    def level(self) -> int:
        """0 for public up to 4 for sealed."""
        return list(Access).index(self)

    @classmethod
    def parse(cls, text: str | None) -> Access:
        """The level named by ``text``; unknown or missing reads as restricted (deny by default)."""
        return _LEVELS.get((text or "").strip().casefold(), cls.RESTRICTED)


_LEVELS = {one.value: one for one in Access}
"""Asked for every record that is read: calling the enumeration takes a quarter of the time of reading one."""


class Method(StrEnum):
    """How a record came to be."""

    GOLD = "gold"
    """Made or checked by a person."""
    ALIGNED = "aligned"
    """Paired by the aligner."""
    EXTRACTED = "extracted"
    """Taken out of another record, such as the example of a dictionary entry."""
    SYNTHETIC = "synthetic"
    """Made by augmentation."""
    MACHINE = "machine"
    """Made by a model: recognition, transcription, translation."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Record):
    """Where a record comes from: a file below ``data/raw`` and a place in it."""

    file: str
    line: int | None = None
    """1-based line (text), row (table) or unit (TMX)."""
    page: int | None = None
    start: float | None = None
    """Seconds from the start of a recording."""
    end: float | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line is not None else self.file


class Meta(_Record):
    """What is known about a record besides its text."""

    doc_id: str | None = None
    order: int | None = None
    """Position inside the document, from 0."""
    origin: Origin | None = None
    speaker: str | None = None
    genre: str | None = None
    source: str | None = None
    """Name of the source in ``seshat.yaml``."""
    licence: str | None = None
    access: Access = Access.RESTRICTED
    purposes: tuple[str, ...] = ()
    """What it may be used for; empty for anything."""
    embargo: str | None = None
    """The day (ISO 8601) from which it may be used."""
    consent: str | None = None
    """Where the consent is kept: a number or name, never the paper itself."""
    labels: tuple[str, ...] = ()
    """Labels of Local Contexts (TK, BC), as they were given."""
    method: Method = Method.GOLD
    score: float | None = None
    """Confidence of whatever made the record, 0 to 1."""
    split: str | None = None
    """``train``, ``validation`` or ``test`` when the source fixes it."""
    tags: tuple[str, ...] = ()
    """Reasons for which a filter disliked the record, as ``stage:reason``."""
    extra: dict[str, str] = Field(default_factory=dict)
    """Columns of the source that have no place above."""

    @field_validator("access", mode="before")
    @classmethod
    def _unknown_access_is_restricted(cls, value: Any) -> Access:
        return value if isinstance(value, Access) else Access.parse(str(value) if value is not None else None)

    def tagged(self, *tags: str) -> Meta:
        """A copy with more tags; each tag once, in order of arrival."""
        return self.model_copy(update={"tags": tuple(dict.fromkeys((*self.tags, *tags)))})


def hyphenated(parts: Iterable[str]) -> str:
    """Morphemes of a word, or their glosses, as one: ``ka``, ``ta`` and ``=a`` give ``ka-ta=a``.

    By the Leipzig Glossing Rules (rule 2): hyphens between morphemes; clitics and reduplication bring their own sign.
    """
    joined = ""
    for part in parts:
        own = not joined or joined[-1] in "=~" or part[:1] in ("=", "~")
        joined += part if own else f"-{part}"
    return joined


class GlossedWord(_Record):
    """One word of an interlinear gloss: as many glosses as morphemes."""

    form: str
    morphemes: tuple[str, ...] = ()
    glosses: tuple[str, ...] = ()


class Segment(_Record):
    """A sentence or phrase in one or more languages."""

    id: str
    texts: dict[str, str]
    gloss: tuple[GlossedWord, ...] | None = None
    meta: Meta = Field(default_factory=Meta)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, line: Any) -> Any:
        """A line of :class:`PlainText` is a segment in one language."""
        if not isinstance(line, dict) or "text" not in line:
            return line
        plain = PlainText.model_validate(line)
        meta = plain.meta.model_copy(update={"source": plain.source})
        return {"id": plain.id, "texts": {plain.language: plain.text}, "meta": meta}


class PlainText(_Record):
    """A segment of a language alone, in the form that datasets of running text have: one column ``text``."""

    id: str
    text: str
    language: str
    source: str | None = None
    """Name of the source; ``meta`` says all else."""
    meta: Meta = Field(default_factory=Meta)

    @classmethod
    def of(cls, segment: Segment, language: str) -> PlainText:
        """The text of a segment in one language."""
        source, meta = segment.meta.source, segment.meta.model_copy(update={"source": None})
        return cls(id=segment.id, text=segment.texts[language], language=language, source=source, meta=meta)


class Example(_Record):
    """A phrase that shows a sense in use, with its translations."""

    texts: dict[str, str]


class Sense(_Record):
    """One meaning of an entry: glosses per language, and examples."""

    glosses: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    examples: tuple[Example, ...] = ()


class Entry(_Record):
    """A lexicon entry. ``type`` tells words from names (``word``, ``affix``, ``person``, ``place``, …)."""

    id: str
    lang: str
    headword: str
    forms: tuple[str, ...] = ()
    pos: str | None = None
    type: str = "word"
    senses: tuple[Sense, ...] = ()
    meta: Meta = Field(default_factory=Meta)


class Document(_Record):
    """Ordered lines per language, not aligned yet. An empty line is kept: it marks a paragraph."""

    id: str
    texts: dict[str, tuple[str, ...]]
    meta: Meta = Field(default_factory=Meta)


Record = Segment | Entry | Document


class Reject(_Record):
    """A piece of input that could not be read: where, why, and what it said."""

    file: str
    line: int | None
    reason: str
    content: str = ""
    """The offending text, cut to 500 characters."""
