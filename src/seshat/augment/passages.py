"""The two sides of an edition, cleaned: lines of the text with their numbers, the translation in numbered passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import regex

from seshat.augment.layout import joined, joined_words

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_LINE_NUMBER = regex.compile(r"^\(?(?P<number>\d{1,3})(?P<mark>['’′]{1,2}|[.):])?\s+(?=\S)")
_RANGE_AT_START = regex.compile(r"^(\d{1,3}['’]?\s?[-–]\s?\d{1,3}['’]?)[.):]?\s+(?=\P{N})")
_NUMBER_AT_START = regex.compile(r"^(\d{1,3}['’]?)[):]\s+(?=\P{N})")
_MARKER = regex.compile(
    r"\((?P<a>\d{1,3})['’]?(?:\s?[-–]\s?(?P<b>\d{1,3})['’]?)?\)\s*"
    r"|(?<!\S)(?P<c>[⁰¹²³⁴-⁹]+)(?:[⁻–-](?P<d>[⁰¹²³⁴-⁹]+))?\)?\s*"
)
_NOTE_CALL = regex.compile(r"(?<=\p{L}{3}[.,;:!?”\"»)]?)(?:\d{1,3}|[⁰¹²³⁴-⁹]+)\)?(?=\s|$|[.,;:!?”\"»])")
_TOLERANCE = 1


class Passage(NamedTuple):
    """A piece of a translation, and the lines of the text that it says it renders (from 1), if it does."""

    first: int | None
    last: int | None
    text: str


def numbered(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Lines of the text and their numbers, which are taken off: those that go on the count, or have a mark behind."""
    found: list[tuple[int, str]] = []
    expected = 1
    for line in lines:
        match = _LINE_NUMBER.match(line)
        if match is not None and (match["mark"] or abs(int(match["number"]) - expected) <= _TOLERANCE):
            expected = int(match["number"])
            line = line[match.end() :]
        found.append((expected, line.strip()))
        expected += 1
    return found


def whole_text(lines: Sequence[str]) -> str:
    """The text on one line."""
    return joined_words([line for _, line in numbered(lines)])


def passages(lines: Sequence[str]) -> list[Passage]:
    """A translation in the passages that it numbers; one without numbers where it does not."""
    prepared = [_RANGE_AT_START.sub(r"(\1) ", _NUMBER_AT_START.sub(r"(\1) ", line)) for line in lines]
    text = _NOTE_CALL.sub("", joined(prepared))
    found: list[Passage] = []
    start, highest = 0, 0
    numbers: tuple[int | None, int | None] = (None, None)
    for match in _MARKER.finditer(text):
        first, last = _numbers(match)
        if first <= highest or last < first or first > highest + 60:
            continue
        if text[start : match.start()].strip():
            found.append(Passage(*numbers, text[start : match.start()].strip()))
        start, numbers, highest = match.end(), (first, last), first
    if text[start:].strip():
        found.append(Passage(*numbers, text[start:].strip()))
    if sum(passage.first is not None for passage in found) < 2:
        return [Passage(None, None, " ".join(passage.text for passage in found))] if found else []
    return _with_ends(found)


def _numbers(match: regex.Match[str]) -> tuple[int, int]:
    first = match["a"] or match["c"].translate(_SUPERSCRIPTS)
    last = match["b"] or (match["d"] or "").translate(_SUPERSCRIPTS) or first
    return int(first), int(last)


def _with_ends(found: Sequence[Passage]) -> list[Passage]:
    """A passage that names only its first line goes up to the next one; a first one without a number starts at 1."""
    done = []
    for number, passage in enumerate(found):
        following = found[number + 1].first if number + 1 < len(found) else None
        first = passage.first if passage.first is not None else 1
        last = passage.last or first
        if following is not None and last == first:
            last = max(first, following - 1)
        elif following is None and last == first:
            last = 10**6
        done.append(Passage(first, last, passage.text))
    return done


def by_lines(lines: Sequence[str], found: Sequence[Passage]) -> list[tuple[str, str]]:
    """Pairs of the lines of a text and the passages that render them; empty where the numbers do not fit."""
    own = numbered(lines)
    pairs = []
    for passage in found:
        if passage.first is None or passage.last is None:
            return []
        text = joined_words([line for number, line in own if passage.first <= number <= passage.last])
        if not text:
            return []
        pairs.append((text, passage.text))
    return pairs
