"""Plain text in one language, one segment a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read files of plain text. Blank lines are no segments; they part documents when the source says so."""
    language = context.source.language or context.project.language
    for path in paths:
        report = context.report(path)
        file, prefix = context.relative(path), context.prefix(path)
        document, block, order, blank = "", 0, 0, 0
        for number, raw, reason in context.lines(path):
            if reason is not None:
                yield context.reject(path, number, reason, raw)
                continue
            text = report.line(raw, number) if raw else raw
            if not text:
                block, blank = number, blank + 1
                continue
            current = context.document(prefix, number, block)
            document, order = current, order + 1 if current == document else 0
            meta = context.meta(file, number, doc_id=document, order=order)
            yield Segment(id=f"{prefix}:{number}", texts={language: text}, meta=meta)
        if blank:
            report.details["blank_lines"] = blank
