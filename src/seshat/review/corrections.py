"""Corrections of translations: what people say a text means, in a database that loses none.

SQLite (``data/corrections.sqlite``) or PostgreSQL (``serve.database``). The server writes, stage ``ingest`` reads. A
file of SQLite changes when nobody has written anything (its journal is moved into it), so a stage asks for
:func:`digest`, not for bytes.
"""

from __future__ import annotations

import hashlib
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from seshat.core.database import Database, Postgres, Sqlite
from seshat.core.errors import DataError
from seshat.core.gate import Gate
from seshat.core.paths import readable
from seshat.core.records import Access
from seshat.project.folder import Project
from seshat.review.queue import Decision, Verdict

log = structlog.get_logger(__name__)
COLUMNS = ("id", "source", "target", "text", "translation", "machine", "by", "access", "note", "at")
_QUOTED = ", ".join(f'"{name}"' for name in COLUMNS)  # "by" and "access" mean something in SQL


class Correction(BaseModel):
    """What a person says a text means, in place of what the machine said."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    source: str
    """Tag of the language of ``text``."""
    target: str
    """Tag of the language of ``translation``."""
    text: str
    translation: str
    """The right translation."""
    machine: str = ""
    """What the machine said."""
    by: str = ""
    """Who says so; as they want to be named."""
    access: Access = Access.RESTRICTED
    note: str = ""
    id: str = ""
    """Made from the rest (but for ``at``), so that the same correction sent twice is one."""
    at: str = ""
    """When it was stored (ISO 8601, UTC)."""
    damaged: str = ""
    """Columns of its row that somebody damaged by hand, so that they hold no text; empty as a rule."""

    @field_validator("machine", "by", "note", "at", mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return "" if value is None else value

    @field_validator("access", mode="before")
    @classmethod
    def _level(cls, value: Any) -> Access:
        return value if isinstance(value, Access) else Access.parse(value)

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal for corrections of the same text in the same direction."""
        return self.source, self.target, " ".join(unicodedata.normalize("NFC", self.text).split())

    def stamped(self) -> Correction:
        """With its ``id``, and the time now."""
        said = [str(getattr(self, name)) for name in COLUMNS if name not in ("id", "at")]
        digest = hashlib.sha256("\x1f".join(said).encode()).hexdigest()
        return self.model_copy(update={"id": digest[:20], "at": datetime.now(UTC).isoformat(timespec="milliseconds")})


class Corrections:
    """The corrections in a database.

    Args:
        database: where; the table is made where it is missing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        columns = ", ".join(f'"{name}" TEXT NOT NULL' for name in COLUMNS if name != "id")
        with database.writing() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS corrections (number {database.number}, id TEXT NOT NULL UNIQUE, "
                f"{columns}, level INTEGER NOT NULL)"
            )

    def add(self, correction: Correction) -> Correction:
        """Store a correction; when this returns, it is on the disk. Sent again, it becomes the newest.

        Returns:
            The correction with its ``id`` and ``at``.
        """
        stamped = correction.stamped()
        marks = ", ".join("?" for _ in (*COLUMNS, "level"))
        with self._database.writing() as cursor:
            cursor.execute("DELETE FROM corrections WHERE id = ?", (stamped.id,))
            cursor.execute(
                f"INSERT INTO corrections ({_QUOTED}, level) VALUES ({marks})",  # noqa: S608
                (*(str(getattr(stamped, name)) for name in COLUMNS), stamped.access.level),
            )
        return stamped

    def newest(self, viewer: Access, limit: int) -> list[Correction]:
        """The newest that a viewer may see, newest first."""
        sql = f"SELECT {_QUOTED} FROM corrections WHERE level <= ? ORDER BY number DESC LIMIT ?"  # noqa: S608
        return list(_sound(self._database.rows(sql, (viewer.level, limit)), viewer))

    def all(self, viewer: Access = Access.SEALED) -> Iterator[Correction]:
        """All that a viewer may see, in the order in which they came."""
        sql = f"SELECT {_QUOTED} FROM corrections WHERE level <= ? ORDER BY number"  # noqa: S608
        return _sound(self._database.rows(sql, (viewer.level,)), viewer)

    def close(self) -> None:
        """Let the database go."""
        self._database.close()


def _correction(row: Iterable[Any]) -> Correction:
    """A row as a correction; of one that somebody damaged by hand what is text."""
    cells = dict(zip(COLUMNS, row, strict=True))
    try:
        return Correction.model_validate(cells)
    except ValidationError as error:
        damaged = {str(one["loc"][0]) for one in error.errors()}
        kept = {name: "" if name in damaged else value for name, value in cells.items()}
        return Correction.model_validate({**kept, "damaged": ", ".join(sorted(damaged))})


def _sound(rows: Iterable[Iterable[Any]], viewer: Access) -> Iterator[Correction]:
    """Rows as corrections; a damaged one is skipped and named, without what it says."""
    for one in map(_correction, rows):
        if one.damaged:
            log.warning("a damaged correction is left out: mend or delete its row", id=one.id[:40], wrong=one.damaged)
        elif Gate(viewer).admits(one.access):  # the level beside it may say something else since somebody wrote there
            yield one


def corrections_file(project: Project) -> Path:
    """Where corrections are, without a server for them."""
    return project.root / "data" / "corrections.sqlite"


def open_corrections(project: Project) -> Corrections:
    """The corrections of a project, where its configuration keeps them.

    Raises:
        SeshatError: the database cannot be opened.
    """
    address = project.config.serve.database
    database = Postgres(address) if address else Sqlite(corrections_file(project))
    try:
        return Corrections(database)
    except BaseException:
        database.close()
        raise


def read(project: Project) -> list[Correction]:
    """All corrections of a project, the oldest first; none when there is no store yet. Nothing is made or changed.

    Raises:
        SeshatError: the store cannot be read.
    """
    address = project.config.serve.database
    rows = _from_server(address) if address else _from_file(corrections_file(project))
    return [_correction(row) for row in rows]


def _from_server(address: str) -> list[tuple[Any, ...]]:
    """Rows of the table: a user of the database without the right to make tables is enough."""
    database = Postgres(address)
    try:
        if not list(database.rows("SELECT 1 WHERE to_regclass('corrections') IS NOT NULL")):
            return []
        return list(database.rows(f"SELECT {_QUOTED} FROM corrections ORDER BY number"))  # noqa: S608
    finally:
        database.close()


def _from_file(path: Path) -> list[tuple[Any, ...]]:
    if not readable(path).exists():
        return []
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30.0)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'corrections'").fetchone():
                return []
            return connection.execute(f"SELECT {_QUOTED} FROM corrections ORDER BY rowid").fetchall()  # noqa: S608
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DataError(
            f"{path}: the corrections cannot be read: {error}.",
            "Put a copy of the file back, or move it away: the run goes on without corrections.",
        ) from error


def judged(corrections: Iterable[Correction], judgements: Mapping[str, Decision]) -> Iterator[Correction]:
    """Corrections as reviewers see them: without the rejected ones, and corrected where they were wrong."""
    for one in corrections:
        decision = judgements.get(one.id, Decision())
        if decision.verdict is not Verdict.REJECT:
            yield one.model_copy(update=dict(decision.corrected))
