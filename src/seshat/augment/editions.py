"""Finds editions on the lines of a publication: a heading that names a text, the text, and the translation after it.

Nothing depends on one publication: lines in the language are known by :mod:`seshat.augment.recognise`, names
by :mod:`seshat.augment.names`; a translation begins at its heading, or with the first prose after the text,
and ends at a commentary, at the next text, or with the paragraph that makes it as long as the text lets expect.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import regex

from seshat.augment.layout import Line, Page
from seshat.augment.names import Mention, NameIndex
from seshat.augment.recognise import Recogniser

HEADINGS: dict[str, tuple[str, ...]] = {
    "translation": (
        "translation", "übersetzung", "traduction", "çeviri", "tercüme", "çevirisi", "traducción", "traduzione",
        "vertaling", "tradução", "oversættelse", "перевод",
    ),
    "commentary": (
        "commentary", "comments", "comment", "notes", "note", "remarks", "philological notes", "bibliography",
        "kommentar", "anmerkungen", "anmerkung", "bemerkungen", "literatur", "commentaire", "commentaires", "remarques",
        "bibliographie", "yorum", "notlar", "açıklama", "açıklamalar", "filolojik notlar", "comentario", "notas",
        "commento", "commentaar", "комментарий", "apparatus", "collations", "kollationen",
    ),
    "text": (
        "text", "transliteration", "transcription", "umschrift", "transkription", "texte", "translittération",
        "transkripsiyon", "metin", "texto", "testo", "tekst", "текст",
    ),
}  # fmt: skip
"""Words that stand alone above a part of an edition, by what they announce."""

_REFERENCE = regex.compile(
    r"(?:ll?|Z(?:eilen?|l)?|lines?|lignes?|satır|st|str|vv?|ad|rr?|obv|rev|Vs|Rs)\.?\s*\d{1,3}['’]?\s*(?:[-–:,.f]|ff|\s)"
    r"|\d{1,3}['’]?(?:\s*[-–]\s*\d{1,3}['’]?)?\s*(?::|\])",
    regex.IGNORECASE,
)
"""How a line of commentary or apparatus begins."""
_LETTERS = regex.compile(r"\p{L}")
_RUNS = regex.compile(r"\p{N}+|\p{L}+")
_LONGEST_HEAD = 100
_REACH = 15
"""Lines between a heading and its text, at most."""
_SHORT_LETTERS = 12
"""A line of fewer letters is judged by its neighbours."""


class Kind(Enum):
    """What a line is."""

    EMPTY = 0
    OWN = 1
    """In the language."""
    PROSE = 2
    SHORT = 3
    """Too short to say: a side of the tablet, a number."""
    TRANSLATION = 4
    COMMENTARY = 5
    TEXT = 6


@dataclass(frozen=True)
class Edition:
    """A text in a publication and what follows it."""

    mention: Mention | None
    """The name above it; None where there was none."""
    lines: tuple[str, ...]
    """In the language, as they stand there."""
    translation: tuple[str, ...]
    """The lines of the translation; an empty one parts paragraphs."""
    page: Page
    """Where the text begins."""
    value: float
    """Bits per byte by which its lines are likelier in the language."""


@dataclass(frozen=True)
class _Marked:
    kinds: list[Kind]
    values: list[float]
    rest: dict[int, str]
    """What follows a heading word on its own line."""


class Finder:
    """Finds editions.

    Args:
        recogniser: knows the language.
        names: knows the texts.
        headings: more heading words, by what they announce.
        ratio: usual length of a translation, in characters, for a character of text.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        names: NameIndex,
        headings: Mapping[Any, Sequence[str]] | None = None,
        ratio: float = 1.2,
    ) -> None:
        self._recogniser, self._names, self._ratio = recogniser, names, ratio
        self._heading = {
            kind: _alone((*HEADINGS[kind.name.lower()], *(headings or {}).get(kind.name.lower(), ())))
            for kind in (Kind.TRANSLATION, Kind.COMMENTARY, Kind.TEXT)
        }

    def find(self, lines: Sequence[Line], publication: str) -> list[Edition]:
        """The editions in the lines of one publication, in their order."""
        marked = self._mark(lines)
        mentions = self._mentions(lines, marked, publication)
        blocks = _blocks(marked.kinds)
        heads = [self._head(block[0], before, mentions) for before, block in _with_before(blocks)]
        strange = _strange(lines, marked.kinds, [head[0] for head in heads if head is not None], mentions)
        heads = [
            None if head is not None and any(head[0] < n < block[0] for n in strange) else head
            for head, block in zip(heads, blocks, strict=True)
        ]
        groups = self._grouped(blocks, heads, marked, strange)
        ends = [_end(lines, groups, number, strange) for number in range(len(groups))]
        announced = [Kind.TRANSLATION in marked.kinds[last:end] for (_, last, _), end in zip(groups, ends, strict=True)]
        must = sum(announced) > len(groups) / 2  # this publication puts a word above every translation
        found: list[Edition] = []
        for (first, last, head), end, has in zip(groups, ends, announced, strict=True):
            own = [n for n in range(first, last) if marked.kinds[n] is Kind.OWN]
            size = sum(len(lines[n].text) for n in own)
            translation = self._translation(lines, marked, last, end, size) if has or not must else []
            value = sum(marked.values[n] for n in own) / max(1, len(own))
            mention = head[1] if head is not None else None
            texts = tuple(lines[n].text for n in own)
            found.append(Edition(mention, texts, tuple(translation), lines[first].page, value))
        return found

    def announces(self, line: str) -> bool:
        """Whether a line is a word that stands above a part of an edition."""
        return any(pattern.match(line) for pattern in self._heading.values())

    def _mark(self, lines: Sequence[Line]) -> _Marked:
        kinds, values, rest = [], [], {}
        for number, line in enumerate(lines):
            kind, value, after = self._kind(line.text)
            kinds.append(kind)
            values.append(value)
            if after:
                rest[number] = after
        for number, kind in enumerate(kinds):
            if kind is Kind.SHORT and number and kinds[number - 1] is Kind.OWN and values[number] > 0:
                kinds[number] = Kind.OWN
        return _Marked(kinds, values, rest)

    def _kind(self, text: str) -> tuple[Kind, float, str]:
        if not text:
            return Kind.EMPTY, 0.0, ""
        for kind, pattern in self._heading.items():
            match = pattern.match(text)
            if match is not None and (not match["rest"] or kind is Kind.TRANSLATION or match["mark"]):
                return kind, 0.0, match["rest"] if kind is Kind.TRANSLATION else ""
        value = self._recogniser.value(text)
        letters = len(_LETTERS.findall(text))
        if letters < _SHORT_LETTERS and (value <= 0.8 or letters < 3):
            return Kind.SHORT, value, ""
        return (Kind.OWN if value > 0 else Kind.PROSE), value, ""

    def _mentions(self, lines: Sequence[Line], marked: _Marked, publication: str) -> dict[int, Mention]:
        """Lines that can be headings, and the text they name."""
        found = {}
        for number, line in enumerate(lines):
            if not line.text or len(line.text) > _LONGEST_HEAD or marked.kinds[number] is Kind.OWN:
                continue
            around = [marked.kinds[n] for n in (number - 1, number + 1) if 0 <= n < len(lines)]
            mention = self._names.find(line.text, publication)
            if mention is None or (mention.share < 0.25 and not mention.first):
                continue
            if not mention.first and mention.share < 0.5 and not regex.match(r"\s*\P{L}*\d", line.text):
                continue
            if around.count(Kind.OWN) == 2 and mention.share < 1:
                continue
            found[number] = mention
        return found

    @staticmethod
    def _head(start: int, after: int, mentions: Mapping[int, Mention]) -> tuple[int, Mention] | None:
        """The heading of a text that begins at ``start``: the line above that names a text most plainly."""
        reached = [(n, mentions[n]) for n in range(max(after, start - _REACH), start) if n in mentions]
        if not reached:
            return None
        best = max(reached, key=lambda item: (round(item[1].share * item[1].confidence, 2), item[0]))
        # Several lines may name one text: the first of them is where it begins.
        return min((item for item in reached if item[1].id == best[1].id), key=lambda item: item[0])

    @staticmethod
    def _grouped(
        blocks: Sequence[tuple[int, int]],
        heads: Sequence[tuple[int, Mention] | None],
        marked: _Marked,
        strange: Sequence[int],
    ) -> list[tuple[int, int, tuple[int, Mention] | None]]:
        """Texts: blocks without a heading of their own go on where no translation has come in between."""
        groups: list[tuple[int, int, tuple[int, Mention] | None]] = []
        for block, head in zip(blocks, heads, strict=True):
            if groups and head is None:
                first, last, earlier = groups[-1]
                between = marked.kinds[last : block[0]]
                apart = any(last <= n < block[0] for n in strange)
                if (
                    not apart
                    and between.count(Kind.PROSE) <= 1
                    and Kind.TRANSLATION not in between
                    and Kind.COMMENTARY not in between
                ):
                    groups[-1] = first, block[1], earlier
                    continue
                if block[1] - block[0] < 2:
                    continue  # a line of the language that a commentary quotes
            groups.append((block[0], block[1], head))
        return groups

    def _translation(self, lines: Sequence[Line], marked: _Marked, start: int, end: int, size: int) -> list[str]:
        kinds = marked.kinds
        announced = next((n for n in range(start, end) if kinds[n] is Kind.TRANSLATION), None)
        found: list[str] = []
        if announced is not None:
            found = [marked.rest[announced]] if announced in marked.rest else []
            start = announced + 1
        ended = False
        for number in range(start, end):
            kind, text = kinds[number], lines[number].text
            if kind is Kind.EMPTY:
                if found and found[-1]:
                    found.append("")
                continue
            begins = not found or not found[-1]
            if kind in (Kind.COMMENTARY, Kind.TEXT) or (begins and _REFERENCE.match(text)):
                if found:
                    ended = True
                    break
                continue
            if not found and (kind is not Kind.PROSE or self._apparatus(text)):
                continue
            found.append(text)
        while found and not _LETTERS.search(found[-1]):
            found.pop()
        return found if ended else self._fitting(found, size)

    def _fitting(self, found: list[str], size: int) -> list[str]:
        """The paragraphs that a translation of this text takes: nothing says where it ends but its length."""
        usual = max(1.0, self._ratio * size)
        ends = [number for number, line in enumerate(found) if not line] + [len(found)]
        fits = {end: abs(math.log(max(1, sum(map(len, found[:end]))) / usual)) for end in ends}
        return found[: min(ends, key=lambda end: (fits[end], end))]

    def _apparatus(self, text: str) -> bool:
        """Whether a line before the translation is about the text: it quotes it."""
        return self._recogniser.words_in(text) >= 2 or bool(regex.match(r"\s*\d{1,3}['’]?\s*[:\])]", text))


def _with_before(blocks: Sequence[tuple[int, int]]) -> list[tuple[int, tuple[int, int]]]:
    """Blocks, each with the end of the one before."""
    return [(blocks[number - 1][1] if number else 0, block) for number, block in enumerate(blocks)]


def _end(lines: Sequence[Line], groups: Sequence[tuple[int, int, Any]], number: int, strange: Sequence[int]) -> int:
    """Where what belongs to a text ends: at the next text, its heading, or the heading of one that no list knows."""
    end = len(lines)
    if number + 1 < len(groups):
        first, _, head = groups[number + 1]
        end = head[0] if head is not None else first
    return next((n for n in strange if groups[number][1] <= n < end), end)


def _strange(
    lines: Sequence[Line], kinds: Sequence[Kind], heads: Sequence[int], mentions: Mapping[int, Mention]
) -> list[int]:
    """Headings of texts that no list knows: lines of the shape that several headings of this publication have."""
    shapes = Counter(_shape(lines[number].text) for number in heads)
    usual = {shape for shape, count in shapes.items() if count > 1 and "9" in shape}
    return [
        number
        for number, line in enumerate(lines)
        if number not in mentions and kinds[number] is not Kind.OWN and _shape(line.text) in usual
    ]


def _shape(text: str) -> str:
    """What two headings have in common: runs of digits become 9, runs of letters a or A."""
    return _RUNS.sub(lambda match: "9" if match[0][0].isdigit() else "A" if match[0][0].isupper() else "a", text)


def _alone(listed: Sequence[str]) -> regex.Pattern[str]:
    words = "|".join(sorted((regex.escape(word) for word in listed), key=len, reverse=True))
    return regex.compile(rf"\W*(?:{words})\s*(?:(?P<mark>[:.])\s*(?P<rest>.*)|(?P<rest>))$", regex.IGNORECASE)


def _blocks(kinds: Sequence[Kind]) -> list[tuple[int, int]]:
    """Runs of lines in the language; short and empty lines inside belong to them."""
    blocks: list[tuple[int, int]] = []
    for number, kind in enumerate(kinds):
        if kind is not Kind.OWN:
            continue
        if blocks and all(kinds[n] in (Kind.SHORT, Kind.EMPTY) for n in range(blocks[-1][1], number)):
            blocks[-1] = blocks[-1][0], number + 1
        else:
            blocks.append((number, number + 1))
    return blocks
