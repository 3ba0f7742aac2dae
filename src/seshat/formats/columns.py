"""Which column of a table fills which field: as configured, or by the headers when nothing is configured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex

from seshat.config.ingest import META_FIELDS, Source
from seshat.core.errors import DataError
from seshat.formats.context import Context

_WORDS = regex.compile(r"[^\W_]+")
_META_NAMES = {
    "document": "doc_id",
    "doc": "doc_id",
    "text_id": "doc_id",
    "sentence_number": "order",
    "license": "licence",
    **{name: name for name in META_FIELDS},
}
_ENTRY_NAMES = {
    "headword": ("headword", "word", "lemma", "lexeme", "entry", "form", "term"),
    "forms": ("forms", "variant_forms", "variants", "variant_form", "variant", "allomorphs"),
    "pos": ("pos", "part_of_speech", "partofspeech", "ps", "class", "word_class", "category"),
    "type": ("type", "entry_type"),
}
_GLOSS_WORDS = frozenset(
    {"gloss", "glosses", "definition", "definitions", "meaning", "meanings", "translation", "translations", "sense"}
)
_EXAMPLE_WORDS = frozenset({"example", "examples"})


@dataclass(frozen=True)
class Columns:
    """Field -> columns (or paths in JSON)."""

    fields: Mapping[str, tuple[str, ...]]
    guessed: bool = False
    """Whether they were taken by their headers."""

    def starting(self, stem: str) -> dict[str, tuple[str, ...]]:
        """Language tag -> columns, for the fields ``stem.<lang>``."""
        start = f"{stem}."
        return {field.removeprefix(start): names for field, names in self.fields.items() if field.startswith(start)}

    def __str__(self) -> str:
        return ", ".join(f"{field}: {_listed(names)}" for field, names in self.fields.items())


def choose(
    found: Sequence[str], has: Callable[[str], bool] | None, source: Source, context: Context, file: str
) -> Columns:
    """The columns of one table.

    Args:
        found: names of the columns (in JSON: the keys of its first rows).
        has: whether a path is there, in JSON; None for a table whose columns can also be meant by their number.
        source: the source; its ``columns`` count when there are some.
        context: for the languages of the project.
        file: the table, for messages.

    Raises:
        DataError: a configured column is missing, or the headers do not say what is what; lists the columns found.
    """
    if not source.columns:
        return _guess(found, source, context, file)
    wanted = {field: names_in(names) for field, names in source.columns.items()}
    if has is None:
        wanted = {field: tuple(by_name_or_number(name, found) for name in names) for field, names in wanted.items()}
        has = found.__contains__
    missing = [(field, name) for field, names in wanted.items() for name in names if not has(name)]
    missing += [("where", name) for name in source.where if not has(by_name_or_number(name, found))]
    if missing:
        listed = "; ".join(f"'{name}' for {field}{_similar(name, found)}" for field, name in missing)
        raise DataError(
            f"{file}: source '{source.name}' wants columns that are not there: {listed}.", _columns_found(found)
        )
    return Columns(wanted)


def header_names(found: Sequence[str], source: Source, context: Context) -> int:
    """How many fields a row fills when it is taken for the header; 0 when it cannot be the header."""
    try:
        return len(choose(found, None, source, context, "").fields)
    except DataError:
        return 0


def by_name_or_number(name: str, found: Sequence[str]) -> str:
    """The column that is meant: by its name, else by its number from 1."""
    if name not in found and name.isdecimal() and 0 < int(name) <= len(found):
        return found[int(name) - 1]
    return name


def _columns_found(found: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in found[:40]) + (" …" if len(found) > 40 else "")
    return f"The columns found are: {shown}." if found else "There are no columns: is the first row a header?"


def _similar(name: str, found: Sequence[str]) -> str:
    from rapidfuzz import process

    best = process.extractOne(name.casefold(), [column.casefold() for column in found], score_cutoff=60)
    return f" (did you mean '{found[best[2]]}'?)" if best else ""


def names_in(names: str | tuple[str, ...]) -> tuple[str, ...]:
    """A setting that is one name or several, as several."""
    return (names,) if isinstance(names, str) else names


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _guess(found: Sequence[str], source: Source, context: Context, file: str) -> Columns:
    fields = _guess_entries(found, source, context) if source.kind == "entries" else _guess_segments(found, context)
    enough = "headword" in fields if source.kind == "entries" else any(tag in fields for tag in _tags(context))
    if not enough:
        want = (
            "a column 'headword'"
            if source.kind == "entries"
            else f"a column per language ({', '.join(_tags(context))})"
        )
        example = "{headword: …, gloss.es: …}" if source.kind == "entries" else "{shp: …, es: …}"
        example = example.replace("shp", context.project.language).replace("es", context.project.tags[-1])
        raise DataError(
            f"{file}: source '{source.name}' has no columns: setting, and the headers do not name {want}.",
            f"{_columns_found(found)} Say which is which: columns: {example}"
            + ("" if source.header is False else ", or header: false when the first row is data."),
        )
    return Columns(fields, guessed=True)


def _tags(context: Context) -> list[str]:
    return list(dict.fromkeys(context.codes.values()))


def _key(name: str) -> str:
    return "_".join(_WORDS.findall(name.casefold()))


def _named(tokens: Iterable[str], context: Context) -> str | None:
    """The language that one of the words names: by tag, code or name."""
    for token in tokens:
        tag = context.language(token)
        if tag is not None:
            return tag
        for known, info in context.project.languages.items():
            if token in [word for word in _WORDS.findall(info.name.casefold()) if len(word) > 3]:
                return known
    return None


def _guess_segments(found: Sequence[str], context: Context) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for name in found:
        field = _META_NAMES.get(_key(name)) or _named([_key(name).replace("_", "-")], context)
        if field is not None:
            fields.setdefault(field, (name,))
    return fields


def _guess_entries(found: Sequence[str], source: Source, context: Context) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    keys = {_key(name): name for name in reversed(found)}
    for known, names in _ENTRY_NAMES.items():
        if first := next((keys[name] for name in names if name in keys), None):
            fields[known] = (first,)
    own = source.language or context.project.language
    used = {name for names in fields.values() for name in names}
    for name in found:
        tokens = _WORDS.findall(name.casefold())
        language = _named(tokens, context)
        field: str | None
        if name in used:
            continue
        others = {token for token in tokens if _named([token], context) is None}
        if others and others <= _EXAMPLE_WORDS:
            field = f"example.{language or own}"
        elif (others and others <= _GLOSS_WORDS) or (len(tokens) == 1 and language not in {None, own}):
            field = f"gloss.{language or context.project.tags[-1]}"
        elif len(tokens) == 1 and language == own:
            field = "headword"
        else:
            field = _META_NAMES.get(_key(name))
        if field is not None:
            fields.setdefault(field, (name,))
    return fields


def values(cells: Mapping[str, Any], name: str) -> list[Any]:
    """What stands in a column, or at a path such as ``senses.0.gloss`` or ``senses.*.gloss``; lists are unrolled."""
    if name in cells:
        return _unrolled(cells[name])
    found: list[Any] = [cells]
    for part in name.split("."):
        step: list[Any] = []
        for value in found:
            if part == "*":
                step += value if isinstance(value, list) else []
            elif isinstance(value, list):
                step += [value[int(part)]] if part.isdecimal() and int(part) < len(value) else []
            else:
                step.append(value.get(part) if isinstance(value, dict) else None)
        found = step
    return [item for value in found for item in (_unrolled(value) if value is not None else [None])]


def _unrolled(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def names_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of rows from JSON: their keys, and ``examples.*.es`` for the keys of objects in lists."""
    found: dict[str, None] = {}
    for cells in rows:
        for key, value in cells.items():
            inner = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
            if inner:
                found.pop(key, None)
                found.update((f"{key}.*.{name}", None) for item in inner for name in item)
            elif not any(name.startswith(f"{key}.*.") for name in found):
                found[key] = None
    return list(found)


def has_path(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a key or path leads somewhere in at least one of the rows."""
    if any(name in cells for cells in rows):
        return True
    return "." in name and any(value is not None for cells in rows for value in values(cells, name))


def rest(cells: Mapping[str, Any], used: Collection[str]) -> dict[str, Any]:
    """The cells without what the used columns and paths took out of them."""
    kept: dict[str, Any] = {key: value for key, value in cells.items() if key not in used}
    for name in used:
        if name not in cells and "." in name:
            kept = _without(kept, name.split("."))
    return kept


def _without(value: Any, path: list[str]) -> Any:
    """A copy of a nested value without what stands at a path; what becomes empty goes too."""
    first, *others = path
    if isinstance(value, list):
        wanted = range(len(value)) if first == "*" else [int(first)] if first.isdecimal() else []
        items = [_without(item, others) if others and at in wanted else item for at, item in enumerate(value)]
        return [item for at, item in enumerate(items) if not (at in wanted and (not others or item in ({}, [], None)))]
    if not isinstance(value, dict) or first not in value:
        return value
    inner = _without(value[first], others) if others else None
    copy = {key: item for key, item in value.items() if key != first}
    return copy if inner in ({}, [], None) else {**copy, first: inner}
