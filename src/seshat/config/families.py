"""Model families: one object for each, which says what is particular to it.

Whoever needs to know something about a model asks its family, never for its name: whether it translates, what it reads,
which settings are its own, what it can be exported as. The configuration asks too, so the objects stand here, at the
bottom; what trains a family is registered in :mod:`seshat.models.train`, what computes with it in
:mod:`seshat.inference.load`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from seshat.core.errors import DataError

if TYPE_CHECKING:
    from seshat.config.translate import Engine

FamilyName = Literal["statistical", "seq2seq", "causal", "masked"]
FINETUNING = ("finetune", "phases", "lora")
"""Parts of section ``train`` that every training of a neural model shares."""
Form = Literal["merged", "adapter", "gguf", "ollama", "ctranslate2"]


@dataclass(frozen=True)
class Network:
    """How the packages around a neural family know its models."""

    auto: str
    """Class of Transformers that opens them."""
    architectures: str
    """Table of Transformers with the ``model_type`` of each architecture that the class opens."""
    adapters: str | None
    """What PEFT calls the task; ``None`` where it has no name for it."""
    hub_task: str
    """``pipeline_tag`` of the Hugging Face hub."""
    forms: tuple[Form, ...]
    """What a model can be exported as, the usual one first."""
    engine: Engine | None = None
    """What computes its exports faster than Transformers."""


@dataclass(frozen=True)
class Family:
    """What is particular to the models of a family."""

    name: FamilyName
    settings: str | None = None
    """The part of section ``train`` that trains it from scratch; ``None``: it needs a base."""
    network: Network | None = None
    """``None``: it is no neural network, and takes no base."""
    finetuning: tuple[str, ...] = ()
    """Parts of section ``train`` beside :data:`FINETUNING` that its fine-tuning reads."""
    reads: tuple[str, ...] = ()
    """What its fine-tuning reads below ``data/training``, beside train and validation."""
    translates: bool = True
    """Otherwise it has no directions, and is measured by its loss."""
    encodes: bool = False
    """An encoder reads the source and a decoder writes the target: it must be told the direction, and knows label
    smoothing."""
    instructed: bool = False
    """It reads instructions and chats, and answers them: tasks, messages, packing, hints, similar pairs."""
    fills: bool = False
    """It guesses hidden tokens from both sides."""
    reads_before: bool = True
    """It can read the sentences before a text (``prompt.context``)."""
    searches: bool = True
    """It takes settings of the search (``translate.decoding``)."""
    adapters: bool = False
    """Adapters are trained unless the configuration says otherwise."""

    @property
    def is_language_model(self) -> bool:
        """Whether it gives a text a probability."""
        return self.instructed or self.fills


STATISTICAL = Family("statistical", settings="statistical", reads_before=False, searches=False)
SEQ2SEQ = Family(
    "seq2seq",
    settings="seq2seq",
    network=Network(
        "AutoModelForSeq2SeqLM",
        "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
        "SEQ_2_SEQ_LM",
        "translation",
        ("ctranslate2", "merged", "adapter"),
        "ctranslate2",
    ),
    encodes=True,
)
CAUSAL = Family(
    "causal",
    network=Network(
        "AutoModelForCausalLM",
        "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
        "CAUSAL_LM",
        "text-generation",
        ("gguf", "ollama", "merged", "adapter"),
        "llama",
    ),
    reads=("messages",),
    instructed=True,
    adapters=True,
)
MASKED = Family(
    "masked",
    network=Network(
        "AutoModelForMaskedLM", "MODEL_FOR_MASKED_LM_MAPPING_NAMES", None, "fill-mask", ("merged", "adapter")
    ),
    finetuning=("masked",),
    reads=("monolingual.jsonl",),
    translates=False,
    fills=True,
    reads_before=False,
)
FAMILIES: dict[str, Family] = {one.name: one for one in (STATISTICAL, SEQ2SEQ, CAUSAL, MASKED)}
"""By name, the embedded default first."""


def of(name: str) -> Family:
    """A family by its name.

    Raises:
        DataError: this version knows none of that name.
    """
    try:
        return FAMILIES[name]
    except KeyError:
        raise DataError(
            f"'{name}' is no family of models that this version of Seshat knows: {', '.join(FAMILIES)}.",
            "Update Seshat, or train the model again.",
        ) from None
