"""What pins two sides together before anything is computed: line ids, verse numbers, paragraphs.

A scheme is used only where it is consistent: where both sides carry it, in the same order. Nothing is anchored on a
number that happens to stand at the start of a line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import regex

from seshat.data.align.beads import Block
from seshat.text.words import sentences

Scheme = Literal["none", "ids", "verses", "blank-lines"]
Key = tuple[int, str]

_ID = regex.compile(r"^\s*[\[(#]?((?:[\p{L}_]{1,12}[ ._-]?)?\p{N}+(?:[.:,_-]\p{N}+)*\p{L}?)(?:[\])]?[.:)\]]?)(?:\s+|$)")
"""``12.``, ``[12]``, ``(3a)``, ``1:3``, ``GEN 1:1``, ``txt-004`` at the start of a line."""
_VERSE = regex.compile(r"^\s*(?:\\v\s+|[vV]\.?\s?)?[\[(]?(\p{N}{1,3}(?:-\p{N}{1,3})?)[\])]?[.:)]?(?:\s+|$)")
"""``3 And God said``, ``\v 3``, ``[3]``, and a range of verses written as one."""

_SHARED = 0.6
"""Least share of the keys of either side that the other has too, in the same order."""
_COVERED = 0.5
"""Least share of lines with an id; ids mark (nearly) every line, verses need not."""
_LENGTH_FACTOR = 3.0
"""Paragraphs whose lengths differ by more than this from the usual ratio speak against pairing them by number …"""
_ODD = 0.1
"""… when more than this share of them does."""


@dataclass(frozen=True)
class Side:
    """One side of a document without its blank lines."""

    lines: tuple[str, ...]
    """Texts, without ids or verse numbers when those are the anchors."""
    labels: tuple[str, ...]
    """1-based line numbers in the document; ``12.1``, ``12.2`` for the sentences of a line."""
    paragraphs: tuple[int, ...]
    """Paragraph of each line, from 0."""

    @classmethod
    def of(cls, lines: Sequence[str]) -> Side:
        """Take the blank lines out, remembering where they were."""
        texts, labels, paragraphs = [], [], []
        paragraph, blank = -1, True
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                blank = True
                continue
            paragraph += blank
            blank = False
            texts.append(line.strip())
            labels.append(str(number))
            paragraphs.append(paragraph)
        return cls(tuple(texts), tuple(labels), tuple(paragraphs))


@dataclass(frozen=True)
class Anchored:
    """Two sides cut into blocks at their anchors."""

    source: Side
    target: Side
    blocks: tuple[Block, ...]
    scheme: Scheme

    def sentences(self) -> Anchored:
        """The same with every line cut into sentences, inside its block."""
        sides, places = zip(*(_cut(side) for side in (self.source, self.target)), strict=True)
        blocks = tuple(
            Block(
                (places[0][block.source[0]], places[0][block.source[1]]),
                (places[1][block.target[0]], places[1][block.target[1]]),
            )
            for block in self.blocks
        )
        return Anchored(sides[0], sides[1], blocks, self.scheme)


def _cut(side: Side) -> tuple[Side, list[int]]:
    """A side in sentences, and where each line starts among them."""
    texts: list[str] = []
    labels: list[str] = []
    paragraphs: list[int] = []
    places = [0]
    for line, label, paragraph in zip(side.lines, side.labels, side.paragraphs, strict=True):
        pieces = sentences(line) or [line]
        texts += pieces
        labels += [label] if len(pieces) == 1 else [f"{label}.{number}" for number in range(1, len(pieces) + 1)]
        paragraphs += [paragraph] * len(pieces)
        places.append(len(texts))
    return Side(tuple(texts), tuple(labels), tuple(paragraphs)), places


def anchor(source: Side, target: Side, wanted: Literal["auto"] | Scheme) -> Anchored:
    """Cut a document at the anchors that both sides agree on.

    Args:
        source: one side.
        target: the other.
        wanted: a scheme, or ``auto`` for the first consistent one: ids, verses, blank lines.

    Returns:
        The blocks and the scheme used; ``none`` when the wanted one is not consistent.
    """
    schemes: tuple[Scheme, ...] = ("ids", "verses", "blank-lines") if wanted == "auto" else (wanted,)
    for scheme in schemes:
        if scheme in ("ids", "verses"):
            found = _by_keys(source, target, scheme)
        else:
            found = _by_paragraphs(source, target) if scheme == "blank-lines" else None
        if found is not None:
            return found
    whole = Block((0, len(source.lines)), (0, len(target.lines)))
    return Anchored(source, target, (whole,), "none")


def _by_keys(source: Side, target: Side, scheme: Literal["ids", "verses"]) -> Anchored | None:
    read = _ids if scheme == "ids" else _verses
    mine, theirs = read(source.lines), read(target.lines)
    if mine is None or theirs is None:
        return None
    chain = _in_order(mine.keys, theirs.keys)
    if len(chain) < 2 or len(chain) < _SHARED * min(len(mine.keys), len(theirs.keys)):
        return None
    starts = [(mine.keys[key], theirs.keys[key]) for key in chain]
    sides = [
        Side(tuple(text), side.labels, side.paragraphs) for side, text in ((source, mine.texts), (target, theirs.texts))
    ]
    return Anchored(sides[0], sides[1], _blocks(starts, len(source.lines), len(target.lines)), scheme)


@dataclass(frozen=True)
class _Keyed:
    """Where each key stands, and the lines without their keys."""

    keys: dict[Key, int]
    texts: list[str]


def _ids(lines: Sequence[str]) -> _Keyed | None:
    keys: dict[Key, int] = {}
    texts: list[str] = []
    seen: Counter[str] = Counter()
    for place, line in enumerate(lines):
        match = _ID.match(line)
        if match:
            seen[match[1]] += 1
            keys.setdefault((0, match[1]), place)
        texts.append(line[match.end() :].strip() if match else line)
    matched = sum(seen.values())
    if matched < _COVERED * len(lines) or len(keys) < 0.95 * matched or not keys:
        return None
    return _Keyed(keys, texts)


def _verses(lines: Sequence[str]) -> _Keyed | None:
    """Verse numbers that count upwards and start again with every chapter."""
    keys: dict[Key, int] = {}
    texts: list[str] = []
    chapter, last, steps, jumps = 0, 0, 0, 0
    for place, line in enumerate(lines):
        match = _VERSE.match(line)
        number = int(match[1].split("-")[0]) if match else 0
        if match is None or (number != 1 and not last < number <= last + 10):
            jumps += match is not None
            texts.append(line)
            continue
        if number <= last:
            chapter += 1
        steps += 1
        last = int(match[1].split("-")[-1])
        keys.setdefault((chapter, str(number)), place)
        texts.append(line[match.end() :].strip())
    if steps < 3 or jumps > 0.05 * steps:
        return None
    return _Keyed(keys, texts)


def _in_order(mine: dict[Key, int], theirs: dict[Key, int]) -> list[Key]:
    """The longest run of shared keys that stand in the same order on both sides (patience sorting)."""
    shared = sorted((key for key in mine if key in theirs), key=mine.__getitem__)
    tails: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for index, key in enumerate(shared):
        at = bisect_left(tails, theirs[key])
        before.append(ends[at - 1] if at else None)
        if at == len(tails):
            tails.append(theirs[key])
            ends.append(index)
        else:
            tails[at], ends[at] = theirs[key], index
    chain: list[Key] = []
    place = ends[-1] if ends else None
    while place is not None:
        chain.append(shared[place])
        place = before[place]
    return chain[::-1]


def _by_paragraphs(source: Side, target: Side) -> Anchored | None:
    """Pair paragraphs by number, where both sides have as many and their lengths agree."""
    if not source.paragraphs or not target.paragraphs:
        return None
    count = source.paragraphs[-1] + 1
    if count < 2 or target.paragraphs[-1] + 1 != count:
        return None
    mine, theirs = _paragraph_lengths(source), _paragraph_lengths(target)
    ratio = sum(theirs) / sum(mine)
    factors = [(b + 20) / (a * ratio + 20) for a, b in zip(mine, theirs, strict=True)]
    odd = sum(factor > _LENGTH_FACTOR or factor < 1 / _LENGTH_FACTOR for factor in factors)
    if odd > _ODD * count:
        return None
    starts = [(source.paragraphs.index(i), target.paragraphs.index(i)) for i in range(count)]
    return Anchored(source, target, _blocks(starts, len(source.lines), len(target.lines)), "blank-lines")


def _paragraph_lengths(side: Side) -> list[int]:
    lengths = [0] * (side.paragraphs[-1] + 1)
    for paragraph, line in zip(side.paragraphs, side.lines, strict=True):
        lengths[paragraph] += len(line)
    return lengths


def _blocks(starts: Sequence[tuple[int, int]], source: int, target: int) -> tuple[Block, ...]:
    """Blocks that begin at these places; what comes before the first is one more."""
    cuts = [*starts, (source, target)]
    if cuts[0] != (0, 0):
        cuts.insert(0, (0, 0))
    return tuple(Block((a, c), (b, d)) for (a, b), (c, d) in pairwise(cuts))
