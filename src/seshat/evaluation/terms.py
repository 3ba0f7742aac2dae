"""Term accuracy: whether a translation says what the lexicon says of the words of its source.

Of the entries that stand in a source and whose meaning the human translation has, the share whose meaning the
machine's has too. Where the human translator chose another word, nothing is asked of the machine. Words and meanings
are found as everywhere (:mod:`seshat.text.lookup`), so endings do not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seshat.config import Direction
from seshat.core.records import Entry
from seshat.inference.lexicon import Lexicon
from seshat.report.results import MissedTerm
from seshat.scores.metrics import Counts
from seshat.text.lookup import PhraseIndex, key

LISTED = 20
"""Most terms that the report lists as missed."""


@dataclass(frozen=True)
class Term:
    """A word of a source that the lexicon has, and its meanings."""

    word: str
    meanings: tuple[str, ...]

    def said_in(self, keys: set[str]) -> bool:
        """Whether one of its meanings is among those found in a text."""
        return any(key(meaning) in keys for meaning in self.meanings)


class Terms:
    """The terms of a test set in one direction.

    Args:
        entries: the lexicon.
        direction: from and into which language.
        sources: the texts.
        references: their human translations.
    """

    def __init__(
        self, entries: Iterable[Entry], direction: Direction, sources: Sequence[str], references: Sequence[str]
    ) -> None:
        self._lexicon = Lexicon(entries, *direction)
        self._source = direction.source
        standing = [self._standing(source) for source in sources]
        # An index for each sentence: in one of the whole lexicon, `perro de monte` would hide `perro`.
        self._indexes = [PhraseIndex(key(m) for term in terms for m in term.meanings) for terms in standing]
        self._terms = [
            [term for term in terms if term.said_in(_said(index, reference))]
            for terms, index, reference in zip(standing, self._indexes, references, strict=True)
        ]

    def __len__(self) -> int:
        """How many terms are asked for."""
        return sum(map(len, self._terms))

    def _standing(self, source: str) -> list[Term]:
        """The words of a text that the lexicon has; what is the same in both languages is no term, but a copy."""
        places: dict[tuple[int, int], tuple[str, dict[str, None]]] = {}
        for match in self._lexicon.find(source, self._source, near=False):
            found = places.setdefault((match.start, match.end), (match.found, {}))
            found[1].update(dict.fromkeys(m for m in match.meanings if key(m) not in (key(match.found), "")))
        return [Term(word, tuple(meanings)) for word, meanings in places.values() if meanings]

    def count(self, translations: Sequence[str]) -> Counts:
        """Per sentence: terms that the translation says, and terms asked for."""
        rows = [(sum(said), len(said)) for said in self._judge(translations)]
        return np.array(rows, dtype=np.int64).reshape(-1, 2)

    def _judge(self, translations: Sequence[str]) -> list[list[bool]]:
        keys = [_said(index, text) for index, text in zip(self._indexes, translations, strict=True)]
        return [[term.said_in(said) for term in terms] for terms, said in zip(self._terms, keys, strict=True)]

    def missed(self, translations: Sequence[str]) -> list[MissedTerm]:
        """The terms that are missed most often."""
        asked: Counter[Term] = Counter()
        missed: Counter[Term] = Counter()
        for terms, judged in zip(self._terms, self._judge(translations), strict=True):
            asked.update(terms)
            missed.update(term for term, said in zip(terms, judged, strict=True) if not said)
        listed = sorted(missed.items(), key=lambda item: (-item[1], item[0].word, item[0].meanings))[:LISTED]
        return [
            MissedTerm(word=term.word, meanings=list(term.meanings), asked=asked[term], missed=count)
            for term, count in listed
        ]


def _said(index: PhraseIndex, text: str) -> set[str]:
    return {one for found in index.find(text) for one in found.keys}
