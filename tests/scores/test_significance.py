"""Intervals and tests agree with sacreBLEU's own, within the noise of resampling."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest, Result

from seshat.scores import METRICS
from seshat.scores.metrics import Scorer
from seshat.scores.significance import bootstrap, interval, paired_randomisation

WORDS = ["river", "dog", "woman", "canoe", "dawn", "saw", "went", "home", "the", "a", "of", "our", "old", "fish", "two"]


def noisy(references: list[str], keep: float, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(w if rng.random() < keep else rng.choice(WORDS) for w in r.split()) for r in references]


@pytest.fixture(scope="module")
def references() -> list[str]:
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS, k=rng.randint(3, 14))) for _ in range(150)]


def test_intervals_agree_with_sacrebleu(references: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed draws the same resamples, so that not even the noise differs."""
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    hypotheses = noisy(references, 0.6, 1)
    counts = Scorer(references).count(hypotheses)
    same = bootstrap({"a": counts}, 1000, 12345)["a"]
    other = bootstrap({"a": counts}, 4000, 5)["a"]
    for metric, name in ((BLEU(force=True), "bleu"), (CHRF(), "chrf2"), (CHRF(word_order=2), "chrf++")):
        theirs = metric.corpus_score(hypotheses, [references], n_bootstrap=1000)
        for values, tolerance in ((same, 1e-4), (other, 0.15)):
            column = values[:, METRICS.index(name)]
            low, high = interval(column)
            assert column.mean() == pytest.approx(float(theirs._mean), abs=tolerance * float(theirs._ci))
            assert (high - low) / 2 == pytest.approx(float(theirs._ci), rel=tolerance)


def test_paired_randomisation_agrees_with_sacrebleu(references: list[str]) -> None:
    first, second = noisy(references, 0.62, 1), noisy(references, 0.59, 2)
    scorer = Scorer(references)
    ours = paired_randomisation(scorer.count(second), scorer.count(first), 4000, 9)
    metrics = {"bleu": BLEU(force=True), "chrf2": CHRF()}
    _, theirs = PairedTest([("first", first), ("second", second)], metrics, [references], "ar", 4000)()
    for name, result in theirs.items():
        if name in METRICS:
            assert isinstance(result[1], Result)
            assert ours[METRICS.index(name)] == pytest.approx(result[1].p_value, abs=0.03)
    assert 0.01 < ours[METRICS.index("chrf2")] < 0.9, "the example should be undecided, or it tests nothing"


def test_a_clear_difference_is_significant_and_none_is_not(references: list[str]) -> None:
    scorer = Scorer(references)
    good, bad = scorer.count(noisy(references, 0.9, 1)), scorer.count(noisy(references, 0.3, 2))
    assert (paired_randomisation(good, bad, 999, 1) <= 0.001).all()
    assert (paired_randomisation(good, good, 999, 1) == 1.0).all()


def test_resamples_are_seeded_and_paired(references: list[str]) -> None:
    counts = Scorer(references).count(noisy(references, 0.5, 4))
    both = bootstrap({"one": counts, "two": counts}, 100, 8)
    assert (both["one"] == both["two"]).all()
    assert (bootstrap({"one": counts}, 100, 8)["one"] == both["one"]).all()
    assert (bootstrap({"one": counts}, 100, 9)["one"] != both["one"]).any()


def test_blocks_change_nothing(references: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Scorer(references).count(noisy(references, 0.5, 4))
    other = Scorer(references).count(noisy(references, 0.55, 5))
    whole = bootstrap({"a": counts}, 300, 2)["a"], paired_randomisation(counts, other, 300, 2)
    monkeypatch.setattr("seshat.scores.significance._CELLS", 7 * len(references))
    np.testing.assert_array_equal(bootstrap({"a": counts}, 300, 2)["a"], whole[0])
    np.testing.assert_array_equal(paired_randomisation(counts, other, 300, 2), whole[1])


def test_one_sentence_has_an_interval_of_one_point() -> None:
    counts = Scorer(["one river"]).count(["one dog"])
    low, high = interval(bootstrap({"a": counts}, 100, 0)["a"][:, 1])
    assert low == high > 0
