"""The two databases: what differs between SQLite and PostgreSQL, and nothing else.

Full text is searched by words that :mod:`seshat.text.words` found, never by the tokeniser of a database: those cut
words at combining marks. SQLite's FTS5 gets them as runs of characters that its ``ascii`` tokeniser never cuts,
PostgreSQL as a ``tsvector`` written out.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from seshat.core.errors import DataError, SeshatError, require
from seshat.core.jsonl import cannot_write, umask
from seshat.core.paths import inside, readable

_PRIVATE = 0xE000
_HIDDEN = {code: _PRIVATE + code for code in range(128) if not chr(code).isalnum()}
"""ASCII that is no letter or digit (the hyphen of a-na, an apostrophe), as private characters: a part of the word."""
_LONGEST_WORD = 500
_PATIENCE = 30.0
"""Seconds to wait for somebody else who is writing."""


class Database(Protocol):
    """Runs SQL with ``?`` for values, from any thread."""

    words_table: str
    """How a table for full text is created; ``{name}`` stands for its name."""
    matches: str
    """The condition that a row of ``{name}`` holds the phrase that is the next value."""
    number: str
    """Type of a key that counts up by itself."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows that a query finds, as they are read."""
        ...

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A cursor with ``execute`` and ``executemany``; what the block did is kept as a whole, or not at all."""
        ...

    def document(self, words: Iterable[str]) -> str:
        """The words of a line as the table for full text takes them."""
        ...

    def phrase(self, words: Sequence[str], *, prefix: bool) -> str:
        """The value of :attr:`matches`: words that stand one after the other, the last perhaps only begun."""
        ...

    def close(self) -> None:
        """Let the files or connections go."""
        ...


class _Pool(ABC):
    """Open connections, each used by one thread at a time; as many as were needed at once."""

    def __init__(self) -> None:
        self._free: deque[Any] = deque()
        self._closed = False

    @abstractmethod
    def _connect(self) -> Any:
        """A new connection."""

    @contextmanager
    def _borrowed(self) -> Iterator[Any]:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            if self._closed or getattr(connection, "closed", False):
                connection.close()
            else:
                self._free.append(connection)

    def close(self) -> None:
        """Close the connections; one that is in use, when it is given back."""
        self._closed = True
        while self._free:
            self._free.pop().close()


class Sqlite(_Pool):
    """A file. A commit is on the disk when it returns (``synchronous=FULL``).

    Args:
        path: the file; it is made.
        journal: ``WAL``, so that readers and a writer do not wait for each other; ``DELETE`` for a file that is
            replaced as a whole, beside which no write-ahead log may lie; ``MEMORY`` while such a file is made.

    Raises:
        DataError: the file cannot be written, or is no database.
    """

    words_table = "CREATE VIRTUAL TABLE {name} USING fts5(words, content='', columnsize=0, tokenize='ascii')"
    matches = "{name} MATCH ?"
    number = "INTEGER PRIMARY KEY AUTOINCREMENT"

    def __init__(self, path: Path, journal: Literal["WAL", "DELETE", "MEMORY"] = "WAL") -> None:
        super().__init__()
        self.path = path
        self._journal = journal
        self._writer = threading.Lock()
        try:
            inside(readable(path)).parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o666 & ~umask()))  # what SQLite lays beside it is the same
            self._free.append(self._connect())
        except OSError as error:
            raise cannot_write(path, error) from error
        except sqlite3.Error as error:
            raise DataError(
                f"{path}: cannot be opened as an SQLite file: {error}.", "Check who owns it, or put it aside."
            ) from error

    def _connect(self) -> sqlite3.Connection:
        made = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            made.execute(f"PRAGMA journal_mode = {self._journal}")
            made.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:
            made.close()
            raise
        return made

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows that a query finds, as they are read."""
        with self._borrowed() as connection, closing(connection.execute(sql, values)) as cursor:
            yield from cursor

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """A transaction; of this process only one at a time."""
        with self._writer, self._borrowed() as connection:
            cursor = connection.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                connection.commit()
            except sqlite3.OperationalError as error:
                connection.rollback()
                if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                    raise
                raise cannot_write(self.path, OSError(errno.ENOSPC, "")) from error
            except BaseException:
                connection.rollback()
                raise

    def document(self, words: Iterable[str]) -> str:
        """Words between spaces."""
        return " ".join(word[:_LONGEST_WORD].translate(_HIDDEN) for word in words)

    def phrase(self, words: Sequence[str], *, prefix: bool) -> str:
        """A phrase of FTS5."""
        return f'"{self.document(words)}"{" *" if prefix else ""}'


class Postgres(_Pool):
    """A PostgreSQL server.

    Raises:
        MissingPackage: ``psycopg`` is not installed.
        SeshatError: the server cannot be reached, or does not let its user do what is needed.
    """

    words_table = "CREATE TABLE {name} (rowid bigint PRIMARY KEY, words tsvector)"
    matches = "{name}.words @@ ?::tsquery"
    number = "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"

    def __init__(self, address: str) -> None:
        super().__init__()
        self._psycopg = require("psycopg", extra="postgres", purpose="Keeping corrections in PostgreSQL")
        self._address = address
        self._free.append(self._connect())

    def _connect(self) -> Any:
        try:
            return self._psycopg.connect(self._address, connect_timeout=10, autocommit=True)
        except self._psycopg.OperationalError as error:
            raise SeshatError(
                f"serve.database: PostgreSQL cannot be reached: {_first_line(error)}",
                "Start the server and check the address, or leave serve.database out: SQLite needs no server.",
            ) from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows that a query finds, a thousand at a time."""
        with (
            self._permitted(),
            self._borrowed() as connection,
            connection.transaction(),
            connection.cursor("found") as cursor,  # of the server: not all rows at once
        ):
            cursor.itersize = 1_000
            cursor.execute(_percent(sql), values)
            yield from cursor

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A transaction."""
        with (
            self._permitted(),
            self._borrowed() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            yield _Cursor(cursor)

    @contextmanager
    def _permitted(self) -> Iterator[None]:
        try:
            yield
        except self._psycopg.errors.InsufficientPrivilege as error:
            raise SeshatError(
                f"serve.database: PostgreSQL refuses: {_first_line(error)}.",
                "Give the user of that address a database of its own, or a schema (GRANT ALL ON SCHEMA … TO …).",
            ) from error

    def document(self, words: Iterable[str]) -> str:
        """A ``tsvector`` written out, with places."""
        return " ".join(f"{_lexeme(word)}:{min(place, 16_383)}" for place, word in enumerate(words, start=1))

    def phrase(self, words: Sequence[str], *, prefix: bool) -> str:
        """A ``tsquery`` written out."""
        return " <-> ".join(map(_lexeme, words)) + (":*" if prefix else "")


class _Cursor:
    """Of psycopg, with ``?`` for values."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        return self._cursor.execute(_percent(sql), values)

    def executemany(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        self._cursor.executemany(_percent(sql), values)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _percent(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


def _lexeme(word: str) -> str:
    quoted = word[:_LONGEST_WORD].replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'"
