"""The two sides of a pair: one missing, swapped, copied, or of odd length."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from math import exp, log
from random import Random
from typing import Any, NamedTuple

from seshat.core.records import Entry, Meta, Segment
from seshat.corpus.duplicates import is_long, normalise
from seshat.data.check.base import Check, Finding, Places, percent, place_of
from seshat.data.filters import length_ratio
from seshat.text.words import words

_SAMPLE = 20_000
"""Pairs whose languages are looked at; a larger corpus is sampled."""
_MARGIN = 0.5
"""Mean log-odds per trigram from which a text looks like the other language: a text of 20 letters is then some
20,000 times likelier there."""
_LETTERS = 10
"""Shorter texts say too little about their language."""
_MANY = 0.05


class OneSided(Check):
    """Sources of pairs in which a side is empty."""

    name = "empty sides"
    two_sided = True

    def start(self) -> None:
        self.pairs: Counter[str] = Counter()
        self.missing: dict[tuple[str, str], Places] = defaultdict(Places)

    def segment(self, segment: Segment) -> None:
        source = segment.meta.source or "unknown"
        absent = [lang for lang in self.view.languages if not segment.texts.get(lang, "").strip()]
        if not absent:
            self.pairs[source] += 1
        for lang in absent:
            self.missing[source, lang].add(segment.meta)

    def findings(self) -> Iterator[Finding]:
        for (source, lang), places in sorted(self.missing.items()):
            if self.pairs[source]:
                yield self.found(
                    "warning",
                    f"{places.count} segments of '{source}' have no text in "
                    f"{self.view.config.project.language_name(lang)}, the other {self.pairs[source]} have; they count "
                    "as monolingual.",
                    places,
                    "Fill the cells, or leave them: nothing is lost.",
                )


class Copied(Check):
    """Pairs that say the same on both sides."""

    name = "copied"
    two_sided = True

    def start(self) -> None:
        self.copied: dict[str, Places] = defaultdict(Places)
        self.pairs: Counter[str] = Counter()

    def segment(self, segment: Segment) -> None:
        one, other = (normalise(segment.texts.get(lang, "")) for lang in self.view.languages)
        if not one or not other:
            return
        source = segment.meta.source or "unknown"
        self.pairs[source] += 1
        if one == other and is_long(one, self.view.config.split.min_words):
            self.copied[source].add(segment.meta)

    def findings(self) -> Iterator[Finding]:
        for source, places in sorted(self.copied.items()):
            yield self.found(
                "warning" if places.count > _MANY * self.pairs[source] else "info",
                f"{places.count} pairs of '{source}' ({percent(places.count, self.pairs[source])}) are the same on "
                "both sides.",
                places,
                "Untranslated rows teach a model to copy; clean.filters.max_copied_share: 0.9 tags them.",
            )


class Lengths(Check):
    """Pairs whose lengths are far from the usual ratio of the two languages."""

    name = "lengths"
    two_sided = True

    def start(self) -> None:
        self.histogram: Counter[int] = Counter()
        self.longest: list[tuple[float, int, str]] = []
        self.shortest: list[tuple[float, int, str]] = []

    def segment(self, segment: Segment) -> None:
        one, other = (segment.texts.get(lang, "") for lang in self.view.languages)
        if not one.strip() or not other.strip():
            return
        ratio = length_ratio(one, other)
        self.histogram[round(100 * ratio)] += 1
        number, push = self.histogram.total(), heapq.heappush if len(self.longest) < 5 else heapq.heappushpop
        if len(self.longest) < 5 or ratio > self.longest[0][0] or -ratio > self.shortest[0][0]:
            place = place_of(segment.meta)
            push(self.longest, (ratio, -number, place))
            push(self.shortest, (-ratio, -number, place))

    def _median(self) -> float:
        seen = 0
        for value, count in sorted(self.histogram.items()):
            seen += count
            if seen * 2 >= self.histogram.total():
                return value / 100
        return 0.0

    def findings(self) -> Iterator[Finding]:
        most = self.view.config.clean.filters.max_length_ratio
        usual, limit = self._median(), log(most)
        odd = sum(count for value, count in self.histogram.items() if abs(value / 100 - usual) > limit)
        extremes = [(abs(ratio - usual), place) for ratio, _, place in self.longest]
        extremes += [(abs(-ratio - usual), place) for ratio, _, place in self.shortest]
        first = [f"{place} ({exp(far):.0f} times)" for far, place in sorted(extremes, reverse=True) if far > limit]
        if odd:
            yield self.found(
                "info",
                f"{odd} pairs are more than {most:g} times longer on one side than usual.",
                Places(odd, list(dict.fromkeys(first))[:5]),
                "Often a row that slipped, or a side that holds a comment. clean tags them clean:length-ratio.",
            )

    def stats(self) -> dict[str, Any]:
        one, other = self.view.languages
        return {f"usual length of {one} / {other}": round(exp(self._median()), 3)} if self.histogram else {}


class _Row(NamedTuple):
    number: int
    source: str
    place: str
    texts: tuple[str, str]
    entry: bool


class Swapped(Check):
    """Texts that look like the other language, told by their letters (trigrams of both sides of the whole corpus).

    Monolingual text teaches the profiles too, so that even a corpus that is swapped for the most part is found.
    """

    name = "columns"
    two_sided = True

    def start(self) -> None:
        self.random = Random(self.view.config.project.seed)
        self.rows: list[_Row] = []
        self.seen = 0
        self.profiles: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self.alone: Counter[int] = Counter()
        self.checked: Counter[str] = Counter()

    def segment(self, segment: Segment) -> None:
        one, other = (segment.texts.get(lang, "") for lang in self.view.languages)
        if one.strip() and other.strip():
            self._keep(segment.meta, (one, other), entry=False)
        else:
            for side, text in enumerate((one, other)):
                if text.strip() and self.alone[side] < _SAMPLE:
                    self.alone[side] += 1
                    self.profiles[side].update(_trigrams(text))

    def entry(self, entry: Entry) -> None:
        lang, pivot = self.view.languages
        glosses = "; ".join(gloss for sense in entry.senses for gloss in sense.glosses.get(pivot, ()))
        if entry.lang == lang and glosses:
            self._keep(entry.meta, (entry.headword, glosses), entry=True)

    def _keep(self, meta: Meta, texts: tuple[str, str], *, entry: bool) -> None:
        """Reservoir sampling (algorithm R)."""
        self.seen += 1
        place = len(self.rows) if self.seen <= _SAMPLE else self.random.randrange(self.seen)
        if place < _SAMPLE:
            self.rows[place : place + 1] = [_Row(self.seen, meta.source or "unknown", place_of(meta), texts, entry)]

    def findings(self) -> Iterator[Finding]:
        for row in self.rows:
            for side in (0, 1):
                self.profiles[side].update(_trigrams(row.texts[side]))
        one, other = self.profiles
        kinds = len(one.keys() | other.keys())
        self.totals = one.total() + kinds, other.total() + kinds
        self.rows.sort(key=lambda row: row.number)
        swapped: dict[str, Places] = defaultdict(Places)
        foreign: dict[tuple[str, int], Places] = defaultdict(Places)
        for row in self.rows:
            self.checked[row.source] += 1
            odds = [self._odds(row.texts[side], side) for side in (0, 1)]
            if row.entry:
                if sum(odds) < -_MARGIN:
                    _count(swapped[row.source], row)
            elif max(odds) < -_MARGIN / 2:
                _count(swapped[row.source], row)
            elif min(odds) < -_MARGIN:
                _count(foreign[row.source, odds.index(min(odds))], row)
        yield from self._swapped(swapped)
        yield from self._foreign(foreign)

    def _odds(self, text: str, side: int) -> float:
        """Mean log-odds per trigram that a text is in the language of its side; 0 for a short text."""
        grams = _trigrams(text)
        if len(grams) < _LETTERS:
            return 0.0
        own, other = self.profiles[side], self.profiles[1 - side]
        total, total_other = self.totals[side], self.totals[1 - side]
        # The text itself is in the profile of its side: without it, an unusual text would vouch for itself.
        odds = sum(
            n * log((max(0, own[gram] - n) + 1) * total_other / ((other[gram] + 1) * total))
            for gram, n in Counter(grams).items()
        )
        return odds / len(grams)

    def _swapped(self, swapped: dict[str, Places]) -> Iterator[Finding]:
        one, other = (self.view.config.project.language_name(lang) for lang in self.view.languages)
        for source, places in sorted(swapped.items()):
            share = places.count / self.checked[source]
            entry = any(row.entry for row in self.rows if row.source == source)
            if entry and share < 0.5:
                continue  # single words: only a whole source can be told
            yield self.found(
                "error" if share > 0.5 else "warning",
                f"{places.count} of {self.checked[source]} records of '{source}' look swapped: what is given as {one} "
                f"looks like {other}, and the reverse.",
                places,
                "Exchange the two columns of this source in seshat.yaml." if share > 0.5 else "Look at these lines.",
            )

    def _foreign(self, foreign: dict[tuple[str, int], Places]) -> Iterator[Finding]:
        names = [self.view.config.project.language_name(lang) for lang in self.view.languages]
        for (source, side), places in sorted(foreign.items()):
            yield self.found(
                "warning" if places.count > _MANY * self.checked[source] else "info",
                f"{places.count} of {self.checked[source]} records of '{source}' have a {names[side]} side that looks "
                f"like {names[1 - side]}.",
                places,
                "Untranslated, or with many names and loan words. Look at some of them.",
            )

    def stats(self) -> dict[str, Any]:
        return {"pairs": self.seen, "sampled": len(self.rows)}


def _count(places: Places, row: _Row) -> None:
    places.count += 1
    if len(places.first) < 5:
        places.first.append(row.place)


def _trigrams(text: str) -> list[str]:
    padded = [f" {word} " for word in words(text.casefold())]
    return [word[i : i + 3] for word in padded for i in range(len(word) - 2)]
