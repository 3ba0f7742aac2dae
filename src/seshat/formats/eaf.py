"""ELAN annotation documents (``.eaf``): tiers of annotations on a time line.

One segment for each annotation of a tier without a parent, with everything below it: a tier that subdivides it gives
words, one that subdivides those gives morphemes, tiers associated with an annotation belong to it. Annotations that
refer to others are resolved by their ids through the whole document, whatever their tiers. Tiers without a parent whose
annotations have the same times (a transcription and an independent translation) are read together.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import regex

from seshat.core.records import Record, Reject
from seshat.formats.context import Context
from seshat.formats.interlinear import records
from seshat.formats.units import Hint, Names, Unit, Word

MAX_TOGETHER = 50
"""Annotations with the same times that are looked through for those that belong together."""
_TAGS = frozenset({"TIME_SLOT", "ANNOTATION", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "LICENSE", "MEDIA_DESCRIPTOR"})
_DIVIDES = frozenset({"Time_Subdivision", "Symbolic_Subdivision", "Included_In"})
_ROLES = (
    ("id", r"ref|reference|id|record"),
    (
        None,
        r"notes?|comments?|markers?|section\w*|gestures?|\w*_?phases?|\w*meaning|pos|ps|part of speech|msa|hn|cf|nt",
    ),
    ("gloss.morphemes", r"mb|m|mrph|morphs?|morphemes?|morphs?-txt|segmentation"),
    ("gloss.glosses", r"ge|gl|gls|g|gloss|glosses|morphs?-gls"),
    ("gloss.words", r"w|wd|words?|mot|word-txt|tokens?"),
    (
        "translation",
        r"ft|ftr?|free|lit|literal|tr|trans|tl|translations?|(?:phrase )?free translation|tradu\w*|(?:phrase|word)-gls",
    ),
    ("phonetic", r"ipa|phonetic\w*|phonetics?|pho"),
)
"""What tiers and linguistic types are usually called; the first that fits counts."""
_KNOWN = [
    (role, regex.compile(rf"(?:{words})(?:[-_ .](?P<code>[a-z]{{2,3}}))?", regex.IGNORECASE)) for role, words in _ROLES
]


@dataclass(slots=True)
class _Annotation:
    """An annotation: its place on the time line, or the annotation that it refers to."""

    key: str
    text: str
    line: int
    tier: str
    slots: tuple[str, str] | None = None
    parent: str = ""
    previous: str = ""
    start: float | None = None
    end: float | None = None


@dataclass
class _Tier:
    name: str
    kind: str = ""
    parent: str = ""
    speaker: str = ""
    annotations: list[_Annotation] = field(default_factory=list)


@dataclass
class _Document:
    """The tiers of one file."""

    slots: dict[str, float | None] = field(default_factory=dict)
    tiers: dict[str, _Tier] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    """Linguistic type -> its constraint."""
    extra: dict[str, str] = field(default_factory=dict)


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read ELAN files; preferences (``.pfsx``) hold no text and are passed over."""
    for path in paths:
        if path.suffix.casefold() == ".pfsx":
            context.report(path).remarks.append("preferences of ELAN: there is nothing to read in it")
        else:
            yield from records([path], context, units, propose)


def units(path: Path, context: Context, names: Names) -> Iterator[Unit | Reject]:
    """The units of a document, in the order of their times."""
    document = _Document()
    yield from _load(path, context, document, names)
    if not document.tiers:
        yield context.reject(path, None, "there are no tiers: this is no ELAN document, or an empty one")
        return
    for tier in document.tiers.values():
        _interpolate(tier, document.slots)
    tree = _Tree(document)
    for unit in tree.units(names):
        unit.extra |= document.extra
        yield unit
    for one in tree.lost():
        yield context.reject(path, one.line, f"annotation {one.key}: what it belongs to is not there", one.text)


def _load(path: Path, context: Context, document: _Document, names: Names) -> Iterator[Reject]:
    from seshat.formats.xmltree import elements, local, text_of

    hints: list[tuple[str, str, str, str]] = []
    for element in elements(path, _TAGS, context):
        if isinstance(element, Reject):
            yield element
            continue
        name, get = local(element), element.attrib.get
        if name == "TIME_SLOT":
            document.slots[str(get("TIME_SLOT_ID", ""))] = _seconds(get("TIME_VALUE"))
        elif name == "LINGUISTIC_TYPE":
            document.constraints[str(get("LINGUISTIC_TYPE_ID", ""))] = str(get("CONSTRAINTS", ""))
        elif name == "MEDIA_DESCRIPTOR":  # the name alone: the path tells of somebody's disk
            document.extra["recording"] = str(get("MEDIA_URL", "")).replace("\\", "/").rpartition("/")[2]
        elif name == "LICENSE" and (licence := text_of(element) or str(get("LICENSE_URL", ""))):
            document.extra["licence"] = licence
        elif name in {"TIER", "ANNOTATION"}:
            above = element if name == "TIER" else element.getparent()
            if above is None or not (key := above.get("TIER_ID")):
                continue
            tier = document.tiers.get(key)
            if tier is None:
                kind, parent = above.get("LINGUISTIC_TYPE_REF", ""), above.get("PARENT_REF", "")
                speaker = above.get("PARTICIPANT", "") or (key.partition("@")[2] if "@seshat" not in key else "")
                tier = document.tiers[key] = _Tier(key, kind, parent, speaker)
                hints.append((key, kind, above.get("LANG_REF", "") or above.get("DEFAULT_LOCALE", ""), parent))
            if name == "ANNOTATION" and len(element):
                inner, value = element[0], element[0].attrib.get
                slots = (str(value("TIME_SLOT_REF1", "")), str(value("TIME_SLOT_REF2", "")))
                tier.annotations.append(
                    _Annotation(
                        str(value("ANNOTATION_ID", "")), text_of(inner), inner.sourceline or 0, key,
                        slots if local(inner) == "ALIGNABLE_ANNOTATION" else None,
                        str(value("ANNOTATION_REF", "")), str(value("PREVIOUS_ANNOTATION", "")),
                    )
                )  # fmt: skip
    for hint in hints:
        names.hint(*hint)


def _seconds(value: object) -> float | None:
    text = str(value or "")
    return int(text) / 1000 if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _interpolate(tier: _Tier, slots: dict[str, float | None]) -> None:
    """Times of aligned annotations; slots without a value are spread evenly between their neighbours in the tier."""
    chain: list[str] = []
    aligned = [one for one in tier.annotations if one.slots]
    for one in aligned:
        chain += [slot for slot in one.slots or () if not chain or slot != chain[-1]]
    known = [(place, value) for place, slot in enumerate(chain) if (value := slots.get(slot)) is not None]
    for (left, before), (right, after) in pairwise(known):
        for place in range(left + 1, right):
            slots[chain[place]] = round(before + (after - before) * (place - left) / (right - left), 3)
    for one in aligned:
        one.start, one.end = (slots.get(slot) for slot in one.slots or ("", ""))


class _Tree:
    """Which annotation belongs to which."""

    def __init__(self, document: _Document) -> None:
        self.document = document
        self.by_key = {one.key: one for tier in document.tiers.values() for one in tier.annotations}
        self.below: dict[str, list[_Annotation]] = {}
        self.used: set[int] = set()
        for tier in document.tiers.values():
            for one in tier.annotations:
                parent = self.by_key.get(one.parent) if one.slots is None else None
                parent = self._containing(one, tier) if one.slots and tier.parent else parent
                if parent is not None and parent is not one:
                    self.below.setdefault(parent.key, []).append(one)

    def _containing(self, one: _Annotation, tier: _Tier) -> _Annotation | None:
        """The annotation of the parent tier in whose time an aligned annotation lies."""
        above = self.document.tiers.get(tier.parent)
        if above is None or one.start is None:
            return None
        known = self._timed(above)
        place = bisect_right(known, one.start + 0.0005, key=lambda other: other.start or 0.0) - 1
        return known[place] if place >= 0 else None

    def _timed(self, tier: _Tier) -> list[_Annotation]:
        if not hasattr(self, "_sorted"):
            self._sorted: dict[str, list[_Annotation]] = {}
        if tier.name not in self._sorted:
            for one in tier.annotations:  # an annotation without times has those of the one that it refers to
                above, steps = one, 0
                while one.start is None and above.start is None and steps < 8 and above.parent in self.by_key:
                    above, steps = self.by_key[above.parent], steps + 1
                    one.start, one.end = above.start, above.end
            timed = [one for one in tier.annotations if one.start is not None]
            self._sorted[tier.name] = sorted(timed, key=lambda one: one.start or 0.0)
        return self._sorted[tier.name]

    def units(self, names: Names) -> Iterator[Unit]:
        """One unit for each annotation of a tier without a parent; those of the same times and other fields are one."""
        tiers = self.document.tiers
        roots = [one for tier in tiers.values() if tier.parent not in tiers for one in tier.annotations if one.slots]
        roots.sort(key=lambda one: (one.start is None, one.start or 0.0))
        open_units: list[Unit] = []
        for one in roots:
            made = self._unit(one)
            if one.start is None or len(open_units) > MAX_TOGETHER:
                yield from open_units
                open_units = [made]
                continue
            mine = {names.field(name) for name, _text in made.parts}
            for other in open_units:
                theirs = {names.field(name) for name, _text in other.parts}
                same_speaker = not made.speaker or not other.speaker or made.speaker == other.speaker
                if (other.start, other.end) == (made.start, made.end) and same_speaker and not (mine & theirs - {None}):
                    other.parts += made.parts
                    other.words += made.words
                    other.speaker = other.speaker or made.speaker
                    break
            else:
                yield from (done for done in open_units if done.start != made.start)
                open_units = [*(done for done in open_units if done.start == made.start), made]
        yield from open_units

    def lost(self) -> Iterator[_Annotation]:
        """Annotations with text that no unit holds."""
        for tier in self.document.tiers.values():
            yield from (one for one in tier.annotations if id(one) not in self.used and one.text)

    def _unit(self, root: _Annotation) -> Unit:
        tier = self.document.tiers[root.tier]
        unit = Unit(root.line, root.key, speaker=tier.speaker, start=root.start, end=root.end)
        self._gather(root, unit, None, None, 0)
        return unit

    def _gather(
        self, one: _Annotation, unit: Unit, word: Word | None, morph: dict[str, str] | None, depth: int
    ) -> None:
        """Put an annotation, and what is below it, where it belongs."""
        if id(one) in self.used or depth > 40:
            return
        self.used.add(id(one))
        if morph is not None:
            morph[one.tier] = f"{morph[one.tier]} {one.text}" if one.tier in morph else one.text
        elif word is not None:
            word.parts[one.tier] = f"{word.parts[one.tier]} {one.text}" if one.tier in word.parts else one.text
        else:
            unit.parts.append((one.tier, one.text))
        for child in self._ordered(self.below.get(one.key, [])):
            divides = self.document.constraints.get(self.document.tiers[child.tier].kind) in _DIVIDES
            if not divides or morph is not None:
                self._gather(child, unit, word, morph, depth + 1)
            elif word is None:
                unit.words.append(Word())
                self._gather(child, unit, unit.words[-1], None, depth + 1)
            else:
                word.morphs.append({})
                self._gather(child, unit, word, word.morphs[-1], depth + 1)

    @staticmethod
    def _ordered(found: list[_Annotation]) -> list[_Annotation]:
        """Annotations below another: by time, or each after the one that it names as its previous."""
        if len(found) < 2:
            return found
        if all(one.start is not None for one in found) and all(one.slots for one in found):
            return sorted(found, key=lambda one: one.start or 0.0)
        here = {one.key for one in found}
        after: dict[str, list[_Annotation]] = {}
        for one in found:
            after.setdefault(one.previous if one.previous in here else "", []).append(one)
        ordered: list[_Annotation] = []
        waiting = list(reversed(after.pop("", [])))
        while waiting:
            one = waiting.pop()
            ordered.append(one)
            waiting += reversed(after.pop(one.key, []))
        return ordered + [one for rest in after.values() for one in rest]


def propose(name: str, hint: Hint, names: Names) -> str | None:
    """The field of a tier by its name, else by its type; a tier without a parent holds the language itself."""
    bare = name.partition("@")[0].strip()
    for called in (bare, regex.split(r"[-_ ]", bare)[-1].strip("()"), hint.kind):
        for role, known in _KNOWN:
            match = known.fullmatch(called)
            if match and (not match["code"] or names.language(match["code"])):
                return _role(role, match["code"] or hint.language, names)
    if hint.parent:
        return names.language(bare) or names.language(hint.kind)
    return names.own


def _role(role: str | None, code: str, names: Names) -> str | None:
    if role == "translation":
        tag = names.language(code)
        return tag if tag and tag != names.own else names.pivot
    if role == "phonetic":
        return f"{names.own}-fonipa"
    return role
