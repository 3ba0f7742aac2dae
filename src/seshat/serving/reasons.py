"""Why a translation is as it is: lexicon entries, nearest examples, words that stand nowhere."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import regex

from seshat.core.records import Entry
from seshat.corpus.duplicates import normalise
from seshat.evaluation.invented import invented_words
from seshat.inference.lexicon import Lexicon
from seshat.review.corrections import Correction
from seshat.serving.answers import Example, LexiconEntry, Used
from seshat.serving.search import SearchIndex
from seshat.text.words import words

_MOST_USED = 100
_KEYS = 24
"""Most letters that keys are offered for: two rows on a phone."""


class _Pair(NamedTuple):
    id: str
    source: str
    target: str
    origin: str | None
    by: str = ""
    at: str = ""


class _Memory:
    """Pairs of one direction, by likeness of the source; may grow. Of equal pairs the first is shown."""

    def __init__(self, pairs: Iterable[_Pair], added: Iterable[_Pair]) -> None:
        from seshat.text.similar import TrigramIndex

        self._pairs = _each_once(pairs)
        self._index = TrigramIndex([one.source for one in self._pairs])
        self._added = {one.id: one for one in added}
        self._new: TrigramIndex | None = None
        self._lock = threading.Lock()

    def add(self, pair: _Pair) -> None:
        with self._lock:
            self._added.pop(pair.id, None)
            self._added[pair.id] = pair
            self._new = None

    def nearest(self, text: str, count: int) -> list[Example]:
        from seshat.text.similar import TrigramIndex

        with self._lock:
            added = _each_once(self._added.values())
            new = self._new = self._new or TrigramIndex([one.source for one in added])
        found = [(self._pairs[place], near) for place, near in self._index.neighbours(text, count)]
        found += [(added[place], near) for place, near in new.neighbours(text, count)]
        found.sort(key=lambda one: -one[1])
        near = dict(reversed(found))  # a correction that was trained on stands in both
        return [
            Example(one.id, one.source, one.target, min(1.0, round(near[one], 4)), one.origin, one.by, one.at)
            for one in _each_once(one for one, _ in found)[:count]
        ]


def _each_once(pairs: Iterable[_Pair]) -> list[_Pair]:
    found: dict[tuple[str, str], _Pair] = {}
    for one in pairs:
        found.setdefault((one.source, one.target), one)
    return list(found.values())


class Reasons:
    """Looks up what explains translations, in what the viewer may see.

    Args:
        index: the search index.
        language: tag of the low-resource language.
        pivot: tag of the other.
        corrections: what is known already; :meth:`add` takes the ones that come.
    """

    def __init__(self, index: SearchIndex, language: str, pivot: str, corrections: Iterable[Correction]) -> None:
        self._index = index
        self._languages = language, pivot
        self._corrections = list(corrections)
        self._memories: dict[tuple[str, str], _Memory] = {}
        self._lock = threading.Lock()

    @cached_property
    def lexicon(self) -> Lexicon:
        """The lexicon that the viewer may see."""
        return Lexicon(self._index.entries(), *self._languages, self._index.attests)

    def used(self, text: str, source: str) -> tuple[Used, ...]:
        """The entries that stand in a text, in its order."""
        return tuple(
            Used(found.start, found.end, found.surface, found.entry.headword, found.meanings, found.exact)
            for found in self.lexicon.find(text, source)[:_MOST_USED]
        )

    def search(self, query: str, limit: int) -> list[LexiconEntry]:
        """Entries that a look-up finds; behind them those that only hold the words in an example or further gloss."""
        found = {hit.entry.id: hit.entry for hit in self.lexicon.search(query, limit)}
        said = [word.casefold() for word in words(query)]
        if said and len(found) < limit:
            for entry in self._index.holding(said, limit):
                found.setdefault(entry.id, entry)
        return [_shown(entry) for entry in list(found.values())[:limit]]

    @cached_property
    def letters(self) -> dict[str, list[LexiconEntry]]:
        """The dictionary of the project's language by the first letters of its headwords, in order."""
        found: dict[str, list[LexiconEntry]] = {}
        for entry in self._index.entries():
            first = regex.search(r"\p{L}\p{M}*", entry.headword)
            if entry.lang == self._languages[0] and first:
                found.setdefault(first[0].upper(), []).append(_shown(entry))
        return {letter: sorted(found[letter], key=lambda one: one.headword.casefold()) for letter in sorted(found)}

    @cached_property
    def special(self) -> list[str]:
        """Letters of the language that few keyboards have, the most frequent of its headwords first."""
        said = "".join(one.headword for some in self.letters.values() for one in some).casefold()
        counts = Counter(one for one in regex.findall(r"\p{L}\p{M}*", said) if not one.isascii())
        return [letter for letter, _ in counts.most_common(_KEYS)]

    @cached_property
    def _held_out(self) -> frozenset[str]:
        return frozenset(normalise(text) for one in self._index.held_out() for text in one.texts.values())

    def measured(self, *texts: str) -> bool:
        """Whether one of some texts stands in validation or test, in any language."""
        return any(normalise(text) in self._held_out for text in texts)

    def examples(self, text: str, source: str, target: str, count: int) -> tuple[Example, ...]:
        """The training pairs and corrections that are most like a text, most similar first."""
        return tuple(self._memory(source, target).nearest(text, count)) if count else ()

    def _memory(self, source: str, target: str) -> _Memory:
        with self._lock:
            if (source, target) not in self._memories:
                pairs = (
                    _Pair(one.id, one.texts[source], one.texts[target], one.meta.source)
                    for one in self._index.pairs(source, target)
                )
                added = (pair for one in self._corrections if (pair := _pair(one, source, target)))
                self._memories[source, target] = _Memory(pairs, added)
            return self._memories[source, target]

    def add(self, correction: Correction) -> None:
        """Show a correction from now on, where it fits; only one that the viewer may see."""
        with self._lock:
            self._corrections.append(correction)
            known = list(self._memories.items())
        for (source, target), memory in known:
            if pair := _pair(correction, source, target):
                memory.add(pair)

    def invented(self, text: str, source_text: str, target: str) -> tuple[str, ...]:
        """Words of a translation that stand in no text or entry of its language, nor in the source."""
        return tuple(dict.fromkeys(invented_words(text, source_text, _Attested(self._index, target))))

    def copied(self, text: str, source_text: str, target: str) -> tuple[str, ...]:
        """Words of a translation that stand in its source, and in no text or entry of its language."""
        own = invented_words(text, source_text, ())
        return tuple(
            dict.fromkeys(word for word in invented_words(text, "", _Attested(self._index, target)) if word not in own)
        )


@dataclass(frozen=True)
class _Attested:
    """The words of a language, as a container: the index is asked for one at a time."""

    index: SearchIndex
    language: str

    def __contains__(self, word: object) -> bool:
        return self.index.attests(str(word), self.language)


def _pair(correction: Correction, source: str, target: str) -> _Pair | None:
    """A correction as a pair of a direction; it holds the other way round too."""
    if (correction.source, correction.target) == (source, target):
        return _Pair(correction.id, correction.text, correction.translation, *_told(correction))
    if (correction.target, correction.source) == (source, target):
        return _Pair(correction.id, correction.translation, correction.text, *_told(correction))
    return None


def _told(correction: Correction) -> tuple[str, str, str]:
    return "corrections", correction.by, correction.at


def _shown(entry: Entry) -> LexiconEntry:
    return LexiconEntry(
        id=entry.id,
        language=entry.lang,
        headword=entry.headword,
        forms=entry.forms,
        pos=entry.pos,
        type=entry.type,
        glosses=tuple(sense.glosses for sense in entry.senses),
        examples=tuple(example.texts for sense in entry.senses for example in sense.examples),
        source=entry.meta.source,
    )
