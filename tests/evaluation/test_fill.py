"""Hidden words, and logs of several phases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from seshat.config import Config
from seshat.config.evaluate import EvaluateSection
from seshat.evaluation.fill import Blank, Filling, asked, blanks, frequent, hits, table
from seshat.evaluation.history import read_history


def test_blanks_are_words_and_always_the_same() -> None:
    texts = [(f"s{n}", f"kala {n} topo, suku-ta ñũa.") for n in range(40)] + [("one", "solo")]
    found = blanks(texts, 10, 3)
    assert found == blanks(texts, 10, 3)
    assert len(found) == 10
    assert {one.word for one in found} <= {"kala", "topo", "suku-ta", "ñũa"}
    assert len({one.word for one in found}) > 1
    assert all((one.id, one.before + one.word + one.after) in texts for one in found)
    assert blanks(texts, 0, 3) == []


def test_hits_and_the_most_frequent_words() -> None:
    found = [Blank("1", "", "Kala", " x"), Blank("2", "", "topo", ""), Blank("3", "", "wey", "")]
    rows = hits(found, [["kala", "a"], ["a", "topo"], []])
    assert np.array_equal(rows, [[1, 1, 1], [0, 1, 1], [0, 0, 1]])
    assert frequent(["b a b 12 12 12", "A c"])[:2] == ["a", "b"]


def test_steps_go_on_from_phase_to_phase(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"event": "device", "reasons": ["cpu"]},
        {"step": 10, "phase": "noisy", "loss": 3.0},
        {"step": 20, "phase": "noisy", "loss": 2.0},
        {"step": 10, "phase": "gold", "loss": 1.5, "note": "words"},
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    found = read_history(path)
    assert [row["step"] for row in found] == [10, 20, 30]
    assert "note" not in found[2]
    assert read_history(tmp_path / "none.jsonl") == []


def test_of_a_long_text_only_the_surroundings_are_kept() -> None:
    (blank,) = blanks([("long", "mina " * 400)], 1, 3)
    assert len(blank.before) <= 300
    assert len(blank.after) <= 300
    assert set((blank.before + blank.word + blank.after).split()) == {"mina"}


def test_sentences_of_people_are_shown_and_not_judged() -> None:
    found = [Blank("1", "", "kala", " x"), *asked(["topo ___ suku."])]
    assert found[1] == Blank("evaluate.blanks[0]", "topo ", "", " suku.")
    made = table({"m": [[Filling("kala", 0.5)], [Filling("wey", 0.2)]]}, found, ["a"], EvaluateSection(fill=3), 1)
    assert made.blanks == 1
    assert made.systems[0].scores["first"].score == 100
    assert [(one.id, one.systems[0].offers[0].word) for one in made.samples] == [
        ("evaluate.blanks[0]", "wey"),
        ("1", "kala"),
    ]
    with pytest.raises(ValidationError, match="write ___ once"):
        Config.model_validate({"evaluate": {"blanks": ["no gap"]}})
