"""Section ``align``: parallel documents to sentence pairs."""

from __future__ import annotations

from typing import ClassVar, Literal

from seshat.config.base import Language, Name, Section, Share
from seshat.core.records import Access


class StartsSection(Section):
    """A list (CSV) of sentences: their translation and first word, about documents that are whole segments."""

    name: Name
    """Name of the pairs as a source."""
    path: str
    """The list, below data/raw."""
    language: Language
    """Language of the documents; the translations are in the other one."""
    columns: dict[Literal["document", "order", "text", "word", "number"], str]
    """What is in which column: `document` (their `doc_id`), `order` of the sentence, `text` of the translation, first
    `word` and its `number` in the document."""
    genre: str | None = None
    """Genre of the pairs."""
    licence: str | None = None
    """Licence of the list."""
    access: Access = Access.RESTRICTED
    """Access level of the list; a pair takes the stricter one of the list's and its document's."""


class CutSection(Section):
    """Documents in both languages whose text has no sentence marks but whose translation has: cut to fit."""

    sources: tuple[str, ...]
    """Sources whose segments are whole documents."""
    language: Language
    """The language without sentence marks."""
    genre: str | None = None
    """Genre of the pairs; default: the document's."""


class AlignSection(Section):
    """Parallel documents to sentence pairs, without any pretrained model."""

    removed: ClassVar[dict[str, str]] = {"max_gap": "the search looks up to 400 lines from the diagonal"}

    anchors: Literal["auto", "none", "ids", "verses", "blank-lines"] = "auto"
    """What pins the two sides together before anything is computed: ids at the start of lines, verse numbers,
    blank lines between paragraphs. `auto` uses what both sides agree on."""
    split_sentences: bool = False
    """Split the lines of documents into sentences first; off when a line is a sentence already."""
    lexicon: bool = True
    """Use the project's own lexicon in the lexical score; off where it was made from these documents."""
    min_confidence: Share = 0.5
    """Beads below go to reports/alignment_review.csv and are tagged `align:low-confidence`."""
    starts: tuple[StartsSection, ...] = ()
    """Lists of sentences with their first words."""
    cut: CutSection | None = None
    """Cut documents that run on without sentence marks."""
