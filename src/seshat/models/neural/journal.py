"""What happened in a training: events of the Trainer as rows, the best validations, and when to stop.

Everything is read from the history that Transformers keeps inside its checkpoints, so a training that was killed knows
as much as one that was not.

What it changes is kept as files: the weights of a validation, and the mean of several.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from seshat.core.jsonl import atomic_path, write_text

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


def trained(model: Any) -> dict[str, Any]:
    """The parameters that training changes, by name, in the order of the optimizer."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def save_weights(path: Path, model: Any) -> None:
    """Write the weights alone, for averaging."""
    from safetensors.torch import save_file

    with atomic_path(path) as temporary:
        save_file({name: tensor.detach().cpu() for name, tensor in trained(model).items()}, temporary)


def load_average(paths: list[Path], model: Any) -> None:
    """Put the mean of several sets of weights into a model."""
    import torch
    from safetensors.torch import load_file

    sets = [load_file(path) for path in paths]
    with torch.no_grad():
        for name, parameter in trained(model).items():
            parameter.copy_(torch.stack([weights[name] for weights in sets]).mean(dim=0))
