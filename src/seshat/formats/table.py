"""Tables (CSV, TSV, XLSX, JSON, JSONL) to segments or lexicon entries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import regex

from seshat.config.ingest import column_language
from seshat.core.errors import DataError
from seshat.core.patterns import Pattern
from seshat.core.records import Entry, Example, GlossedWord, Meta, Record, Reject, Segment, Sense
from seshat.core.rights import level
from seshat.formats.columns import (
    Columns,
    by_name_or_number,
    choose,
    has_path,
    header_names,
    names_in,
    names_of,
    rest,
    values,
)
from seshat.formats.context import Context, FileReport
from seshat.formats.join import Joined
from seshat.formats.rows import Row, cell_text, one_form
from seshat.formats.tables import open_table

PEEK = 200
"""Rows of a JSON file whose keys are looked at to check the columns."""
_META = ("speaker", "genre", "licence", "purposes", "embargo", "consent", "labels")
_MORPHEMES = regex.compile(r"[-=]")


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read tables row by row.

    Raises:
        DataError: a table cannot be read as a whole, or lacks columns; lists those found.
    """
    source = context.source
    if source.kind == "documents":
        raise DataError(
            f"source '{source.name}': a row of a table is a segment or an entry, not a document.",
            "Write kind: segments, and name the column that tells documents apart: columns: {doc_id: …}.",
        )
    for path in paths:
        yield from _Maker(path, context).records()


class _Maker:
    """Makes the records of one table."""

    def __init__(self, path: Path, context: Context) -> None:
        self.path, self.source, self.context = path, context.source, context
        self.file = context.relative(path)
        self.report: FileReport = context.report(path)
        self.prefix = context.prefix(path)
        self.columns = Columns({})
        self.orders: dict[str, int] = {}
        self.separator = Pattern(context.source.separator)
        self.extract = {field: Pattern(one) for field, one in context.source.extract.items()}
        self.types = {name.casefold(): kind for name, kind in context.source.types.items()}

    def records(self) -> Iterator[Record | Reject]:
        joined = None
        if self.source.join:
            wanted = (name for names in self.source.columns.values() for name in names_in(names))
            joined = Joined(self.source.join, wanted, self.context)
        brought = joined.columns if joined else ()
        table = open_table(
            self.path, self.context, lambda names: header_names([*names, *brought], self.source, self.context)
        )
        if table.columns is None:
            rows = self._with_keys(table.rows, joined)
        elif table.columns:
            columns = list(dict.fromkeys((*table.columns, *brought)))
            self.columns = choose(columns, None, self.source, self.context, self.file)
            own = self._wanted(table.rows, table.columns)
            rows = joined.added(own, table.columns) if joined else own
        else:
            rows = (row for row in table.rows if isinstance(row, Reject))
        first = next(rows, None)
        if first is not None:
            self._prepare()
            for row in chain([first], rows):
                yield row if isinstance(row, Reject) else self._record(row)
        if joined:
            joined.report(self.report)

    def _with_keys(self, rows: Iterator[Row | Reject], joined: Joined | None) -> Iterator[Row | Reject]:
        """Rows that bring their own keys: the first of them say which columns there are."""
        rows = self._wanted(rows, ())
        rows = joined.added(rows, ()) if joined else rows
        ahead = list(islice(rows, PEEK))
        cells = [row.cells for row in ahead if isinstance(row, Row)]
        if cells:
            self.columns = choose(
                names_of(cells), lambda name: has_path(cells, name), self.source, self.context, self.file
            )
        yield from chain(ahead, rows if cells else (row for row in rows if isinstance(row, Reject)))

    def _wanted(self, rows: Iterator[Row | Reject], columns: Sequence[str]) -> Iterator[Row | Reject]:
        """The rows that ``where`` asks for."""
        wanted = {by_name_or_number(name, columns): {*names_in(one)} for name, one in self.source.where.items()}
        for row in rows:
            if isinstance(row, Reject) or all(
                {one_form(cell_text(value)) for value in values(row.cells, column)} & texts
                for column, texts in wanted.items()
            ):
                yield row
            else:
                self.report.details["left_out"] = self.report.details.get("left_out", 0) + 1

    def _prepare(self) -> None:
        fields = self.columns.fields
        self.report.details["columns"] = {field: list(names) for field, names in fields.items()}
        if self.columns.guessed:
            self.report.remarks.append(f"columns taken by their headers; settle them with columns: {{{self.columns}}}")
        self.used = frozenset(name for names in fields.values() for name in names)
        segments = self.source.kind == "segments"
        self.texts = [field for field in fields if segments and column_language(field, "segments")]
        self.glosses, self.examples = self.columns.starting("gloss"), self.columns.starting("example")

    def _all(self, row: Row, names: Sequence[str]) -> list[str]:
        """The texts of some columns; an empty text where a value is missing, so that lists stay parallel."""
        return [self._text(value) for name in names for value in values(row.cells, name)]

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            return self.report.text(value.replace("\r\n", "\n").replace("\r", "\n"))
        return self.report.text(json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else cell_text(value))

    def _one(self, row: Row, field: str) -> str:
        names = self.columns.fields.get(field)
        return "" if names is None else " ".join(text for text in self._all(row, names) if text)

    def _record(self, row: Row) -> Record | Reject:
        if reason := _damaged(row):
            return self.context.reject(self.path, row.line, reason, _content(row))
        given = self._one(row, "id")
        name = f"{self.source.name}:{given}" if given else f"{self.prefix}:{row.place}"
        made = self._entry(name, row) if self.source.kind == "entries" else self._segment(name, row)
        if made is None:
            fields = ["headword"] if self.source.kind == "entries" else self.texts
            named = ", ".join(name for field in fields for name in self.columns.fields[field])
            return self.context.reject(self.path, row.line, f"nothing stands in {named}", _content(row))
        if given and (first := self.context.first_with(given, self.file, row.line)) is not None:
            where = f"line {first.line}" if first.file == self.file else str(first)
            reason = f"the id '{given}' is already that of {where}"
            return self.context.reject(self.path, row.line, reason, _content(row))
        return made

    def _segment(self, name: str, row: Row) -> Segment | None:
        texts = {tag: text for tag in self.texts if (text := self._one(row, tag))}
        if not texts:
            return None
        if len(texts) < len(self.texts):
            empty = ", ".join(tag for tag in self.texts if tag not in texts)
            self.report.note(f"rows without text in {empty}, kept with the rest", row.line)
        extra = self._extra(row)
        gloss = self._gloss(row, extra)
        return Segment(id=name, texts=texts, gloss=gloss, meta=self._meta(row, extra))

    def _gloss(self, row: Row, extra: dict[str, str]) -> tuple[GlossedWord, ...] | None:
        morphemes, glosses = self._one(row, "gloss.morphemes"), self._one(row, "gloss.glosses")
        if not morphemes and not glosses:
            return None
        forms, meanings = _split_words(morphemes), _split_words(glosses)
        if len(forms) != len(meanings):
            if morphemes and glosses:
                self.report.note("rows with unequal numbers of words in morphemes and glosses; no gloss", row.line)
                extra |= {"gloss.morphemes": morphemes, "gloss.glosses": glosses}
                return None
            forms = forms or [""] * len(meanings)
            meanings = meanings or [""] * len(forms)
        return tuple(
            GlossedWord(
                form=_MORPHEMES.sub("", form),
                morphemes=tuple(_MORPHEMES.split(form)) if form else (),
                glosses=tuple(_MORPHEMES.split(meaning)) if meaning else (),
            )
            for form, meaning in zip(forms, meanings, strict=True)
        )

    def _entry(self, name: str, row: Row) -> Entry | None:
        heads = [text for text in self._all(row, self.columns.fields["headword"]) if text]
        if not heads:
            return None
        headword, *others = heads
        forms = [*others, *self._parts(row, "forms")]
        glosses = {tag: found for tag in self.glosses if (found := self._parts(row, f"gloss.{tag}"))}
        kind = self._one(row, "type").casefold() or "word"
        examples = self._examples(row)
        return Entry(
            id=name,
            lang=self.source.language or self.context.project.language,
            headword=headword,
            forms=tuple(dict.fromkeys(form for form in forms if form != headword)),
            pos=self._one(row, "pos") or None,
            type=self.types.get(kind, kind),
            senses=(Sense(glosses=glosses, examples=examples),) if glosses or examples else (),
            meta=self._meta(row, self._extra(row)),
        )

    def _parts(self, row: Row, field: str) -> tuple[str, ...]:
        texts = self._all(row, self.columns.fields.get(field, ()))
        if pattern := self.extract.get(field):
            texts = [found[1] if pattern.groups else found[0] for text in texts for found in pattern.finditer(text)]
        parts = (part.strip() for text in texts for part in self.separator.split(text))
        return tuple(dict.fromkeys(part for part in parts if part))

    def _examples(self, row: Row) -> tuple[Example, ...]:
        sides = {tag: self._all(row, names) for tag, names in self.examples.items()}
        if len({len(side) for side in sides.values() if any(side)}) > 1:
            self.report.note("rows with unequal numbers of examples in their languages", row.line)
        found = []
        for texts in zip_longest(*sides.values(), fillvalue=""):
            kept = {tag: text for tag, text in zip(sides, texts, strict=True) if text}
            if kept:
                found.append(Example(texts=kept))
        return tuple(found)

    def _extra(self, row: Row) -> dict[str, str]:
        others = rest(row.cells, self.used)
        if not others:
            return {}
        texts = ((str(key), _plain(value)) for key, value in others.items())
        return {key: self.report.text(text) for key, text in texts if text.strip()}

    def _meta(self, row: Row, extra: dict[str, str]) -> Meta:
        found: dict[str, Any] = {field: text for field in _META if (text := self._one(row, field))}
        if extra:
            found["extra"] = extra
        if document := self._one(row, "doc_id"):
            found["doc_id"] = document
            found["order"] = self.orders[document] = self.orders.get(document, -1) + 1
        if order := self._one(row, "order"):
            if order.isdecimal():
                found["order"] = int(order)
            else:
                self.report.note("rows whose order is no whole number", row.line)
        if access := self._one(row, "access"):
            found["access"] = self.context.access(access)
            if found["access"] is not level(access, self.context.source.archive):
                self.report.note("rows whose access level is not the one they name: unknown, or less strict", row.line)
        return self.context.meta(self.file, row.line, **found)


def _split_words(text: str) -> list[str]:
    """Words of a gloss line: parted by tabs where there are some (as in CLDF), else by white space."""
    return [word.strip() for word in text.split("\t")] if "\t" in text else text.split()


def _plain(value: Any) -> str:
    """A value nobody asked for, as text: lists and objects as JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return cell_text(value)


def _damaged(row: Row) -> str | None:
    if any(isinstance(value, str) and "\0" in value for value in row.cells.values()):
        return "a cell holds zero bytes (NUL): it is damaged, or not text"
    return None


def _content(row: Row) -> str:
    cells: Mapping[str, Any] = row.cells
    if all(isinstance(value, str) for value in cells.values()):
        return "\t".join(cells.values())
    return json.dumps(cells, ensure_ascii=False)
