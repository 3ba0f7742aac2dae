"""Figures that are written again while long work goes on."""

from __future__ import annotations

import json
from pathlib import Path

from seshat.core.progress import Pulse


def test_a_pulse_writes_when_it_is_time_and_asks_for_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pulse.json"
    slow = Pulse(path, every=1_000)
    slow.tell(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    assert not path.exists()
    quick = Pulse(path, every=0)
    for done in (1, 2):
        quick.tell(lambda done=done: {"documents": done})  # type: ignore[misc]
        found = json.loads(path.read_text(encoding="utf-8"))
        assert found["documents"] == done
        assert found["seconds"] >= 0
