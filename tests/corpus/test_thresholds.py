"""Limits: fitted from trusted text, saved, applied by genre; FineWeb-2's files."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from seshat.core.errors import DataError
from seshat.corpus.thresholds import DEFAULT, KEEP, Limit, Thresholds, fit, from_fineweb

DRAW = random.Random(4)
MEASURED = [{"word_length": DRAW.gauss(6, 1), "bits": DRAW.gauss(3, 0.2), "urls": 0.0} for _ in range(400)]


def test_limits_keep_what_they_were_fitted_from_and_refuse_what_is_far() -> None:
    limits = fit(MEASURED)
    kept = sum(all(limits[name].admits(number) for name, number in one.items()) for one in MEASURED)
    assert kept >= KEEP * len(MEASURED)
    assert not limits["word_length"].admits(15.0)
    assert not limits["word_length"].admits(1.0)
    assert not limits["bits"].admits(6.0)
    assert limits["bits"].admits(0.5), "text that the model knows is not odd"
    assert "repetition" not in limits
    with pytest.raises(DataError, match="no trusted text"):
        fit([])


def test_the_genre_chooses_the_profile_and_reasons_have_figures(tmp_path: Path) -> None:
    made = Thresholds(
        language="qlm",
        profiles={DEFAULT: {"bits": Limit(max=3.0)}, "verse": {"bits": Limit(max=5.0), "words": Limit(min=2)}},
    )
    made.save(tmp_path / "t.yaml")
    again = Thresholds.load(tmp_path / "t.yaml")
    assert again == made
    assert [one.tag for one in again.odd({"bits": 4.0, "words": 9}, "prose")] == ["measure:bits"]
    assert again.odd({"bits": 4.0, "words": 9}, "verse") == []
    assert again.odd({"bits": 4.0}, None)[0].reason == "bits 4 is above 3"
    assert again.odd({"words": 1}, "verse")[0].reason == "words 1 is below 2"


def test_files_of_fineweb_become_a_profile(tmp_path: Path) -> None:
    (tmp_path / "qlm.yml").write_text(
        "dup_line_frac: 0.2\ndup_n_grams:\n- - 5\n  - 0.15\n- - 6\n  - 0.1\nlanguage_score: 0.8\nline_punct_thr: -1\n"
        "max_avg_word_length: 30\nmin_avg_word_length: 3\nstopwords:\n- kuno\n- mira\ntop_n_grams:\n- - 2\n  - 0.2\n"
    )
    made = from_fineweb(tmp_path / "qlm.yml", "qlm")
    profile = made.profiles[DEFAULT]
    assert profile["repeated_lines"] == Limit(max=0.2)
    assert profile["repeated_runs"] == Limit(max=0.15)
    assert profile["word_length"] == Limit(min=3, max=30)
    assert profile["count:stopwords"] == Limit(min=2)
    assert "line_ends" not in profile
    assert made.lists == {"stopwords": ("kuno", "mira")}


@pytest.mark.parametrize("content", ["a: [", "nothing: here\n", "dup_line_frac: kuno\n", "- 1\n"])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yml").write_text(content)
    with pytest.raises(DataError, match=r"a\.yml"):
        from_fineweb(tmp_path / "a.yml", "qlm")
    with pytest.raises(DataError, match=r"a\.yml"):
        Thresholds.load(tmp_path / "a.yml")
