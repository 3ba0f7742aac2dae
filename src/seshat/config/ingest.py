"""Sections ``download`` and ``ingest``: where the raw files come from and how each is read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seshat.config.base import Language, Section
from seshat.records import Access, Method


class DownloadFile(Section):
    """One file to fetch into ``data/raw``."""

    path: str
    """Where it goes, below data/raw."""
    url: str
    """Where it is."""
    local: str | None = None
    """Its name below the folder given with `seshat download --from`; default: the last part of the URL."""
    sha256: str | None = None
    """Refuse the file when its hash is another."""


class DownloadSection(Section):
    """The fetch recipe: run with `seshat download`, never by itself."""

    files: tuple[DownloadFile, ...] = ()
    """Files to fetch."""
    licence: str | None = None
    """Licence or terms of the data, shown before anything is fetched."""
    citation: str | None = None
    """What to cite."""


ReaderName = Literal["auto", "table", "moses", "tmx", "documents", "text", "corrections"]


class Source(Section):
    """One source of material: files that are read alike."""

    name: str
    """A short name, unique in the project; it becomes part of the ids and can be used to stratify splits."""
    path: str | tuple[str, ...]
    """File, pattern (`dictionary/*.csv`) or list of them, below data/raw. For `moses` and `documents` use
    `{lang}` where the language tag stands in the name: `train.{lang}`."""
    reader: ReaderName = "auto"
    """`table` (CSV, TSV, XLSX, JSON, JSONL), `moses` (line-aligned text), `tmx`, `documents` (parallel, not
    aligned), `text` (one language), or `auto`: by the ending of the name."""
    kind: Literal["entries", "segments", "documents"] = "segments"
    """What a row of a table is: a lexicon entry or a sentence pair. Readers other than `table` ignore it."""
    columns: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    """For tables, field -> column. Segments: a language tag for each text, and `id`, `doc_id`, `order`,
    `speaker`, `genre`, `access`, `licence`, `gloss.morphemes`, `gloss.glosses`. Entries: `headword`, `forms`,
    `pos`, `type`, `gloss.<lang>`, `example.<lang>` and the same meta fields. Other columns are kept in
    `meta.extra`."""
    separator: str = r"\s*[;|]\s*"
    """Regular expression that parts several glosses or forms in one cell."""
    delimiter: str | None = None
    """Column delimiter of CSV files; detected when not given."""
    sheet: str | None = None
    """Sheet of an XLSX workbook; the first when not given."""
    languages: dict[str, Language] = Field(default_factory=dict)
    """Language codes of the file -> language tags of the project, where they differ."""
    language: Language | None = None
    """Language of the headwords or of a `text` source; default: the project's language."""
    encoding: str | None = None
    """Encoding of the files; detected and reported when not given."""
    document: Literal["file", "line", "blank-line"] = "file"
    """For `text` and `moses`: what one document is, for splitting: the whole file, each line by itself, or a
    block between blank lines."""
    genre: str | None = None
    """Genre of all records of the source."""
    speaker: str | None = None
    """Speaker of all records of the source."""
    licence: str | None = None
    """Licence of the source."""
    access: Access = Access.RESTRICTED
    """Access level of the source; a row may be stricter, never more open. Unknown reads as restricted."""
    method: Method = Method.GOLD
    """How the records came to be."""
    split: Literal["train", "validation", "test"] | None = None
    """Put the whole source into one split; default: the split stage decides."""


class IngestSection(Section):
    """Raw files to typed records."""

    sources: tuple[Source, ...] = ()
    """The sources, in reading order."""
    unicode: Literal["NFC", "NFD", "NFKC", "NFKD", "keep"] = "NFC"
    """Unicode form of all text inside the project."""
    max_line_bytes: int = Field(default=1_000_000, ge=1_000)
    """A longer line is rejected: it is not a sentence."""
