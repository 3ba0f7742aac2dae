"""The guard: no text of train may contain a test sentence.

Whatever the text is for: a question, an answer, a sentence before, a hint, an example.
Texts are compared as everywhere (:func:`seshat.corpus.duplicates.normalise`), and as there a sentence counts when it is
long enough to say something: "yes" stands everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from seshat.corpus.duplicates import is_long, normalise

_ANCHOR = 12
"""Characters by which a sentence is looked up before it is compared as a whole."""


class TestSentences:
    """The sentences of the test set, found inside other texts.

    Args:
        segments: the texts of the test segments, by language; every language counts.
        min_words: words from which a sentence counts (or 20 characters).
    """

    __test__ = False  # no test case, whatever pytest thinks of the name

    def __init__(self, segments: Iterable[Mapping[str, str]], min_words: int) -> None:
        self._by_anchor: dict[str, list[str]] = {}
        self._spaceless = False
        for texts in segments:
            for text in texts.values():
                key = normalise(text)
                if key and is_long(key, min_words):
                    known = self._by_anchor.setdefault(key[:_ANCHOR], [])
                    if key not in known:
                        known.append(key)
                    self._spaceless |= " " not in key
        self._lengths = sorted({len(anchor) for anchor in self._by_anchor})
        self._in_line = lru_cache(maxsize=4096)(self._look)

    def inside(self, *texts: str) -> bool:
        """Whether one of the texts contains a test sentence in one of its lines."""
        return any(self._in_line(line) for text in texts for line in text.splitlines())

    def _look(self, line: str) -> bool:
        text = normalise(line)
        words = {0, *(place + 1 for place, character in enumerate(text) if character == " ")}
        for place in range(len(text)) if self._spaceless else words:
            for length in self._lengths:
                for key in self._by_anchor.get(text[place : place + length], ()):
                    if text.startswith(key, place) and self._whole(text, key, place, place in words):
                        return True
        return False

    def _whole(self, text: str, key: str, place: int, at_word: bool) -> bool:
        """Whole words only, except in scripts that write no spaces."""
        end = place + len(key)
        return " " not in key or (at_word and (end == len(text) or text[end] == " "))
