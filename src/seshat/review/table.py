"""A table that any spreadsheet opens: rows of text cells in a CSV file, read as spreadsheets save it.

No cell is taken for a formula, and a file that somebody has saved meanwhile is never overwritten.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import regex

from seshat.core.errors import DataError
from seshat.core.jsonl import write_bytes
from seshat.core.paths import inside, readable

_DELIMITERS = (",", ";", "\t")
_SIGNS = ("'", "=", "+", "-", "@", "\t", "\r")
_FORMULA = regex.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True)
class Row:
    """One row: cells by column, also those of columns that a person has added."""

    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """The cell of a column, without white space around it; empty where there is none."""
        return self.cells.get(column, "").strip()

    def changed(self, **cells: str) -> Row:
        """A copy with other cells."""
        return replace(self, cells={**self.cells, **cells})


def read(path: Path, needed: Iterable[str]) -> tuple[list[Row], bytes | None]:
    """Read a table as spreadsheets save it: comma, semicolon or tab; UTF-8 or UTF-16.

    Args:
        path: the file.
        needed: columns that it must have.

    Returns:
        The rows, and the content of the file as it was (None: there is no file).

    Raises:
        DataError: the file cannot be read as such a table; nothing of it is overwritten.
    """
    if not readable(path).exists():
        return [], None
    content = path.read_bytes()
    text = _decode(path, content)
    if not text.strip():
        return [], content
    header = text.splitlines()[0]
    delimiter = max(_DELIMITERS, key=header.count)
    csv.field_size_limit(2**31 - 1)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DataError(f"{path}: not a table: {error}.", "Save it again as CSV from the spreadsheet.") from error
    columns = [cell.strip() for cell in table[0]]
    missing = [column for column in needed if column not in columns]
    if missing:
        raise DataError(
            f"{path}:1: the columns {', '.join(missing)} are missing.",
            "Put the header row back as Seshat wrote it, or move the file away to get a new one.",
        )
    rows = [Row({c: unescape(v) for c, v in zip(columns, line, strict=False) if c}) for line in table[1:] if any(line)]
    return rows, content


def _decode(path: Path, content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: not in UTF-8 (byte {error.start}).", "Save it from the spreadsheet as 'CSV UTF-8'."
        ) from error


def write(path: Path, rows: Iterable[Row], before: bytes | None, columns: Sequence[str]) -> None:
    """Write a table: UTF-8 with a byte-order mark, so that spreadsheets open it right.

    Args:
        path: the file.
        rows: its rows.
        before: its content when it was read.
        columns: the columns that Seshat writes, in order; those that people have added come after them.

    Raises:
        DataError: somebody has saved the file since it was read; it is left as it is.
    """
    if (path.read_bytes() if path.exists() else None) != before:
        raise DataError(
            f"{path}: somebody has changed the file while this run was working; it is left as it is.",
            "Run the same command again.",
        )
    content = _render(list(rows), columns)
    if content != before:
        write_bytes(inside(path), content)


def _render(rows: Sequence[Row], known: Sequence[str]) -> bytes:
    added = dict.fromkeys(column for row in rows for column in row.cells if column not in known)
    columns = [*known, *added]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([escape(row.cells.get(column, "")) for column in columns] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def escape(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before ``= + - @``, tab and carriage return."""
    return f"'{cell}" if cell.startswith(_SIGNS) and _FORMULA.match(cell) else cell


def unescape(cell: str) -> str:
    """The cell that :func:`escape` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
