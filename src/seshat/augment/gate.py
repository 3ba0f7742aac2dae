"""Is a found or made pair fit to learn from? Each doubt is a tag; nothing is deleted.

What is usual is learned from the pairs and texts that the project was given: the length ratio of the two languages, and
how many bits per byte a small n-gram model (:mod:`seshat.text.ngrams`) needs for texts that it has not read. The
perplexity gate is that of corpus filtering (Moore and Lewis 2010), against the spread of the known texts themselves.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex

from seshat.config.augment import GateSection
from seshat.data.filters import length_ratio, usual_ratios
from seshat.text.ngrams import ByteNgrams
from seshat.text.tongues import SURE, foreign_words
from seshat.text.words import words

OTHER_LANGUAGE = "augment:other-language"
LENGTH, PERPLEXITY, DAMAGED = "augment:length-ratio", "augment:perplexity", "augment:damaged"

_MOST_BYTES = 400_000
"""Of known text that each model reads: a second of work."""
_HELD_OUT = 400
"""Known texts, at most, that are measured to find the spread."""
_FEWEST = 30
"""Known texts without which nothing is usual yet: the gate of that language stays open."""
_FLOOR = 0.05
"""Bits per byte: the smallest spread that is believed."""
_SHORT = 20
"""Bytes below which a text is too short to be judged by its bits."""

# The replacement character, private use, controls; UTF-8 read as Latin-1 or cp1252; a letter inside a word of
# punctuation, which failed recognition gives.
_DAMAGE = regex.compile(
    r"\ufffd|\p{Co}|\p{Cn}|(?![\t\n\r])\p{Cc}|[ÃÂ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€.|Ä[\u0080-\u00bf±°Ÿ]"
    r"|(?<=\S)[|\\^~_¦§¬]{1,}(?=\S)|[^\s\p{L}\p{M}\p{N}.…\-–—=*<>()\[\]{}]{4,}"
)


@dataclass(frozen=True)
class Known:
    """What is known of one language: its model, and the usual bits per byte."""

    model: ByteNgrams
    mean: float
    between: float
    """Variance of bits per byte between long texts."""
    within: float
    """What the variance of a short text grows by, times its bytes."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Known | None:
        """Learn from texts; None when they are too few.

        Every tenth text is kept from the model, to see what it needs for texts that it has not read.
        """
        if len(texts) < _FEWEST:
            return None
        held = [text for text in texts[::10] if len(text.encode()) >= _SHORT][:_HELD_OUT]
        if len(held) < 3:
            return None
        model = ByteNgrams((text for number, text in enumerate(texts) if number % 10), _MOST_BYTES)
        values = [model.bits_per_byte(text) for text in held]
        mean = statistics.fmean(values)
        return cls(model, mean, *_variances([(value - mean) ** 2 for value in values], [*map(_size, held)]))

    def distance(self, text: str) -> float:
        """How many standard deviations the text lies above the known ones; 0 for short texts."""
        size = _size(text)
        if size < _SHORT:
            return 0.0
        return (self.model.bits_per_byte(text) - self.mean) / math.sqrt(self.between + self.within / size)


def _elsewhere(text: str, tag: str) -> bool:
    """Whether a text is plainly in another language than it should be, such as one that a model left as it was."""
    return foreign_words(map(str.casefold, words(text)), tag) > SURE


def _size(text: str) -> int:
    return len(text.encode())


def _variances(squares: Sequence[float], sizes: Sequence[int]) -> tuple[float, float]:
    """The part of the variance that all texts have, and the part that falls with their bytes: by least squares."""
    import numpy as np

    shares = 1.0 / np.array(sizes, dtype=float)
    slope = 0.0
    if shares.std() > 0:
        slope = max(0.0, float(np.cov(shares, squares)[0, 1] / shares.var(ddof=1)))
    constant = float(np.mean(squares)) - slope * float(shares.mean())
    return max(constant, _FLOOR**2), slope


class Gate:
    """Tags pairs.

    Args:
        section: settings.
        pairs: known pairs, by language.
        texts: language -> known texts.
    """

    def __init__(
        self, section: GateSection, pairs: Iterable[Mapping[str, str]], texts: Mapping[str, Sequence[str]]
    ) -> None:
        self.section = section
        self.ratios = usual_ratios(pairs)
        self.known = {tag: Known.of(found) for tag, found in texts.items()} if section.perplexity is not None else {}

    def tags(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        """The doubts about a pair."""
        found = []
        if any(damage(text) > self.section.damage for text in texts.values()):
            found.append(DAMAGED)
        if self._unlike(texts):
            found.append(LENGTH)
        if any(self.distance(tag, text) > (self.section.perplexity or 0) for tag, text in texts.items()):
            found.append(PERPLEXITY)
        if any(_elsewhere(text, tag) for tag, text in texts.items()):
            found.append(OTHER_LANGUAGE)
        return tuple(found)

    def distance(self, tag: str, text: str) -> float:
        """How far a text lies from the known ones of its language, in standard deviations; 0 where nothing is known."""
        known = self.known.get(tag)
        return known.distance(text) if known is not None else 0.0

    def _unlike(self, texts: Mapping[str, str]) -> bool:
        for (a, b), usual in self.ratios.items():
            if a in texts and b in texts:
                return abs(length_ratio(texts[a], texts[b]) - usual) > math.log(self.section.length_ratio)
        return False


def damage(text: str) -> float:
    """Share of the characters that only a wrong encoding or a failed recognition gives."""
    return sum(len(match) for match in _DAMAGE.findall(text)) / max(1, len(text))
