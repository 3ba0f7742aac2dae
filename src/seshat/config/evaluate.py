"""Section ``evaluate``: the model beside its floors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from seshat.config.base import Mistake, Section
from seshat.config.explain import did_you_mean
from seshat.config.slots import listed
from seshat.scores import Metric

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
    """Sentences with a hidden word shown in the report (masked family), as many are judged as for perplexity; of a
    language alone, texts that a causal model goes on with."""
    blanks: tuple[str, ...] = ()
    """Sentences of your own with `___` for one hidden token, shown in the report with what a masked model offers; a
    causal one goes on with what stands before the gap."""
    task_examples: int = Field(default=200, ge=0)
    """At most so many test questions of each task: dictionary, glossing … (causal family); 0 turns it off."""

    def mistakes(self) -> Iterator[Mistake]:
        """Names of models that are those of floors, and a reference that is nowhere."""
        for index, sentence in enumerate(self.blanks):
            if sentence.count("___") != 1:
                yield Mistake(("blanks", index), "write ___ once, where the hidden word stands")
        for index, name in enumerate(self.compare):
            if name in self.baselines:
                yield Mistake(("compare", index), f"'{name}' is the name of a baseline")
            elif name in self.compare[:index]:
                yield Mistake(("compare", index), f"'{name}' stands here twice")
        base = [ZERO_SHOT] if self.zero_shot == "beside" else []
        systems = [*self.baselines, *self.compare, *base]
        if systems and self.reference not in systems:
            yield Mistake(
                ("reference",),
                f"'{self.reference}' is neither among the baselines nor among the compared models; "
                f"it can be {listed(systems)}{did_you_mean(self.reference, systems)}",
            )
