"""Rows of tables, one format at a time: what a cell holds, where the row stands, and what cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from seshat.core.errors import DataError
from seshat.core.records import Reject
from seshat.formats.context import Context


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


def header_remarks(header: list[str]) -> list[str]:
    """Warnings about names that several columns share."""
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    return [f"several columns are called '{name}'; the later ones are read as '{name} (2)' …" for name in doubled]


def distinct(header: list[str]) -> tuple[str, ...]:
    """Column names, each once: a second ``x`` becomes ``x (2)``, a nameless third column ``column 3``."""
    names: list[str] = []
    for number, name in enumerate(header, start=1):
        name = name or f"column {number}"
        same, copy = name, 1
        while same in names:
            copy += 1
            same = f"{name} ({copy})"
        names.append(same)
    return tuple(names)


def unusable(value: Any, text: str) -> str | None:
    """Why a JSON value is no row, or None when it is one."""
    if not isinstance(value, dict):
        return "no object: a row is {…} with a key for each column"
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return "the row holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
    return None


def separated_file(path: Path, context: Context) -> Table:
    """CSV, TSV and their kin; see :mod:`seshat.formats.separated`."""
    from seshat.formats.separated import separated

    return separated(path, context)


def json_lines(path: Path, context: Context) -> Table:
    """JSON Lines: one object a line.

    Raises:
        DataError: the file cannot be read, or its encoding is doubtful.
    """

    def rows() -> Iterator[Row | Reject]:
        for number, raw, reason in context.lines(path):
            if reason is not None:
                yield context.reject(path, number, reason, raw)
                continue
            if not raw.strip():
                continue
            try:
                value = json.loads(raw)
            except (json.JSONDecodeError, RecursionError) as error:
                yield context.reject(path, number, f"no JSON: {error}", raw)
                continue
            reason = unusable(value, raw)
            yield context.reject(path, number, reason, raw) if reason else Row(number, number, value)

    return Table(None, rows())


def spreadsheet(path: Path, context: Context) -> Table:
    """A sheet of an XLSX workbook; see :mod:`seshat.formats.xlsx`."""
    from seshat.formats.xlsx import sheet_rows

    source = context.source
    rows = sheet_rows(path, source.sheet, context)
    first = next(rows, None)
    if first is None:
        return Table((), iter(()))
    number, cells = first
    names = [cell.strip() for cell in cells] if source.header else [str(place + 1) for place in range(len(cells))]
    while names and not names[-1]:
        names.pop()
    context.report(path).remarks += header_remarks(names)
    header = distinct(names)

    def body() -> Iterator[Row | Reject]:
        if not source.header:
            yield Row(number, number, dict(zip(header, cells, strict=True)))
        for line, found in rows:
            extra = [cell for cell in found[len(header) :] if cell.strip()]
            if extra:
                reason = f"{len(found)} cells where the header has {len(header)}"
                yield context.reject(path, line, reason, "\t".join(found))
            elif any(cell.strip() for cell in found):
                padded = [*found, *[""] * (len(header) - len(found))]
                yield Row(line, line, dict(zip(header, padded[: len(header)], strict=True)))

    return Table(header, body())


def json_file(path: Path, context: Context) -> Table:
    """A JSON file with a list of objects; see :mod:`seshat.formats.json_list`."""
    from seshat.formats.json_list import objects

    return Table(None, objects(path, context.source.rows, context))


FORMATS = {
    ".csv": separated_file,
    ".tsv": separated_file,
    ".tab": separated_file,
    ".txt": separated_file,
    ".xlsx": spreadsheet,
    ".xlsm": spreadsheet,
    ".json": json_file,
    ".jsonl": json_lines,
    ".ndjson": json_lines,
}


def open_table(path: Path, context: Context) -> Table:
    """Open a table by the ending of its name.

    Raises:
        DataError: the ending is unknown, or the file as a whole cannot be read.
    """
    reader = FORMATS.get(path.suffix.casefold())
    if reader is None:
        raise DataError(
            f"{path}: '{path.suffix}' is no table that can be read ({', '.join(FORMATS)}).",
            "Save old .xls and .ods files as .xlsx or .csv." if path.suffix in {".xls", ".ods"} else None,
        )
    return reader(path, context)
