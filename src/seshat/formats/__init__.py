"""Readers: files of one source in, records and rejects out. One module per kind of file.

Every reader is a function ``read(paths, context)``. This module finds the files of a source, chooses the
reader, and keeps what is wrong with one file from stopping the others.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from seshat.config.ingest import Source
from seshat.core.errors import DataError
from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.files import find
from seshat.formats.parallel import groups

BY_ENDING = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".json", ".jsonl", ".ndjson"), "table"),
    ".tmx": "tmx",
    ".txt": "text",
}
"""Reader of a file by the ending of its name, for ``reader: auto``."""


class Read(Protocol):
    """What a reader is."""

    def __call__(self, paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
        """Read the files of one unit: one file, or the files of all languages that belong together."""
        ...


def reader(name: str) -> Read:
    """The reader with a name, such as ``table``; it is imported only now."""
    function: Read = importlib.import_module(f"seshat.formats.{name}").read
    return function


def reader_name(path: str, source: Source) -> str:
    """The name of the reader for a file (or pattern) of a source.

    Raises:
        DataError: the source leaves it open and the name of the file does not tell.
    """
    if source.reader != "auto":
        return source.reader
    if any("{lang}" in pattern for pattern in source.patterns):
        return "documents" if source.kind == "documents" else "moses"
    ending = Path(path).suffix.casefold()
    if ending not in BY_ENDING:
        raise DataError(
            f"{path}: nothing is known about files whose names end with '{ending}' (source '{source.name}').",
            f"Say how to read it: reader: table, moses, tmx, documents or text. Known endings: {', '.join(BY_ENDING)}.",
        )
    return BY_ENDING[ending]


def read_source(
    context: Context, fail: Callable[[str, DataError], None], *, recipe: bool = False
) -> Iterator[Record | Reject]:
    """Read everything of one source.

    Args:
        context: the source and its settings.
        fail: told of each file (or pattern) that cannot be used as a whole, which does not stop the others.
        recipe: whether the project says where to download its files.
    """
    source = context.source
    paths, empty = find(context.raw, source.patterns)
    for pattern in empty:
        fail(pattern, _no_files(pattern, context, recipe=recipe))
    context.stems.update(_stems(paths, context))
    units: list[tuple[str, list[Path]]] = []
    plain = []
    for path in paths:
        try:
            name = reader_name(context.relative(path), source)
        except DataError as error:
            fail(context.relative(path), error)
            continue
        if name in {"moses", "documents"}:
            plain.append(path)
        else:
            units.append((name, [path]))
    units += [(reader_name("", source), unit) for unit in groups(plain, context)]
    for name, unit in units:
        yield from _read_unit(name, unit, context, fail)


def _read_unit(
    name: str, unit: Sequence[Path], context: Context, fail: Callable[[str, DataError], None]
) -> Iterator[Record | Reject]:
    """Read one unit; whatever keeps it from being read, wholly or to its end, is told to ``fail``."""
    records, first = 0, None
    try:
        if all(path.stat().st_size == 0 for path in unit):
            for path in unit:
                context.report(path).remarks.append("the file is empty")
                yield context.reject(path, None, "the file is empty")
            return
        for made in reader(name)(unit, context):
            if isinstance(made, Reject):
                first = first or made
            else:
                records += 1
            yield made
    except DataError as error:
        # Outputs hold no path of this machine: files are named as they stand below data/raw.
        error = DataError(error.message.replace(f"{context.raw}/", ""), error.hint)
        context.report(unit[0]).problem = error.message
        yield context.reject(unit[0], None, error.message)
        fail(context.relative(unit[0]), error)
        return
    for path in unit:
        report = context.report(path)
        if report.problem is None and path is unit[0] and not records and first is not None:
            where = f"{first.file}:{first.line}" if first.line is not None else first.file
            report.problem = f"{where}: nothing of this file could be read: {first.reason}."
        if report.problem is not None:
            fail(
                report.file, DataError(report.problem, "What could be read is kept; the rest stands in rejects.jsonl.")
            )


def _no_files(pattern: str, context: Context, *, recipe: bool) -> DataError:
    what = "matches no file" if any(sign in pattern for sign in "*?[{") else "is not there"
    hint = (
        "Fetch the files with: seshat download" if recipe else f"Put the files below {context.raw}, or mend the path."
    )
    return DataError(f"source '{context.source.name}': {pattern} {what} below data/raw.", hint)


def _stems(paths: Sequence[Path], context: Context) -> dict[str, str]:
    """What stands for each file in ids: its name without its ending and language; more of its path when need be."""
    from seshat.formats.files import place

    keys: dict[str, str] = {}
    for path in paths:
        relative = context.relative(path)
        here = place(relative, context.source.patterns, context.codes)
        keys[relative] = here.key if here else relative
    short: dict[str, set[str]] = {}
    for key in keys.values():
        short.setdefault(_stem(Path(key).name), set()).add(key)
    return {
        relative: stem if len(short[stem := _stem(Path(key).name)]) == 1 else key.replace("{lang}", "").strip(".")
        for relative, key in keys.items()
    }


def _stem(name: str) -> str:
    """``train.{lang}`` -> ``train``, ``flood.{lang}.txt`` -> ``flood``, ``words.csv`` -> ``words``."""
    head, sign, _ = name.partition("{lang}")
    return (head.rstrip("._-") or "text") if sign else Path(name).stem
