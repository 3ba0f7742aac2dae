"""One trial: train with other settings into a folder of its own, translate the validation set, score."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seshat import tracking
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.paths import remove
from seshat.core.records import Segment
from seshat.core.spaced import evenly
from seshat.pipeline.stages import STAGES
from seshat.project.folder import Project
from seshat.project.manifest import Manifest
from seshat.project.stage import Stage
from seshat.sweep.space import Source, Values

RESULT = "result.json"
MODEL = "sweep"
"""Name of the model of a trial: never that of a model of the project."""
NAMES = {"geomean": "geometric_mean"}
"""What ``sweep.metric`` calls a score otherwise than the evaluation."""


@dataclass(frozen=True)
class TrialProject(Project):
    """A project that trains elsewhere: what the trial's settings change is written to ``home``, the rest is read."""

    home: Path
    own: frozenset[str]
    """Stages that the trial runs itself."""

    @property
    def training(self) -> Path:
        """Training files; the trial's own when a setting of ``format`` is searched."""
        return self.home / "training" if "format" in self.own else super().training

    @property
    def models(self) -> Path:
        """Where the tokenizer is, and older models to go on from."""
        return self.home / "models" if "tokenizer" in self.own else super().models

    @property
    def reports(self) -> Path:
        """What stages report; the project's own reports are about its own model."""
        return self.home / "reports"

    @property
    def state(self) -> Path:
        """Shared by all trials of a search, so that what two of them have in common is computed once."""
        return self.home.parent / "state"

    def model(self, name: str | None = None) -> Path:
        """The trial's model, or another one of the project."""
        mine = name is None or name == self.config.train.name
        return self.home / "models" / MODEL if mine else super().model(name)


def own_stages(project: Project, names: Sequence[str]) -> tuple[Stage, ...]:
    """The stages that a trial runs: those before ``train`` that a searched setting changes, and ``train``."""
    chosen: list[Stage] = []
    for stage in STAGES[: [one.name for one in STAGES].index("train")]:
        keys = stage.settings(project.config)
        touched = any(_within(name, key) or _within(key, name) for name in names for key in keys)
        reads_anew = (
            stage.name == "tokenizer" and bool(chosen) and project.models / "tokenizer" in stage.writes(project)
        )
        if stage.name in ("format", "tokenizer") and (touched or reads_anew):
            chosen.append(stage)
    return (*chosen, STAGES[[one.name for one in STAGES].index("train")])


def _within(name: str, key: str) -> bool:
    return name == key or name.startswith(f"{key}.")


def run_trial(source: Source, home: Path, values: Values, segments: int) -> dict[str, Any]:
    """Train and score one set of values. A trial that was done before is not done again.

    Args:
        source: where the configuration is read from.
        home: the folder of the search; the trial gets a folder below it, named after its values.
        values: the settings of this trial.
        segments: how many validation segments to translate.

    Returns:
        ``scores``: per metric, the mean over the directions; ``directions``: the scores of each; ``seconds``;
        ``folder`` of the model.

    Raises:
        SeshatError: the training says why it cannot be done.
    """
    folder = home / trial_name(values)
    done = folder / RESULT
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return found
    config = source.config({**values, "train.name": MODEL})
    stages = own_stages(Project(source.root, config), list(values))
    project = TrialProject(source.root, config, folder, frozenset(stage.name for stage in stages))
    began = time.perf_counter()
    try:
        summaries = [stage.run(project) for stage in stages]
        measured = score(project, segments) if config.train.kind.translates else _loss(summaries[-1])
    finally:
        remove(folder / "training")  # a copy, soon made again
    result = {**measured, "seconds": round(time.perf_counter() - began, 1), "folder": str(project.model())}
    tracking.add(project, {"validation": measured["scores"]})
    write_json(done, result)
    for leftover in ("work", "evaluate"):  # checkpoints of a training that is over
        remove(project.state / leftover)
    return result


def _loss(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What there is to judge a model by that does not translate."""
    loss = summary.get("validation_loss")
    if loss is None:
        raise DataError("There is no validation loss to judge by.", "Set split.validation above 0.")
    return {"scores": {"loss": loss}, "directions": {}}


def trial_name(values: Mapping[str, Any]) -> str:
    """A folder's name for a set of values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def validation(project: Project) -> list[Segment]:
    """The validation segments that have both languages: those of the project itself, the same for every trial.

    Raises:
        DataError: there are none.
    """
    own = Project(project.root, project.config)
    found = list(own.pairs("validation"))
    if not found:
        raise DataError(
            f"{own.training / 'validation.jsonl'}: no validation segments to judge by.", "Set split.validation above 0."
        )
    return found


def score(project: Project, segments: int) -> dict[str, Any]:
    """Scores of a trained model on validation, never on test: per direction, and their mean over the directions."""
    from seshat.config import Direction
    from seshat.evaluation.translations import translate
    from seshat.inference.load import load_translator
    from seshat.prompt.request import of_segments
    from seshat.scores import METRICS
    from seshat.scores.metrics import Scorer, corpus_scores

    everything = validation(project)
    chosen = evenly(everything, segments)
    found: dict[str, dict[str, float]] = {}
    for name in Manifest.read(project.model()).directions:
        direction = next(one for one in project.config.project.directions if str(one) == name)
        assert isinstance(direction, Direction)
        translator = load_translator(project.model(), direction)
        made = translate(translator, of_segments(chosen, direction.source, translator.context, everything))
        scorer = Scorer([s.texts[direction.target] for s in chosen], project.config.evaluate.bleu_tokenizer)
        values = corpus_scores(scorer.count([hypothesis.text for hypothesis in made]))
        found[name] = {NAMES.get(metric, metric): round(x, 4) for metric, x in zip(METRICS, values, strict=True)}
    metrics = next(iter(found.values()))
    means = {metric: round(math.fsum(one[metric] for one in found.values()) / len(found), 4) for metric in metrics}
    return {"scores": means, "directions": found}
