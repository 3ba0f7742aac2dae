"""How alike translations are, every one with every other: the numbers of sacreBLEU, many at a time.

sacreBLEU's sentence scores are formulas over counts: the n-grams of one text, of the other, and those in common. Here
the n-grams of all texts become columns of one table of counts, and those in common of all pairs are products of that
table with itself. The package ``fastchrf`` has no word n-grams, and so no chrF++; for chrF it gives the same numbers in
several times the time (``benchmarks/mbr.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seshat.scores import formulas
from seshat.scores.formulas import Floats
from seshat.scores.metrics import BLEU_ORDER, CHAR_ORDER, WORD_ORDER, Counts

WEIGHTS: dict[str, dict[str, float]] = {
    "chrf++": {"chrf": 1.0},
    "bleu": {"bleu": 1.0},
    "mixture": {"chrf": 0.55, "bleu": 0.25, "jaccard": 0.20, "length": 0.10},
}
"""What each utility is made of; the mixture is that of the first place of the Deep Past challenge."""


class Utility:
    """How alike two texts are, 0 to 100: a weighted mean of measures.

    Args:
        weights: of ``chrf`` (chrF++), ``bleu`` (of sentences, effective order), ``jaccard`` and ``length``.
        tokenizer: how BLEU cuts words, a name of sacreBLEU.
    """

    def __init__(self, weights: Mapping[str, float], tokenizer: str = "13a") -> None:
        self.weights = {name: weight for name, weight in weights.items() if weight}
        self._measures: dict[str, Callable[[Sequence[str]], Floats]] = {
            "chrf": chrf,
            "bleu": lambda texts: bleu(texts, tokenizer),
            "jaccard": jaccard,
            "length": length_ratio,
        }

    def pairwise(self, texts: Sequence[str]) -> Floats:
        """Row *i*, column *j*: how good text *i* is if *j* is right; 0 to 100."""
        if len(self.weights) == 1:
            (name,) = self.weights
            return self._measures[name](texts)
        total = np.zeros((len(texts), len(texts)))
        for name, weight in self.weights.items():
            total += weight * self._measures[name](texts)
        return total / sum(self.weights.values())


def chrf(texts: Sequence[str]) -> Floats:
    """chrF++ of every text against every other, as ``sacrebleu.CHRF(word_order=2).sentence_score`` gives it."""
    characters = ["".join(text.split()).encode("utf-32-le", "surrogatepass") for text in texts]
    totals, common = _matches(
        ([np.frombuffer(one, dtype=np.uint32).astype(np.int64) for one in characters], CHAR_ORDER),
        (_numbered([_chrf_words(text) for text in texts]), WORD_ORDER),
    )
    own = np.array(totals)
    return formulas.chrf(own[:, :, None], own[:, None, :], common)


def bleu(texts: Sequence[str], tokenizer: str = "13a") -> Floats:
    """BLEU of every text against every other, as ``sacrebleu.BLEU(effective_order=True).sentence_score`` gives it."""
    tokens = [_bleu_metric(tokenizer)._preprocess_segment(text).split() for text in texts]
    totals, common = _matches((_numbered(tokens), BLEU_ORDER))
    lengths = np.array([len(one) for one in tokens], dtype=np.float64)
    made = np.array(totals)[:, :, None]
    return formulas.bleu(lengths[:, None], lengths[None, :], common, made, effective_order=True)


def jaccard(texts: Sequence[str]) -> Floats:
    """Different words in common, in 100 different words of the two."""
    rows = _numbered([text.split() for text in texts])
    table = np.zeros((len(texts), 1 + max((int(row.max()) for row in rows if len(row)), default=0)))
    for place, row in enumerate(rows):
        table[place, row] = 1
    both = table @ table.T
    own = table.sum(axis=1)
    either = own[:, None] + own[None, :] - both
    found: Floats = np.divide(100 * both, either, out=np.zeros_like(both), where=either > 0)
    return found


def length_ratio(texts: Sequence[str]) -> Floats:
    """Characters of the shorter one, in 100 of the longer one."""
    sizes = np.array([len(text.strip()) for text in texts], dtype=np.float64)
    longer = np.maximum(sizes[:, None], sizes[None, :])
    shorter = np.minimum(sizes[:, None], sizes[None, :])
    found: Floats = np.divide(100 * shorter, longer, out=np.zeros_like(longer), where=longer > 0)
    return found


@cache
def _bleu_metric(tokenizer: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=tokenizer, effective_order=True)


@cache
def _chrf_metric() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(word_order=WORD_ORDER)


def _chrf_words(text: str) -> list[str]:
    words: list[str] = _chrf_metric()._remove_punctuation(text)
    return words


def _numbered(lists: Sequence[Sequence[str]]) -> list[Counts]:
    """Words as numbers."""
    known: dict[str, int] = {}
    return [np.array([known.setdefault(word, len(known)) for word in words], dtype=np.int64) for words in lists]


def _matches(*parts: tuple[Sequence[Counts], int]) -> tuple[list[Counts], Counts]:
    """N-grams of every sequence, and those that each pair has in common.

    Args:
        parts: sequences (symbols as numbers from 0), and the longest n-grams wanted of them; as many sequences in each.

    Returns:
        For every order of the first part, then of the next: how many n-grams each sequence has; and an array of
        (all orders, sequences, sequences).
    """
    size = len(parts[0][0])
    orders = sum(longest for _, longest in parts)
    bits = size.bit_length()
    room = 2 ** (62 - bits) // orders
    totals: list[Counts] = []
    keys: list[Counts] = []
    begins = [0]  # the n-grams of each order have numbers of their own
    for sequences, longest in parts:
        lengths = np.array([len(one) for one in sequences], dtype=np.int64)
        owners = np.repeat(np.arange(size), lengths)
        left = np.cumsum(lengths)[owners] - np.arange(len(owners))
        for order, (grams, above) in enumerate(_grams(np.concatenate(sequences), longest, room)):
            whole = left[: len(grams)] > order
            keys.append(np.sort(((grams[whole] + begins[-1]) << bits) | owners[: len(grams)][whole]))
            begins.append(begins[-1] + above)
            totals.append(np.maximum(lengths - order, 0))
    common = _common(np.concatenate(keys), np.array(begins), size, bits)
    for total, both in zip(totals, common, strict=True):
        np.fill_diagonal(both, total)
    return totals, common


def _grams(flat: Counts, longest: int, room: int) -> Iterator[tuple[Counts, int]]:
    """Per order, a number for the n-gram that begins at each place, and what all are below: ``room`` at most."""
    symbols = np.unique(flat, return_inverse=True)[1].astype(np.int64)
    grams, above = symbols, int(symbols.max(initial=0)) + 1
    base = above
    for order in range(longest):
        if order:
            if above > room // base:
                grams = np.unique(grams, return_inverse=True)[1].astype(np.int64)
                above = int(grams.max(initial=0)) + 1
            grams, above = grams[: max(len(flat) - order, 0)] * base + symbols[order:], above * base
        yield grams, above


def _common(keys: Counts, begins: Counts, size: int, bits: int) -> Counts:
    """For each order and pair of owners the sum, over all n-grams, of the smaller of their two counts.

    Args:
        keys: n-grams, each with its owner in the last ``bits``, sorted.
        begins: the first n-gram of each order, and the end of the last.
        size: the number of owners.
        bits: how many hold an owner.
    """
    both = np.zeros((len(begins) - 1, size, size), dtype=np.float32)
    starts = np.flatnonzero(_changes(keys))
    counts = np.diff(starts, append=len(keys))
    keys = keys[starts]
    grams = keys >> bits
    owners = keys & (2**bits - 1)
    columns = np.cumsum(_changes(grams)) - 1
    some = (
        np.bincount(columns)[columns] > 1 if len(columns) else np.zeros(0, dtype=bool)
    )  # others are in common with no one
    most = 0
    while some.any():  # the smaller of two counts is in how many of "at least 1", "at least 2" … both have a share
        most += 1
        counts, owners, grams = counts[some], owners[some], grams[some]
        new = _changes(grams)
        columns = np.cumsum(new) - 1
        table = np.zeros((size, int(columns[-1]) + 1), dtype=np.float32)
        table[owners, columns] = 1
        ends = np.searchsorted(grams[new], begins)
        for order, (start, end) in enumerate(pairwise(ends.tolist())):
            if end > start:
                both[order] += table[:, start:end] @ table[:, start:end].T
        some = counts > most
    return both.astype(np.int64)


def _changes(values: Counts) -> NDArray[np.bool_]:
    """Whether each value is another one than that before it."""
    found = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found
