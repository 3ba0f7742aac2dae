"""Words and phrases of a lexicon found in running text, whatever their spelling and inflection.

Tried in this order: the letters as they are (but for case and Unicode form), the letters without their diacritics and
with one apostrophe for all, the stem, and last, where wanted, a word that is a letter or two away. Of phrases that
begin at the same word, the longest is found.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import regex

from seshat.text.normalise import DIACRITICS
from seshat.text.words import graphemes, word_spans, words

How = Literal["exact", "folded", "stem", "near"]
"""In which way something was found."""

_SHORTEST_STEM = 4
_STEM_SHARE = 0.6
_LONGEST_PHRASE = 8
"""Words of the longest phrase that is looked up as a whole."""
_SHORTEST_NEAR = 6
_LONG = 10
"""From so many letters on, a word that is near may differ in two; shorter ones in one."""

_DIACRITIC = regex.compile(DIACRITICS)
_APOSTROPHES = regex.compile("[’‘`´′ʼʻʹꞌ\u1fef\u1ffd]")
_SPACELESS = regex.compile(r"[\p{Line_Break=SA}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]")


class Found(NamedTuple):
    """A place of a text where something of the lexicon stands."""

    start: int
    end: int
    keys: tuple[str, ...]
    """What was found; several where only the diacritics tell them apart."""
    how: How


def key(text: str) -> str:
    """What a word or phrase is looked up as: its words in NFC, case-folded, one space between them."""
    return " ".join(_folded_case(word) for word in words(text)) or _folded_case(text.strip())


@lru_cache(maxsize=200_000)
def fold(text: str) -> str:
    """A key without what writers of one language most often differ in: diacritics, and the sign of the apostrophe.

    Vowel signs of Indic scripts and points of Hebrew and Arabic stay: they are letters there.
    """
    if text.isascii():
        return text
    bare = _DIACRITIC.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", _APOSTROPHES.sub("'", bare))


def is_spaceless(word: str) -> bool:
    """Whether a word is of a script that writes no spaces between words (Thai, Khmer, Burmese, Chinese …)."""
    return not word.isascii() and _SPACELESS.search(word) is not None


@lru_cache(maxsize=200_000)
def _folded_case(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


class PhraseIndex:
    """Words and phrases, to be found in running text.

    An inflected word is found by its stem: by the longest word that it begins with, or by the one that shares the
    longest beginning with it, of at least four characters and 60 % of the longer one. That is simple, and right for
    suffixing languages only.

    Args:
        keys: what to find, as :func:`key` gives it.
        near: find words that are a letter or two away too, where nothing else is found.
        attested: whether a word (as a key) is one of the language: such a word is no misspelling of another. Without
            it most of what is near is wrong: of 296 such finds in 994 Shipibo sentences, 261 were words of their own.
    """

    def __init__(
        self, keys: Iterable[str], *, near: bool = False, attested: Callable[[str], bool] | None = None
    ) -> None:
        self._near = near
        self._attested = attested
        self._folded: dict[str, dict[str, None]] = {}
        for one in keys:
            if one:
                self._folded.setdefault(fold(one), {})[one] = None
        self._single = sorted(one for one in self._folded if " " not in one)
        self._longest = min(_LONGEST_PHRASE, max((one.count(" ") + 1 for one in self._folded), default=1))
        self._longest_run = max((len(graphemes(one)) for one in self._single if is_spaceless(one)), default=0)
        self._word = lru_cache(maxsize=50_000)(self._inflected)

    def __contains__(self, text: str) -> bool:
        """Whether a word or phrase is there, letter by letter."""
        one = key(text)
        return one in self._folded.get(fold(one), ())

    def find(self, text: str) -> Iterator[Found]:
        """What stands in a text, from its beginning to its end, nothing twice at one place."""
        spans = word_spans(text)
        said = [_folded_case(text[start:end]) for start, end in spans]
        place = 0
        while place < len(said):
            for length in range(min(self._longest, len(said) - place), 0, -1):
                if found := self._whole(" ".join(said[place : place + length])):
                    yield Found(spans[place][0], spans[place + length - 1][1], *found)
                    break
            else:
                length = 1
                yield from self._in_word(text, *spans[place], said[place])
            place += length

    def _whole(self, phrase: str) -> tuple[tuple[str, ...], How] | None:
        known = self._folded.get(fold(phrase))
        if known is None:
            return None
        return ((phrase,), "exact") if phrase in known else (tuple(known), "folded")

    def _in_word(self, text: str, start: int, end: int, said: str) -> Iterator[Found]:
        if self._longest_run and is_spaceless(said):
            yield from self._in_run(text, start, end)
        elif found := self._word(said):
            yield Found(start, end, *found)

    def _in_run(self, text: str, start: int, end: int) -> Iterator[Found]:
        """What stands in a run of words without spaces: the longest at every place."""
        letters = graphemes(text[start:end])
        place = 0
        while place < len(letters):
            for length in range(min(self._longest_run, len(letters) - place), 0, -1):
                piece = "".join(letters[place : place + length])
                if found := self._whole(_folded_case(piece)):
                    yield Found(start, start + len(piece), *found)
                    break
            else:
                length = 1
            start += len("".join(letters[place : place + length]))
            place += length

    def _inflected(self, word: str) -> tuple[tuple[str, ...], How] | None:
        bare = fold(word)
        if stem := self._stem(bare):
            return tuple(self._folded[stem]), "stem"
        if not self._near or (self._attested is not None and self._attested(word)):
            return None
        near = self._nearest(bare)
        return (tuple(self._folded[near]), "near") if near else None

    def _stem(self, word: str) -> str | None:
        for end in range(len(word) - 1, _SHORTEST_STEM - 1, -1):
            if word[:end] in self._folded:
                return word[:end]
        place = bisect_left(self._single, word)
        shared = {one: common_beginning(word, one) for one in self._single[max(0, place - 1) : place + 1]}
        enough = [one for one, n in shared.items() if n >= max(_SHORTEST_STEM, _STEM_SHARE * max(len(word), len(one)))]
        return max(enough, key=shared.__getitem__, default=None)

    def _nearest(self, word: str) -> str | None:
        """The word fewest letters away; of several, the one with the longest common beginning."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if len(word) < _SHORTEST_NEAR or not any(map(str.isalpha, word)):
            return None
        most = 2 if len(word) >= _LONG else 1
        # Hardly anybody mistypes the first letter; the words that have it stand together.
        first, last = bisect_left(self._single, word[0]), bisect_left(self._single, chr(ord(word[0]) + 1))
        found = process.extract(word, self._single[first:last], scorer=OSA.distance, score_cutoff=most, limit=5)
        return min(((away, -common_beginning(word, one), one) for one, away, _ in found), default=(0, 0, None))[2]


def common_beginning(one: Sequence[str], other: Sequence[str]) -> int:
    """How many letters two words begin with alike."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
