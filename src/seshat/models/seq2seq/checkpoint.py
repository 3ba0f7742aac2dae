"""Checkpoints of unfinished training: one safetensors file, replaced as a whole.

Weights and both moments of Adam are kept in full precision and everything else is a function of the step, so training
that is killed and started again ends with the same weights.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seshat.core.jsonl import atomic_path


@dataclass
class State:
    """How far training has come."""

    step: int = 0
    """Steps done."""
    seconds: float = 0.0
    waited: int = 0
    """Validations since the last gain."""
    best: list[tuple[float, int]] = field(default_factory=list)
    """The best validations as (score, step), best first."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One row per validation: step, train loss, validation loss, chrF2."""


def trained(model: Any) -> dict[str, Any]:
    """The parameters that training changes, by name, in the order of the optimizer."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def save(path: Path, model: Any, optimizer: Any, state: State) -> None:
    """Write a checkpoint."""
    from safetensors.torch import save_file

    names = trained(model)
    tensors = {f"model.{name}": tensor.detach().cpu() for name, tensor in names.items()}
    order = list(names)
    for index, moments in optimizer.state_dict()["state"].items():
        for key in ("exp_avg", "exp_avg_sq"):
            tensors[f"{key}.{order[index]}"] = moments[key].detach().cpu()
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"state": json.dumps(asdict(state))})


def load(path: Path, model: Any, optimizer: Any) -> State:
    """Bring a model and its optimizer to the state of a checkpoint."""
    import torch
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        raw = json.loads(file.metadata()["state"])
        with torch.no_grad():
            for name, parameter in trained(model).items():
                parameter.copy_(file.get_tensor(f"model.{name}"))
        optimizer_state = optimizer.state_dict()
        if raw["step"]:
            optimizer_state["state"] = {
                i: {
                    "step": torch.tensor(float(raw["step"])),
                    **{key: file.get_tensor(f"{key}.{name}") for key in ("exp_avg", "exp_avg_sq")},
                }
                for i, name in enumerate(trained(model))
            }
            optimizer.load_state_dict(optimizer_state)
    return State(**{**raw, "best": [tuple(pair) for pair in raw["best"]]})


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
