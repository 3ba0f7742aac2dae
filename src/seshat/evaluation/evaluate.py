"""Stage ``evaluate``: the model beside its floors, with intervals, and a report that a linguist can read."""

from __future__ import annotations

from typing import Any

from seshat import tracking
from seshat.core.jsonl import write_text
from seshat.core.paths import remove
from seshat.evaluation import systems
from seshat.evaluation.assess import Assessment
from seshat.evaluation.summary import summary
from seshat.evaluation.translations import write_translations
from seshat.inference.confidence import save
from seshat.project.folder import Project
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
