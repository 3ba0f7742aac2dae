"""Scores of interlinear glosses: those of the SIGMORPHON 2023 shared task, and figures per label.

The shared task (Ginn et al. 2023) counts a word as right when all its glosses are, and a morpheme by its place in the
word. A gloss too many or too few then makes all behind it wrong, so errors are also counted after an alignment
(Levenshtein 1966), as a share of the glosses that people gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Levenshtein

Word = tuple[str, ...]
"""The glosses of a word."""
Z = 1.96
"""Of a normal distribution, for an interval of 95 %."""


class Share(NamedTuple):
    """A share of a number of cases, 0 to 1, with its interval of 95 % (Wilson 1927)."""

    value: float
    low: float
    high: float
    of: int
    """How many cases."""


@dataclass(frozen=True)
class GlossScores:
    """How good glosses are."""

    words: Share
    """Words of which all glosses are right."""
    morphemes: Share
    """Glosses that are right, by their place in the word."""
    error: float
    """Glosses to insert, take away or replace, by those that people gave."""
    stems: Share
    """Glosses that are meanings, found in their word whatever its other glosses."""
    categories: Share
    """Glosses that are grammatical, likewise."""
    labels: dict[str, Share]
    """The same for each grammatical gloss, the most frequent first."""


def share(right: int, count: int) -> Share:
    """A share with its interval."""
    if not count:
        return Share(0.0, 0.0, 1.0, 0)
    value, square = right / count, Z * Z
    middle = (value + square / (2 * count)) / (1 + square / count)
    half = Z * float(np.sqrt(value * (1 - value) / count + square / (4 * count * count))) / (1 + square / count)
    return Share(value, max(0.0, middle - half), min(1.0, middle + half), count)


def gloss_scores(
    gold: Iterable[Sequence[Word]], found: Iterable[Sequence[Word]], is_grammatical: Callable[[str], bool]
) -> GlossScores:
    """Compare glosses with those of people.

    Args:
        gold: sentences of words of glosses.
        found: as many sentences; a word that is missing is wrong.
        is_grammatical: tells categories from meanings.
    """
    words, morphemes, errors, total = 0, 0, 0, 0
    cases: Counter[str] = Counter()
    right: Counter[str] = Counter()
    number = 0
    for sentence, answer in zip(gold, found, strict=True):
        for place, word in enumerate(sentence):
            said = answer[place] if place < len(answer) else ()
            number, total = number + 1, total + len(word)
            words += word == said
            morphemes += sum(one == other for one, other in zip(word, said, strict=False))
            errors += Levenshtein.distance(word, said)
            cases.update(word)
            right.update(Counter(word) & Counter(said))
    categories = [label for label, _ in cases.most_common() if is_grammatical(label)]
    stems = [label for label in cases if not is_grammatical(label)]

    def over(labels: Sequence[str]) -> Share:
        return share(sum(right[label] for label in labels), sum(cases[label] for label in labels))

    return GlossScores(
        words=share(words, number),
        morphemes=share(morphemes, total),
        error=errors / max(1, total),
        stems=over(stems),
        categories=over(categories),
        labels={label: over([label]) for label in categories},
    )
