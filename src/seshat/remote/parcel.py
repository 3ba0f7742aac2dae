"""What is sent to a rented machine: the settings, the training files, models on request. Never more.

Raw files, interim records and ``.env`` stay here. The training files have passed the gate of the run that wrote them;
they are asked again, because the level may have been lowered since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seshat.config.render import show_yaml
from seshat.core.errors import DataError, UsageError
from seshat.core.paths import inside
from seshat.project.folder import Project


@dataclass(frozen=True)
class Parcel:
    """Files to send."""

    settings: str
    """The resolved configuration, which needs no profile and no file that it extends."""
    names: tuple[str, ...]
    """Files of the project, relative to it, with slashes."""


def pack(project: Project, models: tuple[str, ...] = ()) -> Parcel:
    """What a training of a project needs elsewhere.

    Args:
        project: after its stage ``format``.
        models: names below ``models/`` that go along, to be trained on or measured.

    Raises:
        UsageError: there are no training files, or no such model.
        DataError: a training file holds a record above ``project.max_access``.
    """
    if not (project.training / "train.jsonl").is_file():
        raise UsageError("There are no training files to send.", "Make them first: seshat run --until format")
    training = list(_files(project, project.training))
    for path in training:
        if path.suffix == ".jsonl":
            _ask(project, path)
    folders = [project.model(name) for name in models]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"There is no model '{folder.name}'.", f"Look into {project.models}.")
    config = project.config
    named = [config.prompt.chat_template, config.train.finetune.distributed]
    further = [project.root / name for name in named if name is not None and (project.root / name).is_file()]
    chosen = [*training, *(path for folder in folders for path in _files(project, folder)), *further]
    return Parcel(show_yaml(config), tuple(inside(path).relative_to(project.root).as_posix() for path in chosen))


def _files(project: Project, folder: Path) -> Iterator[Path]:
    """Plain files below a folder; links are not followed and not sent, nor is what is hidden."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(project.root).parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            yield path


def _ask(project: Project, path: Path) -> None:
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            try:
                admitted = project.gate.admits_example(json.loads(line))
            except ValueError as error:
                raise DataError(f"{path}:{number}: no JSON: {error}.", "Make it again: seshat format") from error
            if not admitted:
                level = project.config.project.max_access.value
                raise DataError(
                    f"{path}:{number}: a record above project.max_access ({level}) is not sent.",
                    "The files were made for another level. Make them again: seshat format",
                )
