"""Stage ``train``: a translator in every direction that the configuration asks for.

The statistical family and the encoder-decoder from scratch train a model for each direction, pretrained families one
model for all of them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog

from seshat import tracking
from seshat.config import Direction
from seshat.config.model import TrainSection
from seshat.config.project import ProjectSection
from seshat.core.jsonl import write_json
from seshat.core.paths import fresh, move, remove
from seshat.core.processes import alone, is_main_process
from seshat.project.folder import Project

Trainer = Callable[[Project, Direction, Path], dict[str, Any]]
VERSION = 1
"""Of the layout of ``model.json`` and the folder around it."""
INPUTS = ("train.jsonl", "validation.jsonl", "monolingual.jsonl", "lexicon.jsonl")
_KNOWN = ("base", "vocabulary")
"""What the training of a pretrained model returns for ``model.json`` beside its results."""
log = structlog.get_logger(__name__)


def directions(project: ProjectSection, train: TrainSection) -> tuple[Direction, ...]:
    """The directions to train: into the pivot first."""
    forward, back = project.directions
    return {"both": (forward, back), "to-pivot": (forward,), "from-pivot": (back,)}[train.directions]


def run(project: Project) -> dict[str, Any]:
    """Train, and write ``models/NAME``: see ``model.json`` there, and a folder per direction or one for all.

    Returns:
        The name and family of the model, its folder, and what the family reports (pairs, phrase pairs, chrF2 on
        validation …) with the seconds it took, per direction for the families that train each.
    """
    section = project.config.train
    if project.config.prompt.context and section.family in ("statistical", "masked"):
        log.warning("prompt.context is left out: this family reads each sentence by itself", family=section.family)
    if section.family in ("causal", "masked") or project.config.model.base is not None:
        return _fine_tune(project)
    alone("Training a translator from scratch")
    trainer = _trainer(section.family)
    folder = project.model()
    results: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    with tracking.tracked(project):
        for direction in directions(project.config.project, section):
            began = time.perf_counter()
            results[str(direction)] = trainer(project, direction, folder / str(direction))
            seconds[str(direction)] = round(time.perf_counter() - began, 1)
            log.info("trained", direction=str(direction), seconds=seconds[str(direction)])
        for stale in (path for path in folder.iterdir() if path.is_dir() and path.name not in results):
            remove(stale)  # a direction that is no longer trained would be measured as if it were
        write_json(folder / "model.json", _description(project, results))
        tracking.finish(project, results)
    summary = {name: {**result, "seconds": seconds[name]} for name, result in results.items()}
    return {"model": section.name, "family": section.family, "folder": str(folder), "directions": summary}


def _fine_tune(project: Project) -> dict[str, Any]:
    """Train one pretrained model; the old one stays until the new one is complete."""
    from seshat.models.neural import loop

    section, folder = project.config.train, project.model()
    began = time.perf_counter()
    staging = folder.with_name(f".{folder.name}.partial")
    if is_main_process():
        fresh(staging)
    with tracking.tracked(project):
        result = _pretrained(section.family)(project, staging)
        if is_main_process():
            write_json(staging / "model.json", _pretrained_description(project, staging, result))
            remove(folder)
            move(staging, folder)
            remove(loop.works(project))
            tracking.finish(project, result)
    seconds = round(time.perf_counter() - began, 1)
    log.info("trained", model=section.name, seconds=seconds)
    shown = {name: value for name, value in result.items() if name not in _KNOWN}
    return {"model": section.name, "family": section.family, "folder": str(folder), **shown, "seconds": seconds}


def _pretrained(family: str) -> Callable[[Project, Path], dict[str, Any]]:
    name = {"causal": "causal", "masked": "masked", "seq2seq": "encoder_decoder"}[family]
    train: Callable[[Project, Path], dict[str, Any]] = import_module(f"seshat.models.neural.{name}").train
    return train


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
    section = project.config.train
    settings = getattr(section, section.family).model_dump(mode="json")
    told = {
        name: {key: value for key, value in result.items() if "seconds" not in key} for name, result in results.items()
    }
    context = project.config.prompt.context if section.family == "seq2seq" else 0
    return {**_common(project, list(results), settings, told), **({"context": context} if context else {})}


def _pretrained_description(project: Project, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
    """The same of a fine-tuned model, with what it stands on and how it is asked."""
    from seshat.models.neural import base
    from seshat.prompt.prompt import Prompt

    config = project.config
    names = ("finetune", "phases", "lora", *(("masked",) if config.train.family == "masked" else ()))
    settings = {name: config.train.model_dump(mode="json")[name] for name in names}
    told = {name: value for name, value in result.items() if name not in _KNOWN and "seconds" not in name}
    ways = [str(direction) for direction in directions(config.project, config.train)]
    known = {name: result[name] for name in _KNOWN if name in result}
    if "base" not in known:
        section = config.model
        fingerprint = base.fingerprint(base.resolve(project))
        known["base"] = {"id": section.base, "revision": section.revision, "fingerprint": fingerprint}
    return {
        **_common(project, ways, settings, told),
        **known,
        "adapter": (folder / "adapter").is_dir(),
        "quantization": config.model.quantization,
        "prompt": Prompt.load(folder).hash,
    }


def _common(project: Project, ways: list[str], settings: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    config = project.config
    clean = config.clean.model_dump(mode="json", by_alias=True)
    languages = (config.project.language, config.project.pivot)
    return {
        "version": VERSION,
        "family": config.train.family,
        "name": config.train.name,
        "directions": ways,
        "languages": {tag: config.project.language_name(tag) for tag in languages},
        "normalisation": {
            "profiles": {tag: profile for tag, profile in clean["profiles"].items() if tag in languages},
            "placeholders": clean["placeholders"],
        },
        "settings": settings,
        "seed": config.project.seed,
        "data": {name: _hash(project.training / name) for name in INPUTS if (project.training / name).exists()},
        "results": results,
    }


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
