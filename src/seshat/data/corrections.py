"""Corrections that people made of translations: read back as gold segments, so that the next run trains on them.

The store is written by the web page and the API (:mod:`seshat.serving`); this module only reads it. Its file changes
when nobody has written anything (SQLite moves its journal into it), so a stage asks for :func:`digest`, not for bytes.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from seshat.config import Config
from seshat.config.project import ProjectSection
from seshat.core.errors import DataError, SeshatError
from seshat.core.paths import readable
from seshat.core.records import Access, Meta, Method, Origin, Reject, Segment
from seshat.formats.lines import EXCERPT
from seshat.project.folder import Project

SOURCE = "corrections"
"""What corrections are called among the sources, in ids and in the reports."""
SUPERSEDED = "ingest:superseded"
"""Tag of a correction when a newer one of the same text in the same direction exists."""
COLUMNS = ("id", "source", "target", "text", "translation", "machine", "by", "at", "access", "note")
_SELECT = f"""SELECT {", ".join(f'"{name}"' for name in COLUMNS)} FROM corrections ORDER BY {{order}}"""  # noqa: S608


class Correction(BaseModel):
    """One row of the store, as it stands there."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    source: str
    """Tag of the language that was translated from."""
    target: str
    """Tag of the language that was translated into."""
    text: str
    translation: str
    """What a person says it should be."""
    machine: str | None = None
    """What the model said."""
    by: str | None = None
    at: str | None = None
    """When, ISO 8601."""
    access: str | None = None
    note: str | None = None
    damaged: str = ""
    """Columns that hold no text."""
    row: int = 0
    """Place among the corrections, from 1, the oldest first."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal for corrections of the same text in the same direction."""
        return self.source, self.target, same(self.text)


def same(text: str) -> str:
    """A text as it is compared: composed, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def store_path(project: Project) -> Path:
    """The file of the store."""
    return project.root / "data" / "corrections.sqlite"


def read(project: Project) -> list[Correction]:
    """All corrections of a project, the oldest first; none when there is no store yet.

    Raises:
        SeshatError: the store cannot be read.
    """
    address = project.config.serve.database
    rows = _from_server(address) if address else _from_file(store_path(project))
    return [_read(row, number) for number, row in enumerate(rows, start=1)]


def _read(row: dict[str, Any], number: int) -> Correction:
    """A row as a correction; of one that somebody damaged by hand what is text, so that it becomes a reject."""
    try:
        return Correction.model_validate({**row, "row": number})
    except ValidationError as error:
        damaged = {str(one["loc"][0]) for one in error.errors()}
        kept = {name: "" if name in damaged else value for name, value in row.items()}
        return Correction.model_validate({**kept, "row": number, "damaged": ", ".join(sorted(damaged))})


def _from_server(address: str) -> list[dict[str, Any]]:
    """Rows of the table, which is only read: a user of the database without the right to make tables is enough."""
    from seshat.serving.database import Postgres

    database = Postgres(address)
    try:
        if not list(database.rows("SELECT 1 WHERE to_regclass('corrections') IS NOT NULL")):
            return []
        rows = list(database.rows(_SELECT.format(order="number")))
    finally:
        database.close()
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _from_file(path: Path) -> list[dict[str, Any]]:
    """Rows of the file, which is only read: neither the file nor its table is made here."""
    if not readable(path).exists():
        return []
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30.0)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'corrections'").fetchone():
                return []
            rows = connection.execute(_SELECT.format(order="rowid")).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DataError(
            f"{path}: the corrections cannot be read: {error}.",
            "Put a copy of the file back, or move it away: the run goes on without corrections.",
        ) from error
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def newest(corrections: Iterable[Correction]) -> dict[tuple[str, str, str], Correction]:
    """The last correction of every text and direction, by :attr:`Correction.key`."""
    return {one.key: one for one in corrections}


def digest(project: Project) -> str | None:
    """A digest of what people have written; ``None`` for nothing."""
    try:
        rows = [one.model_dump(mode="json") for one in read(project)]
    except SeshatError as error:  # ingest will say so too
        return hashlib.sha256(str(error).encode()).hexdigest()
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest() if rows else None


@dataclass(frozen=True)
class Corrections:
    """The corrections of a project, the oldest first."""

    found: list[Correction]
    file: str
    """How their file is named in the origin of a record."""

    @classmethod
    def of(cls, project: Project) -> Corrections:
        """Those in the store of a project.

        Raises:
            SeshatError: the store cannot be read.
        """
        file = SOURCE if project.config.serve.database else store_path(project).relative_to(project.root).as_posix()
        return cls(read(project), file)

    def records(self, config: Config) -> Iterator[Segment | Reject]:
        """Corrections as gold segments; an earlier one of the same text and direction is kept, tagged."""
        last = newest(one for one in self.found if not _refusal(one, config.project))
        form = config.ingest.unicode
        for one in self.found:
            if reason := _refusal(one, config.project):
                yield Reject(file=self.file, line=one.row, reason=reason, content=one.model_dump_json()[:EXCERPT])
                continue
            pair = {one.source: one.text.strip(), one.target: one.translation.strip()}
            texts = pair if form == "keep" else {tag: unicodedata.normalize(form, text) for tag, text in pair.items()}
            tags = () if last[one.key] is one else (SUPERSEDED,)
            yield Segment(id=f"{SOURCE}:{one.id}", texts=texts, meta=self._meta(one, tags))

    def _meta(self, one: Correction, tags: tuple[str, ...]) -> Meta:
        about = {"direction": f"{one.source}-{one.target}", "machine": one.machine, "at": one.at, "note": one.note}
        return Meta(
            origin=Origin(file=self.file, line=one.row),
            speaker=one.by or None,
            source=SOURCE,
            access=Access.parse(one.access),
            method=Method.GOLD,
            tags=tags,
            extra={name: value for name, value in about.items() if value},
        )

    def report(self, config: Config) -> dict[str, int]:
        """For ``report.json``: how many there are, how many a newer one replaces, how many cannot be used."""
        usable = [one for one in self.found if not _refusal(one, config.project)]
        superseded = len(usable) - len(newest(usable))
        return {"found": len(self.found), "superseded": superseded, "rejects": len(self.found) - len(usable)}


def _refusal(one: Correction, project: ProjectSection) -> str | None:
    if one.damaged:
        return f"a damaged correction: no text in {one.damaged}"
    known = (project.language, project.pivot)
    if one.source == one.target or one.source not in known or one.target not in known:
        return f"a correction from '{one.source}' into '{one.target}': the project is about {' and '.join(known)}"
    if not one.text.strip() or not one.translation.strip():
        return "a correction without text or without translation"
    return None
