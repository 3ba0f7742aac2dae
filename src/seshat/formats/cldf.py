"""CLDF datasets: dictionaries and wordlists as entries, examples as segments; named by their metadata file.

A name is the table and the column: ``senses.Description``, ``examples.Translated_Text``. What a column means is taken
from its term in the CLDF ontology; of its language the dataset says what it says of all its texts, which is settled by
``columns`` of the source where it is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from seshat.core.errors import DataError
from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.rows import Row
from seshat.formats.tables import open_table
from seshat.formats.units import Hint, Names, Parts, Unit, Word

_FIELDS = {
    "EntryTable": {"headword": "headword", "partOfSpeech": "pos"},
    "FormTable": {"form": "headword"},
    "SenseTable": {"description": "gloss.en"},
    "ParameterTable": {"name": "gloss.en"},
    "ExampleTable": {
        "primaryText": "example.own", "translatedText": "example.en", "analyzedWord": "gloss.morphemes",
        "gloss": "gloss.glosses",
    },
}  # fmt: skip
"""Table -> term of a column -> the field that it fills."""
_LARGEST = 5_000_000


@dataclass
class _Table:
    """One table of a dataset: its file, and the terms, names and separators of its columns."""

    path: Path
    kind: str
    terms: dict[str, str] = field(default_factory=dict)
    separators: dict[str, str] = field(default_factory=dict)

    def column(self, term: str) -> str:
        """The column with a term; empty when there is none."""
        return next((name for name, known in self.terms.items() if known == term), "")


@dataclass
class _Dataset:
    tables: dict[str, _Table]
    languages: dict[str, str] = field(default_factory=dict)
    """Id of a language in the dataset -> its tag, where it is one of the project."""
    language: str = ""
    """What the dataset says its texts about the languages are written in."""
    licence: str = ""


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read datasets.

    Raises:
        DataError: the file is no metadata of a CLDF dataset, or names no table that holds words or examples.
    """
    for path in paths:
        dataset = _dataset(path)
        context.report(path).details["tables"] = {kind: one.path.name for kind, one in dataset.tables.items()}
        wanted = [kind for kind in ("EntryTable", "FormTable", "ExampleTable") if kind in dataset.tables]
        if context.source.kind == "segments" and "kind" in context.source.model_fields_set:
            wanted = [kind for kind in wanted if kind == "ExampleTable"]
        there = [kind for kind in wanted if dataset.tables[kind].path.is_file()]
        if not there:
            raise DataError(
                f"{path}: none of the tables of entries, forms or examples that it names is there.",
                "Put its .csv files into the same folder.",
            )
        rows: dict[str, list[Row]] = {}
        for kind, one in dataset.tables.items():
            if kind not in {"EntryTable", "FormTable"}:
                found = list(_rows(one, context, kind))
                yield from (row for row in found if isinstance(row, Reject))
                rows[kind] = [row for row in found if isinstance(row, Row)]
        dataset.languages = _languages(dataset, rows.get("LanguageTable", []), context)
        linked = _Linked(dataset, rows)
        if "EntryTable" in there and not linked.alone:
            there = [kind for kind in there if kind != "ExampleTable"]
        for kind in there:
            units = partial(_units, dataset, kind, linked)
            yield from records([dataset.tables[kind].path], context, units, propose, "columns")


def _dataset(path: Path) -> _Dataset:
    """The tables that a metadata file names."""
    if path.stat().st_size > _LARGEST:
        raise DataError(f"{path}: metadata of more than {_LARGEST:,} bytes are not read.")
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        dataset = _Dataset({}, licence=str(found.get("dc:license", "")))
        for one in found.get("@context", []):
            dataset.language = str(one.get("@language", "")) if isinstance(one, dict) else dataset.language
        for table in found["tables"]:
            name = PurePosixPath(str(table["url"])).name  # a dataset has its files beside its metadata
            kind = str(table.get("dc:conformsTo") or "").rpartition("#")[2] or name
            made = dataset.tables[kind] = _Table(path.parent / name, kind)
            for column in table["tableSchema"]["columns"]:
                title = str(column.get("name") or column.get("titles"))
                made.terms[title] = str(column.get("propertyUrl") or title).rpartition("#")[2]
                if column.get("separator"):
                    made.separators[title] = str(column["separator"]).replace("\\t", "\t")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise DataError(f"{path}: no metadata of a CLDF dataset: {type(error).__name__} at {error}.") from error
    return dataset


def _rows(table: _Table, context: Context, kind: str) -> Iterator[Row | Reject]:
    if not table.path.is_file():
        context.remarks.append(f"{table.path.name}, the {kind} of the dataset, is not there")
        return
    yield from open_table(table.path, context, lambda names: sum(name in table.terms for name in names)).rows


def _languages(dataset: _Dataset, rows: Sequence[Row], context: Context) -> dict[str, str]:
    """The tags of the languages of a dataset; one alone is the language of the source."""
    names = Names(context, propose)
    table = dataset.tables.get("LanguageTable")
    found = [row.cells for row in rows]
    key = (table.column("id") if table else "") or "ID"
    if len(found) == 1:
        return {str(found[0].get(key, "")): names.own}
    tags = {}
    for cells in found:
        codes = (
            cells.get(table.column(term)) if table else "" for term in ("id", "iso639P3code", "glottocode", "name")
        )
        tags[str(cells.get(key, ""))] = next((tag for code in codes if (tag := names.language(str(code or "")))), "")
    return tags


def _units(
    dataset: _Dataset, kind: str, linked: _Linked, path: Path, context: Context, names: Names
) -> Iterator[Unit | Reject]:
    """The units of the main table: entries with what refers to them, or examples that no entry has."""
    for table in dataset.tables.values():
        for name, term in table.terms.items():
            names.hint(_name(table, name), f"{table.kind}.{term}", dataset.language)
    table = dataset.tables[kind]
    extra = {"licence": dataset.licence} if dataset.licence else {}
    examples = kind == "ExampleTable"
    for row in linked.alone if examples else _rows(table, context, kind):
        if isinstance(row, Reject):
            yield row
            continue
        cells = {str(name): str(value) for name, value in row.cells.items() if value}
        key = cells.get(table.column("id"), "")
        code = cells.get(table.column("languageReference"), "")
        tag = dataset.languages.get(code, names.own)
        if tag != names.own:
            context.report(path).note(
                f"rows in the language '{code}', which is not that of the source, left out", row.line
            )
            continue
        skip = {table.column("id"), table.column("languageReference")}
        parts = [part for name, value in cells.items() if name not in skip for part in _values(table, name, value)]
        unit = Unit(row.line, key, parts, extra=dict(extra))
        if examples:
            unit.words = _words(table, cells, unit)
        else:
            unit.senses = linked.senses(key, cells, table)
        yield unit


def _name(table: _Table, column: str) -> str:
    return f"{table.path.stem}.{column}"


def _values(table: _Table, column: str, value: str) -> Parts:
    separator = table.separators.get(column)
    values = value.split(separator) if separator else [value]
    return [(_name(table, column), one.strip()) for one in values]


def _words(table: _Table, cells: Mapping[str, str], unit: Unit) -> list[Word]:
    """The words of an example, where its two lists fit; they are taken out of its parts."""
    lists = {term: table.column(term) for term in ("analyzedWord", "gloss")}
    found = {
        column: cells[column].split(table.separators.get(column, "\t")) for column in lists.values() if column in cells
    }
    if len(found) < 2 or len({len(words) for words in found.values()}) > 1:
        return []
    unit.parts = [part for part in unit.parts if part[0] not in {_name(table, column) for column in found}]
    columns = list(found)
    return [
        Word({_name(table, column): word for column, word in zip(columns, words, strict=True)})
        for words in zip(*found.values(), strict=True)
    ]


class _Linked:
    """Senses and examples by what they belong to."""

    def __init__(self, dataset: _Dataset, rows: Mapping[str, list[Row]]) -> None:
        self.dataset = dataset
        self.by_entry = self._by("SenseTable", "entryReference", rows)
        self.by_sense = self._by("ExampleTable", "Sense_IDs", rows)
        self.parameters = self._by("ParameterTable", "id", rows)
        used = (
            {id(row) for found in self.by_sense.values() for row in found} if "EntryTable" in dataset.tables else set()
        )
        self.alone = [row for row in rows.get("ExampleTable", ()) if id(row) not in used]
        """Examples of no sense."""

    def _by(self, kind: str, term: str, rows: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
        table = self.dataset.tables.get(kind)
        found: dict[str, list[Row]] = {}
        if table is None:
            return found
        column = table.column(term) or term
        for row in rows.get(kind, ()):
            for key in str(row.cells.get(column) or "").split(table.separators.get(column) or "\0"):
                if key.strip():
                    found.setdefault(key.strip(), []).append(row)
        return found

    def senses(self, key: str, cells: Mapping[str, Any], table: _Table) -> list[Parts]:
        """What belongs to an entry, or to a form through its concept."""
        if table.kind == "FormTable":
            concept = str(cells.get(table.column("parameterReference")) or "")
            return [self._parts("ParameterTable", row) for row in self.parameters.get(concept, ())]
        senses: list[Parts] = []
        for row in self.by_entry.get(key, ()):
            senses.append(self._parts("SenseTable", row))
            sense = str(row.cells.get(self.dataset.tables["SenseTable"].column("id")) or "")
            for example in self.by_sense.get(sense, ()):
                senses[-1] += [("", ""), *self._parts("ExampleTable", example)]
        return senses

    def _parts(self, kind: str, row: Row) -> Parts:
        table = self.dataset.tables[kind]
        skip = {table.column(term) for term in ("id", "entryReference", "languageReference")} | {"Sense_IDs"}
        cells = ((str(name), str(value)) for name, value in row.cells.items() if value and name not in skip)
        return [part for name, value in cells for part in _values(table, name, value)]


def propose(_name: str, hint: Hint, names: Names) -> str | None:
    """The field of a column by its term."""
    kind, _, term = hint.kind.partition(".")
    known = _FIELDS.get(kind, {}).get(term)
    if known is None or not known.endswith((".en", ".own")):
        return known
    stem, _, tongue = known.partition(".")
    tag = names.own if tongue == "own" else names.language(hint.language or "en")
    return f"{stem}.{tag}" if tag else None
