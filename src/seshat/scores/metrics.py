"""BLEU, chrF2 and chrF++ as sacreBLEU defines them, from counts that are taken once per sentence.

sacreBLEU counts (n-grams of the translation, of the reference, and in common); the scores are formulas over sums
of those counts. A score over any choice of sentences - a slice, a bootstrap sample - is then a sum over rows of a
small integer table, so that thousands of them take moments. chrF2 needs nothing of its own: with one reference
its counts are the first columns of those of chrF++.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from seshat.config.model import Metric

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

METRICS: tuple[Metric, ...] = get_args(Metric)
"""Names of the scores, in the order of the last axis of what :func:`scores` returns; all are 0 to 100."""

LABELS: dict[Metric, str] = {"bleu": "BLEU", "chrf2": "chrF2", "chrf++": "chrF++", "geomean": "√(BLEU·chrF++)"}
"""The scores as people write them."""

CHRF2 = METRICS.index("chrf2")
"""The score that AmericasNLP 2021-2023 ranked by; exports and answers are judged by it, whatever evaluations go by."""

_BLEU_ORDER = 4
_CHAR_ORDER = 6
_WORD_ORDER = 2
_BETA = 2  # recall counts twice as much as precision: Popović 2016, https://aclanthology.org/W16-2341
_BLEU_COLUMNS = 2 + 2 * _BLEU_ORDER
_CHRF2_COLUMNS = 3 * _CHAR_ORDER
COLUMNS = _BLEU_COLUMNS + 3 * (_CHAR_ORDER + _WORD_ORDER)
"""Width of a row of counts."""


class Scores(NamedTuple):
    """The scores of one system on some sentences, each 0 to 100."""

    bleu: float
    chrf2: float
    chrfpp: float
    geomean: float
    """Geometric mean of BLEU and chrF++, the measure of the Deep Past challenge."""


class Scorer:
    """Counts translations against one set of references.

    Args:
        references: one reference per sentence.
        tokenizer: how BLEU cuts words, a name of sacreBLEU: `13a`, `intl`, `char`, `none` …
    """

    def __init__(self, references: Sequence[str], tokenizer: str = "13a") -> None:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF

        self.size = len(references)
        # force: no warning on texts that end in a spaced full stop; it changes no score.
        self._bleu: Any = BLEU(tokenize=tokenizer, force=True, references=[list(references)])
        self._chrf: Any = CHRF(word_order=_WORD_ORDER, references=[list(references)])
        self._chrf2: Any = CHRF()
        self._chrf2.num_refs = 1

    def count(self, translations: Sequence[str]) -> Counts:
        """Counts of each translation against its reference: an array of (sentences, :data:`COLUMNS`).

        Raises:
            ValueError: not as many translations as references.
        """
        if len(translations) != self.size:
            raise ValueError(f"{len(translations)} translations for {self.size} references")
        if not self.size:
            return np.zeros((0, COLUMNS), dtype=np.int64)
        bleu = self._bleu._extract_corpus_statistics(translations, None)
        chrf = self._chrf._extract_corpus_statistics(translations, None)
        return np.hstack([np.asarray(bleu, dtype=np.int64), np.asarray(chrf, dtype=np.int64)])

    @property
    def signatures(self) -> dict[str, str]:
        """The recipe of each score, as sacreBLEU writes it."""
        return {
            "bleu": str(self._bleu.get_signature()),
            "chrf2": str(self._chrf2.get_signature()),
            "chrf++": str(self._chrf.get_signature()),
            "geomean": "sqrt(bleu * chrf++)",
        }


def headline(evaluation: Mapping[str, Any]) -> Metric:
    """The score that an evaluation goes by; one that does not say so was written when there was only chrF2.

    Args:
        evaluation: what ``reports/evaluation.json`` or ``reports/comparison.json`` holds.
    """
    found: Metric = evaluation.get("settings", {}).get("headline", METRICS[CHRF2])
    return found


def corpus_scores(counts: Counts) -> Scores:
    """The scores over all sentences of ``counts``."""
    return Scores(*(float(value) for value in scores(counts.sum(axis=0))))


def scores(sums: NDArray[Any]) -> Floats:
    """The scores of sums of counts.

    Args:
        sums: array of (..., :data:`COLUMNS`).

    Returns:
        Array of (..., 4), in the order of :data:`METRICS`.
    """
    values = np.asarray(sums, dtype=np.float64)
    bleu = _bleu_score(values[..., :_BLEU_COLUMNS])
    chrf = values[..., _BLEU_COLUMNS:]
    chrfpp = _chrf_score(chrf)
    return np.stack([bleu, _chrf_score(chrf[..., :_CHRF2_COLUMNS]), chrfpp, np.sqrt(bleu * chrfpp)], axis=-1)


def sentence_chrf2(counts: Counts) -> Floats:
    """chrF2 of each sentence."""
    return _chrf_score(counts[:, _BLEU_COLUMNS : _BLEU_COLUMNS + _CHRF2_COLUMNS].astype(np.float64))


def _bleu_score(sums: Floats) -> Floats:
    """BLEU with the smoothing that sacreBLEU calls `exp`: ``sacrebleu.metrics.bleu.BLEU.compute_bleu``."""
    own, wanted = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + _BLEU_ORDER], sums[..., 2 + _BLEU_ORDER :]
    # An order without a match counts as 1 / 2, 1 / 4, … of a match.
    smoothing = np.exp2(np.cumsum(matches == 0, axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = 100.0 * np.where(matches > 0, matches, 1.0 / smoothing) / totals
        brevity = np.where(own < wanted, np.exp(1.0 - wanted / own), 1.0)
        score = brevity * np.exp(np.log(precisions).sum(axis=-1) / _BLEU_ORDER)
    defined = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1)
    return np.where(defined, score, 0.0)


def _chrf_score(sums: Floats) -> Floats:
    """F-score over the mean precision and recall of all orders: ``sacrebleu.metrics.chrf.CHRF``."""
    own, wanted, common = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    usable = (own > 0) & (wanted > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        orders = usable.sum(axis=-1)
        precision = np.where(usable, common / own, 0.0).sum(axis=-1) / orders
        recall = np.where(usable, common / wanted, 0.0).sum(axis=-1) / orders
        score = 100.0 * (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)
    return np.where(np.isfinite(score), score, 0.0)
