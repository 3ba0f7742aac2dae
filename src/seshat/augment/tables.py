"""The tables that page extraction reads: pages of publications, and the texts that they speak of."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import regex

from seshat.augment.layout import Page
from seshat.config.augment import PagesSection, TextListSection
from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read
from seshat.core.patterns import Pattern

csv.field_size_limit(2**31 - 1)
_BRACKETS = regex.compile(r"[()\[\]]")
_DEFAULTS = {"document": "document", "page": "page", "text": "text"}


@dataclass
class Listed:
    """The texts of a list: their names, and how they read."""

    names: list[tuple[str, str]] = field(default_factory=list)
    """(id, name)."""
    texts: dict[str, str] = field(default_factory=dict)


def rows(path: Path, setting: str, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV or JSON Lines file: their number in the file, and cells by field.

    Args:
        path: the file.
        setting: where it is configured, for messages.
        columns: field -> column.

    Raises:
        DataError: the file is not there, lacks a column, or a line is no JSON object.
    """
    try:
        stream = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise cannot_read(path, error) from error
    with stream:
        if path.suffix.casefold() in (".jsonl", ".ndjson"):
            yield from _json_rows(stream, path, columns)
            return
        reader = csv.DictReader(stream, delimiter="\t" if path.suffix.casefold() in (".tsv", ".tab") else ",")
        missing = [column for column in columns.values() if column not in (reader.fieldnames or ())]
        if missing:
            known = ", ".join(reader.fieldnames or ())
            raise DataError(
                f"{path}:1: there is no column '{missing[0]}'; the columns are {known}.", f"Mend {setting}."
            )
        for number, row in enumerate(reader, start=2):
            yield number, {name: (row[column] or "") for name, column in columns.items()}


def _json_rows(stream: Any, path: Path, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield (
                number,
                {name: str(row[column] if row[column] is not None else "") for name, column in columns.items()},
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}:{number}: not a JSON object with {', '.join(columns.values())}: {error!r}."
            ) from error


def publications(path: Path, section: PagesSection) -> Iterator[tuple[str, list[Page]]]:
    """The pages of each publication, together; they stand one after the other in the table.

    Raises:
        DataError: see :func:`rows`.
    """
    columns: dict[str, str] = {**_DEFAULTS}
    columns.update({str(name): column for name, column in section.columns.items()})
    columns.update({f"where:{name}": name for name in section.where})
    pages: list[Page] = []
    current: str | None = None
    for number, row in rows(path, "augment.pages.columns", columns):
        if any(row[f"where:{name}"].strip() != value for name, value in section.where.items()):
            continue
        if row["document"] != current and pages:
            yield current or "", pages
            pages = []
        current = row["document"]
        pages.append(Page(row["page"], number, row["text"]))
    if pages:
        yield current or "", pages


def _names(cell: str, separator: Pattern) -> list[str]:
    """The names in a cell: all of it, its parts, and what stands in brackets and outside: ``KUG 29 (BM 113402)``."""
    names = [cell, *separator.split(cell)]
    names += [part for name in names for part in _BRACKETS.split(name)]
    return [name for name in dict.fromkeys(name.strip() for name in names) if name]


def listed_texts(path: Path, section: TextListSection) -> Listed:
    """Read the list of texts.

    Raises:
        DataError: see :func:`rows`.
    """
    columns = {"id": section.id, **{f"name:{name}": name for name in section.names}}
    if section.text is not None:
        columns["text"] = section.text
    separator = Pattern(section.separator)
    found = Listed()
    for _, row in rows(path, "augment.pages.texts", columns):
        cells = [value for key, value in row.items() if key.startswith("name:")]
        for cell in cells:
            found.names += [(row["id"], name) for name in _names(cell, separator)]
        if row.get("text", "").strip():
            found.texts[row["id"]] = " ".join(row["text"].split())
    return found
