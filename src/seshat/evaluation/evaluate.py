"""Stage ``evaluate``: the model beside its floors, with intervals, and a report that a linguist can read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import structlog

from seshat.config import Direction
from seshat.errors import DataError
from seshat.evaluation.advice import warnings
from seshat.evaluation.baselines import CopyTranslator, NearestTranslator, train_word_by_word
from seshat.evaluation.measure import measure
from seshat.evaluation.metrics import METRICS
from seshat.evaluation.report import render
from seshat.evaluation.testbed import Material, TestSet, read_material, read_test_set
from seshat.evaluation.translations import Translation, notes_folder, translate, write_translations
from seshat.inference.translator import Hypothesis
from seshat.jsonl import write_json, write_text
from seshat.project import Project

log = structlog.get_logger(__name__)

_SHOWN = 3
"""Sample translations per direction in the summary."""


def run(project: Project) -> dict[str, Any]:
    """Evaluate the models of a project.

    Reads ``data/training`` and ``models``; writes ``reports/evaluation.json``, ``reports/evaluation.html`` and
    ``reports/translations/<direction>.<system>.jsonl``.

    Returns:
        ``table`` (a row per direction and system), ``samples``, ``report`` (path) and ``warnings``.

    Raises:
        DataError: there is no test set or no trained model.
    """
    models = _models(project)
    test, material = read_test_set(project), read_material(project)
    results: list[dict[str, Any]] = []
    files: dict[str, list[Translation]] = {}
    for direction in project.config.project.directions:
        present = [name for name in models if (project.model(name) / str(direction)).is_dir()]
        if present:
            result, found = _evaluate(project, direction, test, material, present)
            results.append(result)
            files |= found
    evaluation = _evaluation(project, test, material, results)
    write_translations(project.reports / "translations", files)
    write_json(project.reports / "evaluation.json", evaluation)
    write_text(project.reports / "evaluation.html", render(evaluation))
    shutil.rmtree(project.state / "evaluate", ignore_errors=True)
    return {
        "table": [_row(result, system) for result in results for system in result["systems"]],
        "samples": [line for result in results for line in _few(result)],
        "report": str((project.reports / "evaluation.html").relative_to(project.root)),
        "warnings": evaluation["warnings"],
    }


def _models(project: Project) -> list[str]:
    """The models to measure, the project's own first.

    Raises:
        DataError: one of them is not there.
    """
    names = [project.config.train.name, *project.config.evaluate.compare]
    directions = project.config.project.directions
    for name in names:
        if not any((project.model(name) / str(direction)).is_dir() for direction in directions):
            folders = sorted(path.name for path in project.models.glob("*") if (path / "model.json").exists())
            raise DataError(
                f"{project.model(name)}: there is no trained model for {' or '.join(map(str, directions))}.",
                f"Train it with `seshat train`, or name one that exists: {', '.join(folders) or 'there is none yet'}.",
            )
    return names


def _evaluate(
    project: Project, direction: Direction, test: TestSet, material: Material, models: list[str]
) -> tuple[dict[str, Any], dict[str, list[Translation]]]:
    """Translate with every system and measure."""
    language = project.config.project.language
    sources, references = test.texts(direction.source), test.texts(direction.target)
    train_sources, train_targets = material.sides(direction, language)
    nearest = NearestTranslator(direction, train_sources, train_targets)
    found: dict[str, list[Hypothesis]] = {}
    for name in models:
        found[name] = _translate_with_model(project, name, direction, sources)
    for name in project.config.evaluate.baselines:
        if name == "copy":
            found[name] = translate(CopyTranslator(direction), sources)
        elif name == "nearest":
            found[name] = translate(nearest, sources)
        else:
            pairs = zip(train_sources, train_targets, strict=True)
            found[name] = translate(train_word_by_word(direction, pairs, material.entries), sources)
    settings, seed = project.config.evaluate, project.config.project.seed
    result, quality = measure(direction, test, material, found, models, settings, seed, nearest)
    result["history"] = {name: _history(project.model(name) / str(direction) / "history.jsonl") for name in models}
    files = {}
    for name, hypotheses in found.items():
        files[f"{direction}.{name}.jsonl"] = [
            Translation(
                id=segment.id,
                source=source,
                reference=reference,
                hypothesis=hypothesis.text,
                score=round(float(score), 2),
                model_score=round(hypothesis.score, 4),
            )
            for segment, source, reference, hypothesis, score in zip(
                test.segments, sources, references, hypotheses, quality[name], strict=True
            )
        ]
    return result, files


def _translate_with_model(project: Project, name: str, direction: Direction, sources: list[str]) -> list[Hypothesis]:
    from seshat.inference.load import load_translator

    notes = notes_folder(project.state, project.model(name), direction, sources)
    return translate(load_translator(project.model(name), direction), sources, notes)


def _history(path: Path) -> list[dict[str, float]]:
    """How the training went: the numbers of each row that its trainer wrote; none when it wrote nothing."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            log.warning("unreadable line in the training history", file=str(path))
            continue
        rows.append({key: value for key, value in values.items() if isinstance(value, int | float)})
    return rows


def _evaluation(project: Project, test: TestSet, material: Material, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything that ``evaluation.json`` says; the page is made from it alone."""
    config = project.config
    leaks = material.leaks(test, (config.project.language, config.project.pivot))
    return {
        "project": config.project.name,
        "languages": {
            tag: config.project.language_name(tag) for tag in (config.project.language, config.project.pivot)
        },
        "purpose": config.project.purpose,
        "test": {"segments": len(test.segments), "access": test.access, "licences": test.licences, "in_train": leaks},
        "training": {
            "pairs": len(material.pairs),
            "entries": len(material.entries),
            "words": {tag: len(found) for tag, found in material.trained.items()},
        },
        "settings": {
            "reference": config.evaluate.reference,
            "bootstrap": config.evaluate.bootstrap,
            "seed": config.project.seed,
            "test": "paired approximate randomisation",
        },
        "warnings": warnings(test, results, leaks),
        "directions": results,
    }


def _row(result: dict[str, Any], system: dict[str, Any]) -> dict[str, Any]:
    """A line of the table on the terminal."""
    values = system["scores"]
    return {
        "direction": result["direction"],
        "system": system["name"],
        **{metric: round(values[metric]["score"], 1) for metric in METRICS},
        "chrf2 low": round(values["chrf2"]["low"], 1),
        "chrf2 high": round(values["chrf2"]["high"], 1),
        "p": system["difference"]["chrf2"]["p"] if "difference" in system else None,
    }


def _few(result: dict[str, Any]) -> list[dict[str, str]]:
    """A few samples of the main model, from good to bad."""
    samples = result["samples"]
    step = max(1, len(samples) // _SHOWN)
    return [
        {
            "direction": result["direction"],
            "source": sample["source"],
            "translation": sample["systems"][0]["text"],
            "reference": sample["reference"],
        }
        for sample in samples[::step][:_SHOWN]
    ]
