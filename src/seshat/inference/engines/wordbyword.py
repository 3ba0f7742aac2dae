"""Translates every word by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

from seshat.config import Direction
from seshat.inference.translator import Hypothesis, Translator
from seshat.models.wordbyword import WordByWord
from seshat.prompt.request import Request
from seshat.text.words import tokenize, words

_HAS_LETTER = regex.compile(r"\p{L}")


@dataclass
class WordByWordTranslator(Translator):
    """Every word by its likeliest translation, in place; what is unknown is copied.

    Punctuation, numbers, placeholders and spacing stay as they are in the source.
    """

    direction: Direction
    model: WordByWord
    name: str = "word-by-word"

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate word by word."""
        return [Hypothesis(self._text(one.text), 0.0) for one in requests]

    def _text(self, text: str) -> str:
        parts: list[str] = []
        position, before = 0, ""
        for token in tokenize(text):
            start = text.index(token, position)
            space, position = text[position:start], start + len(token)
            translated = self._word(token)
            if translated.casefold() == before and is_word(token):
                continue  # two words of the source that share a translation
            parts += [space, translated]
            before = translated.casefold() if is_word(token) else ""
        return "".join(parts).strip()

    def _word(self, token: str) -> str:
        if not is_word(token):
            return token
        key = token.casefold()
        found = self.model.table.best(key) or self.model.lexicon.get(key)
        return like_case(found, token) if found else token


@lru_cache(maxsize=100_000)
def is_word(token: str) -> bool:
    """Whether a token is a word: no number, punctuation mark or placeholder."""
    return _HAS_LETTER.search(token) is not None and bool(words(token))


def like_case(text: str, model: str) -> str:
    """``text`` with the capitals of ``model``: the first letter, or all of two or more."""
    if len(model) > 1 and model.isupper():
        return text.upper()
    return text[:1].upper() + text[1:] if model[:1].isupper() else text
