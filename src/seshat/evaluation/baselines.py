"""What costs nothing: copying, a translation memory, and word-by-word translation.

A model that is not clearly better than these has learned nothing that matters. They are translators like any other,
and the word-by-word one also stands in where no decoder is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import regex

from seshat.config import Direction
from seshat.inference.translator import Hypothesis
from seshat.records import Entry
from seshat.text.words import tokenize, words

if TYPE_CHECKING:
    from seshat.evaluation.memory import TrigramIndex
    from seshat.text.wordtable import WordTable

_HAS_LETTER = regex.compile(r"\p{L}")
_REMARK = regex.compile(r"\s*[(\[][^)\]]*[)\]]\s*")
_ALTERNATIVES = regex.compile(r"[;,/]")
_MAX_GLOSS_WORDS = 3
"""A longer gloss explains a word rather than translate it."""


class CopyTranslator:
    """Gives the source back: names, numbers and loan words come out right."""

    name = "copy"

    def __init__(self, direction: Direction) -> None:
        self.direction = direction

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:  # noqa: ARG002
        """The texts themselves."""
        return [Hypothesis(text, 0.0) for text in texts]


class Example(NamedTuple):
    """A training example, and how near its source is to a text, 0 to 1."""

    source: str
    target: str
    similarity: float


class NearestTranslator:
    """A translation memory: the translation of the training sentence that is nearest to the text.

    Args:
        direction: from and into which language.
        sources: training sentences.
        targets: their translations, in the same order.
    """

    name = "nearest"

    def __init__(self, direction: Direction, sources: Sequence[str], targets: Sequence[str]) -> None:
        from seshat.evaluation.memory import TrigramIndex

        self.direction = direction
        self._sources = sources
        self._targets = targets
        self._index: TrigramIndex = TrigramIndex(sources)

    def nearest(self, text: str) -> Example | None:
        """The training example nearest to a text; None when nothing resembles it."""
        found = self._index.nearest(text)
        return Example(self._sources[found.place], self._targets[found.place], found.similarity) if found else None

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:  # noqa: ARG002
        """The target side of the nearest example; empty when nothing resembles the text."""
        found = [self.nearest(text) for text in texts]
        return [Hypothesis(example.target, example.similarity) if example else Hypothesis("", 0.0) for example in found]


@dataclass
class WordByWordTranslator:
    """Every word by its likeliest translation, in place; what is unknown is copied.

    Punctuation, numbers, placeholders and spacing stay as they are in the source.

    Args:
        direction: from and into which language.
        table: word translations learned from the training pairs (case-folded words).
        lexicon: word translations of the dictionary, case-folded; for words that the table does not know.
    """

    direction: Direction
    table: WordTable
    lexicon: Mapping[str, str]
    name: str = "word-by-word"

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:  # noqa: ARG002
        """Translate word by word."""
        return [Hypothesis(self._text(text), 0.0) for text in texts]

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
        found = self.table.best(key) or self.lexicon.get(key)
        return like_case(found, token) if found else token


def train_word_by_word(
    direction: Direction, pairs: Iterable[tuple[str, str]], entries: Iterable[Entry], iterations: int = 5
) -> WordByWordTranslator:
    """Learn the word-by-word translator.

    Args:
        direction: from and into which language.
        pairs: training texts (source, target).
        entries: the lexicon.
        iterations: passes over the pairs.
    """
    from seshat.text.wordtable import WordTable

    lexicon = lexicon_words(entries, direction)
    cut = [([word.casefold() for word in words(a)], [word.casefold() for word in words(b)]) for a, b in pairs]
    cut += [([source], [word.casefold() for word in words(target)]) for source, target in sorted(lexicon.items())]
    return WordByWordTranslator(direction, WordTable.train(cut, iterations), lexicon)


def lexicon_words(entries: Iterable[Entry], direction: Direction) -> dict[str, str]:
    """Word translations in a lexicon, either way round: case-folded word -> its first short gloss.

    An entry of the source language gives its headword and forms with their gloss; one of the target language gives
    its glosses with the headword.
    """
    found: dict[str, str] = {}
    for entry in entries:
        if entry.type == "affix":
            continue
        if entry.lang == direction.source:
            gloss = next(iter(_glosses(entry, direction.target)), None)
            for form in (entry.headword, *entry.forms) if gloss else ():
                found.setdefault(form.casefold(), gloss or "")
        elif entry.lang == direction.target:
            for gloss in _glosses(entry, direction.source):
                found.setdefault(gloss.casefold(), entry.headword)
    return found


def _glosses(entry: Entry, language: str) -> list[str]:
    """The short glosses of an entry, remarks in brackets removed, alternatives apart."""
    raw = [gloss for sense in entry.senses for gloss in sense.glosses.get(language, ())]
    cut = [part.strip(" .") for gloss in raw for part in _ALTERNATIVES.split(_REMARK.sub(" ", gloss))]
    return [gloss for gloss in cut if gloss and len(gloss.split()) <= _MAX_GLOSS_WORDS]


@lru_cache(maxsize=100_000)
def is_word(token: str) -> bool:
    """Whether a token is a word: no number, punctuation mark or placeholder."""
    return _HAS_LETTER.search(token) is not None and bool(words(token))


def like_case(text: str, model: str) -> str:
    """``text`` with the capitals of ``model``: the first letter, or all of two or more."""
    if len(model) > 1 and model.isupper():
        return text.upper()
    return text[:1].upper() + text[1:] if model[:1].isupper() else text
