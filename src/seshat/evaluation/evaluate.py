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
    evaluation.write(project.reports / "evaluation.json")
    if found[0].kind == "model":
        save(found[0].folder, assessment.found.calibrations)
    write_text(project.reports / "evaluation.html", render(evaluation))
    remove(project.state / "evaluate")
    tracking.evaluated(project, evaluation)
    return summary(evaluation) | {
        "report": str((project.reports / "evaluation.html").relative_to(project.root)),
        "warnings": evaluation.warnings,
    }


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
