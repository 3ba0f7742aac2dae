"""Dictionaries in LIFT 0.13, which FLEx, WeSay, Lexique Pro and ELAN export; its ``.lift-ranges`` hold no words.

A name is the element and its language: ``lexical-unit.tww``, ``gloss.en``, ``example.tww``. The header is not read: its
addresses of other files tell of somebody's disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.units import Hint, Names, Parts, Unit
from seshat.formats.xmltree import children, elements, local, text_of

if TYPE_CHECKING:
    from seshat.formats.xmltree import Element

_HEADWORDS = ("lexical-unit", "citation")
_FIELDS = {"variant": "forms", "grammatical-info": "pos", "trait.morph-type": "type"}


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read dictionaries, one entry at a time."""
    for path in paths:
        if path.suffix.casefold() == ".lift-ranges":
            yield from _ranges(path, context)
        else:
            yield from records([path], context, units, propose)


def units(path: Path, context: Context, names: Names) -> Iterator[Unit | Reject]:
    """The entries of a file."""
    found = False
    for element in elements(path, {"entry", "header"}, context):
        if isinstance(element, Reject):
            found = True
            yield element
        elif local(element) == "entry":
            found = True
            if element.get("dateDeleted"):
                context.report(path).note("entries that their program has deleted, left out", element.sourceline)
                continue
            yield _entry(element, names)
    if not found:
        yield context.reject(path, None, "there are no entries: this is no LIFT dictionary, or an empty one")


def _ranges(path: Path, context: Context) -> Iterator[Reject]:
    """The value lists of a dictionary: counted, for the report."""
    counts: dict[str, int] = {}
    for element in elements(path, {"range"}, context):
        if isinstance(element, Reject):
            yield element
        else:
            counts[str(element.get("id", ""))] = sum(local(one) == "range-element" for one in element)
    context.report(path).details["ranges"] = counts
    context.report(path).remarks.append("lists of values that entries refer to: there are no words in it")


def _entry(entry: Element, names: Names) -> Unit:
    unit = Unit(entry.sourceline, str(entry.get("id") or entry.get("guid") or ""), senses=[])
    assert unit.senses is not None
    for child in entry:
        if local(child) in {"sense", "subsense"}:
            _sense(child, unit.senses, names)
        else:
            unit.parts += _parts(child, names)
    return unit


def _sense(sense: Element, senses: list[Parts], names: Names) -> None:
    """A sense, and its sub-senses after it."""
    parts: Parts = []
    senses.append(parts)
    for child in sense:
        kind = local(child)
        if kind == "subsense":
            _sense(child, senses, names)
        elif kind == "example":
            parts.append(("", ""))
            parts += _forms(child, "example", names)
            for inner in child:
                if local(inner) == "translation":
                    parts += _forms(inner, "translation", names)
                elif local(inner) != "form":
                    parts += _parts(inner, names, "example.")
        else:
            parts += _parts(child, names)


def _parts(element: Element, names: Names, before: str = "") -> Parts:
    """The texts of any other element, by language; of a trait or grammatical category its value."""
    kind = before + local(element)
    if what := element.get("type") or element.get("name"):
        kind = f"{kind}.{what}"
    if element.get("value"):
        names.hint(kind, kind)
        value: Parts = [(kind, str(element.get("value")))]
        return value + [part for child in children(element, "trait") for part in _parts(child, names, f"{kind}.")]
    if local(element) in {"gloss", "form"}:
        return [(_name(kind, element, names), text_of(next(iter(children(element, "text")), None)))]
    found = _forms(element, kind, names)
    for child in element:
        if local(child) not in {"form", "text", "annotation"} and len(found) < 1000:
            found += _parts(child, names, f"{kind}.")
    return found


def _forms(element: Element, kind: str, names: Names) -> Parts:
    return [
        (_name(kind, form, names), text_of(next(iter(children(form, "text")), None)))
        for form in children(element, "form")
    ]


def _name(kind: str, form: Element, names: Names) -> str:
    code = str(form.get("lang", ""))
    name = f"{kind}.{code}" if code else kind
    names.hint(name, kind, code)
    return name


def propose(_name: str, hint: Hint, names: Names) -> str | None:
    """The field of an element: headwords whatever their language says, glosses and examples by language."""
    kind, tag = hint.kind, names.language(hint.language)
    if kind in _HEADWORDS:
        phonetic = "fonipa" in hint.language
        return "forms" if phonetic else "headword"
    if not hint.language and kind in {"gloss", "definition", "translation"}:
        tag = names.pivot
    if kind in {"gloss", "definition"}:
        return f"gloss.{tag}" if tag else None
    if kind == "example":
        return f"example.{tag or names.own}"
    if kind == "translation":
        return f"example.{tag}" if tag else None
    return _FIELDS.get(kind)
