"""What the configurations of the programs are made of."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from seshat.config import Config
from seshat.config.finetune import FineTuneSection
from seshat.prompt.prompt import Prompt

SETS = ("train", "validation")
"""The files that are handed over."""
TEMPLATE = "chat_template.jinja"
"""Beside them when the prompt object has a chat template of its own."""
Group = tuple[str, dict[str, Any]]
"""A comment, and the settings below it."""


@dataclass(frozen=True)
class Handover:
    """What there is to hand over."""

    config: Config
    prompt: Prompt
    base: str
    """The base model: an id, or a path from the folder of the hand-over."""
    examples: int
    """Training examples."""

    @property
    def tune(self) -> FineTuneSection:
        """Settings of the fine-tuning."""
        return self.config.train.finetune

    @property
    def adapters(self) -> bool:
        """Whether adapters are trained, not all weights."""
        return self.config.train.adapters

    @property
    def warmup_steps(self) -> int:
        """On one GPU."""
        tune = self.tune
        if tune.warmup >= 1:
            return round(tune.warmup)
        steps = ceil(self.examples / (tune.batch * tune.accumulate)) * tune.epochs
        return round(tune.warmup * min(steps, tune.max_steps or steps))

    @property
    def every(self) -> int | float:
        """Steps between validations, or their share of all steps."""
        every = self.tune.validate_every
        return every if every < 1 else round(every)

    def steps(self) -> dict[str, Any]:
        """Steps and their size, in the words of the Trainer of Transformers, which most programs pass on."""
        tune = self.tune
        return {
            "gradient_accumulation_steps": tune.accumulate,
            **given("max_steps", tune.max_steps),
            "learning_rate": tune.learning_rate,
            "weight_decay": tune.weight_decay,
            "max_grad_norm": tune.max_grad_norm,
            "seed": self.config.project.seed,
        }

    def checkpoints(self) -> dict[str, Any]:
        """The best checkpoint by the loss on validation, in the same words."""
        return {
            "eval_steps": self.every,
            "save_steps": self.every,
            "save_total_limit": self.tune.keep,
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_loss",
            "greater_is_better": False,
            "logging_steps": 10,
            "output_dir": "model",
        }

    def revision(self, name: str) -> dict[str, str]:
        """The revision of the base under the name that a program has for it."""
        revision = self.config.model.revision
        return {name: revision} if revision else {}


def given(name: str, value: Any) -> dict[str, Any]:
    """A setting, where it has a value."""
    return {name: value} if value else {}
