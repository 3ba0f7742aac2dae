"""The floor of the language models, hidden words, and logs of several phases."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.evaluation.fill import Blank, blanks, frequent, hits
from seshat.evaluation.history import read_history
from seshat.scores import ngrams
from seshat.scores.ngrams import ByteModel


def test_who_has_read_nothing_needs_eight_bits() -> None:
    (found,) = ByteModel([]).surprises(["ñandú"])
    assert found.bits == pytest.approx(8 * 7)
    assert found.bytes == found.tokens == 7


def test_what_was_read_is_expected() -> None:
    model = ByteModel(["el perro duerme."] * 20)
    known, new = model.surprises(["el perro duerme.", "zk wq!"])
    assert known.bits / known.bytes < 0.3
    assert new.bits / new.bytes > 6


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=12), max_size=5), st.text(max_size=6))
def test_the_chances_of_all_bytes_make_one(texts: list[str], before: str) -> None:
    model = ByteModel(texts)
    start = b"\n" + before.encode()
    total = math.fsum(model._chance(start + bytes([byte]), len(start)) for byte in range(256))
    assert total == pytest.approx(1.0)


def test_no_more_is_read_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "MOST", 4)
    cut, whole = ByteModel(["abcdefgh", "abc"]), ByteModel(["abcd"])
    assert cut.surprises(["abcdef"]) == whole.surprises(["abcdef"])


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
