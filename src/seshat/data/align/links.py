"""Where links between words come from: identity, cognates, the lexicon, and a table learned from beads."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from seshat.core.records import Entry
from seshat.data.align.lexical import Links, Side, Vocabulary
from seshat.text.words import tokenize
from seshat.text.wordtable import Lines, train_both

Floats = NDArray[np.float64]

_SHORT = 0.5
"""Link of a short word or punctuation mark that stands on both sides: it may well be chance."""
_PREFIX = 4
"""Cognates share at least so many letters at the start (Simard, Foster and Isabelle 1992)."""
_LEAST_ALIKE = 0.6
"""… and these are at least this share of the longer word."""
_LEXICON = 0.9
_LEAST_LEARNED = 0.02
_LEAST_SHARE = 1e-3
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


def learned(target: Vocabulary, mine: Side, theirs: Side, weights: Floats) -> Links:
    """IBM model 1 both ways on beads weighted by their probability; the link is the geometric mean of the two.

    It is scaled by ``1 - discount / beads`` where both words stand: what was seen together once is mostly chance.

    Args:
        target: the target words.
        mine: source words of the beads, a line for each.
        theirs: target words of the beads.
        weights: how probable each bead is.
    """
    rows, columns = Lines(mine.tokens, mine.starts), Lines(theirs.tokens, theirs.starts)
    there, back = train_both(rows, columns, len(target.words), weights)
    value = np.sqrt(there.probabilities * back.probabilities)
    value *= 1.0 - _DISCOUNT / np.maximum(there.support, 1.0)
    sure = np.minimum(there.probabilities, back.probabilities) >= _LEAST_SHARE
    keep = np.flatnonzero(sure & (value >= _LEAST_LEARNED))
    return Links(there.sources[keep], there.targets[keep], value[keep].astype(np.float32))
