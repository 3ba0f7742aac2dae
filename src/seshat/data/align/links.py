"""Where links between words come from: identity, cognates, the lexicon, and a table learned from beads."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from seshat.core.records import Entry
from seshat.data.align.lexical import Links, Vocabulary
from seshat.text.words import tokenize
from seshat.text.wordtable import Pair, WordTable

Integers = NDArray[np.int64]

_SHORT = 0.5
"""Link of a short word or punctuation mark that stands on both sides: it may well be chance."""
_PREFIX = 4
"""Cognates share at least so many letters at the start (Simard, Foster and Isabelle 1992)."""
_LEAST_ALIKE = 0.6
"""… and these are at least this share of the longer word."""
_LEXICON = 0.9
_LEAST_LEARNED = 0.02
_DISCOUNT = 0.5
"""Taken off the number of beads that speak for a learned link, so that a word seen once proves little."""


def fold(word: str) -> str:
    """A word without the marks on its letters, so that ``Dhaulāgiri`` and ``Dhaulagiri`` are one."""
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare.casefold())


def words_of(line: str) -> list[str]:
    """What is compared: words, numbers and punctuation marks, case folded."""
    return tokenize(line.casefold())


def identical(source: Vocabulary, target: Vocabulary) -> Links:
    """The same word on both sides: a number or a name for sure, a short word perhaps by chance."""
    rows = []
    for word, place in source.number.items():
        other = target.number.get(word)
        if other is not None:
            sure = len(word) >= _PREFIX or any(c.isdigit() for c in word)
            rows.append((place, other, 1.0 if sure else _SHORT))
    return Links.of(rows)


def cognates(source: Vocabulary, target: Vocabulary) -> Links:
    """Words that start alike, marks aside; none where the two sides are written in different scripts.

    The link is the shared start as a share of the longer word.
    """
    starts: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for word, place in target.number.items():
        folded = fold(word)
        if len(folded) >= _PREFIX and not folded[:_PREFIX].isdigit():
            starts[folded[:_PREFIX]].append((place, folded))
    rows = []
    for word, place in source.number.items():
        folded = fold(word)
        for other, candidate in starts.get(folded[:_PREFIX], ()) if len(folded) >= _PREFIX else ():
            alike = _shared_start(folded, candidate) / max(len(folded), len(candidate))
            if alike >= _LEAST_ALIKE:
                rows.append((place, other, alike))
    return Links.of(rows)


def _shared_start(one: str, other: str) -> int:
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))


def from_lexicon(entries: Iterable[Entry], language: str, pivot: str, source: Vocabulary, target: Vocabulary) -> Links:
    """Words of headwords and forms with the words of their glosses in the pivot language.

    A gloss of several words links each of them less: ``1 / words``.
    """
    rows = []
    for entry in entries:
        if entry.lang not in (language, pivot):
            continue
        other = pivot if entry.lang == language else language
        here, there = (source, target) if entry.lang == language else (target, source)
        heads = [words_of(form) for form in (entry.headword, *entry.forms)]
        glosses = [words_of(gloss) for sense in entry.senses for gloss in sense.glosses.get(other, ())]
        for head in heads:
            for gloss in glosses:
                for word in head:
                    for meaning in gloss:
                        a, b = here.number.get(word), there.number.get(meaning)
                        if a is not None and b is not None and any(c.isalnum() for c in word + meaning):
                            value = _LEXICON / max(len(head), len(gloss))
                            rows.append((a, b, value) if here is source else (b, a, value))
    return Links.of(rows)


def learned(
    source: Vocabulary, target: Vocabulary, pairs: Sequence[Pair], weights: Sequence[float] | None = None
) -> Links:
    """IBM model 1 both ways on beads weighted by their probability; the link is the geometric mean of the two.

    It is scaled by ``1 - discount / beads`` where both words stand: what was seen together once is mostly chance.
    """
    there = _entries(WordTable.train(pairs, weights=weights, min_probability=1e-3), source, target)
    back = _entries(WordTable.train([(t, s) for s, t in pairs], weights=weights, min_probability=1e-3), target, source)
    width = len(target.words)
    keys, first, second = np.intersect1d(
        there[0] * width + there[1], back[1] * width + back[0], assume_unique=True, return_indices=True
    )
    value = np.sqrt(there[2][first] * back[2][second])
    value *= 1.0 - _DISCOUNT / np.maximum(_support(keys, source, target, pairs, weights), 1.0)
    keep = value >= _LEAST_LEARNED
    return Links(keys[keep] // width, keys[keep] % width, value[keep].astype(np.float32))


def _entries(
    table: WordTable, source: Vocabulary, target: Vocabulary
) -> tuple[Integers, Integers, NDArray[np.float64]]:
    """A table as three parallel arrays in the numbers of the vocabularies, without the null word."""
    sources = np.array([source.number.get(word, -1) for word in table.source_words], np.int64)
    targets = np.array([target.number[word] for word in table.target_words], np.int64)
    rows = np.repeat(sources, np.diff(table.offsets))
    keep = rows >= 0
    return rows[keep], targets[table.targets][keep], table.probabilities[keep].astype(np.float64)


def _support(
    keys: Integers,
    source: Vocabulary,
    target: Vocabulary,
    pairs: Sequence[Pair],
    weights: Sequence[float] | None,
) -> NDArray[np.float64]:
    """In how many pairs both words of each key stand."""
    counts = np.zeros(len(keys) + 1)
    width = len(target.words)
    if not len(keys):
        return counts[:0]
    for (one, other), weight in zip(pairs, weights if weights is not None else repeat(1.0), strict=False):
        rows = np.unique([source.number[word] for word in one])
        columns = np.unique([target.number[word] for word in other])
        found = (rows[:, None] * width + columns[None, :]).ravel()
        places = np.searchsorted(keys, found)
        places[places == len(keys)] = len(keys) - 1
        counts[np.where(keys[places] == found, places, len(keys))] += weight
    return counts[:-1]
