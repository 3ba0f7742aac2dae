"""What happened in a training: events of the Trainer as rows, the best validations, and when to stop.

Everything is read from the history that Transformers keeps inside its checkpoints, so a training that was killed knows
as much as one that was not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seshat.core.jsonl import write_text

_DROPPED = ("runtime", "per_second", "total_flos", "num_tokens")
"""Parts of the names of figures that depend on the speed of the machine, or say nothing."""
LOG = "log.jsonl"

History = Sequence[Mapping[str, Any]]


def rows(history: History, phase: str) -> list[dict[str, Any]]:
    """The history of a phase as rows of ``log.jsonl``: step, phase, epoch and what was measured."""
    return [
        {"step": event["step"], "phase": phase, **{name: event[name] for name in sorted(event) if _tells(name)}}
        for event in history
        if "train_runtime" not in event  # a summary of one process: another one when a killed training went on
    ]


def _tells(name: str) -> bool:
    return name != "step" and not any(part in name for part in _DROPPED)


def write(path: Path, events: Iterable[Mapping[str, Any]]) -> None:
    """Write ``log.jsonl``."""
    write_text(path, "".join(json.dumps(event) + "\n" for event in events))


def best(history: History, metric: str, count: int) -> list[tuple[float, int]]:
    """The best validations as (score, step), the best first; of equal ones the earlier.

    Args:
        history: of one phase.
        metric: ``loss``, which shall be low, or a score, which shall be high.
        count: at most so many.
    """
    sign = 1 if metric == "loss" else -1
    found = [(event[f"eval_{metric}"], event["step"]) for event in history if f"eval_{metric}" in event]
    return sorted(found, key=lambda one: (sign * one[0], one[1]))[:count]


def waited(history: History, metric: str) -> int:
    """Validations since the best one."""
    steps = [event["step"] for event in history if f"eval_{metric}" in event]
    top = best(history, metric, 1)
    return sum(step > top[0][1] for step in steps) if top else 0
