"""Parts of section ``train`` that every pretrained family shares, and that of the masked family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from seshat.config.base import Language, Mistake, Name, Section, Share
from seshat.config.prompt import Task


class LoraSection(Section):
    """Adapters of low rank."""

    enabled: bool | None = None
    """Train adapters instead of all weights; default: for the causal family."""
    rank: int = Field(default=16, ge=1, le=512)
    """Rank."""
    alpha: int = Field(default=32, ge=1)
    """Scale: the adapter counts alpha / rank times."""
    dropout: Share = 0.05
    """Dropout before the adapter."""
    targets: str | tuple[str, ...] = "all-linear"
    """Layers that get one: `all-linear`, or ends of names such as `[q_proj, v_proj]`."""
    dora: bool = False
    """Weight-decomposed adapters (DoRA)."""
    rslora: bool = False
    """Scale by alpha / sqrt(rank) (rsLoRA)."""

    def mistakes(self) -> Iterator[Mistake]:
        """Kinds of adapters without adapters."""
        if self.enabled is False and (self.dora or self.rslora):
            yield Mistake(("enabled",), "DoRA and rsLoRA are kinds of adapters, and adapters are switched off")


class WhereSection(Section):
    """Which training records; what is empty does not limit."""

    sources: tuple[str, ...] = ()
    """Names of sources."""
    methods: tuple[str, ...] = ()
    """How they came to be: `gold`, `aligned`, `extracted`, `synthetic`, `machine`."""
    tags: tuple[str, ...] = ()
    """At least one of these tags."""
    without_tags: tuple[str, ...] = ()
    """None of these tags."""
    min_score: Share | None = None
    """At least this confidence, where there is one."""
    tasks: tuple[Task, ...] = ()
    """Tasks, for instruction data."""


class PhaseSection(Section):
    """One phase of a training: other data, other settings, the same weights going on."""

    name: Name
    """What it is called."""
    where: WhereSection = WhereSection()
    """Its data."""
    text: bool = False
    """Learn from running text in the project's language, not from instructions (causal): continued pretraining."""
    epochs: float | None = Field(default=None, gt=0)
    """Passes; default: those of `train.finetune`."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Highest learning rate; default: that of `train.finetune`."""


class FineTuneSection(Section):
    """Fine-tuning of a pretrained model, whatever its family."""

    epochs: float = Field(default=3.0, gt=0)
    """Passes over the data."""
    max_steps: int | None = Field(default=None, ge=1)
    """At most so many steps of a phase."""
    learning_rate: float = Field(default=2e-4, gt=0)
    """Highest learning rate. About 2e-4 for adapters, 1e-4 to 5e-4 for ByT5, 5e-5 for NLLB and XLM-R."""
    embeddings: float | None = Field(default=None, gt=0, le=1)
    """Learning rate of the embeddings as a share of the others, 0.1 for texts in a language that is new to the base.
    Not given: they learn as fast as the rest, and beside adapters not at all."""
    scheduler: Literal["cosine", "linear", "constant_with_warmup", "inverse_sqrt"] = "cosine"
    """How the learning rate falls."""
    warmup: float = Field(default=0.05, ge=0)
    """Steps until the highest learning rate; below 1 it is a share of all steps."""
    optimizer: str = "adamw_torch"
    """A name of Transformers: `adamw_torch`, `adafactor`, `paged_adamw_8bit` …"""
    weight_decay: float = Field(default=0.0, ge=0)
    """Weight decay."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Longest gradient."""
    label_smoothing: Share = 0.0
    """Label smoothing (encoder-decoders)."""
    batch: int = Field(default=8, ge=1)
    """Examples on a device at once."""
    accumulate: int = Field(default=1, ge=1)
    """Batches whose gradients make one step."""
    max_length: int = Field(default=512, ge=8)
    """Longest example in tokens, prompt and answer together (encoder-decoders: each side)."""
    truncation_limit: Share = 0.02
    """Stop before training when a larger part of the examples would be cut."""
    packing: bool = False
    """Several short examples in one row (causal)."""
    group_by_length: bool = True
    """Examples of like length in a batch."""
    activation_checkpointing: bool = False
    """Less memory for a third more computing."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where; `cuda` is also what AMD's ROCm calls itself."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Arithmetic; `auto` takes what the device does well."""
    accelerator: Literal["none", "unsloth"] = "none"
    """An optional faster trainer for the causal family."""
    validate_every: float = Field(default=0.25, gt=0)
    """Steps between validations and checkpoints; below 1 it is a share of all steps."""
    metric: Literal["loss", "chrf2", "chrf++", "bleu", "geometric_mean"] = "geometric_mean"
    """What the best checkpoint is chosen by; the masked family knows only the loss."""
    validation_segments: int = Field(default=200, ge=1)
    """Validation segments translated for the metric."""
    patience: int | None = Field(default=4, ge=1)
    """Stop after so many validations without a gain."""
    average: int = Field(default=1, ge=1)
    """Average so many of the best checkpoints; 1 keeps the best one."""
    keep: int = Field(default=2, ge=1)
    """Checkpoints of unfinished work that are kept to go on from."""
    keep_best: int = Field(default=0, ge=0)
    """The best checkpoints of each phase that stay beside the finished model, for `seshat evaluate --checkpoint`."""
    continue_from: Name | None = None
    """A model below models/ whose weights are the start: new data for an old model."""
    replay: Share = 0.0
    """When going on from a model: share of the old training data mixed in, so that it does not forget."""
    distributed: str | None = None
    """A file (from the project folder) with an FSDP or DeepSpeed configuration, passed to the Trainer."""

    def mistakes(self) -> Iterator[Mistake]:
        """What does not go together in any family."""
        if self.accelerator != "none" and self.device in ("cpu", "mps"):
            yield Mistake(("accelerator",), f"{self.accelerator} does not work on the device '{self.device}'")
        if self.replay and self.continue_from is None:
            yield Mistake(("replay",), "replay mixes in the data of an earlier model: name it with continue_from")
        if self.packing and self.group_by_length and "group_by_length" in self.model_fields_set:
            yield Mistake(("group_by_length",), "packed rows are all as long as max_length: nothing to group")


class MaskedSection(Section):
    """Masked-language-model pretraining."""

    probability: Share = 0.15
    """Part of the tokens that is masked."""
    whole_word: bool = False
    """Mask all tokens of a word together."""
    pairs: bool = True
    """Learn from both sides of the pairs too, beside the monolingual texts."""
    languages: tuple[Language, ...] = ()
    """Whose texts to learn from; none given, those of the project's language and the pivot."""
