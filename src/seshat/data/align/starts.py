"""Finds where the sentences of a list start in a text, from the first word of each and about where it stands.

Text archives publish translations sentence by sentence, with the first word of each in the original and its number. The
numbers drift: they count lost signs, or leave numerals out. So the *distance* between two starts counts, not the place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import regex
from rapidfuzz.distance import Levenshtein

LEAST = 0.6
"""Likeness of spelling below which a word is not the one listed."""
_DRIFT, _MOST_DRIFT = 0.08, 0.45
"""What each word of difference from the distance listed costs, and the most it can cost."""
_SKIP = 0.1
"""What a sentence that is left out costs."""
_REACH = 4
"""So many sentences back the one before may be."""
_NUMERAL = regex.compile(r"[\p{N}.,+/-]+")
_INSIGNIFICANT = regex.compile(r"[^\p{L}\p{N}]")


@dataclass(frozen=True)
class Start:
    """The first word of a sentence as a list has it."""

    word: str
    number: int
    """Place in the text, from 1; numerals may or may not be counted."""


def find_starts(words: Sequence[str], starts: Sequence[Start]) -> list[tuple[int, float] | None]:
    """Find where sentences start.

    Numerals before the word found belong to its sentence: lists of words leave them out ("12 shekels" is listed under
    "shekels").

    Args:
        words: the text.
        starts: of its sentences, in order.

    Returns:
        For each sentence its first word (from 0) and the likeness of spelling, 0 to 1; ``None`` where none was found.
    """
    places = [place for place, word in enumerate(words) if not _NUMERAL.fullmatch(word)]
    plain = [_plain(words[place]) for place in places]
    joined = [first + second for first, second in zip_longest(plain, plain[1:], fillvalue="")]
    nodes: list[list[_Node]] = []
    for number, start in enumerate(starts):
        wanted = _plain(start.word)
        several = len(start.word.split()) > 1 or "{" in start.word
        row: list[_Node] = []
        for place in range(len(places)):
            likeness = Levenshtein.normalized_similarity(wanted, plain[place])
            if several:
                likeness = max(likeness, Levenshtein.normalized_similarity(wanted, joined[place]))
            if likeness >= LEAST and wanted:
                row.append(_best(nodes, starts, number, place, likeness))
        nodes.append(row)
    found: list[tuple[int, float] | None] = [None] * len(starts)
    node = max((node for row in nodes for node in row), key=lambda node: node.score, default=None)
    while node is not None and node.score > 0:
        place = places[node.place]
        while place > 0 and _NUMERAL.fullmatch(words[place - 1]):
            place -= 1
        found[node.number] = place, node.likeness
        node = node.before
    return found


@dataclass(frozen=True)
class _Node:
    """One sentence at one place, and the best way to get there."""

    number: int
    place: int
    likeness: float
    score: float
    before: _Node | None


def _best(nodes: Sequence[Sequence[_Node]], starts: Sequence[Start], number: int, place: int, likeness: float) -> _Node:
    gain = likeness - 0.5
    far = _DRIFT / 2 * abs(place - (starts[number].number - 1))
    best = _Node(number, place, likeness, gain - min(_MOST_DRIFT, far), None)
    for earlier in range(max(0, number - _REACH), number):
        distance = starts[number].number - starts[earlier].number
        skipped = _SKIP * (number - earlier - 1)
        for node in nodes[earlier]:
            if node.place < place:
                drift = min(_MOST_DRIFT, _DRIFT * abs(place - node.place - distance))
                score = node.score + gain - drift - skipped
                if score > best.score:
                    best = _Node(number, place, likeness, score, node)
    return best


def _plain(text: str) -> str:
    """Letters and digits alone, without case and accents: editions differ in the rest."""
    return _INSIGNIFICANT.sub("", unicodedata.normalize("NFD", text.casefold()))
