"""Scores equal sacreBLEU's, on anything."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seshat.config.model import EvaluateSection
from seshat.scores.metrics import CHRF2, COLUMNS, METRICS, Scorer, corpus_scores, headline, scores, sentence_chrf2

TEXT = st.text(alphabet="aábcñ ழ்.,!?’- 12", max_size=40)
PAIRS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=12)


@given(PAIRS)
@settings(deadline=None, max_examples=150)
def test_corpus_scores_are_those_of_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    hypotheses, references = map(list, zip(*pairs, strict=True))
    found = corpus_scores(Scorer(references).count(hypotheses))
    assert found.bleu == pytest.approx(BLEU(force=True).corpus_score(hypotheses, [references]).score, abs=1e-9)
    assert found.chrf2 == pytest.approx(CHRF().corpus_score(hypotheses, [references]).score, abs=1e-9)
    assert found.chrfpp == pytest.approx(CHRF(word_order=2).corpus_score(hypotheses, [references]).score, abs=1e-9)
    assert found.geomean == pytest.approx((found.bleu * found.chrfpp) ** 0.5)


@given(PAIRS)
@settings(deadline=None, max_examples=60)
def test_sentence_scores_are_those_of_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    hypotheses, references = map(list, zip(*pairs, strict=True))
    found = sentence_chrf2(Scorer(references).count(hypotheses))
    wanted = [CHRF().sentence_score(h, [r]).score for h, r in zip(hypotheses, references, strict=True)]
    assert found.tolist() == pytest.approx(wanted, abs=1e-9)


def test_many_sums_at_once_are_each_their_own_score() -> None:
    rng = random.Random(3)
    words = ["the", "river", "dog", "saw", "a", "woman", "at", "dawn", "and", "went", "home", "again"]
    references = [" ".join(rng.choices(words, k=rng.randint(1, 9))) for _ in range(40)]
    hypotheses = [" ".join(w if rng.random() < 0.7 else rng.choice(words) for w in r.split()) for r in references]
    counts = Scorer(references).count(hypotheses)
    halves = np.stack([counts[:20].sum(axis=0), counts[20:].sum(axis=0)])
    assert scores(halves).shape == (2, len(METRICS))
    assert scores(halves)[1].tolist() == pytest.approx(list(corpus_scores(counts[20:])))


def test_perfect_empty_and_none() -> None:
    references = ["the dog sees the old river", "a woman goes home in the rain"]
    scorer = Scorer(references)
    assert list(corpus_scores(scorer.count(references))) == pytest.approx([100.0] * 4)
    assert list(corpus_scores(scorer.count(["", ""]))) == [0.0] * 4
    assert Scorer([]).count([]).shape == (0, COLUMNS)
    with pytest.raises(ValueError, match="1 translations for 2 references"):
        scorer.count(["only one"])


def test_signatures_name_the_recipe() -> None:
    signatures = Scorer(["a b"], tokenizer="char").signatures
    assert "tok:char" in signatures["bleu"]
    assert "nrefs:1" in signatures["chrf2"]
    assert "nw:0" in signatures["chrf2"]
    assert "nw:2" in signatures["chrf++"]


def test_an_evaluation_says_what_it_goes_by_and_an_old_one_went_by_chrf2() -> None:
    assert headline({"settings": {"headline": "geomean", "reference": "copy"}}) == "geomean"
    assert headline({"settings": {"reference": "copy"}}) == headline({}) == METRICS[CHRF2] == "chrf2"
    assert EvaluateSection().headline == "chrf2"
