"""Hidden words, and logs of several phases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from seshat.evaluation.fill import Blank, blanks, frequent, hits
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
