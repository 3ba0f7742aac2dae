"""Pieces of text put into the bytes of a file, and nothing else changed.

ELAN: a tier below each transcription, of a linguistic type of its own (a symbolic association). FLEx: items at the end
of phrases and words, in a language of their own (``es-x-seshat``), with the status of a guess. Toolbox: a marker of its
own at the end of the sentence.
"""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import regex

from seshat.core.errors import DataError
from seshat.formats.markup import xml_parser
from seshat.formats.suggestions import MARK, OWNER
from seshat.formats.units import Unit

if TYPE_CHECKING:
    from seshat.formats.encoding import Encoding

Wanted = Sequence[tuple[Unit, Mapping[str, str]]]
"""Units in the order of the file, and what is suggested for each."""
TYPE = f"{OWNER}-suggestion"
"""The linguistic type of tiers of suggestions in ELAN."""
_DECLARED = regex.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]+)["']""")
_BEFORE_CONSTRAINTS = ("LINGUISTIC_TYPE", "LOCALE", "LANGUAGE", "CONSTRAINT")
_GUESS = "guessByStatisticalAnalysis"
"""What FLEx calls an analysis that no person has approved; without it, it takes any for approved."""
_OF_WORD = {"gloss": "gls", "segmentation": "txt"}


@dataclass(frozen=True)
class Annotated:
    """A copy of a file with suggestions in it."""

    content: bytes
    written: dict[str, int] = field(default_factory=dict)
    """What was suggested -> how often."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Reason -> how many suggestions are not in the copy."""


class Content:
    """The bytes of an XML file, and what is to be put into them."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        boms = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
        declared = _DECLARED.search(content[:400])
        stated = codecs.lookup(declared[1].decode()).name if declared else "utf-8"
        self.encoding = next((name for bom, name in boms if content.startswith(bom)), stated)
        self.pieces: list[tuple[int, str, int]] = []
        self.newline = "\r\n" if self.encoded("\r\n") in content else "\n"

    def encoded(self, text: str) -> bytes:
        """Text as bytes of this file."""
        return text.encode(self.encoding, errors="xmlcharrefreplace")

    def end(self, at: int) -> int:
        """Where the tag ends that begins here; an empty element has ended already."""
        if not self.content.startswith(self.encoded("</"), at):
            return at
        return self.content.index(self.encoded(">"), at) + len(self.encoded(">"))

    def indent(self, at: int) -> str:
        """The white space before a place, when a line begins with it."""
        before = self.content[max(0, at - 400) : at].decode(self.encoding, errors="replace")
        space = before[len(before.rstrip()) :]
        return space if "\n" in space else ""

    def put(self, at: int, text: str, instead: int = 0) -> None:
        """Put a text at a place, in the stead of so many bytes."""
        self.pieces.append((at, text, instead))

    def result(self) -> bytes:
        """The content with all pieces; those for one place in the order in which they came."""
        made, last = [], 0
        for at, text, instead in sorted(self.pieces, key=lambda piece: piece[0]):
            made += [self.content[last:at], self.encoded(text)]
            last = at + instead
        return b"".join([*made, self.content[last:]])


def into_eaf(content: bytes, wanted: Wanted, left_out: Counter[str]) -> Annotated:
    """Put suggestions into an ELAN document."""
    file = Content(content)
    ends: dict[str, int] = {}
    tiers: dict[str, str] = {}
    place: dict[str, str] = {}
    types: set[str] = set()
    stereotypes: set[str] = set()
    inside = ""

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal inside
        if name == "TIER":
            inside = attributes.get("TIER_ID", "")
            tiers[inside] = attributes.get("PARTICIPANT", "")
        elif "ANNOTATION_ID" in attributes:
            place[attributes["ANNOTATION_ID"]] = inside
        types.add(attributes.get("LINGUISTIC_TYPE_ID", ""))
        stereotypes.add(attributes.get("STEREOTYPE", ""))

    def end(name: str) -> None:
        if name in {"TIER", *_BEFORE_CONSTRAINTS, "TIME_ORDER"}:
            ends[name] = file.end(parser.CurrentByteIndex)

    parser = xml_parser(start, end)
    parser.Parse(content, True)
    by_tier: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for unit, texts in wanted:
        for what, text in texts.items():
            by_tier.setdefault((what, place[unit.key]), []).append((unit.key, text))
    line, step = file.newline, "    "
    number = 0
    made: list[str] = []
    for (what, parent), found in by_tier.items():
        name = f"{what}@{OWNER}:{parent}"
        while name in tiers:
            name += "+"
        speaker = f" PARTICIPANT={quoteattr(tiers[parent])}" if tiers.get(parent) else ""
        head = (
            f"LINGUISTIC_TYPE_REF={quoteattr(TYPE)} PARENT_REF={quoteattr(parent)}{speaker} TIER_ID={quoteattr(name)}"
        )
        made.append(f"{step}<TIER {head}>")
        for key, text in found:
            number += 1
            while f"{OWNER}{number}" in place:
                number += 1
            ids = f'ANNOTATION_ID="{OWNER}{number}" ANNOTATION_REF={quoteattr(key)}'
            made += [
                f"{step * 2}<ANNOTATION>",
                f"{step * 3}<REF_ANNOTATION {ids}>",
                f"{step * 4}<ANNOTATION_VALUE>{escape(MARK + text)}</ANNOTATION_VALUE>",
                f"{step * 3}</REF_ANNOTATION>",
                f"{step * 2}</ANNOTATION>",
            ]
        made.append(f"{step}</TIER>")
    file.put(ends["TIER"], "".join(f"{line}{one}" for one in made))
    if TYPE not in types:
        kind = f'CONSTRAINTS="Symbolic_Association" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="{TYPE}"'
        file.put(ends["LINGUISTIC_TYPE"], f'{line}{step}<LINGUISTIC_TYPE {kind} TIME_ALIGNABLE="false"/>')
    if "Symbolic_Association" not in stereotypes:
        last = max(ends[name] for name in _BEFORE_CONSTRAINTS if name in ends)
        kind = 'DESCRIPTION="1-1 association with a parent annotation" STEREOTYPE="Symbolic_Association"'
        file.put(last, f"{line}{step}<CONSTRAINT {kind}/>")
    return _annotated(file.result(), wanted, left_out)


def into_flextext(content: bytes, wanted: Wanted, left_out: Counter[str]) -> Annotated:
    """Put suggestions into an interlinear text of FLEx: translations into phrases, glosses into words."""
    file = Content(content)
    phrases: list[int] = []
    words: list[list[int]] = []
    languages: list[int] = []
    own = font = ""
    state = {"word": False, "said": False}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal own, font
        if name == "phrase":
            words.append([])
        elif name == "word":
            state.update(word=True, said=False)
        elif name in {"morph", "morphemes"}:
            state["word"] = False
        elif name == "item" and state["word"] and attributes.get("type") == "txt":
            state["said"] = True
            own = own or attributes.get("lang", "")
        elif name == "language":
            font = attributes.get("font", font)

    def end(name: str) -> None:
        at = parser.CurrentByteIndex
        if name == "phrase":
            phrases.append(at)
        elif name == "word":
            if state["said"] and words:
                words[-1].append(at)
            state["word"] = False
        elif name == "languages":
            languages.append(at)

    parser = xml_parser(start, end)
    parser.Parse(content, True)
    if len(phrases) != len(wanted):
        raise ValueError("there are phrases inside of phrases")
    used: set[str] = set()
    kept: list[tuple[Unit, Mapping[str, str]]] = []
    for place, (unit, texts) in enumerate(wanted):
        placed = dict(texts)
        for what, text in texts.items():
            if what not in _OF_WORD:
                used.add(tag := f"{what}-x-{OWNER}")
                _item(file, phrases[place], "gls", tag, text)
                continue
            parts = text.split()
            if len(parts) != len(words[place]):
                left_out["its words are not those of the phrase"] += 1
                del placed[what]
                continue
            used.add(tag := f"{own}-x-{OWNER}")
            for at, part in zip(words[place], parts, strict=True):
                _item(file, at, _OF_WORD[what], tag, part)
        kept.append((unit, placed))
    for at in languages:
        space = file.indent(at)
        for tag in sorted(used):
            file.put(
                at - len(file.encoded(space)),
                f"{space}{'  ' if space else ''}<language lang={quoteattr(tag)} font={quoteattr(font)}/>",
            )
    return _annotated(file.result(), kept, left_out)


def _item(file: Content, at: int, kind: str, language: str, text: str) -> None:
    """An item as the last of the element that ends at a place."""
    space = file.indent(at)
    inner = f"{space}  " if space else ""
    item = (
        f'{inner}<item type="{kind}" lang={quoteattr(language)} analysisStatus="{_GUESS}">{escape(MARK + text)}</item>'
    )
    file.put(at - len(file.encoded(space)), item)


def into_sfm(content: bytes, encoding: Encoding, wanted: Wanted, left_out: Counter[str]) -> Annotated:
    """Put suggestions into a file of Toolbox, each below the last line of its sentence.

    Raises:
        DataError: the file is UTF-16 or UTF-32, which Toolbox does not write.
    """
    if encoding.wide:
        raise DataError(f"Suggestions are not written into files in {encoding.name}.", "Save it as UTF-8.")
    end = encoding.newline.encode()
    lines = content.split(end)
    starts = sorted({unit.line or 1 for unit, _texts in wanted})
    starts += [at for at, line in enumerate(lines, start=1) if regex.match(rb"\s*\\id\s", line)] + [len(lines) + 1]
    starts = sorted(set(starts))
    after: dict[int, list[bytes]] = {}
    kept: list[tuple[Unit, Mapping[str, str]]] = []
    for unit, texts in wanted:
        placed = dict(texts)
        first = unit.line or 1
        stop = starts[bisect_right(starts, first)]
        last = max(at for at in range(first, stop) if lines[at - 1].strip() or at == first)
        back = b"\r" if lines[last - 1].endswith(b"\r") else b""
        for what, text in texts.items():
            try:
                said = f"\\{what}_{OWNER} {MARK}{text}".encode(encoding.name)
            except UnicodeEncodeError:
                left_out[f"letters that {encoding.name} does not have"] += 1
                del placed[what]
            else:
                after.setdefault(last, []).append(said + back)
        kept.append((unit, placed))
    made = [part for at, line in enumerate(lines, start=1) for part in (line, *after.get(at, ()))]
    return _annotated(end.join(made), kept, left_out)


def _annotated(content: bytes, wanted: Wanted, left_out: Counter[str]) -> Annotated:
    written = Counter(what for _unit, texts in wanted for what in texts)
    return Annotated(content, dict(written), dict(left_out))
