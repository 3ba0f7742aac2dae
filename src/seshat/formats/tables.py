"""Opens a table of any kind, by the ending of its name: those of sources, and those beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from seshat.core.errors import DataError
from seshat.formats.context import Context
from seshat.formats.docx import word_tables
from seshat.formats.json_list import json_file, json_lines
from seshat.formats.rows import IsHeader, Table
from seshat.formats.separated import separated
from seshat.formats.xlsx import spreadsheet

FORMATS: Mapping[str, Callable[[Path, Context, IsHeader], Table]] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), separated),
    **dict.fromkeys((".xlsx", ".xlsm"), spreadsheet),
    ".docx": word_tables,
    ".json": json_file,
    **dict.fromkeys((".jsonl", ".ndjson"), json_lines),
}
"""What opens a table, by the ending of its name."""


def open_table(path: Path, context: Context, is_header: IsHeader) -> Table:
    """Open a table by the ending of its name.

    Args:
        path: the file.
        context: the source, for its settings.
        is_header: whether some names are those of the columns that are wanted; tells the header from a title above it.

    Raises:
        DataError: the ending is unknown, or the file as a whole cannot be read.
    """
    opener = FORMATS.get(path.suffix.casefold())
    if opener is None:
        raise DataError(
            f"{path}: '{path.suffix}' is no table that can be read ({', '.join(FORMATS)}).",
            "Save old .xls and .ods files as .xlsx or .csv." if path.suffix in {".xls", ".ods"} else None,
        )
    return opener(path, context, is_header)
