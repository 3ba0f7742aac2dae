"""What costs nothing: copying, a translation memory, and word-by-word translation.

A model that is not clearly better than these has learned nothing that matters. They are translators like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from seshat.config import Direction
from seshat.core.records import Entry
from seshat.inference.engines.wordbyword import WordByWordTranslator
from seshat.inference.translator import EMPTY, Hypothesis, Translator
from seshat.models.wordbyword import WordByWord
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.text.similar import TrigramIndex


class CopyTranslator(Translator):
    """Gives the source back: names, numbers and loan words come out right."""

    name = "copy"

    def __init__(self, direction: Direction) -> None:
        self.direction = direction

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """The texts themselves."""
        return [Hypothesis(one.text, 0.0) for one in requests]


class Example(NamedTuple):
    """A training example, and how near its source is to a text, 0 to 1."""

    source: str
    target: str
    similarity: float


class NearestTranslator(Translator):
    """A translation memory: the translation of the training sentence that is nearest to the text.

    Args:
        direction: from and into which language.
        sources: training sentences.
        targets: their translations, in the same order.
    """

    name = "nearest"

    def __init__(self, direction: Direction, sources: Sequence[str], targets: Sequence[str]) -> None:
        from seshat.text.similar import TrigramIndex

        self.direction = direction
        self._sources = sources
        self._targets = targets
        self._index: TrigramIndex = TrigramIndex(sources)

    def nearest(self, text: str) -> Example | None:
        """The training example nearest to a text; None when nothing resembles it."""
        found = self._index.nearest(text)
        return Example(self._sources[found.place], self._targets[found.place], found.similarity) if found else None

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """The target side of the nearest example; empty when nothing resembles the text."""
        found = [self.nearest(one.text) for one in requests]
        return [Hypothesis(example.target, example.similarity) if example else EMPTY for example in found]


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
    return WordByWordTranslator(direction, WordByWord.train(direction, pairs, entries, iterations))
