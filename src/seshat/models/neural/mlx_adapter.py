"""A base in MLX with an adapter on it, its learning rate, and the way of the adapter back to PEFT."""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path
from typing import Any

from seshat.config.neural import FineTuneSection, LoraSection
from seshat.core.errors import SeshatError, UsageError

BITS = {"nf4": 4, "int8": 8}
"""MLX quantises evenly, in groups; it has no NF4."""
_GROUP = 64
"""Weights that share a scale in MLX's quantisation; its default."""


def open_model(folder: Path, lora: LoraSection, dtype: str, quantization: str, seed: int) -> Any:
    """The base in MLX, with a fresh adapter on it, which alone is trained.

    Args:
        folder: the base.
        lora: rank, scale, layers.
        dtype: arithmetic of the base.
        quantization: ``none``, or what the frozen weights are brought to.
        seed: of the adapter's weights.
    """
    import mlx.core as mx
    import mlx.nn as nn
    from mlx_lm import load
    from mlx_lm.tuner.utils import linear_to_lora_layers

    mx.random.seed(seed)
    with silent():
        model = load(str(folder))[0]
    model.set_dtype(getattr(mx, dtype))
    if quantization != "none":
        nn.quantize(model, group_size=_GROUP, bits=BITS[quantization])
    model.freeze()
    scale = lora.alpha / (math.sqrt(lora.rank) if lora.rslora else lora.rank)
    settings = {"rank": lora.rank, "scale": scale, "dropout": lora.dropout, "keys": _keys(model, lora)}
    linear_to_lora_layers(model, len(model.layers), settings)
    return model


def _keys(model: Any, lora: LoraSection) -> list[str]:
    """The linear layers within a block that get an adapter.

    Raises:
        UsageError: there is none of the names in ``train.lora.targets``.
    """
    import mlx.nn as nn

    kinds = (nn.Linear, nn.QuantizedLinear)
    names = {name for block in model.layers for name, part in block.named_modules() if isinstance(part, kinds)}
    if isinstance(lora.targets, str):
        return sorted(names)
    found = sorted(name for name in names if name.endswith(lora.targets))
    if not found:
        raise UsageError(
            f"train.lora.targets: this model has no layer called {' or '.join(lora.targets)}.",
            f"Its linear layers: {', '.join(sorted(names))}; or all-linear for all of them.",
        )
    return found


def warmup_steps(settings: FineTuneSection, steps: int) -> int:
    """Steps until the highest learning rate, as Transformers counts them."""
    return int(settings.warmup) if settings.warmup >= 1 else math.ceil(settings.warmup * steps)


def schedule(kind: str, rate: float, warmup: int, steps: int) -> Any:
    """A learning rate per step, as Transformers would have it.

    Args:
        kind: ``cosine``, ``linear``, ``constant_with_warmup`` or ``inverse_sqrt``.
        rate: the highest.
        warmup: steps until then.
        steps: all steps.

    Returns:
        A function that MLX's optimizers take.
    """
    import mlx.core as mx

    falling = max(1, steps - warmup)
    usual = max(1, warmup or 10_000)  # Transformers' time scale of inverse_sqrt without a warm-up

    def at(step: Any) -> Any:
        step = 1.0 * step  # MLX counts in numbers that cannot go below zero
        done = mx.clip((step - warmup) / falling, 0.0, 1.0)
        falls = {
            "cosine": 0.5 * (1 + mx.cos(math.pi * done)),
            "linear": 1 - done,
            "constant_with_warmup": mx.ones_like(done),
            "inverse_sqrt": mx.rsqrt(mx.maximum(step - warmup + usual, 1) / usual),
        }
        return rate * mx.where(step < warmup, step / max(1, warmup), falls[kind])

    return at


def restore(model: Any, path: Path) -> None:
    """Put an adapter of MLX-LM on the same base in PEFT.

    MLX computes ``x A B`` and stores A as (in, rank), B as (rank, out); PEFT stores both the other way round.

    Args:
        model: a PEFT model with a fresh adapter on the same layers.
        path: what MLX-LM has trained.

    Raises:
        SeshatError: the layers are not the same.
    """
    import torch
    from safetensors.torch import load_file

    found = load_file(path)
    wanted = {name: value for name, value in model.named_parameters() if value.requires_grad}
    names = {_peft_name(name): name for name in found}
    if set(names) != set(wanted):
        odd = sorted(set(names) ^ set(wanted))[0]
        raise SeshatError(
            f"The adapter that MLX-LM trained has other layers than the base here: {odd}.",
            "Train without it: train.finetune.accelerator=none",
        )
    with torch.no_grad():
        for name, parameter in wanted.items():
            parameter.copy_(found[names[name]].T.to(parameter.dtype))


def _peft_name(name: str) -> str:
    stem, _, kind = name.rpartition(".lora_")
    return f"base_model.model.{stem}.lora_{kind.upper()}.default.weight"


@contextlib.contextmanager
def silent() -> Any:
    """MLX-LM draws on the terminal by itself."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
