"""BLEU, chrF2 and chrF++ as sacreBLEU defines them, from counts that are taken once per sentence.

sacreBLEU counts (n-grams of the translation, of the reference, and in common); the scores are formulas over sums
of those counts. A score over any choice of sentences - a slice, a bootstrap sample - is then a sum over rows of a
small integer table, so that thousands of them take moments. chrF2 needs nothing of its own: with one reference
its counts are the first columns of those of chrF++.

None of the three sees white space: chrF leaves it out, and BLEU parts words and punctuation anew. Whether the
translation is spaced as people write is told by chrF2 with spaces and by BLEU of the words as they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from seshat.scores import METRICS, formulas
from seshat.scores.formulas import Floats
from seshat.text.lookup import is_spaceless

Counts = NDArray[np.int64]

CHRF2 = METRICS.index("chrf2")
"""The score that AmericasNLP 2021-2023 ranked by; exports and answers are judged by it, whatever evaluations go by."""

BLEU_ORDER, CHAR_ORDER, WORD_ORDER = 4, 6, 2
"""Longest n-grams: words of BLEU; characters and words of chrF++."""
CHRF2_COLUMNS = 3 * CHAR_ORDER
"""Width of a row of :func:`chrf2_counts`."""
_BLEU_COLUMNS = 2 + 2 * BLEU_ORDER
_CHRFPP_COLUMNS = 3 * (CHAR_ORDER + WORD_ORDER)
_PARTS = (_BLEU_COLUMNS, _CHRFPP_COLUMNS, CHRF2_COLUMNS, _BLEU_COLUMNS)
COLUMNS = sum(_PARTS)
"""Width of a row of counts."""
_TIBETAN = regex.compile(r"\p{Script=Tibetan}")


class Scores(NamedTuple):
    """The scores of one system on some sentences, each 0 to 100, in the order of :data:`seshat.scores.METRICS`."""

    bleu: float
    chrf2: float
    chrfpp: float
    geomean: float
    """Geometric mean of BLEU and chrF++, the measure of the Deep Past challenge."""
    chrf2_spaces: float
    """chrF2 that counts white space as a character."""
    bleu_spaces: float
    """BLEU of what stands between spaces, punctuation with its word."""


class Scorer:
    """Counts translations against one set of references.

    Args:
        references: one reference per sentence.
        tokenizer: how BLEU cuts words, a name of sacreBLEU: `13a`, `intl`, `char`, `none` …; `auto` is `char` where
            the references are in a script without spaces between words, else `13a`.
    """

    def __init__(self, references: Sequence[str], tokenizer: str = "auto") -> None:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF

        self.size = len(references)
        tokenizer = bleu_tokenizer(references) if tokenizer == "auto" else tokenizer
        wanted = [list(references)]
        # force: no warning on texts that end in a spaced full stop; it changes no score.
        self._metrics: tuple[Any, ...] = (
            BLEU(tokenize=tokenizer, force=True, references=wanted),
            CHRF(word_order=WORD_ORDER, references=wanted),
            CHRF(whitespace=True, references=wanted),
            BLEU(tokenize="none", force=True, references=wanted),
        )

    def count(self, translations: Sequence[str]) -> Counts:
        """Counts of each translation against its reference: an array of (sentences, :data:`COLUMNS`).

        Raises:
            ValueError: not as many translations as references.
        """
        if len(translations) != self.size:
            raise ValueError(f"{len(translations)} translations for {self.size} references")
        if not self.size:
            return np.zeros((0, COLUMNS), dtype=np.int64)
        parts = (metric._extract_corpus_statistics(translations, None) for metric in self._metrics)
        return np.hstack([np.asarray(part, dtype=np.int64) for part in parts])

    @property
    def signatures(self) -> dict[str, str]:
        """The recipe of each score, as sacreBLEU writes it."""
        bleu, chrfpp, spaces, spaced = (str(metric.get_signature()) for metric in self._metrics)
        chrf2 = spaces.replace("space:yes", "space:no")
        return {
            "bleu": bleu,
            "chrf2": chrf2,
            "chrf++": chrfpp,
            "geomean": "sqrt(bleu * chrf++)",
            "chrf2_spaces": spaces,
            "bleu_spaces": spaced,
        }


def bleu_tokenizer(references: Sequence[str]) -> str:
    """How BLEU should cut words: by characters where most words are of a script without spaces, else as WMT does."""
    words = [word for text in references for word in text.split()]
    spaceless = sum(len(word) for word in words if is_spaceless(word) or _TIBETAN.search(word))
    return "char" if 2 * spaceless > sum(map(len, words)) else "13a"


def corpus_scores(counts: Counts) -> Scores:
    """The scores over all sentences of ``counts``."""
    return Scores(*(float(value) for value in scores(counts.sum(axis=0))))


def scores(sums: NDArray[Any]) -> Floats:
    """The scores of sums of counts.

    Args:
        sums: array of (..., :data:`COLUMNS`).

    Returns:
        Array of (..., scores), in the order of :data:`seshat.scores.METRICS`.
    """
    bleu, chrfpp, spaces, spaced = np.split(np.asarray(sums, dtype=np.float64), np.cumsum(_PARTS)[:-1], axis=-1)
    words, both = _bleu(bleu), chrf(chrfpp)
    mean = np.sqrt(words * both)
    return np.stack([words, chrf(chrfpp[..., :CHRF2_COLUMNS]), both, mean, chrf(spaces), _bleu(spaced)], axis=-1)


def sentence_chrf2(counts: Counts) -> Floats:
    """chrF2 of each sentence."""
    return chrf(counts[:, _BLEU_COLUMNS : _BLEU_COLUMNS + CHRF2_COLUMNS])


def chrf(sums: NDArray[Any]) -> Floats:
    """ChrF of sums of counts, an array of (..., 3 times the orders) such as :func:`chrf2_counts` gives."""
    orders = np.moveaxis(sums, -1, 0)
    return formulas.chrf(orders[0::3], orders[1::3], orders[2::3])


def chrf2_counts(text: str, reference: str) -> Floats:
    """What chrF2 counts of one text: per order the n-grams of the text, of the reference, and in common."""
    found = _chrf2_metric()._compute_segment_statistics(text, _reference_grams(reference))
    return np.array(found, dtype=np.float64)


@cache
def _chrf2_metric() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


@lru_cache(maxsize=20_000)
def _reference_grams(reference: str) -> Any:
    return _chrf2_metric()._extract_reference_info([reference])


def _bleu(sums: Floats) -> Floats:
    own, wanted, *orders = np.moveaxis(sums, -1, 0)
    common, totals = np.array(orders[:BLEU_ORDER]), np.array(orders[BLEU_ORDER:])
    return formulas.bleu(own, wanted, common, totals, effective_order=False)
