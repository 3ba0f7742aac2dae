"""Section ``train``: a translator, of any family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from seshat.config.base import Mistake, Name, Section, Share
from seshat.config.families import FAMILIES, Family, FamilyName
from seshat.config.finetune import FineTuneSection, LoraSection, MaskedSection, PhaseSection

SCRATCH: dict[str, Any] = {
    "epochs": 1000,
    "max_steps": 4_000,
    "learning_rate": 1e-3,
    "scheduler": "inverse_sqrt",
    "warmup": 400,
    "weight_decay": 0.01,
    "label_smoothing": 0.1,
    "batch": 64,
    "max_length": 256,
    "validate_every": 400,
    "metric": "chrf2",
    "patience": 6,
    "average": 3,
}
"""How an encoder-decoder without a base is trained (`train.finetune`): Araabi and Monz 2020 (low-resource Transformer),
Vaswani et al. 2017 (warm-up and inverse square root, averaged checkpoints). It is stopped early by chrF2, because the
loss goes on falling when the translations no longer improve."""
SCRATCH_BEAMS = 4
"""Beams of its search."""


class StatisticalSection(Section):
    """Phrase-based translation through Thot."""

    alignment: Literal["hmm", "ibm1", "ibm2", "fast_align", "eflomal"] = "hmm"
    """Word alignment model, trained both ways and symmetrised."""
    iterations: int = Field(default=5, ge=1)
    """Passes of the word alignment."""
    max_phrase: int = Field(default=6, ge=1, le=8)
    """Longest phrase, in tokens (pieces of words count, see `segmentation`)."""
    reordering: int = Field(default=0, ge=0, le=6)
    """Places that the search may jump over; within a phrase, words change places anyway. More takes several times as
    long and brings nothing where the phrases are short and noisy; a clear gain where they are many and regular."""
    lm_order: int = Field(default=3, ge=1, le=5)
    """n-gram order of the target language model."""
    lm_extra: tuple[str, ...] = ()
    """Text files, one sentence a line, that the target language model also counts, below data/raw; `{lang}`
    stands for the target language."""
    lexicon: bool = True
    """Lexicon entries become phrase pairs."""
    stems: bool = True
    """An unknown word may also become what a known word of its stem or a word of the target texts suggests; how far
    to trust that is learned from the words seen once. Off: it is copied."""
    copying: float = 5.0
    """How much to favour copying an unknown word over guesses about it, where tuning starts. The training texts cannot
    tell: their rare words are mostly native, the unknown words of other texts mostly names and loan words. 0 where
    there are few of these."""
    fold_accents: bool = False
    """Ignore accents on the source side, for orthographies that write them irregularly."""
    segmentation: Literal["none", "morfessor", "bpe"] = "none"
    """Cut the words of the project's language into morphemes or subwords, when translating from it and into it."""
    tune: bool = True
    """Tune the weights on validation."""
    tune_segments: int = Field(default=200, ge=10)
    """Segments used for tuning."""
    n_best: int = Field(default=40, ge=1)
    """Candidates per segment in tuning."""


class Seq2SeqSection(Section):
    """The shape of a small encoder-decoder from scratch (extra `train`); `train.finetune` says how it is trained."""

    removed: ClassVar[dict[str, str]] = {
        **{
            name: f"an encoder-decoder from scratch is trained as others are: train.finetune.{name}"
            for name in ("label_smoothing", "learning_rate", "warmup", "patience", "average", "device", "precision")
        },
        "steps": "it stands in train.finetune.max_steps",
        "validate_every": "it stands in train.finetune.validate_every",
        "batch_tokens": "it stands in train.finetune.batch, in sentences",
        "beam": "it stands in prompt.beams",
        "minutes": "a training ends with its steps or by its patience",
        "subword_sampling": "words are cut in one way",
        "copy_warmup": "a training begins with translations",
    }

    dim: int = Field(default=256, ge=16)
    """Width of the model."""
    layers: int = Field(default=3, ge=1)
    """Layers of the encoder and of the decoder."""
    heads: int = Field(default=4, ge=1)
    """Attention heads."""
    ffn: int = Field(default=1024, ge=16)
    """Width of the feed-forward layers."""
    dropout: Share = 0.3
    """Dropout."""

    def mistakes(self) -> Iterator[Mistake]:
        """A width that the heads cannot share."""
        if self.dim % self.heads:
            message = f"dim ({self.dim}) cannot be shared out among {self.heads} heads; dim must be a multiple of heads"
            yield Mistake(("heads",), message)


class TrainSection(Section):
    """Train a translator."""

    family: FamilyName = "statistical"
    """The model family; all but `statistical`, and `seq2seq` from scratch, need a `model.base`."""
    name: Name = "statistical"
    """Folder of the model below models/; when not given, the name of the preset, or else of the family."""
    directions: Literal["both", "to-pivot", "from-pivot"] = "both"
    """Which ways to train."""
    statistical: StatisticalSection = StatisticalSection()
    """Settings of the statistical family."""
    seq2seq: Seq2SeqSection = Seq2SeqSection()
    """Shape of the encoder-decoder from scratch."""
    finetune: FineTuneSection = FineTuneSection()
    """Settings of the training of a neural model."""
    phases: tuple[PhaseSection, ...] = ()
    """Phases one after the other, noisy data first and the best last; none is one phase with all data."""
    lora: LoraSection = LoraSection()
    """Adapters."""
    masked: MaskedSection = MaskedSection()
    """Settings of the masked family."""

    @property
    def kind(self) -> Family:
        """What is particular to the family."""
        return FAMILIES[self.family]

    @property
    def adapters(self) -> bool:
        """Whether adapters are trained instead of all weights: asked for, or usual in the family."""
        return self.kind.adapters if self.lora.enabled is None else self.lora.enabled

    def mistakes(self) -> Iterator[Mistake]:
        """Settings that another family would ignore, and names that stand twice."""
        if self.name in FAMILIES and self.name != self.family:
            yield Mistake(
                ("name",),
                f"a model of the family '{self.family}' cannot be called '{self.name}': it would overwrite that "
                f"family's model; write name: {self.family}, or leave the line out",
            )
        for path, message in _unused_by(self.kind, self.finetune):
            yield Mistake(("finetune", path), message)
        seen: set[str] = set()
        for index, phase in enumerate(self.phases):
            if phase.name in seen:
                message = f"'{phase.name}' is also the name of an earlier phase; every phase needs its own"
                yield Mistake(("phases", index, "name"), message)
            seen.add(phase.name)
            if phase.where.tasks and not self.kind.instructed:
                message = "tasks are those of instruction data, for the causal family"
                yield Mistake(("phases", index, "where", "tasks"), message)
            if phase.text and not self.kind.instructed:
                message = f"running text is a phase of the causal family; '{self.family}' has none of its own"
                yield Mistake(("phases", index, "text"), message)

    @model_validator(mode="before")
    @classmethod
    def _after_its_family(cls, data: Any) -> Any:
        """What follows from the family.

        A model is called after it, so that a change of family alone does not write over the other family's model; and
        one that translates nothing knows no metric but the loss.
        """
        if not isinstance(data, dict):
            return data
        made = dict(data)
        if data.get("name") is None and isinstance(data.get("family"), str):
            made["name"] = data["family"]
        tuning = data.get("finetune")
        family = FAMILIES.get(str(data.get("family")))
        if family is not None and not family.translates and (tuning is None or isinstance(tuning, dict)):
            made["finetune"] = {"metric": "loss", **(tuning or {})}
        return made


def _unused_by(family: Family, tuning: FineTuneSection) -> Iterator[tuple[str, str]]:
    if tuning.packing and not family.instructed:
        yield "packing", f"packing is for the causal family, not for '{family.name}'"
    if tuning.label_smoothing and family.is_language_model:
        yield "label_smoothing", f"label smoothing is for encoder-decoders, not for '{family.name}'"
    if not family.translates and tuning.metric != "loss":
        yield "metric", f"the {family.name} family translates nothing: it knows the metric loss, not {tuning.metric}"
    if tuning.accelerator != "none" and not family.instructed:
        yield "accelerator", f"{tuning.accelerator} trains the causal family, not '{family.name}'"
