"""Sections of the pretrained families: ``model, prompt, tracking, sweep, export``, parts of ``format, train``."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field, field_validator

from seshat.config.base import Language, Name, Section, Share

Task = Literal["translate", "word-to-meaning", "meaning-to-word", "examples", "segment", "gloss", "cloze", "inflect"]
"""What an instruction model can be asked: see :mod:`seshat.data.instruct`."""
SLOT = re.compile(r"\{\{|\}\}|\{(?P<slot>[a-z]+)\}")
"""A slot of a prompt template; a doubled brace stands for a brace."""
MOST_CONTEXT = 32
"""Most sentences before a text that a model may read; so many are remembered of a document."""
_MIXTURE: dict[Task, float] = {"translate": 1.0, "word-to-meaning": 0.5, "meaning-to-word": 0.5, "gloss": 0.5}


class ModelSection(Section):
    """Which model to start from."""

    preset: Name | None = None
    """A named set of values below everything that is written here; `seshat presets` lists them."""
    base: str | None = None
    """A Hugging Face id or a local folder to fine-tune; nothing for a model from scratch."""
    revision: str | None = None
    """Branch, tag or commit of the id."""
    quantization: Literal["none", "nf4", "int8"] = "none"
    """Keep the frozen base in 4 or 8 bits while adapters are trained (QLoRA)."""
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    """Implementation of attention."""
    language_codes: dict[Language, str] = Field(default_factory=dict)
    """What the base calls the languages, for bases such as NLLB: `{es: spa_Latn}`. Never guessed; a code that the
    tokenizer lacks is added as a new one."""
    extend_vocabulary: int = Field(default=0, ge=0)
    """New pieces to learn from the training texts and add to the tokenizer of the base."""
    download: bool = False
    """Whether a base that is an id may be fetched over the network."""


class PromptSection(Section):
    """How a model is asked. What stands here is saved beside the model, with a hash, and used wherever it works."""

    system: str = "You are an expert in {language}. Answer exactly, and with the answer alone."
    """System prompt; `{language}` and `{pivot}` are the names of the languages. Empty for none."""
    templates: dict[Task, str] = Field(default_factory=dict)
    """Other words for the tasks than the usual ones."""
    prefix: str = ""
    """What an encoder-decoder reads before the text, with `{source}` and `{target}`, such as
    `translate {source} to {target}: `; one model for both directions needs it unless it has language codes."""
    chat_template: str | None = None
    """A Jinja file (from the project folder) instead of the base's chat template."""
    thinking: bool = False
    """Let a model that can think aloud do so."""
    context: int = Field(default=0, ge=0, le=MOST_CONTEXT)
    """Most sentences before the text, of the same document, that stand in the prompt; encoder-decoders, also those from
    scratch, read them before the text."""
    hints: int = Field(default=0, ge=0)
    """Lexicon entries about the words of the text in the prompt."""
    shots: int = Field(default=0, ge=0)
    """Similar pairs from the training data in the prompt."""
    max_new_tokens: int = Field(default=256, ge=1)
    """Longest answer."""
    beams: int = Field(default=1, ge=1)
    """Beams of the search; 1 is greedy."""
    temperature: float = Field(default=0.0, ge=0)
    """0 for no sampling."""
    top_p: Share = 1.0
    """Sampling among the likeliest tokens that make up so much."""

    @field_validator("system")
    @classmethod
    def _system_slots(cls, text: str) -> str:
        return _slots_are_known(text, ("language", "pivot"))

    @field_validator("prefix")
    @classmethod
    def _prefix_slots(cls, text: str) -> str:
        return _slots_are_known(text, ("source", "target", "language", "pivot"))

    @field_validator("templates")
    @classmethod
    def _template_slots(cls, templates: dict[Task, str]) -> dict[Task, str]:
        for task, text in templates.items():
            _slots_are_known(text, ("text", "source", "target", "language", "pivot"))
            if "{text}" not in text:
                raise ValueError(f"the template of '{task}' has no {{text}}: the model would not see what it is about")
        return templates


def _slots_are_known(text: str, known: Collection[str]) -> str:
    for match in SLOT.finditer(text):
        if match["slot"] and match["slot"] not in known:
            raise ValueError(
                f"'{match[0]}' is no slot here ({', '.join(f'{{{name}}}' for name in known)}); "
                f"write '{{{match[0]}}}' for these letters in braces"
            )
    return text


class InstructSection(Section):
    """Instruction data: tasks mixed from the corpus and the lexicon."""

    tasks: dict[Task, float] = Field(default_factory=lambda: dict(_MIXTURE))
    """Share of what a task could give that is taken: 0.5 takes half of it, 2 takes everything twice."""
    limit: int | None = Field(default=None, ge=1)
    """At most so many examples of a task."""


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


class TrackingSection(Section):
    """Where the figures of a training go beside `log.jsonl`. Nothing leaves the machine unless it stands here."""

    report_to: tuple[Literal["mlflow", "wandb"], ...] = ()
    """Trackers."""
    uri: str | None = None
    """Where MLflow keeps its runs; default: `models/mlflow.db` (SQLite)."""
    experiment: str | None = None
    """Name of the experiment; default: the project's name."""
    samples: int = Field(default=5, ge=0)
    """Sample translations stored with the run; only of public records."""


class RangeSection(Section):
    """A range of numbers to draw from."""

    low: float
    """Lowest value."""
    high: float
    """Highest value."""
    log: bool = False
    """Draw the logarithm evenly."""
    whole: bool = False
    """Whole numbers."""


class SweepSection(Section):
    """A search over settings."""

    parameters: dict[str, tuple[Any, ...] | RangeSection] = Field(default_factory=dict)
    """Full name of a setting, such as `train.finetune.learning_rate`, to a list of values or a range."""
    sampler: Literal["grid", "random", "tpe"] = "grid"
    """How values are chosen."""
    trials: int = Field(default=20, ge=1)
    """At most so many trainings."""
    metric: Literal["geometric_mean", "chrf2", "chrf++", "bleu", "loss"] = "geometric_mean"
    """On validation, the mean of the directions; the highest is the best, of `loss`, for the masked family, the
    lowest."""
    segments: int = Field(default=500, ge=10)
    """Validation segments translated to judge a trial."""
    storage: str | None = None
    """A database URL that several machines share; default: SQLite below reports/."""


GgufType = Literal[
    "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1",
    "q2_k", "q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m", "q6_k",
]  # fmt: skip
"""Types of the weights in a GGUF file, as llama.cpp calls them, in small letters."""


class ExportSection(Section):
    """A trained model in the form that another program takes."""

    formats: tuple[Literal["merged", "adapter", "gguf", "ctranslate2", "ollama"], ...] = ()
    """Which; default: what the family is used with."""
    quantization: tuple[GgufType, ...] = ("q8_0",)
    """GGUF types. `f16`, `q8_0` and the like need nothing else; those with a `k` need llama-cpp-python."""
    margin: float = Field(default=1.0, ge=0)
    """Points by which chrF2 on validation may differ before and after; an export that differs by more, and not by
    chance (95 % interval), is refused."""
    segments: int = Field(default=100, ge=1)
    """Validation segments translated before and after to prove it."""
