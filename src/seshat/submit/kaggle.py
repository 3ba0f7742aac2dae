"""The bundle for an offline notebook on Kaggle: a dataset folder with everything it needs, and the notebook.

``models/NAME-kaggle/dataset`` is a project without its raw data: configuration, model, lexicon, prompt object, and the
wheels of Seshat and of what Kaggle's image lacks. ``models/NAME-kaggle/notebooks`` holds the generated notebook.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from seshat.config.postprocess import EmptyStep
from seshat.core.errors import DISTRIBUTION, DataError, UsageError
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.paths import remove, swap
from seshat.data.kaggle_api import Credentials
from seshat.project.folder import Project
from seshat.project.manifest import Manifest
from seshat.submit.notebook import notebook
from seshat.submit.wheels import copy_wheels, fetch_wheels, has_wheels, own_wheel, pack

MARKER = "seshat-bundle.json"
"""Stands in the bundle's folder, and says what is in it."""
NOTEBOOK = "submission.ipynb"


def run(
    project: Project,
    model: str | None = None,
    *,
    wheels: Path | None = None,
    fetch: bool = False,
    budget: str | None = None,
) -> dict[str, Any]:
    """Write the bundle of a model.

    Args:
        project: the project; section ``submit.kaggle`` says what is in the bundle.
        model: name below ``models/``; default: as ``seshat translate``.
        wheels: folder with wheels; default: those of the bundle that is there already, or else of this environment.
        fetch: get them with ``pip download``.
        budget: time for consensus decoding; default: nine tenths of what a notebook has.

    Returns:
        ``bundle`` (folder), ``megabytes``, ``warnings``.

    Raises:
        UsageError: the model is not complete.
        DataError: wheels are missing, or Kaggle refuses.
    """
    name = model or project.config.translate.model or project.config.train.name
    names = _complete(project, name)
    target = project.models / f"{name}-kaggle"
    work = project.state / "work" / "kaggle"
    remove(work)
    dataset = work / "dataset"
    try:
        warnings = _wheels(project, dataset / "wheels", wheels, target / "dataset" / "wheels", fetch=fetch)
        _project(project, names, dataset)
        warnings += _metadata(project, name, work, budget)
        swap(work, target)
    finally:
        remove(work)
    size = sum(file.stat().st_size for file in (target / "dataset").rglob("*") if file.is_file())
    return {"bundle": str(target), "megabytes": round(size / 1e6, 1), "warnings": warnings}


def _complete(project: Project, name: str) -> list[str]:
    """The models that a submission opens, when each of them can be opened without anything else.

    Raises:
        UsageError: one needs its base, which is not in its folder.
    """
    settings = project.config.translate.mbr
    names = list(dict.fromkeys([name, *(one.partition("@")[0] for one in settings.models if settings.enabled)]))
    for one in names:
        if Manifest.open(project.model(one)).adapter:
            raise UsageError(
                f"{one} is an adapter: without a network its base is not there.",
                f"Export it whole, and bundle that: seshat export merged --model {one}, then --model {one}-merged "
                "(or gguf, or ctranslate2).",
            )
    return names


def _wheels(project: Project, folder: Path, given: Path | None, former: Path, *, fetch: bool) -> list[str]:
    """Fill the folder of wheels; gives warnings."""
    section = project.config.submit.kaggle
    own_wheel(folder)
    if fetch:
        fetch_wheels(section.wheels, folder, section.python)
        return []
    if source := given or (former if has_wheels(section.wheels, former) else None):
        copy_wheels(section.wheels, source, folder)
        return []
    for name in section.wheels:
        pack(name, folder)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return [
        f"The wheels are those of this environment, for Python {version}. Kaggle may have another one: fetch them with "
        "--fetch-wheels before you upload."
    ]


def _project(project: Project, names: list[str], dataset: Path) -> None:
    """The project without raw data: for :func:`~seshat.project.folder.open_project` and the chain of translation."""
    config = project.config
    write_json(dataset / "seshat.yaml", config.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    for name in names:
        ignore = shutil.ignore_patterns("checkpoint*", "*.tmp")
        shutil.copytree(project.model(name), dataset / "models" / name, ignore=ignore)
    steps = config.translate.postprocess.steps
    training = dataset / "data" / "training"
    if steps and (project.training / "lexicon.jsonl").is_file():
        write_jsonl(training / "lexicon.jsonl", project.entries())
    # What a model leaves empty is translated word by word, which is learned from the pairs there and then.
    if any(isinstance(step, EmptyStep) and "word-by-word" in step.fallback for step in steps):
        write_jsonl(training / "train.jsonl", project.segments("train"))
    if template := config.prompt.chat_template:
        _copy(project.root / template, dataset / template)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _metadata(project: Project, model: str, work: Path, budget: str | None) -> list[str]:
    """The notebook, and what Kaggle wants to know about both; gives warnings."""
    section = project.config.submit.kaggle
    warnings = ["The bundle holds the model, the lexicon and what the fallback learns from. It is created as private."]
    owner = section.owner or _user()
    if owner is None:
        owner = "OWNER"
        warnings.append("Your name on Kaggle is not known: set submit.kaggle.owner before --upload.")
    if section.competition is None:
        warnings.append("submit.kaggle.competition is not set: the notebook gets no test file on Kaggle.")
    own = f"{owner}/{section.name}"
    title = section.name.replace("-", " ")
    made = notebook(
        title=title,
        dataset=own,
        model=model,
        packages=(DISTRIBUTION, *section.wheels),
        marker=MARKER,
        budget=time_budget(project, budget),
    )
    write_json(work / "notebooks" / NOTEBOOK, made)
    write_json(work / "dataset" / MARKER, {"model": model, "wheels": sorted(_names(work / "dataset" / "wheels"))})
    write_json(
        work / "dataset" / "dataset-metadata.json",
        {"title": title, "id": own, "licenses": [{"name": "other"}], "isPrivate": True},
    )
    write_json(
        work / "notebooks" / "kernel-metadata.json",
        {
            "id": f"{own}-notebook",
            "title": f"{title} notebook",
            "code_file": NOTEBOOK,
            "language": "python",
            "kernel_type": "notebook",
            "is_private": True,
            "enable_gpu": section.accelerator == "gpu",
            "enable_tpu": False,
            "enable_internet": False,
            "dataset_sources": [own],
            "competition_sources": [section.competition] if section.competition else [],
            "kernel_sources": [],
            "model_sources": [],
        },
    )
    return warnings


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("*.whl")]


def _user() -> str | None:
    try:
        return Credentials.find().user
    except DataError:
        return None


def time_budget(project: Project, given: str | None) -> str | None:
    """How long consensus decoding may take: as given, or nine tenths of the hours of a notebook; else ``None``."""
    hours = project.config.submit.kaggle.hours
    return given or (f"{hours * 0.9:g}h" if project.config.translate.mbr.enabled else None)


def read_metadata(bundle: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Kaggle is told about the dataset and about the notebook of a bundle."""
    paths = bundle / "dataset" / "dataset-metadata.json", bundle / "notebooks" / "kernel-metadata.json"
    dataset, kernel = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    return dataset, kernel
