"""What tables of every kind share: a row, the names of columns, and which row names them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NamedTuple

from seshat.config.ingest import Source
from seshat.core.records import Reject
from seshat.formats.context import FileReport

HEADER_ROWS = 20
"""Rows at the top of a table among which the one that names the columns is looked for."""
_COMMENT = ("#", "%", "//")

IsHeader = Callable[[Sequence[str]], int]
"""How many of the wanted columns some names are; 0 when they are no header."""


class Row(NamedTuple):
    """One row: ``cells`` by column (nested values for JSON), ``line`` in the file, ``place`` for the id."""

    line: int
    place: int
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table being read: its columns when the file has a header (``None``: rows bring their own keys)."""

    columns: tuple[str, ...] | None
    rows: Iterator[Row | Reject]


def one_form(name: str) -> str:
    """A name as it is compared: one Unicode form (NFC), no byte order mark, no space at its ends."""
    return unicodedata.normalize("NFC", name.replace("\ufeff", "")).strip()


def header_place(rows: Sequence[tuple[int, Sequence[str]]], source: Source, is_header: IsHeader) -> int | None:
    """Which of the first rows names the columns.

    The row with most of the wanted names, where what stands above looks like a title (one cell) or a comment, or where
    the names are configured; the first row of all where none fits, so that its names can be shown.

    Args:
        rows: line numbers and cells of the first rows that are not empty.
        source: its ``header`` is the number of a line, or whether there is a header.
        is_header: how many of the wanted columns a row names.

    Returns:
        A place in ``rows``; None when there is no header.
    """
    if not rows or source.header is False:
        return None
    if source.header is not True:
        return next((place for place, (line, _) in enumerate(rows) if line >= source.header), 0)
    best = names = 0
    for place, (_, cells) in enumerate(rows):
        found = is_header([one_form(cell) for cell in cells])
        if found > names:
            best, names = place, found
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) > 1 and not filled[0].lstrip().startswith(_COMMENT) and (names or not source.columns):
            break
    return best


def columns_of(header: Sequence[str], report: FileReport) -> tuple[str, ...]:
    """Column names, each once: a second ``x`` becomes ``x (2)``, a nameless third column ``column 3``."""
    header = [one_form(name) for name in header]
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    report.remarks += [
        f"several columns are called '{name}'; the later ones are read as '{name} (2)' …" for name in doubled
    ]
    names: dict[str, None] = {}
    for number, name in enumerate(header, start=1):
        name = name or f"column {number}"
        same, copy = name, 1
        while same in names:
            copy += 1
            same = f"{name} ({copy})"
        names[same] = None
    return tuple(names)


def above_header(rows: Sequence[tuple[int, Sequence[str]]], report: FileReport) -> None:
    """Say which rows stand above the header, and are no data."""
    if rows:
        shown = "; ".join(" ".join(cell.strip() for cell in cells if cell.strip())[:60] for _, cells in rows[:3])
        lines = f"line {rows[0][0]}" if len(rows) == 1 else f"lines {rows[0][0]}-{rows[-1][0]}"
        report.remarks.append(
            f"{lines} above the header left out: «{shown}»; settle it with header: NUMBER OF ITS LINE"
        )
        report.details["above_header"] = len(rows)


def made(line: int, cells: Sequence[str], columns: tuple[str, ...], report: FileReport) -> Row | str:
    """The row that some cells make, or why they make none.

    What stands to the right of the last column is a remark of somebody: it is kept under ``column 3`` and so on.
    """
    if len(cells) < len(columns):
        return f"{len(cells)} cells where the header has {len(columns)}"
    found = dict(zip(columns, cells, strict=False))
    beside = {f"column {at}": cell for at, cell in enumerate(cells[len(columns) :], len(columns) + 1) if cell.strip()}
    if beside:
        report.note("rows with a remark to the right of the table, kept in meta.extra", line)
    return Row(line, line, {**beside, **found} if beside else found)


def cell_text(value: Any) -> str:
    """A cell as people see it: whole numbers without a point, dates as ISO 8601, truth as TRUE and FALSE."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
