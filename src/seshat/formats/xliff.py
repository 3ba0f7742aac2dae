"""Translations in XLIFF (1.0 to 1.2, 2.x, and the kin of it that translation programs write)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.units import Hint, Names, Unit
from seshat.formats.xmltree import children, elements, local

if TYPE_CHECKING:
    from seshat.formats.xmltree import Element

_CODES = frozenset({"bpt", "ept", "ph", "it", "x", "bx", "ex", "sc", "ec", "cp"})
"""Inline codes of another program; what stands in them is no text."""


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read XLIFF files, one segment for each unit that is translated, or could be."""
    yield from records(paths, context, units, propose)


def units(path: Path, context: Context, names: Names) -> Iterator[Unit | Reject]:
    """The units of a file."""
    found = False
    for element in elements(path, {"trans-unit", "segment", "group", "unit"}, context):
        if isinstance(element, Reject):
            found = True
            yield element
        elif local(element) in {"trans-unit", "segment"}:
            found = True
            yield from _units(element, names)
    if not found:
        yield context.reject(path, None, "there are no units: this is no XLIFF file, or an empty one")


def _units(element: Element, names: Names) -> Iterator[Unit]:
    source, target = _languages(element)
    above = element.getparent()
    key = element.get("id") or (above.get("id") if above is not None else "") or ""
    sides = {"source": source, "target": target}
    texts = {side: next(iter(children(element, side)), None) for side in sides}
    parted = next(iter(children(element, "seg-source")), None)
    marked = {side: _marked(one) for side, one in (("source", parted), ("target", texts["target"]))}
    for name, language in sides.items():
        names.hint(f"{name}.{language}", name, language)
    if marked["source"] and marked["target"]:
        for mid in marked["source"]:
            parts = [(f"{side}.{sides[side]}", marked[side].get(mid, "")) for side in sides]
            yield Unit(element.sourceline, f"{key}/{mid}", parts)
        return
    parts = [(f"{side}.{sides[side]}", _text(one)) for side, one in texts.items() if one is not None]
    yield Unit(element.sourceline, key, parts)


def _languages(element: Element) -> tuple[str, str]:
    """The languages that the file states: on ``file`` (1.x) or on the root (2.x)."""
    for above in element.iterancestors():
        source = above.get("source-language") or above.get("srcLang")
        if source:
            return str(source), str(above.get("target-language") or above.get("trgLang") or "")
    return "", ""


def _marked(element: Element | None) -> dict[str, str]:
    """The sentences that a translation program has marked inside a unit."""
    if element is None:
        return {}
    marks = [one for one in element.iter("{*}mrk") if one.get("mtype") == "seg"]
    return {str(one.get("mid", "")): _text(one) for one in marks}


def _text(element: Element) -> str:
    parts = [element.text or ""]
    for child in element:
        if local(child) not in _CODES:
            parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def propose(_name: str, hint: Hint, names: Names) -> str | None:
    """By the language of the side, which must be one of the project."""
    return names.language(hint.language)
