"""XLSX workbooks: cells as text, in bounded memory, with the archive looked at before it is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read
from seshat.formats.context import Context

MAX_UNPACKED = 500_000_000
"""Bytes that a workbook may unpack to."""
MAX_RATIO = 300
"""How many times larger than the file it may get, from 50 MB unpacked on; spreadsheets of text reach 5 to 30."""


def sheet_rows(path: Path, sheet: str | None, context: Context) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet that are not empty: row number and cells as text.

    Args:
        path: the workbook.
        sheet: name of the sheet; the first when not given.
        context: for the report.

    Raises:
        DataError: no workbook, a broken one, one that unpacks to too much, or no such sheet.
    """
    _look_inside(path)
    try:
        yield from _rows(path, sheet, context)
    except DataError:
        raise
    except OSError as error:
        raise cannot_read(path, error) from error
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, SyntaxError, EOFError) as error:
        # ParseError, which stands for broken XML inside, is a SyntaxError; openpyxl raises the others.
        raise _broken(path, error) from error


def _rows(path: Path, sheet: str | None, context: Context) -> Iterator[tuple[int, list[str]]]:
    import warnings

    from openpyxl import load_workbook

    # The file is opened here: openpyxl leaves one open whose inside is damaged.
    with warnings.catch_warnings(), path.open("rb") as stream:
        warnings.simplefilter("ignore")  # about styles and extensions, which do not concern the text
        workbook = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        try:
            names = [worksheet.title for worksheet in workbook.worksheets]
            if sheet is not None and sheet not in names:
                raise DataError(f"{path}: there is no sheet '{sheet}'.", f"The sheets are: {', '.join(names)}.")
            if not names:
                raise DataError(f"{path}: the workbook has no sheet with cells.")
            worksheet: Any = workbook[sheet or names[0]]
            report = context.report(path)
            report.details["sheet"] = worksheet.title
            if sheet is None and len(names) > 1:
                left = ", ".join(names[1:])
                report.remarks.append(f"only the first sheet, '{names[0]}', is read; the others are: {left}")
            worksheet.reset_dimensions()
            for number, row in enumerate(worksheet.iter_rows(values_only=True), start=1):
                cells = [cell_text(value) for value in row]
                if any(cells):
                    yield number, cells
        finally:
            workbook.close()


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


def _look_inside(path: Path) -> None:
    """Refuse archives that are broken or would unpack to too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except OSError as error:
        raise cannot_read(path, error) from error
    except (zipfile.BadZipFile, ValueError) as error:
        raise _broken(path, error) from error
    if unpacked > MAX_UNPACKED or (unpacked > 50_000_000 and unpacked > MAX_RATIO * path.stat().st_size):
        raise DataError(
            f"{path}: the workbook would unpack to {unpacked:,} bytes, which looks like a trap; it is not opened.",
            "Save the sheet as CSV, and read that.",
        )


def _broken(path: Path, error: Exception) -> DataError:
    if path.stat().st_size == 0:
        return DataError(f"{path}: the file is empty.")
    return DataError(
        f"{path}: the workbook is cut off or damaged ({error}).",
        "Copy it anew, or open it in a spreadsheet program, have it repaired, and save it as .xlsx or .csv.",
    )
