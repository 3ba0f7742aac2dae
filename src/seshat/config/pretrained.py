"""Settings of the pretrained families that contradict each other, and those that are allowed but seldom wise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seshat.config import presets
from seshat.config.base import Mistake
from seshat.config.families import FINETUNING
from seshat.config.known import known_sources, project_languages, unknown_language, unknown_source

if TYPE_CHECKING:
    from seshat.config.schema import Config

Found = Iterator[tuple[tuple[str | int, ...], str]]

NEEDS_CODES = frozenset({"m2m_100", "mbart"})
"""Architectures (``model_type`` of ``config.json``) that must be told the languages by code: NLLB, M2M-100, mBART."""
OVERFLOWING = frozenset({"t5", "mt5", "umt5", "gemma3", "gemma3_text"})
"""Architectures that were pretrained in bfloat16 and whose activations exceed what float16 can hold: the loss becomes
NaN (T5: https://github.com/huggingface/transformers/issues/5651; Gemma 3: https://github.com/unslothai/unsloth/pull/4014).
"""
_ADAPTER_RATE = 1e-4
"""A learning rate from here on is for adapters, not for all weights of a causal or masked model."""


def trains_adapters(config: Config) -> bool:
    """Whether adapters are trained instead of all weights: asked for, or the causal family without a word on it."""
    enabled = config.train.lora.enabled
    return config.train.kind.adapters if enabled is None else enabled


def fine_tunes(config: Config) -> bool:
    """Whether a pretrained model is trained, not one from scratch."""
    return config.train.kind.settings is None or config.model.base is not None


def own_settings(config: Config) -> tuple[str, ...]:
    """Parts of section ``train`` that the configured training reads, beside family, name and directions."""
    family = config.train.kind
    if fine_tunes(config):
        return (*FINETUNING, *family.finetuning)
    return (family.settings,) if family.settings else ()


def architecture(config: Config) -> str | None:
    """``model_type`` of the base, where it is one that Seshat knows without its files."""
    return presets.bases().get(config.model.base or "", {}).get("model_type")


def base_of_family(config: Config) -> Found:
    """A family and its base."""
    base, family = config.model.base, config.train.kind
    if family.settings is None and base is None:
        yield (
            ("train", "family"),
            f"the family '{family.name}' fine-tunes a base model: give model.base (a Hugging Face id or a folder), or "
            "take a preset (seshat presets)",
        )
    if family.network is None and base is not None:
        yield (
            ("model", "base"),
            f"the {family.name} family learns from the data alone: leave model.base out (model.base= on the command "
            "line), or choose another train.family",
        )
    if base is None and config.model.extend_vocabulary:
        yield ("model", "extend_vocabulary"), "there is no model.base whose vocabulary could be extended"
    if base is None and config.train.phases:
        yield ("train", "phases"), "phases are for the fine-tuning of a base; there is no model.base"


def base(config: Config) -> Found:
    """What a base can be asked for."""
    train, model = config.train, config.model
    adapters = trains_adapters(config)
    if model.base is not None and model.quantization != "none" and not adapters:
        yield (
            ("model", "quantization"),
            f"a base in {model.quantization} is frozen and cannot be trained itself: train adapters "
            "(train.lora.enabled: true), or write quantization: none",
        )
    if train.lora.enabled is False and (train.lora.dora or train.lora.rslora):
        yield ("train", "lora", "enabled"), "DoRA and rsLoRA are kinds of adapters, and adapters are switched off"
    if model.attention == "flash_attention_2" and train.finetune.device in ("cpu", "mps"):
        yield (
            ("model", "attention"),
            f"flash_attention_2 needs a CUDA device, and train.finetune.device is '{train.finetune.device}'; "
            "write attention: sdpa",
        )


def fine_tuning(config: Config) -> Found:
    """Settings of the fine-tuning that another family would ignore."""
    family, tuning = config.train.kind, config.train.finetune
    name = family.name
    at = ("train", "finetune")
    if tuning.packing and not family.instructed:
        yield (*at, "packing"), f"packing is for the causal family, not for '{name}'"
    if tuning.label_smoothing and family.is_language_model:
        yield (*at, "label_smoothing"), f"label smoothing is for encoder-decoders, not for '{name}'"
    if not family.translates and tuning.metric != "loss":
        yield (*at, "metric"), f"the {name} family translates nothing: it knows the metric loss, not {tuning.metric}"
    if tuning.accelerator != "none" and not family.instructed:
        yield (*at, "accelerator"), f"{tuning.accelerator} trains the causal family, not '{name}'"
    if tuning.accelerator != "none" and tuning.device in ("cpu", "mps"):
        yield (*at, "accelerator"), f"{tuning.accelerator} does not work on the device '{tuning.device}'"
    if tuning.replay and tuning.continue_from is None:
        yield (*at, "replay"), "replay mixes in the data of an earlier model: name it with continue_from"
    if tuning.packing and tuning.group_by_length and "group_by_length" in tuning.model_fields_set:
        yield (*at, "group_by_length"), "packed rows are all as long as max_length: nothing to group"


def phases(config: Config) -> Found:
    """Phases choose among what there is."""
    known = known_sources(config)
    seen: set[str] = set()
    for index, phase in enumerate(config.train.phases):
        at = ("train", "phases", index)
        if phase.name in seen:
            yield (*at, "name"), f"'{phase.name}' is also the name of an earlier phase; every phase needs its own"
        seen.add(phase.name)
        for name in phase.where.sources:
            if name not in known:
                yield (*at, "where", "sources"), unknown_source(name, config)
        if phase.where.tasks and not config.train.kind.instructed:
            yield (*at, "where", "tasks"), "tasks are those of instruction data, for the causal family"


def languages(config: Config) -> Found:
    """An encoder-decoder must be told the direction."""
    model, codes = config.model, config.model.language_codes
    for tag in codes:
        if tag not in project_languages(config):
            yield ("model", "language_codes", tag), unknown_language(tag, config)
    if not config.train.kind.encodes or model.base is None:
        return
    missing = [tag for tag in (config.project.language, config.project.pivot) if tag not in codes]
    if architecture(config) in NEEDS_CODES and missing:
        wanted = ", ".join(f"{tag}: …" for tag in missing)
        yield (
            ("model", "language_codes"),
            f"{model.base} must be told what it calls your languages: language_codes: {{{wanted}}}, such as "
            "spa_Latn for Spanish; for a language that it does not know, make a code of that form",
        )
    elif missing and config.train.directions == "both" and not _says_direction(config.prompt.prefix):
        yield (
            ("prompt", "prefix"),
            "one model learns both directions, and nothing tells it which is wanted: write a prefix such as "
            "'translate {source} into {target}: ', give model.language_codes, or train one of train.directions",
        )


def _says_direction(prefix: str) -> bool:
    return "{source}" in prefix or "{target}" in prefix


def cautions(config: Config) -> list[Mistake]:
    """What is allowed and seldom wise, for `seshat plan` and the reports of a training."""
    return [Mistake(path, message) for path, message in _cautions(config)]


def _cautions(config: Config) -> Found:
    train = config.train
    adapters = trains_adapters(config)
    if train.kind.encodes and config.model.base is not None and adapters:
        yield (
            ("train", "lora", "enabled"),
            "adapters do badly on encoder-decoders (ByT5-large stops at 18 where full training reaches 32; SIL found "
            "no use for them on NLLB): train all weights unless memory forbids it",
        )
    if train.kind.is_language_model and not adapters and train.finetune.learning_rate >= _ADAPTER_RATE:
        yield (
            ("train", "finetune", "learning_rate"),
            f"{train.finetune.learning_rate:g} is a learning rate for adapters; all weights of a model take about "
            "1e-5 to 5e-5",
        )
    if train.finetune.precision == "float16" and architecture(config) in OVERFLOWING:
        yield (
            ("train", "finetune", "precision"),
            f"{config.model.base} overflows in float16 and loses everything: write auto, bfloat16 or float32",
        )
