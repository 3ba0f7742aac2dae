"""How a training went, as its trainer wrote it down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def read_history(path: Path) -> list[dict[str, float]]:
    """The numbers of each row of a log; none when there is no log.

    The steps of a training in several phases go on from one phase to the next.
    """
    if not path.exists():
        return []
    rows: list[dict[str, float]] = []
    phase: Any = None
    before = last = 0.0
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            log.warning("unreadable line in the training history", file=str(path))
            continue
        if not any(isinstance(value, int | float) for value in values.values()):
            continue  # an event that is no measurement
        if values.get("phase") != phase:
            phase, before = values.get("phase"), last
        row = {key: value for key, value in values.items() if isinstance(value, int | float)}
        if "step" in row:
            row["step"] = last = row["step"] + before
        rows.append(row)
    return rows
