"""Tables in Word documents (``.docx``), which then read like any other table."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.core.errors import DataError, require
from seshat.core.jsonl import cannot_read
from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.rows import HEADER_ROWS, IsHeader, Row, Table, above_header, columns_of, header_place, made
from seshat.formats.workbook import MAX_RATIO, MAX_UNPACKED

if TYPE_CHECKING:
    from seshat.formats.xmltree import Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def word_tables(path: Path, context: Context, is_header: IsHeader) -> Table:
    """The tables of a document: the first, and the others with the same header.

    Raises:
        DataError: no Word document, a broken one, one that unpacks to too much, or one without tables.
    """
    tables = list(_tables(path))
    if not tables:
        raise DataError(
            f"{path}: there is no table in the document, and running text in it is not read.",
            "Put words or sentences and their translations into a table, or save the text as .txt.",
        )
    report = context.report(path)
    first = list(enumerate(tables[0][:HEADER_ROWS], start=1))
    place = header_place(first, context.source, is_header)
    width = max(len(row) for row in tables[0])
    header = tables[0][place] if place is not None else [str(at + 1) for at in range(width)]
    columns = columns_of(header, report)
    above_header(first[: place or 0], report)
    same = [table for table in tables[1:] if place is None or table[0] == header]
    if left := len(tables) - 1 - len(same):
        report.remarks.append(f"{left} of its {len(tables)} tables, with another header than the first, are not read")
    rows = [*tables[0][0 if place is None else place + 1 :], *(row for one in same for row in one[place is not None :])]

    def body() -> Iterator[Row | Reject]:
        for number, cells in enumerate(rows, start=(place or 0) + 2):
            if any(cells):
                row = made(number, [*cells, *[""] * (len(columns) - len(cells))], columns, report)
                yield row if isinstance(row, Row) else context.reject(path, number, row, "\t".join(cells))

    return Table(columns, body())


def _tables(path: Path) -> Iterator[list[list[str]]]:
    """The outermost tables of a document, row by row, cells as text."""
    etree = require("lxml.etree", extra="field", purpose="Reading Word documents")
    try:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo("word/document.xml").file_size
            if size > MAX_UNPACKED or (size > 50_000_000 and size > MAX_RATIO * path.stat().st_size):
                raise DataError(f"{path}: the document would unpack to {size:,} bytes, which looks like a trap.")
            with archive.open("word/document.xml") as stream:
                parser = etree.iterparse(
                    stream, events=("end",), tag=(f"{_W}tbl", f"{_W}p"), resolve_entities=False, huge_tree=False,
                    no_network=True, load_dtd=False,
                )  # fmt: skip
                for _event, element in parser:
                    if next(element.iterancestors(f"{_W}tbl"), None) is not None:
                        continue
                    if element.tag == f"{_W}tbl":
                        rows = [_cells(row) for row in element.iterchildren(f"{_W}tr")]
                        if any(cell.strip() for row in rows for cell in row):
                            yield rows
                    element.clear()
    except OSError as error:
        raise cannot_read(path, error) from error
    except (
        zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, SyntaxError,
    ) as error:  # fmt: skip
        raise DataError(f"{path}: no Word document, or a damaged one ({error}).", "Save it anew as .docx.") from error


def _cells(row: Element) -> list[str]:
    """The cells of a row; one that spans several columns is followed by empty ones."""
    found: list[str] = []
    for cell in row.iterchildren(f"{_W}tc"):
        paragraphs = ("".join(_runs(paragraph)) for paragraph in cell.iter(f"{_W}p"))
        found.append(" ".join(" ".join(paragraphs).split()))
        span = cell.find(f"{_W}tcPr/{_W}gridSpan")
        value = span.get(f"{_W}val", "1") if span is not None else "1"
        found += [""] * (min(int(value), 64) - 1 if value.isdecimal() else 0)
    return found


def _runs(paragraph: Element) -> Iterator[str]:
    for piece in paragraph.iter(f"{_W}t", f"{_W}tab", f"{_W}br"):
        yield (piece.text or "") if piece.tag == f"{_W}t" else " "
