"""Which lines of a page are in the language: learned from the known texts of the language, nothing set by hand.

Two small models of runs of bytes (:mod:`seshat.text.ngrams`) compete for every line: one has read the known texts of
the language, the other everything else there is (texts in the pivot, the function words of European languages, and, in
the second round, those lines of the pages that the first round found not to be in the language).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import regex

from seshat.core.patterns import Pattern
from seshat.text.ngrams import ByteNgrams
from seshat.text.tongues import FUNCTION_WORDS, is_function_word

_MOST = 400_000
"""Bytes that each model reads."""
_CLEAR = -0.3
"""Bits per byte: how far below a line must lie to teach what is not the language."""
_WORD = regex.compile(r"[^\s.,;:!?()\"“”„«»<>\[\]]+")
_LETTER = regex.compile(r"\p{L}")
_LEADING_NUMBER = regex.compile(r"^\s*\(?\d{1,3}['’′]{0,2}[.):]?\s+")
_MARKED = 1.0
"""Bits per byte that a marker adds to a line."""


class Recogniser:
    """Tells lines in the language from others.

    Args:
        texts: known texts of the language.
        others: known texts in other languages, such as the pivot.
        markers: what only lines in the language hold.
    """

    def __init__(self, texts: Sequence[str], others: Sequence[str], markers: Sequence[str] = ()) -> None:
        self._own = ByteNgrams(texts, _MOST)
        listed = (" ".join(found.split()) for found in FUNCTION_WORDS.values())
        self._others = [*listed, *_limited(others, _MOST // 2)]
        self._rest = ByteNgrams(self._others, _MOST)
        self._markers = [Pattern(marker) for marker in markers]
        foreign = {word for text in self._others for word in _words(text)}
        self._vocabulary = {word for text in texts for word in _words(text)} - foreign

    def learn(self, lines: Iterable[str]) -> None:
        """The second round: read what clearly is not in the language on the pages themselves."""
        found = (line for line in lines if _LETTER.search(line) and self.value(line) < _CLEAR)
        self._rest = ByteNgrams(chain(self._others, _limited(found, _MOST // 2)), _MOST)

    def words_in(self, text: str) -> int:
        """How many words of a text are known words of the language, or hold a marker."""
        marked = sum(len(marker.findall(text)) for marker in self._markers)
        return sum(word in self._vocabulary for word in _words(text)) + marked

    def value(self, line: str) -> float:
        """Bits per byte by which a line is likelier in the language; its number is left out. 0 without letters."""
        bare = _LEADING_NUMBER.sub("", line).strip()
        size = len(bare.encode())
        if not size or not _LETTER.search(bare):
            return 0.0
        words = _words(bare)
        marked = any(marker.search(bare) for marker in self._markers)
        known = sum(word in self._vocabulary for word in words)
        foreign = sum(is_function_word(word) for word in words)
        evidence = (known - foreign) / max(1, len(words)) + (_MARKED if marked else 0.0)
        return (self._rest.bits(bare) - self._own.bits(bare)) / size + evidence


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _limited(texts: Iterable[str], most: int) -> Iterable[str]:
    for text in texts:
        most -= len(text.encode())
        if most < 0:
            return
        yield text
