"""Loops: words, or letters, that a model says again and again.

Doubling is grammar in many languages (*rapa-rapa*, *poco a poco*, *sí, sí*), so only what is said three times or more
(as configured) counts, only what the source does not repeat as often, and never across a placeholder such as
``<gap>``, which stands for something nobody could read.

Translations that only give their source back are told here too: people chose the wrong direction, most often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import regex

from seshat.text.lookup import is_spaceless
from seshat.text.words import PLACEHOLDER, graphemes, word_spans, words

_LETTERS = 2
"""In scripts that write spaces a word has to repeat its letters so many times more often than a text its words:
*hahaha* is a word, *kakakakakaka* is not."""
_SMALLEST = 2
"""Letters that are repeated; a single one may stand many times (*aaah*)."""
_LONGEST_LETTERS = 12
_PLACEHOLDER = regex.compile(PLACEHOLDER)


class Unit(NamedTuple):
    """A word or letter, and its place."""

    start: int
    end: int
    said: str


class Run(NamedTuple):
    """Units said several times in a row."""

    first: int
    """Place of the first unit."""
    size: int
    """How many units are repeated."""
    times: int


def collapse(text: str, source: str, times: int, longest: int = 12) -> tuple[str, list[str]]:
    """The text with every loop said as often as the source says such things, which is mostly once.

    Args:
        text: a translation.
        source: what it translates.
        times: said so often in a row, words are a loop.
        longest: words in the longest loop.

    Returns:
        The text, and what was repeated, in words.
    """
    mended, reasons = _collapse_all(text, times, longest, 1)
    if not reasons or (allowed := most_repeated(source, longest)) == 1:
        return mended, reasons
    return _collapse_all(text, times, longest, allowed)


def _collapse_all(text: str, times: int, longest: int, allowed: int) -> tuple[str, list[str]]:
    reasons: list[str] = []
    text = _collapse(text, _words(text), (1, longest), max(times, allowed + 1), allowed, reasons)
    # From the last word to the first, so that the places of the others stay.
    for start, end in reversed(word_spans(text)):
        word = text[start:end]
        least = max(times if is_spaceless(word) else times * _LETTERS, allowed + 1)
        if end - start >= _SMALLEST * least:
            sizes = _SMALLEST, _LONGEST_LETTERS
            text = text[:start] + _collapse(word, _letters(word), sizes, least, allowed, reasons) + text[end:]
    return text, reasons


def most_repeated(text: str, longest: int) -> int:
    """How often a text says anything in a row, words or letters; 1 when it repeats nothing."""
    runs = [run for size in range(1, longest + 1) for run in _runs(_words(text), text, size, 2)]
    for start, end in word_spans(text):
        word = text[start:end]
        units = _letters(word)
        runs += [run for size in range(_SMALLEST, _LONGEST_LETTERS + 1) for run in _runs(units, word, size, 2)]
    return max((run.times for run in runs), default=1)


def _words(text: str) -> list[Unit]:
    return [Unit(start, end, text[start:end].casefold()) for start, end in word_spans(text)]


def _letters(word: str) -> list[Unit]:
    units, start = [], 0
    for letter in graphemes(word):
        units.append(Unit(start, start + len(letter), letter.casefold()))
        start += len(letter)
    return units


def _collapse(
    text: str, units: Sequence[Unit], sizes: tuple[int, int], times: int, keep: int, reasons: list[str]
) -> str:
    """Cut the loops of ``times`` or more down to ``keep``; short loops first: *a a a a* is four times *a*."""
    for size in range(sizes[0], min(sizes[1], len(units) // times) + 1):
        for run in reversed(_runs(units, text, size, times)):
            last_kept, last = run.first + run.size * keep - 1, run.first + run.size * run.times - 1
            if sizes[0] == 1 and _is_cut_off(units, text, run, last):
                last = len(units) - 1
            said = text[units[run.first].start : units[run.first + size - 1].end]
            reasons.append(f"'{said}' {run.times} times")
            text = text[: units[last_kept].end] + text[units[last].end :]
            units = [*units[: last_kept + 1], *_moved(units[last + 1 :], units[last_kept].end - units[last].end)]
    return text


def _moved(units: Sequence[Unit], by: int) -> list[Unit]:
    return [Unit(unit.start + by, unit.end + by, unit.said) for unit in units]


def _is_cut_off(units: Sequence[Unit], text: str, run: Run, last: int) -> bool:
    """Whether the text ends within one more repetition of words: generation stopped there."""
    rest = units[last + 1 :]
    if not rest or len(rest) >= run.size or not _joined(text, units[last], rest[0]):
        return False
    return all(unit.said == units[run.first + place].said for place, unit in enumerate(rest))


def _runs(units: Sequence[Unit], text: str, size: int, least: int) -> list[Run]:
    """Where ``size`` units stand at least ``least`` times in a row, from left to right."""
    found = []
    first = 0
    while first + size * least <= len(units):
        end = first + size
        while (
            end < len(units) and units[end].said == units[end - size].said and _joined(text, *units[end - 1 : end + 1])
        ):
            end += 1
        times = (end - first) // size
        if times >= least:
            found.append(Run(first, size, times))
            first += size * times
        else:
            # No run of this size can begin before the place where this one broke.
            first = max(first + 1, end - size + 1)
    return found


def _joined(text: str, one: Unit, other: Unit) -> bool:
    """Whether nothing that counts stands between two units: no placeholder."""
    between = text[one.end : other.start]
    return not between.strip() or _PLACEHOLDER.search(between) is None


_FEWEST = 3
"""With fewer words, names and loan words come back rightly."""
_SHARE = 0.8


def is_echo(source: str, translation: str) -> bool:
    """Whether a translation repeats its source, so that this may be in the target language already.

    Names and numbers come back rightly: words with a capital inside the text, and those without letters, do not count.
    """
    said = words(source)
    counted = Counter(
        word.casefold()
        for place, word in enumerate(said)
        if any(map(str.isalpha, word)) and (place == 0 or word[:1] == word[:1].lower())
    )
    repeated = counted & Counter(word.casefold() for word in words(translation))
    return counted.total() >= _FEWEST and repeated.total() >= _SHARE * counted.total()
