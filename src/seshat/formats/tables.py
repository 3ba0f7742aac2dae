"""Opens a table of any kind, by the ending of its name: those of sources, and those beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from seshat.config.ingest import IngestSection, Source
from seshat.config.project import ProjectSection
from seshat.core.errors import DataError
from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.docx import word_tables
from seshat.formats.json_list import json_file, json_lines
from seshat.formats.rows import IsHeader, Row, Table, cell_text, one_form
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
_NOBODY = ProjectSection(language="und", pivot="mul")
"""Stands for a project whose languages are not known."""


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


def side_rows(
    path: Path,
    columns: Mapping[str, str],
    setting: str,
    project: ProjectSection | None = None,
    problems: list[str] | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table that stands beside the sources, such as a list of groups: read as a source is.

    Args:
        path: the file.
        columns: field -> column.
        setting: where it is configured, for messages.
        project: its languages, which help to find the encoding.
        problems: takes what is wrong with rows, which are then left out; without, the first raises an error.

    Yields:
        Line in the file, and cells by field; empty where there is nothing.

    Raises:
        DataError: the file is not there, is no table, or lacks a column.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.", f"Correct {setting}.")
    context = Context(
        path.parent, Source.model_construct(name=setting, path=path.name), IngestSection(), project or _NOBODY
    )
    wanted = {field: one_form(column) for field, column in columns.items()}
    try:
        table = open_table(path, context, lambda names: len(set(wanted.values()) & set(names)))
        rows = table.rows if table.columns is None else _checked(table, path, wanted, setting)
        for row in rows:
            problem = row.reason if isinstance(row, Reject) else _lacking(row, wanted.values())
            if problem is None and isinstance(row, Row):
                yield row.line, {field: cell_text(row.cells[column]) for field, column in wanted.items()}
            elif problems is None:
                raise DataError(f"{path}:{row.line}: {problem}.", "Mend the row.")
            else:
                problems.append(f"{path.name}:{row.line}: {problem}")
    except DataError as error:
        if "encoding:" in (error.hint or ""):
            raise DataError(error.message, "Save the file as UTF-8.") from error
        raise


def _checked(table: Table, path: Path, wanted: Mapping[str, str], setting: str) -> Iterator[Row | Reject]:
    if not table.columns:
        raise DataError(f"{path}: the file is empty.", f"Correct {setting}, or fetch the file again.")
    missing = [column for column in wanted.values() if column not in table.columns]
    if missing:
        known = ", ".join(table.columns)
        raise DataError(f"{path}:1: there is no column '{missing[0]}'; the columns are {known}.", f"Correct {setting}.")
    return table.rows


def _lacking(row: Row, wanted: Iterable[str]) -> str | None:
    missing = [column for column in wanted if column not in row.cells]
    return f"not a JSON object with {', '.join(wanted)}: '{missing[0]}' is missing" if missing else None
