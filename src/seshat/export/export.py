"""``export``: a trained model in other forms, each proved to translate as the model does before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.core.errors import CheckFailed, UsageError
from seshat.core.records import Access
from seshat.export.exporter import Exporter
from seshat.export.forms import plan, warnings
from seshat.models.neural.saved import Saved
from seshat.project.folder import Project
from seshat.project.manifest import Manifest
from seshat.prompt.retrieval import FOLDER as MEMORY


def run(project: Project, model: str | None = None, output: Path | None = None) -> dict[str, Any]:
    """Export a model in every form that ``export.formats`` names.

    Each becomes a folder ``models/NAME-FORM`` that is laid out like a model, with a card (``README.md``) and a proof
    (``proof.json``); proofs also go to ``reports/export``, those of refused exports too.

    Args:
        project: the project.
        model: name below ``models/``; default: the one that ``train`` names.
        output: where the folders go; default: ``models/``.

    Returns:
        ``exports`` (name, folder, megabytes), ``table`` (scores before and after), ``refused`` (why, one text each)
        and ``warnings``.

    Raises:
        UsageError: the model is not one that can be exported in such a form.
        DataError: there is no such model, or nothing to prove an export with.
        MissingPackage: a form needs a package that is not installed.
    """
    saved = _open(project.model(model))
    forms = plan(saved, project.config.export)
    exporter = Exporter(project, saved, output or project.models)
    done: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    with exporter.workplace():
        for form in forms:
            try:
                made = exporter.export(form)
            except CheckFailed as error:
                refused.append(str(error))
                continue
            done.append(made)
        rows = exporter.rows
    return {
        "exports": done,
        "table": rows,
        "refused": refused,
        "warnings": [*warnings(saved, forms), *_notes(exporter, done)],
    }


def _open(folder: Path) -> Saved:
    if Manifest.read(folder).kind.network is None:
        raise UsageError(
            f"{folder.name} is no neural network: it is used by Seshat as it is.",
            "Exports are for neural models: see `seshat presets`.",
        )
    saved = Saved.read(folder)
    if saved.manifest.form is not None:
        raise UsageError(
            f"{folder.name} is an export of {saved.manifest.exported_from}.",
            f"Export that: --model {saved.manifest.exported_from}",
        )
    return saved


def _notes(exporter: Exporter, done: Sequence[dict[str, Any]]) -> list[str]:
    """What to know before the exports are given away."""
    if not done:
        return []
    found = list(exporter.doubts)
    name, least = exporter.saved.folder.name, exporter.data.least_open
    if least is not Access.PUBLIC:
        found.append(
            f"{name} was trained on records above public (up to {least}): the cards say so. Give the exports to nobody "
            "who may not see these records."
        )
    if (exporter.saved.folder / MEMORY).is_dir():
        found.append(
            "The exports hold memory/, records of the training data that the prompts quote from. Take the folder away "
            "before you publish where these records may not go; the model is then asked without hints."
        )
    if exporter.data.changed:
        found.append("The training files have changed since the training; the cards say so.")
    if exporter.stale:
        found.append(
            "The scores in reports/evaluation.json are older than the model and stand in no card: run `seshat "
            "evaluate`, then export again."
        )
    return found
