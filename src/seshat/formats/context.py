"""What every reader is given: settings, one report per file, and the making of meta, ids and rejects."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seshat.config.ingest import IngestSection, Source
from seshat.config.project import ProjectSection
from seshat.core import rights
from seshat.core.gate import least_open
from seshat.core.records import Access, Meta, Origin, Reject
from seshat.formats.encoding import Encoding, detect
from seshat.formats.files import language_codes, language_of
from seshat.formats.lines import EXCERPT, Line, read_lines
from seshat.formats.signatures import other_kind

if TYPE_CHECKING:
    from seshat.formats.session import About
    from seshat.formats.units import Names

Form = Literal["NFC", "NFD", "NFKC", "NFKD", "keep"]

_LINE_BITS = 40
"""Bits of a place that hold the line; the others hold the number of the file."""


@dataclass
class FileReport:
    """What was found in one file."""

    file: str
    """Path below ``data/raw``."""
    number: int = 0
    """Place among the files of its source, from 0."""
    unicode: Form = "NFC"
    """The form that text is brought to."""
    encoding: str | None = None
    records: int = 0
    rejects: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    """Texts by Unicode form: ``ASCII``, ``NFC``, ``NFD``, ``both`` (nothing to compose) and ``neither``."""
    details: dict[str, Any] = field(default_factory=dict)
    """What the reader found out: delimiter, columns, sheet …"""
    remarks: list[str] = field(default_factory=list)
    """Warnings about the file as a whole."""
    notes: dict[str, list[int | None]] = field(default_factory=dict)
    """What was noticed in lines -> how often, and the first line."""
    names: Names | None = None
    """For linguists' files, the names of their parts."""
    problem: str | None = None
    """Why the file as a whole could not be used, or not to its end."""

    def text(self, raw: str) -> str:
        """Text as it is kept: no space at the ends, the Unicode form of the project. Counts the form it had."""
        raw = raw.replace("\ufeff", "").strip()
        if raw.isascii():
            self.forms["ASCII"] += 1
            return raw
        composed = unicodedata.is_normalized("NFC", raw)
        decomposed = unicodedata.is_normalized("NFD", raw)
        self.forms[("both" if decomposed else "NFC") if composed else ("NFD" if decomposed else "neither")] += 1
        return raw if self.unicode == "keep" else unicodedata.normalize(self.unicode, raw)

    def line(self, raw: str, number: int) -> str:
        """One line of text; a carriage return inside it is read as a space, and noted."""
        if "\r" in raw:
            self.note("lines with a carriage return inside, read as a space", number)
            raw = " ".join(part.strip() for part in raw.split("\r"))
        return self.text(raw)

    def note(self, what: str, line: int | None) -> None:
        """Remember that something (in the plural) was noticed in a line."""
        seen = self.notes.setdefault(what, [0, line])
        seen[0] = (seen[0] or 0) + 1

    def warnings(self) -> list[str]:
        """Everything noticed, in plain words, one sentence each."""
        found = list(self.remarks)
        for what, (count, line) in self.notes.items():
            found.append(f"{what}: {count:,}" + (f" (first: line {line})" if line is not None else ""))
        mixed = [form for form in ("NFC", "NFD", "neither") if self.forms[form]]
        if len(mixed) > 1 or mixed == ["neither"]:
            counts = ", ".join(f"{self.forms[form]:,} {form}" for form in mixed)
            end = "they are kept so" if self.unicode == "keep" else f"all are {self.unicode} from here on"
            found.append(f"Unicode forms are mixed ({counts} texts); {end}")
        return [f"{self.file}: {sentence}" for sentence in found]

    def as_dict(self) -> dict[str, Any]:
        """For ``report.json``."""
        forms = {form: self.forms[form] for form in sorted(self.forms)}
        values = {"encoding": self.encoding, **self.details, "unicode_forms": forms, "problem": self.problem}
        kept = {key: value for key, value in values.items() if value}
        return {
            "file": self.file,
            "records": self.records,
            "rejects": self.rejects,
            **kept,
            "warnings": self.warnings(),
        }


@dataclass
class Context:
    """One source being read."""

    raw: Path
    """The folder ``data/raw``."""
    source: Source
    ingest: IngestSection
    project: ProjectSection
    reports: dict[str, FileReport] = field(default_factory=dict)
    """Reports by path below ``data/raw``, in reading order."""
    remarks: list[str] = field(default_factory=list)
    """Warnings about the source as a whole."""
    stems: dict[str, str] = field(default_factory=dict)
    """Path below ``data/raw`` -> what stands for it in ids."""

    ids: dict[int, int] = field(default_factory=dict)
    """Hash of an id that a column gives -> number of the file and the line."""
    encodings: dict[Path, Encoding] = field(default_factory=dict)
    """Encodings found so far."""
    sites: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """Folder of web pages -> for each page the share of its text that Trafilatura kept, and how it was read."""
    sessions: dict[Path, About] = field(default_factory=dict)
    """Folder -> what a session file in it says about the files there."""

    def relative(self, path: Path) -> str:
        """The path as reports and records name it."""
        return path.relative_to(self.raw).as_posix()

    def report(self, path: Path) -> FileReport:
        """The report of a file, made when it is first asked for."""
        name = self.relative(path)
        if name not in self.reports:
            self.reports[name] = FileReport(name, len(self.reports), self.ingest.unicode)
        return self.reports[name]

    def lines(self, path: Path) -> Iterator[Line]:
        """The lines of a text file; finds and reports its encoding first.

        Raises:
            DataError: the file cannot be read, or its encoding is doubtful.
        """
        encoding = self.encoding(path)
        for line in read_lines(path, encoding, self.ingest.max_line_bytes):
            if "\ufeff" in line.text:  # files were put together that begin with a mark each
                yield line._replace(text=line.text.replace("\ufeff", ""))
            else:
                yield line

    def encoding(self, path: Path, declared: str | None = None) -> Encoding:
        """The encoding of a file, reported once.

        Args:
            path: the file.
            declared: what the file itself says, which counts where its bytes do not show another.

        Raises:
            DataError: the file cannot be read, or its encoding is doubtful.
        """
        if path not in self.encodings:
            if (other := other_kind(path)) is not None:
                raise other
            tags = tuple(dict.fromkeys(self.codes.values()))
            encoding = self.encodings[path] = detect(path, self.source.encoding, declared, tags)
            report = self.report(path)
            report.encoding = encoding.name
            report.remarks += _encoding_remarks(encoding)
            if path.stat().st_size == encoding.bom:
                report.remarks.append("the file is empty")
        return self.encodings[path]

    def reject(self, path: Path, line: int | None, reason: str, content: str = "") -> Reject:
        """A piece of a file that cannot be used."""
        return Reject(file=self.relative(path), line=line, reason=reason, content=content[:EXCERPT])

    def unfinished(self, path: Path, line: int | None, reason: str, content: str = "") -> Reject:
        """The reject for the rest of a file that cannot be read to its end, which is an error of the run, too."""
        report = self.report(path)
        where = f"line {line}: " if line is not None else ""
        report.problem = f"{report.file}: not read to its end: {where}{reason}"
        return self.reject(path, line, reason, content)

    def prefix(self, path: Path) -> str:
        """What the ids of a file start with: ``source:file-stem``; a record adds ``:line``."""
        return f"{self.source.name}:{self.stems.get(self.relative(path)) or path.stem}"

    def document(self, prefix: str, line: int, block: int) -> str:
        """The document that a line belongs to, by the setting ``document`` of the source."""
        if self.source.document == "line":
            return f"{prefix}:{line}"
        return f"{prefix}:block-{block}" if self.source.document == "blank-line" else prefix

    @cached_property
    def meta(self) -> Callable[..., Meta]:
        """Makes the meta of a record: ``meta(relative_path, line, doc_id=…, order=…, …)``."""
        source = self.source
        constant = {
            "source": source.name,
            "genre": source.genre,
            "speaker": source.speaker,
            "licence": source.licence,
            "access": source.access,
            "purposes": source.purposes,
            "embargo": source.embargo and source.embargo.isoformat(),
            "consent": source.consent,
            "labels": source.labels,
            "method": source.method,
            "split": source.split,
        }
        constant = {key: value for key, value in constant.items() if value is not None and value != ()}
        closing = rights.closed_by(source.labels)

        def make(
            file: str, line: int | None, *, start: float | None = None, end: float | None = None, **values: Any
        ) -> Meta:
            origin = Origin(file=file, line=line, start=start, end=end)
            if not _RIGHTS.isdisjoint(values) or closing.level:
                values |= _strictest(source, values)
            return Meta(**{**constant, **values, "origin": origin})

        return make

    def first_with(self, given: str, file: str, line: int) -> Origin | None:
        """Where an id of this source was seen before; None, and remembered, when it is new.

        Hashes of 64 bits stand for the ids, and one number for the place, so that a million of them take some 100 MB.
        """
        key = int.from_bytes(hashlib.blake2b(given.encode(), digest_size=8).digest(), "big")
        place = self.ids.get(key)
        if place is None:
            self.ids[key] = self.reports[file].number << _LINE_BITS | line
            return None
        return Origin(file=list(self.reports)[place >> _LINE_BITS], line=place & ((1 << _LINE_BITS) - 1))

    def access(self, text: str) -> Access:
        """The level of a row: that of the source, or stricter; what is not understood reads as restricted."""
        return least_open((self.source.access, rights.level(text, self.source.archive) or Access.RESTRICTED))

    @cached_property
    def codes(self) -> dict[str, str]:
        """Language codes of the files -> tags of the project."""
        return language_codes(self.source, self.project)

    def language(self, code: str) -> str | None:
        """The project's tag for a language code in a file; None when it is no language of the project."""
        return language_of(code, self.codes)

    def is_exact(self, code: str) -> bool:
        """Whether a code is a language of the project as it stands, and not only without its region."""
        return code.replace("_", "-").casefold() in {one.replace("_", "-").casefold() for one in self.codes}


def _encoding_remarks(encoding: Encoding) -> list[str]:
    remarks = []
    if encoding.how == "mostly UTF-8":
        remarks.append("the file is UTF-8 but for some lines, which are rejected")
    elif encoding.how == "zero bytes":
        remarks.append(f"read as {encoding.name} (no byte order mark; by its zero bytes); settle it with encoding:")
    elif encoding.how == "detected":
        remarks.append(
            f"not UTF-8; read as {encoding.name} (confidence {encoding.confidence:.2f}), for example "
            f"line {encoding.sample_line} as {encoding.sample}; settle it with encoding: {encoding.name}"
        )
    if encoding.newline == "\r":
        remarks.append("lines end with a carriage return alone, as on old Macintoshes")
    return remarks


_RIGHTS = frozenset({"purposes", "embargo", "consent", "labels"})


def _strictest(source: Source, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a source and one of its records say about use, together: the strictest wins."""
    labels = tuple(dict.fromkeys((*source.labels, *rights.parts(values.get("labels", ())))))
    own = source.embargo.isoformat() if source.embargo else None
    consents = (source.consent, values.get("consent"))
    found = {
        "labels": labels,
        "purposes": rights.common(source.purposes, rights.parts(values.get("purposes", ()))),
        "embargo": rights.later(own, values.get("embargo")),
        "consent": "; ".join(one for one in consents if one) or None,
        "access": least_open((values.get("access", source.access), rights.closed_by(labels))),
    }
    return {name: value for name, value in found.items() if value}
