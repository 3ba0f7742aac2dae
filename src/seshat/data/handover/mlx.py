"""MLX-LM's configuration, for Apple's processors: https://github.com/ml-explore/mlx-lm."""

from __future__ import annotations

import math
from typing import Any

from seshat.data.handover.base import Group, Handover, given

COMMAND = "mlx_lm.lora --config train.yaml"
_SCHEDULES = {"cosine": "cosine_decay", "linear": "linear_schedule"}
"""Of Transformers and of MLX; the others are constant there, and :func:`unsaid` says so."""
_BLOCKS = {
    **dict.fromkeys(("q_proj", "k_proj", "v_proj", "o_proj"), "self_attn"),
    **dict.fromkeys(("gate_proj", "up_proj", "down_proj"), "mlp"),
}
"""The part of a block that a layer stands in, in Llama, Qwen and Gemma: MLX-LM takes whole names."""


def groups(handover: Handover) -> list[Group]:
    """The settings of ``train.yaml``."""
    return [
        ("The base model", {"model": handover.base}),
        ("Only the answers are trained, in the chat template of the base", {"data": ".", "mask_prompt": True}),
        ("What is trained", _adapter(handover)),
        ("How; MLX-LM counts batches, not steps", _training(handover)),
    ]


def unsaid(handover: Handover) -> list[str]:
    """What MLX-LM has no words for."""
    tune = handover.tune
    found = ["the last adapter is kept, not the best; one of every validation lies beside it."]
    if handover.config.model.quantization != "none":
        found.append("model.quantization is not handed over: quantise the base first with `mlx_lm.convert -q`.")
    if handover.config.model.revision:
        found.append("model.revision is not handed over: fetch that revision, and name its folder as the base.")
    if tune.packing:
        found.append("train.finetune.packing is not handed over.")
    if tune.scheduler not in _SCHEDULES:
        found.append(f"train.finetune.scheduler: {tune.scheduler} is not handed over: the rate stays the same.")
    if not tune.optimizer.startswith("adamw"):
        found.append(f"train.finetune.optimizer: {tune.optimizer} is not handed over: it is adamw there.")
    return found


def _adapter(handover: Handover) -> dict[str, Any]:
    if not handover.adapters:
        return {"train": True, "fine_tune_type": "full", "num_layers": -1}
    lora = handover.config.train.lora
    every_layer = isinstance(lora.targets, str)
    keys = () if every_layer else tuple(f"{_BLOCKS[name]}.{name}" if name in _BLOCKS else name for name in lora.targets)
    return {
        "train": True,
        "fine_tune_type": "dora" if lora.dora else "lora",
        "num_layers": -1,
        "lora_parameters": {
            "rank": lora.rank,
            "scale": lora.alpha / (math.sqrt(lora.rank) if lora.rslora else lora.rank),
            "dropout": lora.dropout,
            **given("keys", list(keys)),
        },
    }


def _training(handover: Handover) -> dict[str, Any]:
    tune = handover.tune
    epoch = math.ceil(handover.examples / (tune.batch * tune.accumulate))
    steps = min(math.ceil(epoch * tune.epochs), tune.max_steps or math.inf)
    every = max(1, round(handover.every if handover.every >= 1 else handover.every * steps))
    return {
        "seed": handover.config.project.seed,
        "batch_size": tune.batch,
        "grad_accumulation_steps": tune.accumulate,
        "iters": int(steps) * tune.accumulate,
        "optimizer": "adamw",
        "optimizer_config": {"adamw": {"weight_decay": tune.weight_decay, "bias_correction": True}},
        "learning_rate": tune.learning_rate,
        **given("lr_schedule", _schedule(handover, int(steps))),
        "max_seq_length": tune.max_length,
        "grad_checkpoint": tune.activation_checkpointing,
        "val_batches": -1,
        "steps_per_eval": every * tune.accumulate,
        "save_every": every * tune.accumulate,
        "adapter_path": "model",
    }


def _schedule(handover: Handover, steps: int) -> dict[str, Any]:
    """How the rate falls, counted in steps of the optimizer; its arguments are from, (to,) steps."""
    name = _SCHEDULES.get(handover.tune.scheduler)
    rate, falling = handover.tune.learning_rate, max(1, steps - handover.warmup_steps)
    if name is None:
        return {}
    arguments = [rate, falling] if name == "cosine_decay" else [rate, 0.0, falling]
    return {"name": name, "warmup": handover.warmup_steps, "arguments": arguments}
