"""Plain text in one language, one segment a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from seshat.core.errors import DataError
from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context
from seshat.formats.signatures import refuse_markup
from seshat.text.tongues import detect, share
from seshat.text.words import words

_SAMPLE = 300
"""Lines that show the language of a file."""
_FEWEST = 10
"""Words below which nothing is said about it."""
_RUNNING = 0.25
"""Share of function words from which a text is running text of a language: a third to a half in most, and far less in
another language that has borrowed some of them."""


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read files of plain text. Blank lines are no segments; they part documents when the source says so.

    Raises:
        DataError: a file is no plain text, or in another language of the project than the source says by its silence.
    """
    language = context.source.language or context.project.language
    for path in paths:
        refuse_markup(path, (line.text for line in context.lines(path)))
        if context.source.language is None:
            _refuse_other_language(path, context)
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


def _refuse_other_language(path: Path, context: Context) -> None:
    """Nobody has said which language a file is in: it is taken for the project's, unless it reads like another."""
    sample = " ".join(islice((line.text for line in context.lines(path) if line.text.strip()), _SAMPLE))
    tongue = detect(sample)
    others = {tag for tag in context.codes.values() if tag.split("-")[0] != context.project.language.split("-")[0]}
    found = next((tag for tag in sorted(others) if tongue and tag.split("-")[0] == tongue.tag), None)
    if found is None or len(words(sample)) < _FEWEST or share(sample, found) < _RUNNING:
        return
    name, own = context.project.language_name(found), context.project.language_name(context.project.language)
    raise DataError(
        f"{path}: the text looks like {name} ({found}), and without language: it would be read as {own}.",
        f"Write language: {found} in the source; or language: {context.project.language} if it is {own} all the same.",
    )
