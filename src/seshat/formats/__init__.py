"""Readers: files of one source in, records and rejects out. One module per kind of file.

Every reader is a function ``read(paths, context)``. This module finds the files of a source, chooses the
reader, and keeps what is wrong with one file from stopping the others.
"""

from __future__ import annotations

import importlib
import unicodedata
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
    **dict.fromkeys((".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".json", ".jsonl", ".ndjson", ".docx"), "table"),
    ".tmx": "tmx",
    ".txt": "text",
    ".eaf": "eaf",
    ".pfsx": "eaf",
    ".flextext": "flextext",
    **dict.fromkeys((".lift", ".lift-ranges"), "lift"),
    **dict.fromkeys((".sfm", ".db", ".mdf", ".dic", ".typ"), "sfm"),
    ".textgrid": "textgrid",
    ".conllu": "conllu",
    ".cha": "chat",
    **dict.fromkeys((".usfm", ".usx", ".ptx"), "usfm"),
    **dict.fromkeys((".xlf", ".xliff", ".sdlxliff"), "xliff"),
    **dict.fromkeys((".srt", ".vtt"), "subtitles"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    ".pdf": "pdf",
    ".warc": "warc",
    **dict.fromkeys((".session", ".person", ".sprj"), "session"),
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


def reader_name(path: str, source: Source, file: Path | None = None) -> str:
    """The name of the reader for a file (or pattern) of a source.

    Args:
        path: how the file is called.
        source: its source.
        file: where it is; the endings of several kinds of files are told apart by its first lines.

    Raises:
        DataError: the source leaves it open and neither the name of the file nor its beginning tells.
    """
    if source.reader != "auto":
        return source.reader
    ending = Path(path.casefold().removesuffix(".gz") if ".warc" in path.casefold() else path).suffix.casefold()
    several = any("{lang}" in pattern for pattern in source.patterns)
    if several and BY_ENDING.get(ending) in TOGETHER:
        return BY_ENDING[ending]
    found = by_beginning(file, ending) if file is not None and ending in AMBIGUOUS else None
    if found and (not several or found in TOGETHER):
        return found
    if several:
        return "documents" if source.kind == "documents" else "moses"
    if ending not in BY_ENDING:
        raise DataError(
            f"{path}: nothing is known about files whose names end with '{ending}'"
            f"{' and that begin like this one' if ending in AMBIGUOUS else ''} (source '{source.name}').",
            f"Say how to read it: reader: table, text … Known endings: {', '.join(BY_ENDING)}.",
        )
    return BY_ENDING[ending]


TOGETHER = frozenset({"usfm", "subtitles"})
"""Readers that put files of several languages together, besides those of plain text."""
AMBIGUOUS = frozenset({".txt", ".sfm", ".db", ".dic", ".json", ".xml", ".mdf"})
"""Endings that several kinds of files share."""
_ROOTS = (
    (b"<interlinear-text", "flextext"), (b"<ANNOTATION_DOCUMENT", "eaf"), (b"<usx", "usfm"), (b"<lift", "lift"),
    (b"<xliff", "xliff"), (b"<tmx", "tmx"),
    (b"<mediawiki", "mediawiki"),
)  # fmt: skip


def by_beginning(path: Path, ending: str) -> str | None:
    """The reader of a file by its first lines: standard format, CLDF, or a known kind of XML; None for any other."""
    import re

    try:
        with path.open("rb") as stream:
            head = stream.read(16_384).replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").lstrip(b"\xff\xfe \t\r\n")
    except OSError:
        return None
    if ending == ".json":
        return "cldf" if b"http://www.w3.org/ns/csvw" in head else None
    if ending == ".xml":
        return next((name for sign, name in _ROOTS if sign in head), None)
    if re.match(rb"\\id [A-Z1-4]{3}\b", head) and re.search(rb"\\(c|h|ide|mt\d?|toc\d) ", head):
        return "usfm"
    return "sfm" if re.match(rb"\\[a-zA-Z_][\w.-]*\s", head) else None


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
    together: dict[str, list[Path]] = {}
    for path in paths:
        try:
            name = reader_name(context.relative(path), source, path)
        except DataError as error:
            fail(context.relative(path), error)
            continue
        if name in {"moses", "documents"} or (name in TOGETHER and any("{lang}" in one for one in source.patterns)):
            together.setdefault(name, []).append(path)
        else:
            units.append((name, [path]))
    for name, found in together.items():
        sets = groups(found, context)
        # Books are put together verse by verse, whatever their files are called.
        units += [
            (name, unit) for unit in ([[one for unit in sets for one in unit]] if name == "usfm" and sets else sets)
        ]
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
    if (context.raw / pattern).exists():
        what = "is no file but a folder, pipe or device, so it is not"
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
        keys[relative] = unicodedata.normalize("NFC", here.key if here else relative)
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
