"""Stage ``evaluate``: the model beside its floors, with intervals, and a report that a linguist can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seshat import tracking
from seshat.config import Config
from seshat.core.jsonl import write_text
from seshat.core.paths import remove
from seshat.evaluation import systems
from seshat.evaluation.assess import Assessment
from seshat.evaluation.summary import summary
from seshat.evaluation.translations import write_translations
from seshat.inference.confidence import save
from seshat.project.folder import Project
from seshat.project.stage import SET_FILES, Stage, files
from seshat.report.evaluation import render
from seshat.report.results import Evaluation


def run(project: Project) -> dict[str, Any]:
    """Evaluate the models of a project.

    Reads ``data/training`` and ``models``; writes ``reports/evaluation.json``, ``reports/evaluation.html`` and
    ``reports/translations/<direction>.<system>.jsonl`` (and ``tasks.<system>.jsonl``), and how far the translations of
    the main model may be trusted beside its folder (``models/NAME.confidence.json``).

    Returns:
        ``table`` (a row per direction and system), ``by_genre`` (the same per genre, where there are several),
        ``perplexity``, ``tasks``, ``fill`` (for the families that have them), ``samples``, ``report`` (path) and
        ``warnings``.

    Raises:
        DataError: there is no test set or no trained model.
    """
    names = [project.config.train.name, *project.config.evaluate.compare]
    found, notes = systems.chosen(project, names)
    assessment = Assessment(project, found, project.config.evaluate)
    assessment.found.notes += notes
    evaluation = assessment.evaluation()
    write_translations(project.reports / "translations", assessment.files)
    values = _report(project, evaluation, "evaluation")
    if found[0].kind == "model":
        save(found[0].folder, assessment.found.calibrations)
    remove(project.state / "evaluate")
    tracking.evaluated(project, evaluation)
    return values


QUICK = 200
"""Test sentences of a first look: about the fewest whose interval (some three points of chrF2 either way) still tells
a good model from a bad one."""


def quick(project: Project, most: int = QUICK) -> dict[str, Any]:
    """A first look at the models on a sample of the test set; the evaluation of the whole set stays as it is.

    Writes ``reports/quick.json`` and ``reports/quick.html``. Nothing is learnt on validation.

    Args:
        project: the project.
        most: sentences, evenly spaced over the test set.

    Returns:
        As :func:`run`.

    Raises:
        DataError: there is no test set or no trained model.
    """
    config = project.config
    found, notes = systems.chosen(project, [config.train.name, *config.evaluate.compare])
    less = {"confidence_texts": 0, "postprocess_texts": 0, "task_examples": min(config.evaluate.task_examples, most)}
    assessment = Assessment(project, found, config.evaluate.model_copy(update=less), most)
    assessment.found.notes += notes
    return _report(project, assessment.evaluation(), "quick")


def _report(project: Project, evaluation: Evaluation, name: str) -> dict[str, Any]:
    page = project.reports / f"{name}.html"
    evaluation.write(page.with_suffix(".json"))
    write_text(page, render(evaluation))
    return summary(evaluation) | {"report": str(page.relative_to(project.root)), "warnings": evaluation.warnings}


def _evaluate_settings(config: Config) -> tuple[str, ...]:
    several = config.neural or config.evaluate.compare
    asked = ("train.family", "model", "prompt", "clean.profiles", "clean.placeholders") if several else ()
    delivered = ("engine", "decoding", "server", "in_context", "mbr", "postprocess")
    return ("evaluate", "project", "train.name", *(f"translate.{key}" for key in delivered), *asked)


def _evaluate_reads(project: Project) -> tuple[Path, ...]:
    config = project.config
    models = [project.model(name) for name in dict.fromkeys((config.train.name, *config.evaluate.compare))]
    if config.evaluate.zero_shot == "alone":  # a base can be measured before anything is trained
        models = [path for path in models if path.exists()]
    messages = files(project.training, "messages") if config.instructs else ()
    return (*files(project.training, *SET_FILES), *messages, *models)


def _evaluate_writes(project: Project) -> tuple[Path, ...]:
    written = files(project.reports, "evaluation.json", "evaluation.html", "translations")
    # How far translations may be trusted; beside the folder of the model, which is written by `train`.
    alone = project.config.evaluate.zero_shot == "alone"
    return written if alone else (*written, project.models / f"{project.config.train.name}.confidence.json")


STAGE = Stage(
    name="evaluate",
    module=__name__,
    version=5,
    settings=_evaluate_settings,
    reads=_evaluate_reads,
    writes=_evaluate_writes,
)
"""What the pipeline needs to know."""
