"""Stage ``train``: a translator in every direction that the configuration asks for."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog

from seshat.config import Direction
from seshat.config.model import TrainSection
from seshat.config.project import ProjectSection
from seshat.jsonl import write_json
from seshat.project import Project

Trainer = Callable[[Project, Direction, Path], dict[str, Any]]
VERSION = 1
"""Of the layout of ``model.json`` and the folder around it."""
INPUTS = ("train.jsonl", "validation.jsonl", "monolingual.jsonl", "lexicon.jsonl")
log = structlog.get_logger(__name__)


def directions(project: ProjectSection, train: TrainSection) -> tuple[Direction, ...]:
    """The directions to train: into the pivot first."""
    forward, back = project.directions
    return {"both": (forward, back), "to-pivot": (forward,), "from-pivot": (back,)}[train.directions]


def run(project: Project) -> dict[str, Any]:
    """Train, and write ``models/NAME/model.json`` and a folder per direction.

    Returns:
        The name and family of the model, its folder, and per direction what the family reports (pairs, phrase
        pairs, chrF2 on validation …) and the seconds it took.
    """
    section = project.config.train
    trainer = _trainer(section.family)
    folder = project.model()
    results: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    for direction in directions(project.config.project, section):
        began = time.perf_counter()
        results[str(direction)] = trainer(project, direction, folder / str(direction))
        seconds[str(direction)] = round(time.perf_counter() - began, 1)
        log.info("trained", direction=str(direction), seconds=seconds[str(direction)])
    for stale in (path for path in folder.iterdir() if path.is_dir() and path.name not in results):
        shutil.rmtree(stale)  # a direction that is no longer trained would be measured as if it were
    write_json(folder / "model.json", _description(project, results))
    summary = {name: {**result, "seconds": seconds[name]} for name, result in results.items()}
    return {"model": section.name, "family": section.family, "folder": str(folder), "directions": summary}


def _trainer(family: str) -> Trainer:
    if family == "seq2seq":
        from seshat.models.seq2seq.train import train
    elif find_spec("thot") is None:  # Linux on Arm, for which Thot has no package
        from seshat.models.wordbyword import train

        log.warning("Thot is not installed; the word-by-word model stands in for the statistical one")
    else:
        from seshat.models.statistical.train import train
    return train


def _description(project: Project, results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a model says of itself: enough to translate with it elsewhere. No time stamps, no paths."""
    config = project.config
    clean = config.clean.model_dump(mode="json", by_alias=True)
    languages = (config.project.language, config.project.pivot)
    return {
        "version": VERSION,
        "family": config.train.family,
        "name": config.train.name,
        "directions": list(results),
        "languages": {tag: config.project.language_name(tag) for tag in languages},
        "normalisation": {
            "profiles": {tag: profile for tag, profile in clean["profiles"].items() if tag in languages},
            "placeholders": clean["placeholders"],
        },
        "settings": getattr(config.train, config.train.family).model_dump(mode="json"),
        "seed": config.project.seed,
        "data": {name: _hash(project.training / name) for name in INPUTS if (project.training / name).exists()},
        "results": {
            name: {key: value for key, value in result.items() if "seconds" not in key}
            for name, result in results.items()
        },
    }


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
