"""What line-aligned text and parallel documents share: one file per language, told apart by ``{lang}``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.files import place


def by_language(paths: Sequence[Path], context: Context) -> dict[str, Path]:
    """The files of one group by language tag, the project's languages first."""
    found: dict[str, Path] = {}
    for path in paths:
        here = place(context.relative(path), context.source.patterns, context.codes)
        tag = context.language(here.code) if here else None
        if tag is not None:
            found.setdefault(tag, path)
    order = list(dict.fromkeys(context.codes.values()))
    return {tag: found[tag] for tag in sorted(found, key=order.index)}


def groups(paths: Sequence[Path], context: Context) -> list[list[Path]]:
    """The files that belong together: alike but for the language. In the order of their first file.

    A file whose code is no language of the project is left out, and said to be.
    """
    found: dict[str, list[Path]] = {}
    for path in paths:
        relative = context.relative(path)
        here = place(relative, context.source.patterns, context.codes)
        if here is None:
            continue
        if context.language(here.code) is None:
            context.remarks.append(
                f"{relative}: left out, because '{here.code}' is no language of the project; "
                "add it to project.languages, or map it in the source's languages"
            )
            continue
        found.setdefault(here.key, []).append(path)
    return list(found.values())


def whole_file(path: Path, reason: str, context: Context) -> Iterator[Reject]:
    """Every line of a file as a reject, so that nothing of it is lost."""
    for number, raw, bad in context.lines(path):
        yield context.reject(path, number, f"{reason}; {bad}" if bad else reason, raw)
