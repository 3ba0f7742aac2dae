"""Parallel documents that are not aligned: one text file per language, told apart by ``{lang}``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seshat.core.records import Document, Record, Reject
from seshat.formats.context import Context
from seshat.formats.parallel import by_language, whole_file
from seshat.formats.signatures import refuse_markup


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read one set of files as one document. Empty lines are kept: they mark paragraphs.

    A file without a partner in another language cannot be aligned: its lines are rejected.
    """
    files = by_language(paths, context)
    for path in files.values():
        refuse_markup(path, (line.text for line in context.lines(path)))
    main = next(iter(files.values()))
    if len(files) == 1:
        context.remarks.append(f"{context.relative(main)}: no partner in another language; its lines are rejected")
        yield from whole_file(main, "the document has no partner in another language", context)
        return
    texts: dict[str, tuple[str, ...]] = {}
    for tag, path in files.items():
        report = context.report(path)
        kept: list[str] = []
        for number, raw, reason in context.lines(path):
            if reason is not None:
                yield context.reject(path, number, reason, raw)
            else:
                kept.append(report.line(raw, number) if raw else "")
        texts[tag] = tuple(kept)
    empty = [tag for tag, lines in texts.items() if not any(lines)]
    if empty:
        for path in files.values():
            yield from whole_file(path, f"the document is empty in {' and '.join(empty)}", context)
        context.remarks.append(f"{context.relative(main)}: the document is empty in {' and '.join(empty)}")
        return
    name = context.prefix(main)
    yield Document(id=name, texts=texts, meta=context.meta(context.relative(main), None, doc_id=name))
