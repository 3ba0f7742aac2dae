"""CSV, TSV and their kin: lines to rows, with line numbers that hold and quotes that cannot swallow a file."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import regex

from seshat.config.ingest import Source
from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.lines import Line
from seshat.formats.rows import Row, Table, distinct, header_remarks

DELIMITERS = ",\t;|"
SAMPLE_LINES = 50
"""Lines that the delimiter is detected from."""
csv.field_size_limit(2**31 - 1)  # the length of lines is limited before


def separated(path: Path, context: Context) -> Table:
    """CSV, TSV and their kin.

    A quoted cell may hold line ends; rows carry the line they start on. A quote that is opened and never closed, or
    swallows rows that would otherwise fit, costs one line and not the rest of the file.

    Raises:
        DataError: the file cannot be read, or its encoding is doubtful.
    """
    source, lines = context.source, context.lines(path)
    ahead: deque[Line] = deque()
    for line in lines:
        ahead.append(line)
        if len(ahead) >= SAMPLE_LINES:
            break
    tab = path.suffix.casefold() in {".tsv", ".tab"}
    delimiter = source.delimiter or ("\t" if tab else find_delimiter([line.text for line in ahead], source.quote))
    dialect = _Dialect(delimiter, source.quote)
    context.report(path).details["delimiter"] = delimiter
    logical = _Logical(dialect, lines, ahead, path, context)
    header, early = _header(logical, source)
    context.report(path).remarks += header_remarks(header)
    return Table(distinct(header), logical.rows(distinct(header), early))


def find_delimiter(lines: list[str], quote: str = '"') -> str:
    """The delimiter that parts most lines into as many cells as the first, and into more than one."""

    def fit(delimiter: str) -> tuple[int, int]:
        dialect = _Dialect(delimiter, quote)
        counts = [len(dialect.cells(line)[0]) for line in lines if line.strip()]
        if not counts or counts[0] < 2:
            return 0, 0
        return sum(count == counts[0] for count in counts), counts[0]

    best = max(DELIMITERS, key=fit)
    return best if fit(best) != (0, 0) else ","


class _Dialect:
    """How cells are parted: knows when a row is complete, and parts it."""

    def __init__(self, delimiter: str, quote: str) -> None:
        self.delimiter = delimiter
        self.quote = quote
        self.complete = _complete(delimiter, quote) if quote else None

    def is_complete(self, text: str) -> bool:
        return self.complete is None or self.quote not in text or self.complete.fullmatch(text) is not None

    def cells(self, text: str) -> tuple[list[str], bool]:
        """The cells, and whether the quotes stand where they should."""
        if not self.quote or self.quote not in text:
            return text.split(self.delimiter), True
        lines = text.split("\n")
        ends = [line + "\n" for line in lines[:-1]] + lines[-1:]
        try:
            return next(csv.reader(ends, delimiter=self.delimiter, quotechar=self.quote, strict=True), []), True
        except csv.Error:
            return next(csv.reader(ends, delimiter=self.delimiter, quotechar=self.quote), []), False


@lru_cache(maxsize=16)
def _complete(delimiter: str, quote: str) -> regex.Pattern[str]:
    """Matches text in which every quoted cell is closed, read as the ``csv`` module reads it."""
    d, q = regex.escape(delimiter), regex.escape(quote)
    cell = rf"(?:{q}(?:[^{q}]++|{q}{q})*+{q}[^{d}]*+|(?!{q})[^{d}]*+)"
    return regex.compile(rf"{cell}(?:{d}{cell})*+")


class _Logical:
    """Joins the lines of a file to rows, and hands lines back when a row turns out to be wrong."""

    def __init__(
        self, dialect: _Dialect, lines: Iterator[Line], ahead: deque[Line], path: Path, context: Context
    ) -> None:
        self.dialect, self.ahead, self.path, self.context = dialect, ahead, path, context
        self.source = lines
        self.limit = context.ingest.max_line_bytes

    def _next(self) -> Line | None:
        return self.ahead.popleft() if self.ahead else next(self.source, None)

    def take(self) -> tuple[list[Line], str | None] | None:
        """The lines of the next row, and why they are none; None at the end of the file."""
        line = self._next()
        if line is None:
            return None
        if line.reason:
            return [line], line.reason
        taken, text = [line], line.text
        is_open = not self.dialect.is_complete(text)
        while is_open:
            line = self._next()
            if line is None or line.reason or len(text) > self.limit:
                self.give_back([*taken[1:], *([line] if line else [])])
                return taken[:1], "a quote is opened here and never closed"
            taken.append(line)
            text += "\n" + line.text
            is_open = self.dialect.quote not in line.text or not self.dialect.is_complete(text)
        return taken, None

    def give_back(self, lines: list[Line]) -> None:
        self.ahead.extendleft(reversed(lines))

    def rows(self, header: tuple[str, ...], early: list[Reject]) -> Iterator[Row | Reject]:
        """All rows after the header."""
        yield from early
        report, blank = self.context.report(self.path), 0
        while (found := self.take()) is not None:
            taken, reason = found
            first, text = taken[0], "\n".join(line.text for line in taken)
            if reason is not None:
                yield self.context.reject(self.path, first.number, reason, text)
                continue
            if not text.strip(self.dialect.delimiter + " \t\r\n"):
                blank += 1
                continue
            cells, tidy = self.dialect.cells(text)
            while len(cells) > len(header) and not cells[-1].strip():
                cells.pop()
            if len(cells) != len(header):
                self.give_back(taken[1:])
                wrong = f"{len(cells)} cells where the header has {len(header)}"
                yield self.context.reject(self.path, first.number, wrong, text if len(taken) == 1 else first.text)
                continue
            if not tidy:
                report.note("rows with quotes in the middle of cells, read as they stand", first.number)
            yield Row(first.number, first.number, dict(zip(header, cells, strict=True)))
        if blank:
            report.details["blank_lines"] = blank


def _header(logical: _Logical, source: Source) -> tuple[list[str], list[Reject]]:
    """The names of the columns, and rejects for lines before them that cannot be read."""
    early: list[Reject] = []
    while (found := logical.take()) is not None:
        taken, reason = found
        text = "\n".join(line.text for line in taken)
        if reason is not None:
            early.append(logical.context.reject(logical.path, taken[0].number, reason, text))
        elif text.strip(logical.dialect.delimiter + " \t\r\n"):
            cells, _ = logical.dialect.cells(text)
            if not source.header:
                logical.give_back(taken)
                return [str(number) for number in range(1, len(cells) + 1)], early
            return [cell.strip() for cell in cells], early
    return [], early
