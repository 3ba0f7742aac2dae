"""axolotl's configuration: https://github.com/axolotl-ai-cloud/axolotl."""

from __future__ import annotations

from typing import Any

from seshat.data.handover.base import TEMPLATE, Group, Handover, given

COMMAND = "axolotl train train.yaml"
_ATTENTION = {"sdpa": "sdp_attention", "flash_attention_2": "flash_attention", "eager": "eager_attention"}


def groups(handover: Handover) -> list[Group]:
    """The settings of ``train.yaml``."""
    return [
        ("The base model", {"base_model": handover.base, **handover.revision("revision_of_model")}),
        ("Only the answers are trained, with the token that ends them", _data(handover)),
        ("What is trained", _adapter(handover)),
        ("How", _training(handover)),
        ("The best checkpoint by the loss on validation", _checkpoints(handover)),
    ]


def _data(handover: Handover) -> dict[str, Any]:
    own = {"chat_template": "jinja", "chat_template_jinja": TEMPLATE}
    shape = {
        "ds_type": "json",
        "split": "train",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "roles_to_train": ["assistant"],
        "train_on_eos": "turn",
    }
    tune = handover.tune
    return {
        **({"chat_template": "tokenizer_default"} if handover.prompt.chat_template is None else own),
        "datasets": [{"path": "train.jsonl", **shape}],
        "test_datasets": [{"path": "validation.jsonl", **shape}],
        "val_set_size": 0.0,
        "train_on_inputs": False,
        "dataset_prepared_path": "prepared",
        "sequence_len": tune.max_length,
        "sample_packing": tune.packing,
        **({"pad_to_sequence_len": True} if tune.packing else {"group_by_length": tune.group_by_length}),
    }


def _adapter(handover: Handover) -> dict[str, Any]:
    if not handover.adapters:
        return {}
    lora, quantization = handover.config.train.lora, handover.config.model.quantization
    every_layer = {"lora_target_linear": True}
    return {
        "adapter": "qlora" if quantization == "nf4" else "lora",
        **given("load_in_4bit", quantization == "nf4"),
        **given("load_in_8bit", quantization == "int8"),
        "lora_r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        **(every_layer if isinstance(lora.targets, str) else {"lora_target_modules": list(lora.targets)}),
        "peft_use_dora": lora.dora,
        "peft_use_rslora": lora.rslora,
    }


def _training(handover: Handover) -> dict[str, Any]:
    tune = handover.tune
    return {
        "micro_batch_size": tune.batch,
        "num_epochs": tune.epochs,
        **handover.steps(),
        "lr_scheduler": tune.scheduler,
        **({"warmup_ratio": tune.warmup} if tune.warmup < 1 else {"warmup_steps": round(tune.warmup)}),
        "optimizer": tune.optimizer,
        "bf16": {"auto": "auto", "bfloat16": True}.get(tune.precision, False),
        "fp16": tune.precision == "float16",
        _ATTENTION[handover.config.model.attention]: True,
        "gradient_checkpointing": tune.activation_checkpointing,
        **given("gradient_checkpointing_kwargs", tune.activation_checkpointing and {"use_reentrant": False}),
    }


def _checkpoints(handover: Handover) -> dict[str, Any]:
    return {**handover.checkpoints(), **given("early_stopping_patience", handover.tune.patience)}
