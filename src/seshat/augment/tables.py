"""The tables that page extraction reads: pages of publications, and the texts that they speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import regex

from seshat.augment.layout import Page
from seshat.config.augment import PagesSection, TextListSection
from seshat.config.project import ProjectSection
from seshat.core.patterns import Pattern
from seshat.formats.tables import side_rows

_BRACKETS = regex.compile(r"[()\[\]]")
_DEFAULTS = {"document": "document", "page": "page", "text": "text"}


@dataclass
class Listed:
    """The texts of a list: their names, and how they read."""

    names: list[tuple[str, str]] = field(default_factory=list)
    """(id, name)."""
    texts: dict[str, str] = field(default_factory=dict)


def publications(
    path: Path, section: PagesSection, project: ProjectSection | None = None
) -> Iterator[tuple[str, list[Page]]]:
    """The pages of each publication, together; they stand one after the other in the table.

    Raises:
        DataError: see :func:`seshat.formats.tables.side_rows`.
    """
    columns: dict[str, str] = {**_DEFAULTS}
    columns.update({str(name): column for name, column in section.columns.items()})
    columns.update({f"where:{name}": name for name in section.where})
    pages: list[Page] = []
    current: str | None = None
    for number, row in side_rows(path, columns, "augment.pages.columns", project):
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


def listed_texts(path: Path, section: TextListSection, project: ProjectSection | None = None) -> Listed:
    """Read the list of texts.

    Raises:
        DataError: see :func:`seshat.formats.tables.side_rows`.
    """
    columns = {"id": section.id, **{f"name:{name}": name for name in section.names}}
    if section.text is not None:
        columns["text"] = section.text
    separator = Pattern(section.separator)
    found = Listed()
    for _, row in side_rows(path, columns, "augment.pages.texts", project):
        cells = [value for key, value in row.items() if key.startswith("name:")]
        for cell in cells:
            found.names += [(row["id"], name) for name in _names(cell, separator)]
        if row.get("text", "").strip():
            found.texts[row["id"]] = " ".join(row["text"].split())
    return found
