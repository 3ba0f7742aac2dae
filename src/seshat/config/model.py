"""Sections ``tokenizer``, ``format``, ``train`` and ``evaluate``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from seshat.config.base import Name, Section, Share
from seshat.config.families import FAMILIES, Family, FamilyName
from seshat.config.neural import FineTuneSection, InstructSection, LoraSection, MaskedSection, PhaseSection
from seshat.scores import Metric


class TokenizerSection(Section):
    """Report on a tokenizer; train one for models from scratch."""

    path: str | None = None
    """A Hugging Face tokenizer on disk to report on, beside the one that is trained."""
    train: bool | None = None
    """Train a SentencePiece model on the training texts of both languages; default: when the family needs one."""
    vocabulary: int = Field(default=4_000, ge=100)
    """Pieces of the trained tokenizer."""
    algorithm: Literal["unigram", "bpe"] = "unigram"
    """Algorithm; unigram allows subword regularisation."""


class FormatSection(Section):
    """Processed records to the training files of a model."""

    exclude_methods: tuple[str, ...] = ()
    """Leave out of train what was made this way: `synthetic`, `machine` …"""
    instruct: InstructSection = InstructSection()
    """Instruction data, for the causal family."""


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
    """A small encoder-decoder trained from scratch (extra `train`)."""

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
    label_smoothing: Share = 0.1
    """Label smoothing."""
    subword_sampling: Share = 0.1
    """Subword regularisation: share of the words cut in another way at each step; 0 turns it off."""
    batch_tokens: int = Field(default=2_048, ge=64)
    """Target tokens in a batch."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Highest learning rate."""
    warmup: int = Field(default=400, ge=0)
    """Steps until the highest learning rate."""
    steps: int = Field(default=4_000, ge=1)
    """Most steps."""
    minutes: float | None = Field(default=None, gt=0)
    """Stop after so many minutes of training; makes a run depend on the speed of the machine."""
    validate_every: int = Field(default=200, ge=1)
    """Steps between validations, which are also the checkpoints."""
    patience: int = Field(default=6, ge=1)
    """Stop after so many validations without a gain."""
    average: int = Field(default=3, ge=1)
    """Average the best checkpoints."""
    copy_warmup: int = Field(default=200, ge=0)
    """Steps of denoising and copying on both languages before translation starts."""
    beam: int = Field(default=4, ge=1)
    """Beam of the search."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `mps`."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic; `auto` takes bfloat16 where the device has it."""


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
    """Settings of the encoder-decoder from scratch."""
    finetune: FineTuneSection = FineTuneSection()
    """Settings of the fine-tuning of a base model."""
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


ZERO_SHOT = "base (zero-shot)"
"""What the untrained base of the model is called in tables."""
Baseline = Literal["copy", "nearest", "word-by-word"]
"""What costs nothing: see :mod:`seshat.evaluation.baselines`."""


class EvaluateSection(Section):
    """Score the model beside its floors."""

    compare: tuple[str, ...] = ()
    """More models in the same table, names below models/."""
    baselines: tuple[Baseline, ...] = ("copy", "nearest", "word-by-word")
    """Floors: what costs nothing."""
    reference: str = "word-by-word"
    """The system that the paired significance test compares with; `base (zero-shot)` for the untrained base."""
    headline: Metric = "chrf2"
    """The score that the evaluation goes by (p-values, the best floor, warnings, parts of the test set, charts):
    `geomean` is the geometric mean of BLEU and chrF++."""
    bootstrap: int = Field(default=1_000, ge=100)
    """Samples of the bootstrap."""
    samples: int = Field(default=20, ge=0)
    """Sample translations per direction in the report, from the best to the worst."""
    bleu_tokenizer: Literal["auto", "13a", "intl", "char", "zh", "none"] = "auto"
    """How BLEU cuts words, a tokenizer of sacreBLEU; `auto`: `char` where the references are in a script without
    spaces between words, else `13a`."""
    zero_shot: Literal["beside", "alone", "none"] = "beside"
    """The untrained base of a fine-tuned model: `beside` it in the table, `alone` (as `--no-adapter` does), or not."""
    checkpoints: tuple[str, ...] = ()
    """Checkpoints of the model to measure beside it: names such as `checkpoint-400`, or folders."""
    allow_other_prompt: bool = False
    """Ask the model as configured, though it was trained with another prompt (as `--allow-other-prompt` does)."""
    postprocess_texts: int = Field(default=200, ge=0)
    """Validation sentences on which every step of translate.postprocess is left out in turn; 0 turns it off."""
    confidence_texts: int = Field(default=400, ge=0)
    """Validation sentences on which it is learnt how far translations may be trusted; 0 turns it off."""
    perplexity_texts: int = Field(default=200, ge=0)
    """Test sentences whose bits per byte are measured (causal and masked family); 0 turns it off."""
    fill: int = Field(default=10, ge=0)
    """Sentences with a hidden word shown in the report (masked family); as many are judged as for perplexity."""
    task_examples: int = Field(default=200, ge=0)
    """At most so many test questions of each task: dictionary, glossing … (causal family); 0 turns it off."""
