"""Lexicon induction: likely new word pairs from the sentence pairs of the corpus.

Two word tables are learned, one in each direction; a pair is proposed where each word is the other's best translation
(the intersection of the two, as for word alignments: Och and Ney 2003, https://aclanthology.org/J03-1002, section
4.4), often enough. Nothing enters the lexicon by itself: the pairs go to a person (:mod:`seshat.data.lexicon_review`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from seshat.core.gate import least_open
from seshat.core.progress import task
from seshat.core.records import Access, Entry, Segment
from seshat.prompt.retrieval import dictionary_pairs, short_glosses
from seshat.text.lookup import PhraseIndex, common_beginning, fold, key
from seshat.text.words import word_spans

NAME = "name"
"""Type of a pair that looks like a proper name; a person says which kind."""
_SHORTEST_EXAMPLE = 4
"""Words of an example; shorter sentences show little."""
_NAME_SHARE = 0.8
_COMMON, _COMMON_SHARE = 3, 0.5
ITERATIONS = 8
"""Passes of expectation-maximisation."""


@dataclass(frozen=True)
class Pair:
    """A likely pair of words that mean the same."""

    word: str
    """In the low-resource language, as it is mostly written."""
    meaning: str
    """In the pivot, as it is mostly written."""
    type: str
    """``word``, or ``name`` where both are mostly written with a capital inside sentences."""
    score: float
    """0 to 1: the Dice coefficient of the two words over sentence pairs, times how sure the word tables are."""
    support: int
    """Sentence pairs that have both."""
    word_count: int
    """Sentence pairs that have the word."""
    meaning_count: int
    """Sentence pairs that have the meaning."""
    known: str
    """What the lexicon says the word means; empty: it does not have the word."""
    example: Segment
    """The shortest telling sentence pair that has both."""
    access: Access
    """The least open level of the sentence pairs that have both."""
    licences: tuple[str, ...]
    """Their licences."""

    @property
    def id(self) -> str:
        """The two words: the pair keeps its id when the corpus grows."""
        return f"{key(self.word)}={key(self.meaning)}"


@dataclass(frozen=True)
class Induced:
    """What was found."""

    pairs: list[Pair]
    """Pairs that the lexicon does not have, those of words that it does not have either first, then the surest."""
    confirmed: int
    """Pairs that were found and that the lexicon has already: word and meaning."""
    contradicted: int
    """Pairs whose word the lexicon has with other meanings only; some of them are among ``pairs``."""

    @property
    def agreement(self) -> float | None:
        """Of the pairs whose word the lexicon has, the share with one of its meanings, 0 to 1.

        What the pairs that nobody has checked can be expected to be worth at least: lexicons lack meanings.
        """
        judged = self.confirmed + self.contradicted
        return round(self.confirmed / judged, 3) if judged else None


@dataclass
class _Side:
    """The words of one language in the sentence pairs."""

    texts: list[str]
    said: list[list[str]] = field(default_factory=list)
    """Per sentence, its words as keys."""
    written: dict[str, Counter[str]] = field(default_factory=dict)
    """Key -> ways of writing it, inside sentences."""
    places: dict[str, list[int]] = field(default_factory=dict)
    """Key -> the sentences that have it."""

    def __post_init__(self) -> None:
        for number, text in enumerate(self.texts):
            row = []
            for place, (start, end) in enumerate(word_spans(text)):
                surface = text[start:end]
                one = key(surface)
                row.append(one)
                if place or len(text.split()) == 1:
                    self.written.setdefault(one, Counter())[surface] += 1
            self.said.append(row)
            for one in dict.fromkeys(row):
                self.places.setdefault(one, []).append(number)

    def spelling(self, one: str) -> str:
        """How a word is mostly written inside sentences; in small letters where it only begins them."""
        found = self.written.get(one)
        return min(found, key=lambda surface: (-found[surface], surface)) if found else one

    def is_name(self, one: str) -> bool:
        """Whether a word is mostly written with a capital inside sentences."""
        found = self.written.get(one)
        if not found:
            return False
        capitals = sum(count for surface, count in found.items() if surface[:1].isupper())
        return capitals >= _NAME_SHARE * found.total()


class Known:
    """What the lexicon says of words of the low-resource language.

    Args:
        entries: the lexicon.
        language: tag of the low-resource language.
        pivot: tag of the other one.
    """

    def __init__(self, entries: Iterable[Entry], language: str, pivot: str) -> None:
        self._meanings: dict[str, dict[str, None]] = {}
        for entry in entries:
            pairs = list(dictionary_pairs(entry, language, pivot))
            if entry.lang == language:
                pairs += [(form, gloss) for form in entry.forms for gloss in short_glosses(entry, pivot)]
            for word, meaning in pairs:
                self._meanings.setdefault(key(word), {})[meaning] = None
        self._words = PhraseIndex(self._meanings)

    def meanings(self, word: str) -> tuple[str, ...]:
        """The meanings of a word, or of the word that it is a form of."""
        found = next(self._words.find(word), None)
        return tuple(dict.fromkeys(meaning for one in found.keys for meaning in self._meanings[one])) if found else ()

    def says(self, word: str, meaning: str) -> bool:
        """Whether the lexicon has this meaning of the word, or a form of it.

        Here one word is compared with the few that the lexicon gives, so a common beginning of three letters that is
        half of the longer word will do: `pisó` is a form of `pisar`.
        """
        one = fold(meaning)
        for other in (fold(part) for known in self.meanings(word) for part in key(known).split()):
            shared = common_beginning(one, other)
            if one == other or shared >= max(_COMMON, _COMMON_SHARE * max(len(one), len(other))):
                return True
        return False

    def __contains__(self, word: str) -> bool:
        """Whether the lexicon has the word itself."""
        return word in self._words


def induce(
    segments: Iterable[Segment],
    entries: Iterable[Entry],
    language: str,
    pivot: str,
    *,
    min_support: int = 3,
    min_score: float = 0.3,
) -> Induced:
    """Find pairs of words that likely mean the same.

    Args:
        segments: sentence pairs to learn from; those in one language are passed over.
        entries: the lexicon; what it has is not proposed again.
        language: tag of the low-resource language.
        pivot: tag of the other one.
        min_support: sentence pairs that have to have both words.
        min_score: pairs below are left out, 0 to 1.
    """
    paired = [one for one in segments if one.texts.get(language, "").strip() and one.texts.get(pivot, "").strip()]
    sides = _Side([one.texts[language] for one in paired]), _Side([one.texts[pivot] for one in paired])
    known = Known(entries, language, pivot)
    pairs: list[Pair] = []
    confirmed = contradicted = 0
    for word, meaning, score, both in _mutual(*sides, min_support):
        if score < min_score:
            continue
        if known.says(word, meaning):
            confirmed += word in known
            continue
        contradicted += word in known
        name = sides[0].is_name(word) and sides[1].is_name(meaning)
        if word == meaning and not name:
            continue  # a loan word, or a word of the other language left in
        evidence = [paired[place] for place in both]
        pairs.append(
            Pair(
                word=sides[0].spelling(word),
                meaning=sides[1].spelling(meaning),
                type=NAME if name else "word",
                score=round(score, 4),
                support=len(both),
                word_count=len(sides[0].places[word]),
                meaning_count=len(sides[1].places[meaning]),
                known="; ".join(known.meanings(word)),
                example=_example(evidence, language, pivot),
                access=least_open(one.meta.access for one in evidence),
                licences=tuple(sorted({one.meta.licence for one in evidence if one.meta.licence})),
            )
        )
    pairs.sort(key=lambda pair: (pair.known != "", -pair.score, -pair.support, pair.id))
    return Induced(pairs, confirmed, contradicted)


def _mutual(first: _Side, second: _Side, min_support: int) -> Iterator[tuple[str, str, float, list[int]]]:
    """Words that are each other's best translation: with their score and the sentences that have both."""
    from seshat.text.wordtable import WordTable

    with task("learn word translations", 2) as advance:
        forth = WordTable.train(list(zip(first.said, second.said, strict=True)), ITERATIONS)
        advance(1)
        back = WordTable.train(list(zip(second.said, first.said, strict=True)), ITERATIONS)
        advance(1)
    for word in sorted(first.places):
        meaning = forth.best(word)
        if not meaning or not _is_word(word) or not _is_word(meaning) or back.best(meaning) != word:
            continue
        both = sorted(set(first.places[word]) & set(second.places[meaning]))
        if len(both) >= min_support:
            dice = 2 * len(both) / (len(first.places[word]) + len(second.places[meaning]))
            sure = math.sqrt(forth.probability(word, meaning) * back.probability(meaning, word))
            yield word, meaning, math.sqrt(dice * sure), both


def _is_word(text: str) -> bool:
    return any(letter.isalpha() for letter in text)


def _example(evidence: Sequence[Segment], language: str, pivot: str) -> Segment:
    """The shortest pair of at least a few words, of equals the first."""

    def cost(segment: Segment) -> tuple[bool, int]:
        few = min(len(segment.texts[tag].split()) for tag in (language, pivot)) < _SHORTEST_EXAMPLE
        return few, len(segment.texts[language]) + len(segment.texts[pivot])

    return min(evidence, key=cost)
