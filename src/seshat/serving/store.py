"""Corrections: what people say a text means, in a database that loses none.

SQLite (``data/corrections.sqlite``) or PostgreSQL (``serve.database``). Nothing of models is imported here, so that
stage ``ingest`` can read corrections too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from seshat.core.records import Access
from seshat.project.folder import Project
from seshat.serving.database import Database, Postgres, Sqlite

log = structlog.get_logger(__name__)
_FIELDS = ("id", "source", "target", "text", "translation", "machine", "by", "access", "note", "at")
_COLUMNS = ", ".join(f'"{name}"' for name in _FIELDS)  # "by" and "access" mean something in SQL


class Correction(BaseModel):
    """What a person says a text means, in place of what the machine said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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

    def stamped(self) -> Correction:
        """With its ``id``, and the time now."""
        said = [str(getattr(self, name)) for name in _FIELDS if name not in ("id", "at")]
        digest = hashlib.sha256("\x1f".join(said).encode()).hexdigest()
        return self.model_copy(update={"id": digest[:20], "at": datetime.now(UTC).isoformat(timespec="milliseconds")})


class Corrections:
    """The corrections in a database.

    Args:
        database: where; the table is made where it is missing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        columns = ", ".join(f'"{name}" TEXT NOT NULL' for name in _FIELDS if name != "id")
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
        marks = ", ".join("?" for _ in (*_FIELDS, "level"))
        with self._database.writing() as cursor:
            cursor.execute("DELETE FROM corrections WHERE id = ?", (stamped.id,))
            cursor.execute(
                f"INSERT INTO corrections ({_COLUMNS}, level) VALUES ({marks})",  # noqa: S608
                (*(str(getattr(stamped, name)) for name in _FIELDS), stamped.access.level),
            )
        return stamped

    def newest(self, viewer: Access, limit: int) -> list[Correction]:
        """The newest that a viewer may see, newest first."""
        sql = f"SELECT {_COLUMNS} FROM corrections WHERE level <= ? ORDER BY number DESC LIMIT ?"  # noqa: S608
        return list(_corrections(self._database.rows(sql, (viewer.level, limit))))

    def all(self, viewer: Access = Access.SEALED) -> Iterator[Correction]:
        """All that a viewer may see, in the order in which they came."""
        sql = f"SELECT {_COLUMNS} FROM corrections WHERE level <= ? ORDER BY number"  # noqa: S608
        return _corrections(self._database.rows(sql, (viewer.level,)))

    def close(self) -> None:
        """Let the database go."""
        self._database.close()


def _corrections(rows: Iterable[tuple[Any, ...]]) -> Iterator[Correction]:
    """Rows as corrections; one that somebody damaged by hand is skipped and named, without what it says."""
    for row in rows:
        try:
            yield Correction.model_validate(dict(zip(_FIELDS, row, strict=True)))
        except ValidationError as error:
            wrong = sorted({str(one["loc"][0]) for one in error.errors()})
            log.warning("a damaged correction is left out: mend or delete its row", id=str(row[0])[:40], wrong=wrong)


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
