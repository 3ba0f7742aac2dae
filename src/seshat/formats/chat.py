"""Transcripts in CHAT (CHILDES, TalkBank): one segment for each line of a speaker, with its dependent tiers.

The text is what was said: codes in brackets, marks of events and fragments are taken out, words that were left out are
not put in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import regex

from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.units import Hint, Names, Unit

_LINE = regex.compile(r"(?P<sign>[*%@])(?P<name>[^:\t\n]*):?[ \t]*(?P<text>.*)", regex.DOTALL)
_TIME = regex.compile(r"\x15(?:%\w+:)?(?:\"[^\"]{0,500}\"_)?(?P<start>\d{1,12})_(?P<end>\d{1,12})[^\x15]{0,500}\x15")
_CODES = regex.compile(
    r"\x15[^\x15]{0,500}\x15|\[[^\[\]]{0,500}\]|(?<!\S)(?:&\S+|0\S+|\+\S+|xxx|yyy|www|#\S*|\([.\d]+\))(?!\S)|[<>‡„↑↓⌈⌉⌊⌋]"
)
_SPACE = regex.compile(r"\s+(?=[.?!,;:])")
_ENDING = regex.compile(r"@[a-z]+(?::\w+)?\b")
_ABOUT = {"languages": "language", "date": "date", "location": "location", "situation": "situation"}
MAX_TIERS = 1_000
"""Lines under one line of a speaker; more are no transcript."""


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read transcripts."""
    yield from records(paths, context, units, propose)


def units(path: Path, context: Context, _names: Names) -> Iterator[Unit | Reject]:
    """What each speaker says, in order."""
    unit: Unit | None = None
    about: dict[str, str] = {}
    for item in _lines(path, context):
        if isinstance(item, Reject):
            yield item
            continue
        number, sign, name, text = item
        if sign == "*":
            if unit is not None:
                yield unit
            unit = Unit(number, speaker=name, extra=dict(about))
            if match := _TIME.search(text):
                unit.start, unit.end = int(match["start"]) / 1000, int(match["end"]) / 1000
            unit.parts.append(("main", spoken(text)))
        elif sign == "%" and unit is not None and len(unit.parts) < MAX_TIERS:
            unit.parts.append((f"%{name}", _TIME.sub("", text)))
        elif sign == "%":
            yield context.reject(path, number, "a dependent tier without the line of a speaker before it", text)
        elif known := _ABOUT.get(name.casefold()):
            about[known] = text.strip()
    if unit is not None:
        yield unit


def _lines(path: Path, context: Context) -> Iterator[tuple[int, str, str, str] | Reject]:
    """Lines with what continues them: number, sign, name, text."""
    found: tuple[int, list[str]] | None = None
    for number, raw, reason in context.lines(path):
        if reason is not None:
            yield context.reject(path, number, reason, raw)
        elif raw[:1] in {"*", "%", "@"}:
            if found is not None:
                yield _line(*found)
            found = (number, [raw])
        elif raw.strip() and found is not None and raw[0] in "\t ":
            found[1].append(raw)
        elif raw.strip():
            yield context.reject(
                path, number, "neither a header (@), a speaker (*), a tier (%) nor what continues one", raw
            )
    if found is not None:
        yield _line(*found)


def _line(number: int, parts: list[str]) -> tuple[int, str, str, str]:
    match = _LINE.fullmatch("\n".join(parts))
    assert match is not None
    return number, match["sign"], match["name"].strip(), match["text"]


def spoken(text: str) -> str:
    """The words of a main line without its codes: ``<the> [/] the (be)cause`` gives ``the the because``."""
    bare = _ENDING.sub("", _CODES.sub(" ", text))
    bare = bare.replace("(", "").replace(")", "").replace("_", " ")
    said = _SPACE.sub("", " ".join(bare.split()))
    return said if any(character.isalnum() for character in said) else ""


def propose(name: str, _hint: Hint, names: Names) -> str | None:
    """The main line is the language itself; ``%eng`` and the like are translations."""
    if name == "main":
        return names.own
    code = name.lstrip("%").removeprefix("x")
    if code in {"pho", "mod"}:
        return f"{names.own}-fonipa" if code == "pho" else None
    if code in {"gls", "gloss"}:
        return "gloss.glosses"
    if code in {"tra", "trn", "ft", "trans"}:
        return names.pivot
    return names.language(code)
