"""How far a translation may be trusted: learnt on validation, kept beside the model, judged on other sentences."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config import Direction
from seshat.core.errors import DataError
from seshat.evaluation.calibrate import calibrate, judge
from seshat.inference.confidence import Calibration, Vocabulary, file_of, isotonic, save
from seshat.inference.translator import Hypothesis

WAY = Direction("xx", "en")
KNOWN = [f"word{n}" for n in range(40)]


def _sentences(seed: int, count: int, agreement: bool) -> tuple[list[str], list[str], list[Hypothesis]]:
    """Sources, references and translations that get worse with every unknown word; the score says so with noise."""
    rng = random.Random(seed)
    sources, references, found = [], [], []
    for _ in range(count):
        right = [rng.choice(KNOWN) for _ in range(8)]
        wrong = rng.randint(0, 8)
        said = [word if place >= wrong else "never" for place, word in enumerate(right)]
        source = [word if place >= wrong else f"new{rng.random()}" for place, word in enumerate(right)]
        sources.append(" ".join(source))
        references.append(" ".join(f"the {word}" for word in right))
        score = -wrong + rng.gauss(0, 3)
        text = " ".join(f"the {word}" for word in said)
        found.append(Hypothesis(text, score, agreement=1 - wrong / 10 if agreement else None))
    return sources, references, found


def test_it_tells_good_from_bad_translations_it_has_not_seen() -> None:
    sources, references, said = _sentences(1, 150, agreement=False)
    calibration = calibrate(sources, references, said, KNOWN)
    assert calibration is not None
    sources, references, said = _sentences(2, 200, agreement=False)
    from seshat.scores.metrics import Scorer, sentence_chrf2

    quality = sentence_chrf2(Scorer(references).count([one.text for one in said]))
    found = judge(calibration, sources, said, quality)
    assert found.learnt_from == 150
    assert found.correlation is not None and found.correlation > 0.9
    low, medium, high = (row.measured or 0.0 for row in found.levels)
    assert sum(row.segments for row in found.levels) == 200
    assert low + 10 < medium < high - 10
    for row in found.levels:
        assert row.expected == pytest.approx(row.measured, abs=6)


def test_candidates_that_agree_count_where_they_were_compared() -> None:
    calibration = calibrate(*_sentences(1, 100, agreement=True), KNOWN)
    assert calibration is not None
    source = " ".join(KNOWN[:8])
    text = "the " + " the ".join(KNOWN[:8])
    sure, unsure = (calibration.grade(Hypothesis(text, 0.0, agreement=value), source) for value in (1.0, 0.3))
    assert sure.value > unsure.value
    assert 0 < calibration.grade(Hypothesis(text, 0.0), source).value <= 1
    assert calibration.grade(Hypothesis("", 0.0), source).level == "low"


def test_it_is_kept_beside_the_model_and_not_in_it(tmp_path: Path) -> None:
    model = tmp_path / "models" / "statistical"
    calibration = calibrate(*_sentences(1, 60, agreement=True), KNOWN)
    assert calibration is not None
    assert Calibration.load(model, WAY) is None
    save(model, {str(WAY): calibration})
    read = Calibration.load(model, WAY)
    assert read is not None
    for hypothesis in (Hypothesis("the word1 never", -2.5), Hypothesis("the word1 never", -2.5, agreement=0.7)):
        assert read.grade(hypothesis, "word1 strange") == calibration.grade(hypothesis, "word1 strange")
    assert Calibration.load(model, Direction("en", "xx")) is None
    assert not model.exists()
    assert "word1" not in file_of(model).read_text(encoding="utf-8")
    model.mkdir()
    (model / "model.json").write_text("{}", encoding="utf-8")
    assert Calibration.load(model, WAY) is None  # it was trained again
    file_of(model).write_text('{"directions": []}', encoding="utf-8")
    with pytest.raises(DataError, match="seshat evaluate"):
        Calibration.load(model, WAY)


def test_few_sentences_teach_nothing() -> None:
    assert calibrate(*_sentences(1, 29, agreement=False), KNOWN) is None


def test_words_are_kept_as_hashes() -> None:
    read = Vocabulary.unpack(Vocabulary.of(["ñame", "𒀀"]).pack())
    assert "ñame" in read
    assert "𒀀" in read
    assert "name" not in read


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 100)), min_size=1, max_size=30))
def test_the_curve_never_falls_and_keeps_the_mean(points: list[tuple[float, float]]) -> None:
    guesses, scores = (np.array(side) for side in zip(*points, strict=True))
    corners, values = isotonic(guesses, scores)
    assert (np.diff(corners) >= -1e-9).all()
    assert (np.diff(values) >= -1e-9).all()
    assert scores.min() - 1e-9 <= values.min() <= values.max() <= scores.max() + 1e-9


def test_a_document_has_the_mean_of_its_texts_and_the_level_of_that() -> None:
    sources, references, said = _sentences(1, 120, agreement=False)
    calibration = calibrate(sources, references, said, KNOWN)
    assert calibration is not None
    grades = [calibration.grade(one, source) for one, source in zip(said, sources, strict=True)]
    ranked = sorted(grades, key=lambda one: one.value)
    worst, best = calibration.document(ranked[:30]), calibration.document(ranked[-30:])
    assert (worst.level, best.level) == ("low", "high")
    assert best.value == pytest.approx(sum(one.value for one in ranked[-30:]) / 30, abs=1e-3)
