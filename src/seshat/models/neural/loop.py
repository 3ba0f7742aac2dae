"""One training loop for all pretrained families, around the Trainer of Transformers.

What it adds: the order of the examples is a function of seed and epoch alone, so that a killed training goes on with
the same batches; validation translates; the best checkpoints are averaged; a training that runs out of memory goes on
with smaller batches as if it had been killed; several phases follow one another.

Below the work folder a phase has ``checkpoint-STEP`` (of Transformers), ``weights-STEP.safetensors`` (what is trained,
of the best validations) and, when it is over, ``done.safetensors`` and ``done.json``.
"""

from __future__ import annotations

import gc
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from seshat.config.finetune import FineTuneSection
from seshat.core.errors import SeshatError
from seshat.core.jsonl import write_json
from seshat.models.neural import journal
from seshat.models.neural.base import quiet
from seshat.models.neural.device import Backend
from seshat.models.neural.phases import Phase
from seshat.project.folder import Project

Score = Callable[[Any, int], Mapping[str, float]]
"""Model and how many examples at once -> scores on validation, such as ``{"chrf2": 31.5}``; high is good."""
log = structlog.get_logger(__name__)


@dataclass
class Job:
    """A training, whatever its family."""

    open: Callable[[], Any]
    """Opens the model as it is before the first step, adapter and all; the same every time (set the seed first)."""
    tokenizer: Any
    phases: Sequence[tuple[Phase, Any]]
    """Phase and its examples: a ``datasets.Dataset`` of tokenised rows. The column ``length`` says how long they are;
    without it the length of ``input_ids`` counts."""
    validation: Any
    """Tokenised validation examples; ``None`` or empty for no validation."""
    settings: FineTuneSection
    backend: Backend
    work: Path
    """Folder of unfinished work; its name should tell apart what must not be mixed (see :func:`key`)."""
    seed: int
    score: Score | None = None
    """Translates validation; without it the loss decides."""
    collator: Any = None
    trainer: tuple[type[Any], type[Any]] | None = None
    """The class of the Trainer and that of its arguments; default: those of Transformers."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """More training arguments, for the family."""
    callbacks: Callable[[str], Sequence[Any]] | None = None
    """Gives more callbacks of the Trainer for a phase, such as trackers."""
    texts: Any = None
    """What phases of running text are validated on instead; they are judged by the loss."""
    root: Path = field(default_factory=Path)
    """What ``settings.distributed`` is relative to: the project folder."""


@dataclass(frozen=True)
class Fitted:
    """A finished training."""

    model: Any
    """With the best weights."""
    run: dict[str, Any]
    """For ``run.json``: what was decided and why, and per phase what came out."""
    log: list[dict[str, Any]]
    """For ``log.jsonl``."""
    kept: dict[str, Path] = field(default_factory=dict)
    """Name such as ``checkpoint-400`` -> what was trained until then, of the best validations."""

    def checkpoints(self) -> Iterator[tuple[str, Any]]:
        """The model as it was at its best validations, with a name; at the end it is what it was before."""
        own = {name: value.detach().clone() for name, value in journal.trained(self.model).items()}
        for name, path in self.kept.items():
            journal.load_average([path], self.model)
            yield name, self.model
        self.model.load_state_dict(own, strict=False)


def fit(job: Job) -> Fitted:
    """Train through all phases, or go on where a killed training stopped.

    The caller saves the model; ``train`` then removes what is below :func:`works`.

    Raises:
        SeshatError: there is not even memory for one example at a time.
    """
    from seshat.models.neural.trainer import Attempt

    run = Run(job)
    with quiet():
        for number in range(len(job.phases)):
            while not run.finished(number):
                oom = Attempt(job, run, number).train()
                _clear()  # two models at once would not fit
                if oom is not None:
                    run.halve(number, oom)
        model = job.open()
        run.restore(model, len(job.phases))
    return Fitted(model, run.describe(model), run.log(), run.kept())


@dataclass
class Run:
    """How far a training has come: on disk, so that it outlives the process."""

    job: Job
    micro: int = 0
    accumulate: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = self.job.settings
        self.micro, self.accumulate = settings.batch, settings.accumulate
        path = self.job.work / "run.json"
        if path.exists():
            saved = json.loads(path.read_text(encoding="utf-8"))
            self.micro, self.accumulate, self.events = saved["batch"], saved["accumulate"], saved["events"]

    def folder(self, number: int) -> Path:
        """Of a phase."""
        return self.job.work / f"{number + 1}-{self.job.phases[number][0].name}"

    def finished(self, number: int) -> bool:
        """Whether a phase is over."""
        return (self.folder(number) / "done.json").exists()

    def restore(self, model: Any, number: int) -> None:
        """Put into a fresh model what the phases before phase ``number`` have trained."""
        if number:
            journal.load_average([self.folder(number - 1) / "done.safetensors"], model)

    def halve(self, number: int, error: str) -> None:
        """Smaller batches, more of them for a step: the same steps in less memory.

        Raises:
            SeshatError: there is nothing left to halve, or other processes would not follow.
        """
        if self.micro == 1 or int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise SeshatError(
                f"Out of memory with {self.micro} examples on a device at once: {error}",
                "Try, in this order: train.finetune.activation_checkpointing=true, a smaller train.finetune.max_length,"
                " model.quantization=nf4 with adapters, a smaller base. `seshat plan` says beforehand what fits.",
            )
        together = self.micro * self.accumulate
        self.micro = max(size for size in range(1, self.micro // 2 + 1) if together % size == 0)
        self.accumulate = together // self.micro
        phase = self.job.phases[number][0].name
        self.events.append(
            {"event": "out of memory", "phase": phase, "batch": self.micro, "accumulate": self.accumulate}
        )
        log.warning(
            "out of memory: going on from the last checkpoint with smaller batches",
            phase=phase,
            batch=self.micro,
            accumulate=self.accumulate,
            error=error,
        )
        write_json(
            self.job.work / "run.json", {"batch": self.micro, "accumulate": self.accumulate, "events": self.events}
        )

    def results(self) -> list[dict[str, Any]]:
        """What the phases that are over wrote down."""
        done = (self.folder(number) / "done.json" for number in range(len(self.job.phases)))
        return [json.loads(path.read_text(encoding="utf-8")) for path in done if path.exists()]

    def kept(self) -> dict[str, Path]:
        """Files of the best validations, under the names of checkpoints."""
        several = len(self.job.phases) > 1
        return {
            f"checkpoint-{result['name']}-{step}" if several else f"checkpoint-{step}": path
            for number, result in enumerate(self.results())
            for step in result.get("kept", ())
            if (path := self.folder(number) / f"weights-{step}.safetensors").exists()
        }

    def log(self) -> list[dict[str, Any]]:
        """Rows of all phases that are over, after one that says what was decided."""
        rows: list[dict[str, Any]] = [{"event": "device", **self.job.backend.describe()}, *self.events]
        for result in self.results():
            rows += journal.rows(result["history"], result["name"])
        return rows

    def describe(self, model: Any) -> dict[str, Any]:
        """For ``run.json``."""
        return {
            **self.job.backend.describe(),
            "parameters": sum(_size(p) for p in model.parameters()),
            "trainable": sum(_size(p) for p in model.parameters() if p.requires_grad),
            "batch": self.micro,
            "accumulate": self.accumulate,
            "events": self.events,
            "phases": [{k: v for k, v in result.items() if k != "history"} for result in self.results()],
        }


def _size(parameter: Any) -> int:
    """How many numbers a parameter stands for; one in 4 bits holds two in a byte."""
    state = getattr(parameter, "quant_state", None)
    return math.prod(state.shape) if state is not None else parameter.numel()


def _clear() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def key(*parts: str | Path) -> str:
    """What a training depends on, as sixteen digits: a checkpoint of other data or settings is never continued.

    Args:
        parts: settings as text, and files whose content counts; a file that is not there counts as empty.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part.read_bytes() if part.exists() else b""
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


def work(project: Project, *parts: str | Path) -> Path:
    """Folder for the unfinished work of a training that depends on ``parts`` (see :func:`key`)."""
    return works(project) / key(str(project.config.project.seed), *parts)


def works(project: Project) -> Path:
    """Where the unfinished trainings of a model are; removed when the model is complete."""
    return project.state / "work" / project.config.train.name


def trackers(project: Project, backend: Backend) -> Callable[[str], Sequence[Any]] | None:
    """Callbacks that pass the figures on, when the configuration names trackers."""
    if not project.config.tracking.report_to:
        return None
    from seshat import tracking

    return lambda phase: tracking.callbacks(project, {**backend.describe(), "phase": phase})
