"""Brings columns of another table to the rows of one: a list of forms to its dictionary, through their lemmas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import regex

from seshat.config.ingest import Join
from seshat.core.errors import DataError
from seshat.core.patterns import Pattern
from seshat.core.records import Reject
from seshat.formats.columns import values
from seshat.formats.context import Context, FileReport
from seshat.formats.rows import Row, cell_text, one_form
from seshat.formats.tables import open_table

_SLOT = regex.compile(r"\{([^{}]+)\}")


class Joined:
    """The other table, looked up by its key.

    Args:
        join: what is joined, and how.
        wanted: names of columns; those that the other table has are brought.
        context: for the folder and the format of both tables.

    Raises:
        DataError: the table is not there, or lacks a column.
    """

    def __init__(self, join: Join, wanted: Iterable[str], context: Context) -> None:
        path = context.raw / join.path
        if not path.is_file():
            raise DataError(f"source '{context.source.name}': {join.path}, which is joined, is not below data/raw.")
        table = open_table(path, context, lambda names: int(join.to in names))
        rows = [row for row in table.rows if isinstance(row, Row)]
        found = table.columns or tuple(dict.fromkeys(name for row in rows for name in row.cells))
        if join.to not in found:
            raise DataError(
                f"{join.path}: source '{context.source.name}' joins on '{join.to}', which is not there.",
                f"The columns found are: {', '.join(found)}.",
            )
        named = set(wanted)
        self.columns = tuple(name for name in found if name in named)
        """What it brings."""
        self._on = join.on
        self._folds = [(Pattern(one.pattern), one.replacement) for one in join.fold]
        self._rows = [{name: row.cells.get(name) for name in (join.to, *self.columns)} for row in rows]
        self._indexes = self._by_key(join.to)
        self._counts: Counter[str] = Counter()

    def _by_key(self, to: str) -> list[dict[str, list[int]]]:
        """Key -> places of rows: as it stands, then after each fold."""
        keys = [
            (one_form(cell_text(value)), place) for place, cells in enumerate(self._rows) for value in values(cells, to)
        ]
        found = []
        for fold in (None, *self._folds):
            if fold:
                keys = [(fold[0].sub(fold[1], key), place) for key, place in keys]
            index: dict[str, list[int]] = {}
            for key, place in keys:
                index.setdefault(key, []).append(place)
            found.append(index)
        return found

    def added(self, rows: Iterable[Row | Reject], own: Iterable[str]) -> Iterator[Row | Reject]:
        """Rows with the columns of this one; a row that has a column already keeps its own."""
        taken = set(own)
        new = [name for name in self.columns if name not in taken]
        for row in rows:
            if isinstance(row, Reject):
                yield row
                continue
            found = self._find(row)
            cells = {name: [cell for place in found for cell in values(self._rows[place], name)] for name in new}
            yield row._replace(cells={**row.cells, **cells})

    def _find(self, row: Row) -> list[int]:
        """Places of the rows that fit: by the first of the keys, folded as little as possible."""
        for template in self._on:
            key = _filled(template, row)
            for level, index in enumerate(self._indexes if key else ()):
                if level:
                    pattern, replacement = self._folds[level - 1]
                    key = pattern.sub(replacement, key)
                if places := index.get(key):
                    self._counts["exactly" if level == 0 else f"after {level} folds"] += 1
                    return places
        self._counts["not found"] += 1
        return []

    def report(self, to: FileReport) -> None:
        """Write into the report of the file how many rows found a partner, and by which fold."""
        if self._counts:
            to.details["joined"] = dict(sorted(self._counts.items()))


def _filled(template: str, row: Row) -> str:
    """A key: a column, or several in one text; empty when one of them is."""

    def cell(name: str) -> str:
        found: list[Any] = values(row.cells, name)
        return one_form(cell_text(found[0])) if found else ""

    names = _SLOT.findall(template)
    if not names:
        return cell(template)
    cells = {name: cell(name) for name in names}
    return _SLOT.sub(lambda slot: cells[slot[1]], template) if all(cells.values()) else ""
