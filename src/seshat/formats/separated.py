"""CSV, TSV and their kin: lines to rows, with line numbers that hold and quotes that cannot swallow a file.

A quote is a sign of CSV only in files that need it: where a cell in quotes holds a delimiter, a line end or a doubled
quote, or where a whole column stands in quotes. In all others, such as sentences parted by tabs, it is a character of
the text. Also in a file with such signs, a cell is read as it is written unless its quotes enclose all of it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import regex

from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.lines import Line
from seshat.formats.rows import HEADER_ROWS, IsHeader, Row, Table, above_header, columns_of, header_place, made

DELIMITERS = "\t;,|"
SAMPLE_LINES = 50
"""Lines that the delimiter is detected from."""
_SEP = regex.compile(r'"?sep=(.)"?[\t;,|\s]*', flags=regex.IGNORECASE)
"""The line that Excel reads, and writes, to say what parts the columns."""


def separated(path: Path, context: Context, is_header: IsHeader) -> Table:
    """CSV, TSV and their kin.

    A quoted cell may hold line ends; rows carry the line they start on. A quote that is opened and never closed, or
    swallows rows that would otherwise fit, costs one line and not the rest of the file.

    Raises:
        DataError: the file cannot be read, or its encoding is doubtful.
    """
    source, report = context.source, context.report(path)
    ahead = list(islice(context.lines(path), SAMPLE_LINES))
    named = _SEP.fullmatch(ahead[0].text) if ahead else None
    tab = path.suffix.casefold() in {".tsv", ".tab"}
    found = named[1] if named else "\t" if tab and any("\t" in line.text for line in ahead) else None
    delimiter = source.delimiter or found or find_delimiter([line.text for line in ahead], source.quote)
    report.details["delimiter"] = delimiter
    dialect = Dialect(delimiter, source.quote)
    if "quote" not in source.model_fields_set and not _needs_quotes(dialect, path, context):
        dialect = Dialect(delimiter, "")
    lines = context.lines(path)
    if named:
        next(lines, None)
    reader = _Reader(dialect, lines, path, context)
    columns = reader.columns(is_header)
    return Table(columns, reader.rows(columns))


def find_delimiter(lines: Sequence[str], quote: str = '"') -> str:
    """The delimiter that parts most lines into the same number of cells, and into more than one."""
    filled = [Line(0, line) for line in lines if line.strip()]

    def fit(delimiter: str) -> tuple[int, int]:
        best = 0, 0
        for sign in {quote, ""}:
            counts: Counter[int] = Counter()  # lines by the cells of their row
            left = len(filled)
            for row in _Lines(Dialect(delimiter, sign), iter(filled), 1 << 20):
                # A cell that is open at the end of the sample may hold all lines that follow.
                taken = left if row.parsed.is_open else len(row.lines)
                counts[len(row.parsed.cells)] += taken
                left -= taken
                if not left:
                    break
            best = max([best, *((count, width) for width, count in counts.items() if width > 1)])
        return best

    best = max(DELIMITERS, key=fit)
    return best if fit(best) != (0, 0) else ","


class Parsed(NamedTuple):
    """One row parted into cells."""

    cells: list[str]
    quoted: list[bool]
    """Whether a cell stood in quotes, which are taken off."""
    stray: bool = False
    """Whether quotes stand inside cells, as part of the text."""
    is_open: bool = False
    """Whether the last cell begins with a quote that nothing closes: it may go on in the next line."""
    telling: bool = False
    """Whether a cell can only be read as quoted: it holds an escaped quote."""


class Dialect:
    """How the cells of a row are parted.

    Args:
        delimiter: what parts them.
        quote: what may enclose a cell; empty when quotes are ordinary characters.
    """

    def __init__(self, delimiter: str, quote: str) -> None:
        self.delimiter = delimiter
        self.quote = quote
        if quote:
            self._quoted, self._open = _patterns(delimiter, quote)

    def parse(self, text: str) -> Parsed:
        """The cells of a row. Quotes that do not enclose a whole cell stay where they stand."""
        if not self.quote or self.quote not in text:
            plain = text.split(self.delimiter)
            return Parsed(plain, [False] * len(plain))
        cells: list[str] = []
        quoted: list[bool] = []
        stray, telling, position = False, False, 0
        while True:
            match = self._quoted.match(text, position)
            if match:
                escaped = match["escaped"] is not None
                inner = match["escaped"] if escaped else match["doubled"]
                sign = "\\" + self.quote if escaped else self.quote * 2
                telling = telling or (sign in inner)
                cells.append(inner.replace(sign, self.quote))
                end = match.end()
            else:
                if self._open.match(text, position):
                    return Parsed([*cells, text[position:]], [*quoted, False], stray, True, telling)
                end = text.find(self.delimiter, position)
                end = len(text) if end < 0 else end
                cells.append(text[position:end])
                stray = stray or self.quote in cells[-1]
            quoted.append(match is not None)
            if end >= len(text):
                return Parsed(cells, quoted, stray, False, telling)
            position = end + 1


@lru_cache(maxsize=32)
def _patterns(delimiter: str, quote: str) -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    r"""A cell in quotes, with quotes inside doubled or written ``\"``; and one that is opened and not closed."""
    d, q = regex.escape(delimiter), regex.escape(quote)
    space = "" if delimiter == " " else " *+"
    doubled = rf"(?:[^{q}]++|{q}{q})*+"
    escaped = rf"(?:[^{q}\\]++|\\.)*+"
    inside = rf"(?:{q}(?P<doubled>{doubled}){q}|{q}(?P<escaped>{escaped}){q})"
    flags = regex.DOTALL
    return (
        regex.compile(rf"{space}{inside}{space}\r?(?={d}|\Z)", flags),
        regex.compile(rf"{space}{q}{doubled}\Z", flags),
    )


class _Logical(NamedTuple):
    """The lines of one row, and its cells."""

    lines: list[Line]
    parsed: Parsed

    @property
    def number(self) -> int:
        return self.lines[0].number

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


class _Lines:
    """Joins the lines of a file to rows, and takes lines back when a row turns out to be wrong."""

    def __init__(self, dialect: Dialect, lines: Iterator[Line], limit: int) -> None:
        self.dialect, self._lines, self._limit = dialect, lines, limit
        self._ahead: deque[Line] = deque()

    def take(self) -> _Logical | None:
        """The next row with the lines that an open quote takes in; None at the end of the file."""
        line = self._next()
        if line is None:
            return None
        if line.reason:
            return _Logical([line], Parsed([], []))
        parsed = self.dialect.parse(line.text)
        return (self._closed(line) if parsed.is_open else None) or _Logical([line], parsed)

    def give_back(self, lines: Sequence[Line]) -> None:
        """Take lines back, to be read again."""
        self._ahead.extendleft(reversed(lines))

    def _next(self) -> Line | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _closed(self, first: Line) -> _Logical | None:
        """The row that goes on over several lines; None, and the lines given back, when nothing closes it."""
        taken, size = [first], len(first.text)
        while (line := self._next()) is not None:
            taken.append(line)
            size += len(line.text)
            if line.reason or size > self._limit:
                break
            if self.dialect.quote not in line.text:
                continue
            parsed = self.dialect.parse("\n".join(one.text for one in taken))
            if not parsed.is_open:
                if parsed.stray or not any("\n" in cell for cell in parsed.cells):
                    break
                return _Logical(taken, parsed)
        self.give_back(taken[1:])
        return None

    def __iter__(self) -> Iterator[_Logical]:
        while (found := self.take()) is not None:
            yield found


def _needs_quotes(dialect: Dialect, path: Path, context: Context) -> bool:
    """Whether quotes enclose cells in a file: it falls apart without them, or a column stands in them throughout."""
    limit = context.ingest.max_line_bytes
    sample = islice(_Lines(dialect, context.lines(path), limit), SAMPLE_LINES)
    width = _usual(len(row.parsed.cells) for row in sample if row.text.strip())
    enclosed: dict[int, int] = dict.fromkeys(range(width), 0)
    """Column -> cells in quotes, for columns that have no other below the first row."""
    for number, row in enumerate(_Lines(dialect, context.lines(path), limit)):
        cells, quoted = row.parsed.cells, row.parsed.quoted
        if any(quoted):
            plain = [len(line.text.split(dialect.delimiter)) for line in row.lines]
            if row.parsed.telling or (len(cells) == width and any(count != width for count in plain)):
                return True
        for place in [place for place in enclosed if place < len(cells) and cells[place].strip()]:
            if quoted[place]:
                enclosed[place] += 1
            elif number:
                del enclosed[place]
    return any(count > 1 for count in enclosed.values())


def _usual(counts: Iterable[int]) -> int:
    """The most frequent number; the larger of several."""
    found = Counter(counts)
    return max(found, key=lambda width: (found[width], width), default=0)


class _Reader:
    """The rows of one file."""

    def __init__(self, dialect: Dialect, lines: Iterator[Line], path: Path, context: Context) -> None:
        self.dialect, self.path, self.context = dialect, path, context
        self.report = context.report(path)
        self.lines = _Lines(dialect, lines, context.ingest.max_line_bytes)
        self.early: list[Reject] = []
        """Lines above the header that cannot be read."""
        self.shifted = False
        """Whether most rows have more cells than the header, so that nobody knows which cell is whose."""

    def columns(self, is_header: IsHeader) -> tuple[str, ...]:
        """The names of the columns; reads up to the header."""
        source, first = self.context.source, []
        for row in self.lines:
            if row.lines[0].reason is not None:
                self.early.append(self._reject(row, row.lines[0].reason))
            elif self._filled(row):
                first.append(row)
            if len(first) >= HEADER_ROWS and row.number > source.header:
                break
        cells = [(row.number, row.parsed.cells) for row in first]
        place = header_place(cells, source, is_header)
        below = first if place is None else first[place + 1 :]
        self.lines.give_back([line for row in below for line in row.lines])
        if place is None:
            return tuple(str(number + 1) for number in range(_usual(len(row) for _, row in cells)))
        above_header(cells[:place], self.report)
        columns = columns_of(cells[place][1], self.report)
        wider = sum(len(_trimmed(row.parsed.cells, len(columns))) > len(columns) for row in below)
        self.shifted = len(below) > 3 and 2 * wider > len(below)
        return columns

    def rows(self, columns: tuple[str, ...]) -> Iterator[Row | Reject]:
        """All rows below the header."""
        yield from self.early
        blank = 0
        for row in self.lines:
            if row.lines[0].reason is not None:
                yield self._reject(row, row.lines[0].reason)
            elif self._filled(row):
                yield self._made(row, columns)
            else:
                blank += len(row.lines)
        if blank:
            self.report.details["blank_lines"] = blank

    def _filled(self, row: _Logical) -> bool:
        return bool(row.text.strip(self.dialect.delimiter + self.dialect.quote + " \t\r\n"))

    def _reject(self, row: _Logical, reason: str) -> Reject:
        return self.context.reject(self.path, row.number, reason, row.text)

    def _made(self, row: _Logical, columns: tuple[str, ...]) -> Row | Reject:
        width = len(columns)
        cells, stray = _trimmed(row.parsed.cells, width), row.parsed.stray or row.parsed.is_open
        if any(row.parsed.quoted) or stray:
            plain = [_trimmed(line.text.split(self.dialect.delimiter), width) for line in row.lines]
            rows_of_their_own = len(plain) > 1 and width > 1 and all(len(line) == width for line in plain)
            if rows_of_their_own or (len(cells) != width and len(plain[0]) == width):
                self.lines.give_back(row.lines[1:])
                row, cells, stray = _Logical(row.lines[:1], row.parsed), plain[0], True
        if stray:
            self.report.note("rows with quotes in the middle of cells, read as they stand", row.number)
        made_ = made(row.number, cells, columns, self.report)
        if len(cells) > width and (self.shifted or self._parts_text(cells)):
            made_ = f"{len(cells)} cells where the header has {width}"
        if isinstance(made_, str):
            self.lines.give_back(row.lines[1:])
            lone = "; a quote is opened here and never closed" if row.parsed.is_open else ""
            return self._reject(_Logical(row.lines[:1], row.parsed), made_ + lone)
        return made_

    def _parts_text(self, cells: Sequence[str]) -> bool:
        """Whether a row has too many cells because a comma of its text was taken for a delimiter."""
        return self.dialect.delimiter == "," and any(
            after.startswith(" ") or (before[-1:].isdigit() and after[:1].isdigit())
            for before, after in pairwise(cells)
        )


def _trimmed(cells: Sequence[str], width: int) -> list[str]:
    """The cells without empty ones to the right of the table."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return list(cells[:end])
