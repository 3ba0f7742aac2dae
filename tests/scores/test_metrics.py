"""Scores equal sacreBLEU's, on anything."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seshat.scores import METRICS
from seshat.scores.metrics import (
    COLUMNS,
    Scorer,
    bleu_tokenizer,
    chrf,
    chrf2_counts,
    corpus_scores,
    scores,
    sentence_chrf2,
)

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
    spaces, plain = CHRF(whitespace=True), BLEU(force=True, tokenize="none")
    assert found.chrf2_spaces == pytest.approx(spaces.corpus_score(hypotheses, [references]).score, abs=1e-9)
    assert found.bleu_spaces == pytest.approx(plain.corpus_score(hypotheses, [references]).score, abs=1e-9)
    alone = np.array([chrf2_counts(*pair) for pair in pairs])
    assert float(chrf(alone.sum(axis=0))) == pytest.approx(found.chrf2)


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
    assert list(corpus_scores(scorer.count(references))) == pytest.approx([100.0] * len(METRICS))
    assert list(corpus_scores(scorer.count(["", ""]))) == [0.0] * len(METRICS)
    assert Scorer([]).count([]).shape == (0, COLUMNS)
    with pytest.raises(ValueError, match="1 translations for 2 references"):
        scorer.count(["only one"])


def test_signatures_name_the_recipe() -> None:
    signatures = Scorer(["a b"], tokenizer="char").signatures
    assert list(signatures) == list(METRICS)
    assert "tok:char" in signatures["bleu"]
    assert "tok:none" in signatures["bleu_spaces"]
    assert signatures["chrf2"] == str(_computed(CHRF()).get_signature())
    assert signatures["chrf2_spaces"] == str(_computed(CHRF(whitespace=True)).get_signature())
    assert "nrefs:1" in signatures["chrf2"]
    assert "nw:0" in signatures["chrf2"]
    assert "nw:2" in signatures["chrf++"]


def _computed(metric: CHRF) -> CHRF:
    metric.corpus_score(["a b"], [["a b"]])
    return metric


def test_spaces_count_only_where_they_are_looked_at() -> None:
    references = ["the canoe , he said , is « ours »", "a fish of 3.5 kilos (or so) was sold"]
    glued = [text.replace(" ,", ",").replace("« ", "«").replace(" »", "»") for text in references]
    found = corpus_scores(Scorer(references).count(glued))
    assert found.bleu > 80
    assert found.chrf2 == 100
    assert found.chrf2_spaces < 95
    assert found.bleu_spaces < 55


def test_scripts_without_spaces_are_cut_into_characters() -> None:
    thai = ["แม่น้ำสายใหญ่", "เรากลับบ้าน 12"]
    assert bleu_tokenizer(thai) == "char"
    assert bleu_tokenizer(["བོད་སྐད་ཡིན།"]) == "char"
    assert bleu_tokenizer(["the river", "ஆறு பெரியது", "แม่"]) == "13a"
    assert bleu_tokenizer([]) == "13a"
    assert "tok:char" in Scorer(thai).signatures["bleu"]
    assert corpus_scores(Scorer(thai).count(["แม่น้ำสายเล็ก", "เรากลับบ้าน 12"])).bleu > 50
    assert corpus_scores(Scorer(thai, "13a").count(["แม่น้ำสายเล็ก", "เรากลับบ้าน 12"])).bleu == 0
