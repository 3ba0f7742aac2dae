"""LLaMA-Factory's configuration: https://github.com/hiyouga/LLaMA-Factory."""

from __future__ import annotations

from typing import Any

from seshat.data.handover.base import SETS, Group, Handover, given

COMMAND = "llamafactory-cli train train.yaml"
_ATTENTION = {"sdpa": "sdpa", "flash_attention_2": "fa2", "eager": "disabled"}
_BITS: dict[str, dict[str, Any]] = {
    "none": {},
    "nf4": {
        "quantization_bit": 4,
        "quantization_method": "bnb",
        "quantization_type": "nf4",
        "double_quantization": True,
    },
    "int8": {"quantization_bit": 8, "quantization_method": "bnb"},
}


def groups(handover: Handover) -> list[Group]:
    """The settings of ``train.yaml``."""
    return [
        ("The base model", _model(handover)),
        ("Only the answers are trained. No `template`: that of the tokenizer is taken, as in Seshat", _data(handover)),
        ("What is trained", _adapter(handover)),
        ("How; the steps of the warm-up are those on one GPU", _training(handover)),
        ("The best checkpoint by the loss on validation", _checkpoints(handover)),
    ]


def dataset_info() -> dict[str, Any]:
    """Its registry of datasets. ``sharegpt``: its ``openai`` adds words of its own to the system prompt."""
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    }
    shape = {"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}
    return {f"seshat_{name}": {"file_name": f"{name}.jsonl", **shape} for name in SETS}


def _model(handover: Handover) -> dict[str, Any]:
    return {
        "model_name_or_path": handover.base,
        **handover.revision("model_revision"),
        "flash_attn": _ATTENTION[handover.config.model.attention],
        "disable_gradient_checkpointing": not handover.tune.activation_checkpointing,
    }


def _data(handover: Handover) -> dict[str, Any]:
    return {
        "dataset_dir": ".",
        "dataset": "seshat_train",
        "eval_dataset": "seshat_validation",
        "train_on_prompt": False,
        "mask_history": True,
        "enable_thinking": handover.prompt.thinking,
        "cutoff_len": handover.tune.max_length,
        "packing": handover.tune.packing,
        "neat_packing": handover.tune.packing,
    }


def _adapter(handover: Handover) -> dict[str, Any]:
    task = {"stage": "sft", "do_train": True}
    if not handover.adapters:
        return {**task, "finetuning_type": "full"}
    lora = handover.config.train.lora
    return {
        **task,
        "finetuning_type": "lora",
        **_BITS[handover.config.model.quantization],
        "lora_rank": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "lora_target": "all" if isinstance(lora.targets, str) else ",".join(lora.targets),
        "use_dora": lora.dora,
        "use_rslora": lora.rslora,
    }


def _training(handover: Handover) -> dict[str, Any]:
    tune = handover.tune
    return {
        "per_device_train_batch_size": tune.batch,
        "num_train_epochs": tune.epochs,
        **handover.steps(),
        "lr_scheduler_type": tune.scheduler,
        "warmup_steps": handover.warmup_steps,
        "optim": tune.optimizer,
        "bf16": tune.precision in ("auto", "bfloat16"),
        "fp16": tune.precision == "float16",
    }


def _checkpoints(handover: Handover) -> dict[str, Any]:
    return {
        "per_device_eval_batch_size": handover.tune.batch,
        "eval_strategy": "steps",
        "save_strategy": "steps",
        **handover.checkpoints(),
        **given("early_stopping_steps", handover.tune.patience),
        "report_to": "none",
    }
