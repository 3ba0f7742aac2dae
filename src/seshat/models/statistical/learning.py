"""Learning from one sentence pair at once: its phrase pairs join the table as if the table had been counted with them.

Thot's own online training (``train_sentence_pair``) cannot be used here: it crashes with alignment models that are not
incremental, with incremental ones three lessons changed no translation, and what it learns goes into a phrase table
that the decoder writes anew for every batch and a language model whose counts are those of Kneser and Ney.

The pair is aligned by what the table knows already; what is left over on both sides belongs together. All phrase pairs
consistent with that (:func:`seshat.models.statistical.phrases.extract`) are added to the counts from which the
relative frequencies of the table come.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import exp, log
from typing import Protocol

from seshat.models.statistical.alignment import Links
from seshat.models.statistical.phrases import Phrase, Scores, extract

WEIGHT = 3.0
"""How many times a correction counts: a person looked at just this sentence."""
MOST = 60
"""Longest side, in tokens: of a longer pair only the whole is remembered, elsewhere."""
_SURE = 0.1
"""Share of a word's translations that must hold a target word before the two are linked."""


class Table(Protocol):
    """A phrase table that can be asked."""

    def lookup(self, source: str) -> list[tuple[Phrase, Scores]]:
        """Translations of a source phrase, tokens joined by spaces, with their scores."""
        ...


class LearnedTable:
    """A phrase table on disk and what was learned since.

    Args:
        table: the table on disk.
        max_phrase: most tokens of a side.
    """

    def __init__(self, table: Table, max_phrase: int) -> None:
        self._table = table
        self._max_phrase = max_phrase
        self._learned: dict[str, Counter[Phrase]] = defaultdict(Counter)
        self._of_target: Counter[Phrase] = Counter()

    def lookup(self, source: str) -> list[tuple[Phrase, Scores]]:
        """Translations of a source phrase (tokens joined by spaces), best first, as :class:`PhraseTable` has them."""
        known = self._table.lookup(source)
        if source not in self._learned:
            return known
        rows = list(_merge(dict(known), self._learned[source], self._of_target).items())
        rows.sort(key=lambda row: (-row[1][0] - 0.2 * row[1][2], row[0]))
        return rows

    def learn(self, source: Sequence[str], target: Sequence[str]) -> int:
        """Add a sentence pair (source keys, target tokens); returns how many phrase pairs it gave."""
        if not source or not target or max(len(source), len(target)) > MOST:
            return 0
        counts = extract([(source, target)], [self.align(source, target)], self._max_phrase)
        pairs = dict(counts.phrases)
        if max(len(source), len(target)) <= self._max_phrase:  # the whole, whatever its alignment
            pairs.setdefault((tuple(source), tuple(target)), 1)
        for (of, to), count in pairs.items():
            self._learned[" ".join(of)][to] += count
            self._of_target[to] += count
        return len(pairs)

    def align(self, source: Sequence[str], target: Sequence[str]) -> Links:
        """Link every target token to the source token whose known translations hold it most surely; then what is left.

        Returns:
            Pairs of places (source, target), sorted.
        """
        links: set[tuple[int, int]] = set()
        shares = [self._shares(key) for key in source]
        for j, token in enumerate(target):
            # Of equally sure ones the one nearest to the diagonal: a word that stands twice goes to its own place.
            far = [abs(i / len(source) - j / len(target)) for i in range(len(source))]
            best = max(range(len(source)), key=lambda i: (shares[i].get(token, 0.0), -far[i]))
            if shares[best].get(token, 0.0) >= _SURE:
                links.add((best, j))
        return sorted(links | _left_over(links, len(source), len(target)))

    def _shares(self, key: str) -> dict[str, float]:
        """Target token -> share of the key's translations that hold it; a key is always a translation of itself."""
        found: dict[str, float] = defaultdict(float)
        for phrase, scores in self.lookup(key):
            for token in set(phrase):
                found[token] += exp(scores[0])
        found[key] = max(found[key], 2 * _SURE)
        return found


def _left_over(links: set[tuple[int, int]], rows: int, columns: int) -> set[tuple[int, int]]:
    """Links between the unlinked tokens, when they are one run on each side."""
    runs = [
        _run([i for i in range(rows) if i not in {i for i, _ in links}]),
        _run([j for j in range(columns) if j not in {j for _, j in links}]),
    ]
    return {(i, j) for i in runs[0] for j in runs[1]}


def _run(places: Sequence[int]) -> Sequence[int]:
    """The places, if each follows the one before; else none."""
    return places if places and places[-1] - places[0] + 1 == len(places) else ()


def _merge(known: dict[Phrase, Scores], learned: Counter[Phrase], of_target: Counter[Phrase]) -> dict[Phrase, Scores]:
    """Relative frequencies of the table, counted anew with what was learned.

    The table holds P(target | source) and the count of a pair, hence how often the source was seen; and likewise the
    target. A target that is new for this source may have been seen with others: it is taken to have been, once.
    """
    seen = max((count / exp(scores[0]) for scores in known.values() if (count := scores[4])), default=0.0)
    total = seen + WEIGHT * learned.total()
    result = {}
    for target in {**known, **learned}:
        more = WEIGHT * learned[target]
        old = known.get(target)
        count = old[4] if old else 0.0
        forward = log(((exp(old[0]) * seen if old else 0.0) + more) / total)
        others = (count / exp(old[1]) if old else 1.0) + WEIGHT * of_target[target]
        backward = log(min(1.0, (count + more) / others)) if more else (old[1] if old else 0.0)
        lexical = (old[2], old[3]) if old else (0.5 * forward, 0.5 * backward)
        result[target] = (forward, backward, *lexical, count + more)
    return result
