"""Filters of the ``clean`` stage: each says whether a record looks wrong, and gives the reason as a tag.

Nothing is deleted here; what a tag means for training is decided by the split.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import exp, log
from typing import NamedTuple

from seshat.config.clean import FilterSection
from seshat.core.records import Segment
from seshat.corpus import measures  # noqa: F401 - enters them in the registry
from seshat.corpus.registry import MEASURES, View

SHORT = 10
"""Characters added to both lengths before they are compared: one word against a short definition is no outlier."""

OTHER_LANGUAGE = "clean:other-language"

NO_WORD = "clean:no-word"
Pair = tuple[str, str]


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


class _Limit(NamedTuple):
    """What a measure may say of a text, and the tag of one of which it says something else."""

    tag: str
    measure: str
    least: float = -math.inf
    most: float = math.inf


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
        yield from self._beyond(self._view(text, language), self._of_any)

    def of_segment(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        """All reasons to dislike a segment, each once, in a fixed order."""
        views = [self._view(text, language) for language, text in texts.items()]
        tags = [tag for view in views for tag in self._beyond(view, self._of_any)]
        if any(self._is_ratio_odd(texts[a], texts[b], (a, b)) for a, b in combinations(sorted(texts), 2)):
            tags.append("clean:length-ratio")
        if self.section.max_copied_share < 1.0 and any(
            copied_share(a.words, b.words) > self.section.max_copied_share for a, b in combinations(views, 2)
        ):
            tags.append("clean:copied")
        tags += [tag for limit in self._of_sentences for view in views for tag in self._beyond(view, (limit,))]
        return tuple(dict.fromkeys(tags))

    def languages_of(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """Segments that were made after ``clean``, tagged where a text is in another language than it claims.

        As everywhere, segments that their source fixes as the test set are left alone.
        """
        for segment in segments:
            if segment.meta.split != "test" and any(
                list(self._beyond(self._view(text, language), (self._of_language,)))
                for language, text in segment.texts.items()
            ):
                segment = segment.model_copy(update={"meta": segment.meta.tagged(OTHER_LANGUAGE)})
            yield segment

    @cached_property
    def _of_any(self) -> tuple[_Limit, ...]:
        section = self.section
        return (
            _Limit(NO_WORD, "wordless", most=0.5),
            _Limit("clean:too-short", "characters", least=section.min_characters),
            _Limit("clean:too-long", "characters", most=section.max_characters),
            _Limit("clean:wrong-script", "script_share", least=section.min_script_share),
        )

    @cached_property
    def _of_sentences(self) -> tuple[_Limit, ...]:
        """Of whole sentences, not of the headwords of a lexicon."""
        return _Limit("clean:repetition", "repetition", most=self.section.max_repetition), self._of_language

    @cached_property
    def _of_language(self) -> _Limit:
        foreign = self.section.max_foreign_words
        return _Limit(OTHER_LANGUAGE, "foreign_words", most=math.inf if foreign is None else foreign)

    def _view(self, text: str, language: str) -> View:
        return View((text,), language, self.scripts.get(language), placeholders=self.placeholders)

    def _beyond(self, view: View, limits: Iterable[_Limit]) -> Iterator[str]:
        for limit in limits:
            number = MEASURES[limit.measure](view)
            if number is not None and not limit.least <= number <= limit.most:
                yield limit.tag

    def _is_ratio_odd(self, a: str, b: str, pair: Pair) -> bool:
        if not a or not b:
            return False  # too short already
        return exp(abs(length_ratio(a, b) - self.ratios.get(pair, 0.0))) > self.section.max_length_ratio


def copied_share(a: list[str], b: list[str]) -> float:
    """Share of the words of two texts that stand on both sides (Dice), 0 to 1."""
    if not a or not b:
        return 0.0
    common = (Counter(a) & Counter(b)).total()
    return 2 * common / (len(a) + len(b))
