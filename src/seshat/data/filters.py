"""Filters of the ``clean`` stage: each says whether a record looks wrong, and gives the reason as a tag.

Nothing is deleted here; what a tag means for training is decided by the split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import exp, log

import regex

from seshat.config.clean import FilterSection
from seshat.core.records import Segment
from seshat.text.scripts import script_share
from seshat.text.tongues import foreign_words
from seshat.text.words import words

SHORT = 10
"""Characters added to both lengths before they are compared: one word against a short definition is no outlier."""

FEW_WORDS = 5
"""Texts of fewer words are not tested for repetition: "no no" and reduplication are language."""

OTHER_LANGUAGE = "clean:other-language"

NO_WORD = "clean:no-word"
_MARK = regex.compile(r"<[^<>]{1,40}>|\[[^\[\]]{0,40}\.\.\.[^\[\]]{0,40}\]")
"""A mark in the place of a text, such as ``<range>`` for a verse that is translated with the one before."""

Pair = tuple[str, str]


def is_wordless(text: str, placeholders: Sequence[str] = ()) -> bool:
    """Whether a text has no letter and no digit besides marks; placeholders of the project stand for words."""
    if any(one.isalnum() for one in text) and "<" not in text and "[" not in text:
        return False
    if any(one in text for one in placeholders):
        return False
    return not any(one.isalnum() for one in _MARK.sub("", text))


def length_ratio(a: str, b: str) -> float:
    """Natural logarithm of the ratio of two lengths in characters, smoothed for short texts."""
    return log((len(a) + SHORT) / (len(b) + SHORT))


def usual_ratios(texts: Iterable[Mapping[str, str]]) -> dict[Pair, float]:
    """The usual length ratio of every pair of languages: the median over the corpus of :func:`length_ratio`.

    Args:
        texts: texts by language tag, one mapping a segment; read once, in constant memory.

    Returns:
        Pair of language tags in alphabetical order -> logarithm of the ratio, to the nearest hundredth.
    """
    histograms: dict[Pair, Counter[int]] = {}
    for sides in texts:
        for a, b in combinations(sorted(sides), 2):
            histograms.setdefault((a, b), Counter())[round(100 * length_ratio(sides[a], sides[b]))] += 1
    return {pair: _median(histogram) / 100 for pair, histogram in sorted(histograms.items())}


def _median(histogram: Counter[int]) -> int:
    half, seen = histogram.total() / 2, 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= half:
            return value
    return 0


@dataclass(frozen=True)
class Filters:
    """The thresholds, and what the corpus says is usual."""

    section: FilterSection
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Language tag -> script, for the languages that give one."""
    ratios: Mapping[Pair, float] = field(default_factory=dict)
    """What :func:`usual_ratios` found."""
    placeholders: Sequence[str] = ()
    """What stands for words that cannot be read."""

    def of_text(self, text: str, language: str) -> Iterator[str]:
        """Reasons that one text gives by itself."""
        section = self.section
        if text and is_wordless(text, self.placeholders):
            yield NO_WORD
        if len(text) < section.min_characters:
            yield "clean:too-short"
        elif len(text) > section.max_characters:
            yield "clean:too-long"
        script = self.scripts.get(language)
        if script is not None:
            share = script_share(text, script)
            if share is not None and share < section.min_script_share:
                yield "clean:wrong-script"

    def of_segment(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        """All reasons to dislike a segment, each once, in a fixed order."""
        tags = [tag for language, text in texts.items() for tag in self.of_text(text, language)]
        if any(self._is_ratio_odd(texts[a], texts[b], (a, b)) for a, b in combinations(sorted(texts), 2)):
            tags.append("clean:length-ratio")
        in_words = _in_words(texts)
        if self.section.max_copied_share < 1.0 and any(
            copied_share(a, b) > self.section.max_copied_share for a, b in combinations(in_words.values(), 2)
        ):
            tags.append("clean:copied")
        if any(repetition(side) > self.section.max_repetition for side in in_words.values()):
            tags.append("clean:repetition")
        if self._is_foreign(in_words):
            tags.append(OTHER_LANGUAGE)
        return tuple(dict.fromkeys(tags))

    def languages_of(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """Segments that were made after ``clean``, tagged where a text is in another language than it claims.

        As everywhere, segments that their source fixes as the test set are left alone.
        """
        for segment in segments:
            if segment.meta.split != "test" and self._is_foreign(_in_words(segment.texts)):
                segment = segment.model_copy(update={"meta": segment.meta.tagged(OTHER_LANGUAGE)})
            yield segment

    def _is_foreign(self, in_words: Mapping[str, list[str]]) -> bool:
        most = self.section.max_foreign_words
        return most is not None and any(foreign_words(side, language) > most for language, side in in_words.items())

    def _is_ratio_odd(self, a: str, b: str, pair: Pair) -> bool:
        if not a or not b:
            return False  # too short already
        return exp(abs(length_ratio(a, b) - self.ratios.get(pair, 0.0))) > self.section.max_length_ratio


def _in_words(texts: Mapping[str, str]) -> dict[str, list[str]]:
    return {language: [word.casefold() for word in words(text)] for language, text in texts.items()}


def copied_share(a: list[str], b: list[str]) -> float:
    """Share of the words of two texts that stand on both sides (Dice), 0 to 1."""
    if not a or not b:
        return 0.0
    common = (Counter(a) & Counter(b)).total()
    return 2 * common / (len(a) + len(b))


def repetition(text: list[str]) -> float:
    """Share of the words that repeat the word before; 0 for a text of few words."""
    if len(text) < FEW_WORDS:
        return 0.0
    return sum(a == b for a, b in pairwise(text)) / len(text)
