"""XLSX workbooks: cells as text, row by row, in memory that the largest of files does not fill.

What a spreadsheet shows and what stands in its file differ: merged cells (the value stands in the first alone), errors,
formulas whose result nobody has stored, characters written as ``_x000D_``. They are read as people see them, or said.
Numbers in brackets are sections of ECMA-376, part 1.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers.expat import ExpatError

from seshat.core.jsonl import cannot_read
from seshat.core.records import Reject
from seshat.formats.context import Context, FileReport
from seshat.formats.markup import xml_parser
from seshat.formats.rows import (
    HEADER_ROWS,
    IsHeader,
    Row,
    Table,
    above_header,
    cell_text,
    columns_of,
    header_place,
    made,
)
from seshat.formats.workbook import BLOCK, Workbook, broken, decoded, look_inside

MAX_COLUMNS = 16_384
"""What spreadsheet programs allow."""
_REFERENCE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')
_NAMED = 10
"""Cells of a kind that a remark names."""


def spreadsheet(path: Path, context: Context, is_header: IsHeader) -> Table:
    """A sheet of a workbook: the one that the source names, or the first.

    Raises:
        DataError: no workbook, a broken one, one that unpacks to too much, or no such sheet.
    """
    source, report = context.source, context.report(path)
    cells = _Cells(report)
    rows = _guarded(path, context, cells)
    first: list[_Filled] = []
    too_long: list[_Filled] = []
    for row in rows:
        (too_long if row.too_long else first).append(row)
        if len(first) >= HEADER_ROWS and row.number > source.header:
            break
    place = header_place([(row.number, row.cells) for row in first], source, is_header)
    if place is None:
        columns = tuple(str(number + 1) for number in range(max((len(row.cells) for row in first), default=0)))
    else:
        above_header([(row.number, row.cells) for row in first[:place]], report)
        header = list(first[place].cells)
        while header and not header[-1].strip():
            header.pop()
        columns = columns_of(header, report)

    def body() -> Iterator[Row | Reject]:
        yield from (_row(row) for row in too_long)
        yield from (_row(row) for row in first[0 if place is None else place + 1 :])
        yield from (_row(row) for row in rows)
        cells.report()

    def _row(row: _Filled) -> Row | Reject:
        found = "the row is longer than max_line_bytes" if row.too_long else _made(row, columns, report)
        return context.reject(path, row.number, found, "\t".join(row.cells)) if isinstance(found, str) else found

    return Table(columns, body())


def _made(row: _Filled, columns: tuple[str, ...], report: FileReport) -> Row | str:
    padded = [*row.cells, *[""] * (len(columns) - len(row.cells))]
    return made(row.number, padded, columns, report)


class _Filled(NamedTuple):
    """A row that holds something."""

    number: int
    cells: list[str]
    too_long: bool


class _Cells:
    """Cells of a sheet that do not hold what they show, to be named in the report."""

    def __init__(self, report: FileReport) -> None:
        self._report = report
        self._found: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def note(self, what: str, place: str) -> None:
        """Remember a cell such as ``B3``."""
        self._counts[what] = self._counts.get(what, 0) + 1
        if self._counts[what] <= _NAMED:
            self._found.setdefault(what, []).append(place)

    def report(self) -> None:
        """Write what was found into the report of the file."""
        for what, places in self._found.items():
            more = ", …" if self._counts[what] > len(places) else ""
            self._report.remarks.append(f"{what}: {self._counts[what]:,} ({', '.join(places)}{more})")


def _guarded(path: Path, context: Context, cells: _Cells) -> Iterator[_Filled]:
    """The rows that are not empty; what is wrong with the file becomes an error in plain words."""
    look_inside(path)
    try:
        with zipfile.ZipFile(path) as archive:
            book = Workbook(archive, path, context)
            with book.sheet() as stream:
                merged = _merged(stream)
            with book.sheet() as stream:
                yield from _filled(stream, _Sheet(book, cells, context.ingest.max_line_bytes), merged)
    except OSError as error:
        raise cannot_read(path, error) from error
    except (
        zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, ExpatError, NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        raise broken(path, error) from error


class _Sheet:
    """Takes the events of a sheet's XML (18.3) and makes rows of them."""

    def __init__(self, book: Workbook, cells: _Cells, limit: int) -> None:
        self.book, self.notes, self.limit = book, cells, limit
        self.rows: list[_Filled] = []
        """Rows that are complete; whoever reads them empties the list."""
        self._number = self._size = 0
        self._cells: list[str] = []
        self._column = self._inside = 0
        self._kind = self._style = ""
        self._formula = self._takes = False
        self._texts: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if name == "row":
            number = attributes.get("r", "")
            self._number = int(number) if number.isdecimal() else self._number + 1
            self._cells, self._size, self._column = [], 0, 0
        elif name == "c":
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(found[1]) if found else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._formula, self._texts = False, []
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._inside += 1
        elif name in {"v", "t"}:
            self._takes = not self._inside

    def text(self, data: str) -> None:
        """Characters."""
        if self._takes and self._size <= self.limit:
            self._texts.append(data)
            self._size += len(data)

    def end(self, name: str) -> None:
        """An element ends."""
        if name in {"v", "t"}:
            self._takes = False
        elif name == "rPh":
            self._inside -= 1
        elif name == "c" and 0 < self._column <= MAX_COLUMNS:
            if value := self._value("".join(self._texts)):
                self._cells += [""] * (self._column - len(self._cells))
                self._cells[self._column - 1] = value
        elif name == "row":
            self.rows.append(_Filled(self._number, self._cells, self._size > self.limit))

    def _value(self, raw: str) -> str:
        if self._formula and not raw and self._kind != "str":
            self.notes.note("formulas without a stored result, read as empty cells", self._place)
        if self._kind == "e":
            self.notes.note("cells with an error of the spreadsheet, read as empty", f"{self._place}: {raw}")
            return ""
        if self._kind == "s" and raw:
            text = self.book.strings[int(raw)]
            self._size += len(text)
            return text
        if self._kind == "b":
            return "TRUE" if raw in {"1", "true"} else "FALSE" if raw else ""
        if self._kind == "d":
            return raw.removesuffix("T00:00:00").replace("T", " ")
        return decoded(raw) if self._kind in {"str", "inlineStr"} else self._shown(raw.strip())

    def _shown(self, raw: str) -> str:
        try:
            number = int(raw) if raw.lstrip("-").isdecimal() and len(raw) < 300 else float(raw)
        except ValueError:
            return raw
        dates = self.book.dates
        shown = dates[int(self._style)] if self._style.isdecimal() and int(self._style) < len(dates) else None
        return cell_text(number if shown is None else self.book.date(number, shown))

    @property
    def _place(self) -> str:
        letters, rest = "", self._column
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(65 + letter) + letters
        return f"{letters}{self._number}"


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number


def _merged(stream: IO[bytes]) -> dict[int, list[tuple[int, int]]]:
    """First row -> column and last row of the cells that are merged over several rows (18.3.1.55)."""
    found: dict[int, list[tuple[int, int]]] = {}
    before = b""
    while block := stream.read(1 << 20):
        text = before + block
        end = 0
        for match in _MERGED.finditer(text):
            end = match.end()
            first, last = int(match[2]), int(match[3])
            if last > first:
                found.setdefault(first, []).append((_column(match[1].decode()), last))
        before = text[max(end, len(text) - 100) :]
    return found


def _filled(stream: IO[bytes], sheet: _Sheet, merged: dict[int, list[tuple[int, int]]]) -> Iterator[_Filled]:
    """The rows that hold something of their own, with what merged cells from above show in them."""
    parser = xml_parser(sheet.start, sheet.end, sheet.text)
    going_on: dict[int, tuple[int, str]] = {}
    while True:
        block = stream.read(BLOCK)
        parser.Parse(block, not block)
        rows, sheet.rows = sheet.rows, []
        for row in rows:
            if any(cell.strip() for cell in row.cells):
                for column, (last, value) in list(going_on.items()):
                    if row.number > last:
                        del going_on[column]
                    elif len(row.cells) < column or not row.cells[column - 1].strip():
                        row.cells.extend([""] * (column - len(row.cells)))
                        row.cells[column - 1] = value
                yield row
            elif row.too_long:
                yield row
            for column, last in merged.get(row.number, ()):
                if column <= len(row.cells) and row.cells[column - 1]:
                    going_on[column] = last, row.cells[column - 1]
        if not block:
            return
