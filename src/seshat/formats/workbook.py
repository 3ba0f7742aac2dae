"""The parts of an XLSX workbook that cells refer to: its sheets, texts and formats of dates.

The file format is ECMA-376, part 1, chapter 18, in the packages of part 2; what is looked at is named where it is.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any

from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read
from seshat.formats.context import Context
from seshat.formats.markup import xml_parser
from seshat.formats.rows import one_form
from seshat.formats.signatures import other_kind

MAX_UNPACKED = 500_000_000
"""Bytes that a workbook may unpack to."""
MAX_RATIO = 300
"""How many times larger than the file it may get, from 50 MB unpacked on; spreadsheets of text reach 5 to 30."""
MAX_STRINGS = 120_000_000
"""Characters of all different texts of a workbook, which are held in memory."""
BLOCK = 1 << 16
"""Bytes of XML that are parsed at a time."""
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Workbook:
    """The parts of a workbook that cells refer to."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, context: Context) -> None:
        self.archive = archive
        self.limit = context.ingest.max_line_bytes
        root = next((target for kind, target in self._related("").values() if kind == "officeDocument"), None)
        if root is None or root not in archive.namelist():
            raise KeyError("there is no workbook in it")
        related = self._related(root)
        self._parts = dict(related.values())
        sheets: dict[str, str] = {}
        self.since_1904 = False

        def start(name: str, attributes: Mapping[str, str]) -> None:
            if name == "sheet":
                kind, target = related.get(next((v for k, v in attributes.items() if k.endswith("id")), ""), ("", ""))
                if kind == "worksheet":
                    sheets[one_form(attributes.get("name", ""))] = target
            elif name == "workbookPr":
                self.since_1904 = attributes.get("date1904") in {"1", "true"}

        self._parse(root, start)
        self._path = self._chosen(path, sheets, context)

    def _chosen(self, path: Path, sheets: dict[str, str], context: Context) -> str:
        wanted, names, report = context.source.sheet, ", ".join(sheets), context.report(path)
        if wanted is not None and wanted not in sheets:
            raise DataError(f"{path}: there is no sheet '{wanted}'.", f"The sheets are: {names}.")
        if not sheets:
            raise DataError(f"{path}: the workbook has no sheet with cells.")
        first, *others = sheets
        report.details["sheet"] = wanted or first
        if wanted is None and others:
            report.remarks.append(f"only the first sheet, '{first}', is read; the others are: {', '.join(others)}")
        return sheets[wanted or first]

    def sheet(self) -> IO[bytes]:
        """The sheet that is read, from its start."""
        return self.archive.open(self._path)

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """Id -> kind and path of the parts that a part refers to (ECMA-376, part 2, chapter 9)."""
        place = PurePosixPath(part)
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: Mapping[str, str]) -> None:
            if name == "Relationship":
                target = attributes.get("Target", "")
                full = target.lstrip("/") if target.startswith("/") else str(place.parent / target)
                found[attributes.get("Id", "")] = attributes.get("Type", "").rpartition("/")[2], full

        name = str(place.parent / "_rels" / f"{place.name}.rels")
        if name in self.archive.namelist():
            self._parse(name, start)
        return found

    def _parse(self, part: str, start: Callable[[str, Mapping[str, str]], None]) -> None:
        parser = xml_parser(start)
        with self.archive.open(part) as stream:
            while block := stream.read(BLOCK):
                parser.Parse(block, False)
        parser.Parse(b"", True)

    @cached_property
    def strings(self) -> list[str]:
        """The texts that cells refer to by number (18.4): all runs of one together, without phonetic hints."""
        found: list[str] = []
        if (part := self._parts.get("sharedStrings")) is None:
            return found
        texts: list[str] = []
        inside, size, total = 0, 0, 0

        def start(name: str, _: Mapping[str, str]) -> None:
            nonlocal inside, size
            if name == "si":
                texts.clear()
                size = 0
            inside = inside + 1 if name == "rPh" or inside < 0 else (-1 if name == "t" and not inside else inside)

        def end(name: str) -> None:
            nonlocal inside, total
            if name == "t" and inside < 0:
                inside = 0
            elif name == "rPh":
                inside = max(0, inside - 1)
            elif name == "si":
                total += size
                if total > MAX_STRINGS:
                    raise ValueError(f"more than {MAX_STRINGS:,} characters: save the sheet as CSV, and read that")
                found.append(decoded("".join(texts)))

        def text(data: str) -> None:
            nonlocal size
            if inside < 0 and size <= self.limit:
                texts.append(data)
                size += len(data)

        with self.archive.open(part) as stream:
            parser = xml_parser(start, end, text)
            while block := stream.read(BLOCK):
                parser.Parse(block, False)
            parser.Parse(b"", True)
        return found

    @cached_property
    def dates(self) -> list[str | None]:
        """For each style of a cell (18.8.10), the format of a date; None where it is none."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

        own: dict[int, str] = {}
        found: list[str | None] = []
        in_cells = False

        def start(name: str, attributes: Mapping[str, str]) -> None:
            nonlocal in_cells
            if name == "numFmt":
                own[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
            elif name in {"cellXfs", "cellStyleXfs"}:
                in_cells = name == "cellXfs"
            elif name == "xf" and in_cells:
                number = int(attributes.get("numFmtId", "0"))
                shown = own.get(number) or BUILTIN_FORMATS.get(number, "")
                found.append(shown if is_date_format(shown) else None)

        if (part := self._parts.get("styles")) is not None:
            self._parse(part, start)
        return found

    def date(self, number: float, shown: str) -> Any:
        """A number as the date or time that its format shows."""
        from openpyxl.styles.numbers import is_timedelta_format
        from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

        epoch = MAC_EPOCH if self.since_1904 else WINDOWS_EPOCH
        try:
            return from_excel(number, epoch, timedelta=is_timedelta_format(shown))
        except (OverflowError, ValueError):
            return number


def decoded(text: str) -> str:
    """Text with its escapes (ST_Xstring, 22.9.2.19) as the characters that they stand for."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def look_inside(path: Path) -> None:
    """Refuse archives that are broken or would unpack to too much.

    Raises:
        DataError: says which.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except OSError as error:
        raise cannot_read(path, error) from error
    except (zipfile.BadZipFile, ValueError) as error:
        raise broken(path, error) from error
    if unpacked > MAX_UNPACKED or (unpacked > 50_000_000 and unpacked > MAX_RATIO * path.stat().st_size):
        raise DataError(
            f"{path}: the workbook would unpack to {unpacked:,} bytes, which looks like a trap; it is not opened.",
            "Save the sheet as CSV, and read that.",
        )


def broken(path: Path, error: Exception) -> DataError:
    """The error for a workbook that cannot be read: it is none, or it is damaged."""
    if path.stat().st_size == 0:
        return DataError(f"{path}: the file is empty.")
    if (other := other_kind(path, wanted="xl/")) is not None:
        return other
    return DataError(
        f"{path}: the workbook is cut off or damaged ({error}).",
        "Copy it anew, or open it in a spreadsheet program, have it repaired, and save it as .xlsx or .csv.",
    )
