"""What is measured: trained models, the untrained bases of fine-tuned ones, and checkpoints."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seshat.config.evaluate import ZERO_SHOT
from seshat.config.families import Family
from seshat.core.errors import DataError, PromptMismatch, SeshatError, UsageError
from seshat.core.paths import fresh
from seshat.project.folder import Project
from seshat.project.manifest import Base, Manifest, is_model
from seshat.prompt.prompt import FILE as PROMPT_FILE
from seshat.prompt.prompt import Prompt
from seshat.prompt.retrieval import FOLDER as MEMORY

Kind = Literal["model", "base", "checkpoint"]
_ADAPTER_FILE = "adapter_config.json"


@dataclass(frozen=True)
class System:
    """Something to measure."""

    name: str
    """What the tables call it."""
    folder: Path
    """Laid out as ``models/NAME``."""
    family: Family
    directions: tuple[str, ...]
    """What it translates; a masked model translates nothing."""
    kind: Kind = "model"
    other_prompt: bool = False
    """Whether it is asked as the configuration says instead of as it was trained."""

    @property
    def adapter(self) -> bool:
        """Whether it is opened with what was trained."""
        return self.kind != "base"

    @property
    def is_language_model(self) -> bool:
        """Whether it can be asked what probability it gives a text; a GGUF file only translates here."""
        return self.family.is_language_model and not any(self.folder.glob("*.gguf"))


def read(project: Project, name: str) -> System:
    """A trained model.

    Raises:
        DataError: it is not there, or knows neither direction of the project.
    """
    manifest = _manifest(project.model(name))
    ways = [str(direction) for direction in project.config.project.directions]
    if manifest is None or (ways and manifest.kind.translates and not set(ways) & set(manifest.directions)):
        found = sorted(path.name for path in project.models.glob("*") if is_model(path))
        raise DataError(
            f"{project.model(name)}: there is no trained model for {' or '.join(ways or project.config.project.tags)}.",
            f"Train it with `seshat train`, or name one that exists: {', '.join(found) or 'there is none yet'}.",
        )
    return _system(project, name, project.model(name), manifest, "model")


def chosen(project: Project, names: Sequence[str]) -> tuple[list[System], list[str]]:
    """The systems of an evaluation: models, checkpoints of the first, and bases.

    Args:
        project: the project; ``evaluate.zero_shot`` and ``evaluate.checkpoints`` decide about bases and checkpoints.
        names: models below ``models/``, the main one first.

    Returns:
        The systems, the main one first, and in plain words which base could not be measured, and why.

    Raises:
        DataError: a model or a checkpoint is not there.
        PromptMismatch: the model that the configuration describes was trained with another prompt.
    """
    settings = project.config.evaluate
    _hold_to_prompt(project, names)
    if settings.zero_shot == "alone":
        return [base(project, name, several=len(names) > 1) for name in names], []
    models = [read(project, name) for name in names]
    found = [*models, *(checkpoint(project, names[0], name) for name in settings.checkpoints)]
    notes: list[str] = []
    known: set[tuple[str, str]] = set()
    for model in models if settings.zero_shot == "beside" else ():
        origin = Manifest.read(model.folder).base or Base()
        key = model.family.name, origin.fingerprint or origin.id
        if not key[1] or key in known:
            continue
        known.add(key)
        try:
            found.append(base(project, model.name, several=len(models) > 1))
        except SeshatError as error:
            notes.append(f"The base of {model.name} was not measured beside it: {error.message}")
    return found, notes


def _hold_to_prompt(project: Project, names: Sequence[str]) -> None:
    """The model that the configuration describes is asked as it says, or not at all without being told to."""
    folder, name = project.model(), project.config.train.name
    if name in names and (folder / PROMPT_FILE).exists() and not project.config.evaluate.allow_other_prompt:
        try:
            Prompt.check(folder, Prompt.of(project))
        except PromptMismatch as error:
            raise PromptMismatch(
                error.message,
                "Set these back to what the model knows, train again (seshat train), or ask it so all the same: seshat "
                "evaluate --allow-other-prompt",
            ) from error


_NOTHING_BEFORE = "There is nothing to measure without what is trained; leave out --no-adapter."


def base(project: Project, name: str, *, several: bool = False) -> System:
    """The untrained base of a model, which need not be trained yet.

    Args:
        project: the project.
        name: the model below ``models/``.
        several: whether other models are measured too, so that the name has to tell bases apart.

    Raises:
        UsageError: the model was trained from scratch.
        DataError: the base is not on this machine, or is another one than that of the training.
    """
    from seshat.models.neural.saved import Saved

    shown = f"base of {name} (zero-shot)" if several else ZERO_SHOT
    folder = project.model(name)
    manifest = _manifest(folder)
    if manifest is None:
        manifest = _planned(project, name)
        folder = _view(project, shown, manifest)
    if manifest.base is None:
        raise UsageError(f"The model '{name}' has no base: it is trained from scratch.", _NOTHING_BEFORE)
    Saved.read(folder).base()
    return _system(project, shown, folder, manifest, "base", name)


def checkpoint(project: Project, name: str, wanted: str) -> System:
    """A checkpoint of a model.

    Args:
        project: the project.
        name: the model below ``models/``.
        wanted: a folder, or the name of one below the model's folder or unfinished work: ``checkpoint-400``.

    Raises:
        DataError: there is none, or several of that name, or it holds no weights.
    """
    weights = _checkpoint_folder(project, name, wanted)
    digest = hashlib.sha256()
    for path in sorted(weights.glob("*.safetensors")):
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    manifest = _manifest(project.model(name)) or _planned(project, name)
    manifest = manifest.model_copy(update={"checkpoint": digest.hexdigest()})
    shown = f"{name} ({weights.name})"
    return _system(project, shown, _view(project, shown, manifest, weights), manifest, "checkpoint", name)


def _checkpoint_folder(project: Project, name: str, wanted: str) -> Path:
    work = project.state / "work"
    places = [project.root / wanted]
    if len(Path(wanted).parts) == 1:
        places += [*project.model(name).rglob(wanted), *work.rglob(wanted)]
    found = sorted({path.resolve() for path in places if list(path.glob("*.safetensors"))})
    if not found:
        there = sorted({path.name for path in work.rglob("checkpoint-*") if path.is_dir()})
        raise DataError(
            f"There is no checkpoint '{wanted}' with weights (*.safetensors).",
            f"Name a folder, or one of the unfinished training: {', '.join(there)}."
            if there
            else "Name its folder: evaluate.checkpoints=[backup/checkpoint-400]. A finished training keeps none unless "
            "train.finetune.keep_best asks for them.",
        )
    if len(found) > 1:
        raise DataError(
            f"There are {len(found)} checkpoints '{wanted}': {', '.join(map(str, found))}.", "Name the folder of one."
        )
    return found[0]


def _view(project: Project, shown: str, manifest: Manifest, weights: Path | None = None) -> Path:
    """A folder laid out like that of a model, around weights that are somewhere else."""
    model = project.model(manifest.name)
    prompt = Prompt.load(model) if (model / PROMPT_FILE).exists() else Prompt.of(project)
    folder = project.state / "evaluate" / "systems" / hashlib.sha256(shown.encode()).hexdigest()[:16]
    fresh(folder)
    if weights:
        _link(folder / ("adapter" if (weights / _ADAPTER_FILE).exists() else "weights"), weights)
    memory = next((path for path in (model / MEMORY, project.training / "messages" / MEMORY) if path.exists()), None)
    if memory:
        _link(folder / MEMORY, memory)
    prompt.save(folder)
    manifest.model_copy(update={"prompt": prompt.hash, "files": None}).write(folder)
    return folder


def _link(place: Path, target: Path) -> None:
    try:
        place.symlink_to(target.resolve(), target_is_directory=True)
    except OSError:  # Windows, without the right to make links
        shutil.copytree(target, place)


def _system(
    project: Project, name: str, folder: Path, manifest: Manifest, kind: Kind, model: str | None = None
) -> System:
    ways = [str(direction) for direction in project.config.project.directions]
    family = manifest.kind
    known = tuple(way for way in ways if way in manifest.directions) if family.translates else ()
    # A model is named as its folder; a base and a checkpoint belong to a model.
    ours = (model or name) == project.config.train.name and (folder / PROMPT_FILE).exists()
    return System(name, folder, family, known, kind, ours and project.config.evaluate.allow_other_prompt)


def _manifest(folder: Path) -> Manifest | None:
    """What a model says of itself; ``None`` when there is none."""
    return Manifest.read(folder) if is_model(folder) else None


def _planned(project: Project, name: str) -> Manifest:
    """What the configuration says of a model that is not trained yet.

    Raises:
        DataError: the configuration is about another model.
        UsageError: it is trained from scratch, so that there is nothing to measure before.
    """
    from seshat.models.neural.base import resolve
    from seshat.models.neural.start import configured_base

    config = project.config
    if config.from_scratch:
        raise UsageError(f"The model '{name}' has no base: it is trained from scratch.", _NOTHING_BEFORE)
    if name != config.train.name:
        raise DataError(f"{project.model(name)}: there is no trained model.", "Train it with: seshat train")
    return Manifest(
        family=config.train.family,
        name=name,
        directions=tuple(str(direction) for direction in config.project.directions),
        normalisation=Prompt.of(project).normalisation,
        seed=config.project.seed,
        base=configured_base(project, resolve(project)),
        quantization=config.model.quantization,
    )
