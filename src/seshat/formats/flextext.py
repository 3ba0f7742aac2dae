"""Interlinear texts of FLEx (``.flextext``) and their older kin (EMELD XML): phrases, words, morphemes.

A name is the level, the type of the item and the language that it says: ``phrase.gls.en``, ``word.txt.kgv``,
``morph.gls.en``. FLEx lets its users mislabel a language, so what a label means is settled by ``languages``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.suggestions import OWNER
from seshat.formats.units import Hint, Names, Unit, Word
from seshat.formats.xmltree import children, elements, local, text_of

if TYPE_CHECKING:
    from seshat.formats.xmltree import Element

_FIELDS = {"word.txt": "gloss.words", "morph.txt": "gloss.morphemes", "morph.gls": "gloss.glosses"}
_MARK = f"-x-{OWNER}"
"""What the language of a suggestion ends in."""


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read interlinear texts, one segment for each phrase."""
    yield from records(paths, context, units, propose)


def units(path: Path, context: Context, names: Names) -> Iterator[Unit | Reject]:
    """The phrases of a file."""
    title, inside, found = "", None, False
    for element in elements(path, {"phrase", "paragraph", "interlinear-text"}, context):
        if isinstance(element, Reject):
            yield element
            found = True
        elif local(element) == "phrase":
            found = True
            text = next((one for one in element.iterancestors() if local(one) == "interlinear-text"), None)
            if text is not None and text is not inside:
                inside, title = text, _title(text)
            yield _unit(element, title, names)
    if not found:
        yield context.reject(path, None, "there are no phrases: this is no interlinear text of FLEx, or an empty one")


def _title(text: Element) -> str:
    """The title of a text, or what identifies it."""
    titles = [text_of(item) for item in children(text, "item") if item.get("type", "").startswith("title")]
    return next((one for one in titles if one), "") or str(text.get("guid", ""))


def _unit(phrase: Element, title: str, names: Names) -> Unit:
    unit = Unit(phrase.sourceline, str(phrase.get("guid", "")), document=title, speaker=str(phrase.get("speaker", "")))
    unit.start, unit.end = _seconds(phrase.get("begin-time-offset")), _seconds(phrase.get("end-time-offset"))
    unit.parts = [(_name("phrase", item, names), text_of(item)) for item in children(phrase, "item")]
    for word in phrase.iter("{*}word"):
        made = Word(dict(_first(word, "word", names)))
        for morph in word.iter("{*}morph"):
            made.morphs.append(dict(_first(morph, "morph", names)))
            if kind := morph.get("type"):
                made.morphs[-1].setdefault("morph.type", str(kind))
        unit.words.append(made)
    return unit


def _first(element: Element, level: str, names: Names) -> Iterator[tuple[str, str]]:
    """The items of a word or morpheme; the first with text counts."""
    seen: set[str] = set()
    for item in children(element, "item"):
        name = _name(level, item, names)
        if (text := text_of(item)) and name not in seen:
            seen.add(name)
            yield name, text


def _name(level: str, item: Element, names: Names) -> str:
    kind, code = str(item.get("type", "")), str(item.get("lang", ""))
    if code.endswith(_MARK):
        if level == "word":
            return f"{'gloss' if kind == 'gls' else 'segmentation'}@{OWNER}"
        return f"{code.removesuffix(_MARK)}@{OWNER}"
    name = f"{level}.{kind}.{code}" if code else f"{level}.{kind}"
    names.hint(name, f"{level}.{kind}", code)
    return name


def _seconds(milliseconds: object) -> float | None:
    text = str(milliseconds or "")
    return int(text) / 1000 if text.isascii() and text.isdecimal() and len(text) < 16 else None


def propose(_name: str, hint: Hint, names: Names) -> str | None:
    """The field of an item by its type; texts go by their language, which must be one of the project."""
    tag = names.language(hint.language)
    if hint.kind in {"phrase.txt", "phrase.gls"}:
        return tag
    if hint.kind == "word.punct":
        return names.own if tag in {None, names.own} else tag
    if hint.kind == "word.txt" and tag not in {None, names.own}:
        return tag  # a second writing of the words, such as a phonetic one
    return _FIELDS.get(hint.kind)
