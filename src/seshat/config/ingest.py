"""Section ``ingest``: the raw files, and how each is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from seshat.config.base import Language, Mistake, RawPath, Regex, Section, one_form
from seshat.core.records import Access, Method
from seshat.text import legacy


def _known_encoding(name: str) -> str:
    legacy.register()
    try:
        b"abcd".decode(name, errors="replace")  # codecs that make no text, such as hex, are refused here, too
    except (LookupError, UnicodeError) as error:
        raise ValueError(f"'{name}' is no encoding that Python knows; examples: utf-8, latin-1, cp1252") from error
    return name


def _digits(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Encoding = Annotated[str, AfterValidator(_known_encoding)]
"""The name of an encoding, as Python's ``codecs`` knows it."""

Written = Annotated[str, BeforeValidator(_digits), AfterValidator(one_form)]
"""A name or value as it stands in a file, in whichever Unicode form; a number is meant as it is written."""


ReaderName = Literal[
    "auto", "table", "moses", "tmx", "documents", "text", "eaf", "flextext", "lift", "sfm", "textgrid", "cldf",
    "conllu", "chat", "usfm", "xliff", "subtitles", "session", "html", "pdf", "warc", "mediawiki",
]  # fmt: skip
FIELD_READERS = frozenset({"eaf", "flextext", "lift", "sfm", "textgrid", "cldf", "conllu", "chat", "xliff"})
"""Readers of linguists' files, whose parts have names of their own: tiers, markers, columns."""

META_FIELDS = (
    *("id", "doc_id", "order", "speaker", "genre", "access", "licence"),
    *("purposes", "embargo", "consent", "labels"),
)
"""Fields of a record besides its text that a column can fill."""
GLOSS_FIELDS = ("gloss.morphemes", "gloss.glosses")
"""Fields of an interlinear gloss."""
WORD_FIELD = "gloss.words"
"""The tier or line that holds the words of an interlinear gloss."""
ENTRY_FIELDS = ("headword", "forms", "pos", "type")
"""Fields of a lexicon entry besides `gloss.<lang>` and `example.<lang>`."""


class Fold(Section):
    """A difference in writing that a join does not mind."""

    pattern: Regex
    """Regular expression; applied to the keys of both tables."""
    replacement: str = ""
    r"""What takes its place; `\1` is its first group."""


class Join(Section):
    """Columns of another table, for instance the definitions of a dictionary for a list of forms with their lemmas."""

    path: RawPath
    """The other table, below data/raw; written like the source's own."""
    on: tuple[Written, ...] = Field(min_length=1)
    """Columns of a row that hold the key, tried in order; `{lemma} {number}` puts several together."""
    to: Written
    """The column of the other table that the key stands in."""
    fold: tuple[Fold, ...] = ()
    """Tried in order, each on top of those before, until a key is found; it is compared as it stands first."""


class Source(Section):
    """One source of material: files that are read alike."""

    name: str = Field(pattern=r"^[\w.-]+$")
    """A short name, unique in the project; it becomes part of the ids and can be used to stratify splits."""
    path: RawPath | tuple[RawPath, ...]
    """File, pattern (`dictionary/*.csv`) or list of them, below data/raw. For `moses` and `documents` use
    `{lang}` where the language tag stands in the name: `train.{lang}`."""
    reader: ReaderName = "auto"
    """`table` (CSV, TSV, XLSX, JSON, JSONL, tables in DOCX), `moses` (line-aligned text), `tmx`, `documents` (parallel,
    not aligned), `text` (one language); of linguists `eaf` (ELAN), `flextext`, `lift`, `sfm` (Toolbox), `textgrid`
    (Praat), `cldf`, `conllu`, `chat`; `usfm` (and USX), `xliff`, `subtitles`, `session` (lameta, SayMore);
    `html`, `pdf` (its text layer), `warc` (what `seshat crawl` fetched), `mediawiki` (a dump); or `auto`:
    by the ending of the name, and by the first lines where the ending is that of several kinds."""
    kind: Literal["entries", "segments", "documents"] = "segments"
    """What a row of a table is: a lexicon entry or a sentence pair. With `auto` and a path with `{lang}`,
    `documents` means parallel documents and `segments` line-aligned text. Other readers ignore it."""
    columns: dict[str, Written | tuple[Written, ...]] = Field(default_factory=dict)
    """For tables, field -> column. Segments: a language tag for each text, and `id`, `doc_id`, `order`,
    `speaker`, `genre`, `access`, `licence`, `purposes`, `embargo`, `consent`,
    `labels`, `gloss.morphemes`, `gloss.glosses`. Entries: `headword`, `forms`,
    `pos`, `type`, `gloss.<lang>`, `example.<lang>` and the same meta fields. Several columns for one field: a
    list. A number means the column at that place, from 1. In JSON a path: `senses.0.gloss`, or `senses.*.gloss` for
    all. Other columns are kept in `meta.extra`. When empty, the columns are taken by their headers and reported."""
    tiers: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    """For ELAN, FLEx, Praat, CHAT and CoNLL-U files, field -> tier, as in `columns`, and `gloss.words` for the tier of
    words. `*` stands for anything (`ft@*`); an ELAN tier can also be named by its linguistic type. When empty, a
    mapping is proposed and reported; `seshat ingest --inspect` shows it beforehand."""
    markers: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    """The same for Toolbox and MDF files, field -> marker without its backslash."""
    where: dict[Written, Written | tuple[Written, ...]] = Field(default_factory=dict)
    """For tables, column -> its value, or values, in the rows to read; the other rows are counted and left out."""
    types: dict[str, str] = Field(default_factory=dict)
    """What the file calls a type of entries -> the type (`PN: person`)."""
    extract: dict[str, Regex] = Field(default_factory=dict)
    """Field of entries -> regular expression for what counts in its cells; every match (its first group) is one part,
    the rest of the cell is left out."""
    join: Join | None = None
    """Another table whose columns can be named in `columns` too."""
    header: bool | Annotated[int, Field(ge=1, le=1_000)] = True
    """The line of a CSV, TSV or XLSX table that names its columns; `true`: it is found, also below a title or comments;
    `false`: there is none, and the columns are called 1, 2, 3."""
    separator: Regex = r"\s*[;|]\s*"
    """Regular expression that parts several glosses or forms in one cell."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """Column delimiter of CSV files; detected and reported when not given."""
    quote: str = Field(default='"', max_length=1)
    """Quote character of CSV files; empty when quotes are ordinary characters. When not given, `"` counts as one where
    the file needs it: in a file in which all lines fall into the same number of cells without, it is a character."""
    sheet: Written | None = None
    """Sheet of an XLSX workbook; the first when not given."""
    rows: Written | None = None
    """Where the list of rows stands in a JSON file, such as `words` or `data.entries`; needed only when there
    are several lists."""
    languages: dict[str, Language] = Field(default_factory=dict)
    """Language codes of the file -> language tags of the project, where they differ."""
    language: Language | None = None
    """Language of the headwords or of a `text` source; default: the project's language."""
    encoding: Encoding | None = None
    """Encoding of the files; detected and reported when not given."""
    document: Literal["file", "line", "blank-line"] = "file"
    """For `text`, `moses` and `tmx`: what one document is, for splitting: the whole file, each line (unit) by
    itself, or a block between blank lines."""
    genre: str | None = None
    """Genre of all records of the source."""
    speaker: str | None = None
    """Speaker of all records of the source."""
    licence: str | None = None
    """Licence of the source."""
    access: Access = Access.RESTRICTED
    """Access level of the source; a row may be stricter, never more open. Unknown reads as restricted."""
    archive: Literal["elar", "ailla", "paradisec", "anla", "tla", "ailca"] | None = None
    """Whose access codes the files have in their columns and session metadata."""
    purposes: tuple[str, ...] = ()
    """What people agreed to, such as `[research, education]`: a run with another `project.purpose` does without; empty
    for anything. A row may narrow it."""
    embargo: date | None = None
    """Not to be used before this day. A row may have a later one."""
    consent: str | None = None
    """Where the consent is kept."""
    labels: tuple[str, ...] = ()
    """Labels of Local Contexts, such as `[TK A, TK CS]`: carried unchanged; some close a record (docs/governance.md).
    """
    method: Method = Method.GOLD
    """How the records came to be."""
    split: Literal["train", "validation", "test"] | None = None
    """Put the whole source into one split; default: the split stage decides."""
    optional: bool = False
    """Go on without the source, with a warning, when its files are missing or cannot be read."""

    @property
    def mapping(self) -> dict[str, tuple[str, ...]]:
        """Field -> names of tiers, markers or columns, under whichever name they are given."""
        given = {**self.columns, **self.tiers, **self.markers}
        return {field: (names,) if isinstance(names, str) else names for field, names in given.items()}

    @property
    def patterns(self) -> tuple[str, ...]:
        """The paths as a tuple."""
        return (self.path,) if isinstance(self.path, str) else self.path

    def mistakes(self) -> Iterator[Mistake]:
        """A field that is none, a pattern without a language, columns, tiers and markers that nothing reads."""
        for field in self.columns:
            if not _is_field(field, self.kind):
                message = f"'{field}' is no field of {self.kind}; it can be {_fields(self.kind)}"
                yield Mistake(("columns", field), message)
        for setting, given in (("tiers", self.tiers), ("markers", self.markers)):
            kind = "entries" if "headword" in given else "segments"
            for field in given:
                if field != WORD_FIELD and not _is_field(field, kind):
                    message = f"'{field}' is no field; it can be {WORD_FIELD}, {_fields(kind)}"
                    yield Mistake((setting, field), message)
            if given and self.reader not in {"auto", *FIELD_READERS}:
                yield Mistake((setting,), f"the reader '{self.reader}' knows no {setting}")
        for field in self.extract:
            if field not in self.columns:
                yield Mistake(("extract", field), f"'{field}' is not in columns")
        if self.kind == "entries" and self.columns and "headword" not in self.columns:
            yield Mistake(("columns",), "entries need a column for 'headword'")
        bad = next((pattern for pattern in self.patterns if "{lang}" not in pattern), None)
        if self.reader in {"moses", "documents"} and bad is not None:
            yield Mistake(
                ("path",),
                f"the reader '{self.reader}' needs {{lang}} where the language stands in the name, "
                f"such as train.{{lang}}; found '{bad}'",
            )
        if self.columns and self.reader not in {"auto", "table", "cldf"}:
            yield Mistake(("columns",), f"the reader '{self.reader}' knows no columns; they are for tables")


def column_language(field: str, kind: str) -> str | None:
    """The language tag in the name of a field: ``es`` in ``es`` (segments) and in ``gloss.es`` (entries)."""
    if kind == "entries":
        stem, _, tag = field.partition(".")
        return tag if stem in {"gloss", "example"} and is_tag(tag) else None
    return field if field not in (*META_FIELDS, *GLOSS_FIELDS) and is_tag(field) else None


def _is_field(field: str, kind: str) -> bool:
    own = ENTRY_FIELDS if kind == "entries" else GLOSS_FIELDS
    return field in META_FIELDS or field in own or column_language(field, kind) is not None


def is_tag(text: str) -> bool:
    """Whether a text has the form of a language tag."""
    first, *others = text.split("-")
    return (
        first.isascii()
        and first.isalpha()
        and 2 <= len(first) <= 8
        and all(part.isascii() and part.isalnum() and len(part) <= 8 for part in others)
    )


def _fields(kind: str) -> str:
    own = (*ENTRY_FIELDS, "gloss.<lang>", "example.<lang>") if kind == "entries" else ("a language tag", *GLOSS_FIELDS)
    return ", ".join((*own, *META_FIELDS))


class IngestSection(Section):
    """Raw files to typed records."""

    sources: tuple[Source, ...] = ()
    """The sources, in reading order."""
    unicode: Literal["NFC", "NFD", "NFKC", "NFKD", "keep"] = "NFC"
    """Unicode form of all text inside the project."""
    pseudonyms: bool = False
    """Call speakers by numbers in all that is made of the raw files; `.seshat/speakers.json` alone says whose they are.
    For communities that want their words used and not their names."""
    max_line_bytes: int = Field(default=1_000_000, ge=1_000)
    """A longer line, row or unit is rejected: it is not a sentence."""

    def mistakes(self) -> Iterator[Mistake]:
        """A name that two sources have."""
        seen: dict[str, int] = {}
        for index, source in enumerate(self.sources):
            if source.name in seen:
                first = f"ingest.sources[{seen[source.name]}]"
                message = f"'{source.name}' is also the name of {first}; every source needs its own"
                yield Mistake(("sources", index, "name"), message)
            seen.setdefault(source.name, index)
