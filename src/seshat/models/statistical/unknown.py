"""Words that the phrase table does not know: copied, translated through a known relative, or spelt as in the target.

What an unknown word may become is offered to the decoder with features of its own, so that tuning decides how far to
trust each way:

- *copy*: the word as it is written (a name, a loan word);
- *stem*: what a known word of the same stem becomes, when the two differ by affixes that also tell other known words
  apart (``inversionesbaon`` beside ``inversiones``);
- *cognate*: a word of the target texts that the unknown word begins with, or is spelt much like.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from seshat.models.statistical.tokens import fold, is_word

MIN_STEM = 3
"""Letters that two words must share to be relatives."""
_MAX_AFFIX = 10
_MIN_AFFIX_COUNT = 3
RELATIVES = 3
"""Known relatives tried for one unknown word."""
COGNATES = 2


@dataclass(frozen=True)
class Relative:
    """A known word that resembles an unknown one."""

    word: str
    cost: float
    """0 for the same word; grows with what is not shared."""


class Affixes:
    """Endings and beginnings that tell known words of one stem apart."""

    def __init__(self, words: Iterable[str]) -> None:
        known = sorted({word for word in words if is_word(word)})
        self.suffixes = self._learn(known)
        self.prefixes = self._learn([word[::-1] for word in known])

    @staticmethod
    def _learn(known: Sequence[str]) -> dict[str, int]:
        """Endings that turn a known word into another known word, and how often."""
        vocabulary = set(known)
        counts: Counter[str] = Counter()
        for word in known:
            for cut in range(max(MIN_STEM, len(word) - _MAX_AFFIX), len(word)):
                if word[:cut] in vocabulary:
                    counts[word[cut:]] += 1
        return {suffix: count for suffix, count in counts.items() if count >= _MIN_AFFIX_COUNT}


class Relatives:
    """Finds known words that share a stem with an unknown one."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = sorted({word for word in known if is_word(word)})
        self.vocabulary = set(self.known)
        affixes = Affixes(self.known)
        self.suffixes, self.prefixes = affixes.suffixes, affixes.prefixes
        self._by_start: dict[str, list[str]] = defaultdict(list)
        self._by_end: dict[str, list[str]] = defaultdict(list)
        for word in self.known:
            if len(word) >= MIN_STEM:
                self._by_start[word[: MIN_STEM + 1]].append(word)
                self._by_end[word[-MIN_STEM - 1 :]].append(word)

    def find(self, word: str, limit: int = RELATIVES) -> list[Relative]:
        """Known words like ``word``, the nearest first."""
        found: dict[str, float] = {}
        candidates = set(self._by_start.get(word[: MIN_STEM + 1], ())) | set(
            self._by_end.get(word[-MIN_STEM - 1 :], ())
        )
        for cut in range(MIN_STEM, len(word)):
            if word[:cut] in self.vocabulary:
                candidates.add(word[:cut])
            if word[-cut:] in self.vocabulary:
                candidates.add(word[-cut:])
        for other in candidates:
            cost = self._cost(word, other)
            if cost is not None:
                found[other] = cost
        best = sorted(found, key=lambda other: (found[other], other))[:limit]
        return [Relative(other, found[other]) for other in best]

    def _cost(self, word: str, other: str) -> float | None:
        """How much of the two words is not shared; ``None`` when they are no relatives."""
        start = _common(word, other)
        end = _common(word[start:][::-1], other[start:][::-1])
        shared = start + end
        longest = max(len(word), len(other))
        if shared < MIN_STEM or 2 * shared < longest:
            return None
        cost = longest / shared - 1.0
        ending, other_ending = word[start:], other[start:]
        if end == 0:  # differ in the ending alone: known endings cost less
            unknown = (ending not in self.suffixes and ending != "") + (
                other_ending not in self.suffixes and other_ending != ""
            )
            return cost + 0.3 * unknown
        return cost + 0.4


def _common(a: str, b: str) -> int:
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return length


class Cognates:
    """Finds target words that an unknown source word begins with or is spelt like."""

    def __init__(self, target_words: Iterable[str]) -> None:
        """Args: target_words: in their usual spelling, the most frequent first."""
        self._forms: dict[str, str] = {}
        for word in target_words:
            if is_word(word) and len(word) > MIN_STEM:
                self._forms.setdefault(fold(word), word)

    def find(self, surface: str, limit: int = COGNATES) -> list[Relative]:
        """Target words, in their own spelling, the nearest first."""
        key = fold(surface)
        found: list[Relative] = []
        for cut in range(len(key), MIN_STEM, -1):
            form = self._forms.get(key[:cut])
            if form is not None:
                found.append(Relative(form, (len(key) - cut) / cut))
        return found[:limit]


def log_cost(cost: float) -> float:
    """A cost as a feature: 0 when there is none, falling with it."""
    return -log(1.0 + cost)
