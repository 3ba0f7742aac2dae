"""Where a training begins: at a base model, or at a model that was trained before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from seshat.core.errors import UsageError
from seshat.models.neural import base as bases
from seshat.models.neural import fresh
from seshat.models.neural.phases import read_seen
from seshat.models.neural.saved import Saved
from seshat.project.folder import Project
from seshat.project.manifest import Base
from seshat.prompt.prompt import Prompt

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Start:
    """The weights before the first step."""

    folder: Path
    """Of the model that is opened."""
    tokenizer: Path
    """Folder of the tokenizer."""
    base: Base
    """For the manifest: what an adapter would belong to."""
    adapter: Path | None = None
    """An adapter that goes on being trained."""
    seen: frozenset[str] = frozenset()
    """Digests of the records that the earlier model learned from."""

    @classmethod
    def of(cls, project: Project, *, adapters: bool) -> Start:
        """What ``model.base`` or ``train.finetune.continue_from`` name.

        Args:
            project: the project.
            adapters: whether adapters are trained.

        Raises:
            UsageError: the earlier model cannot be gone on with in this way.
            DataError: a model is not there, or base and adapter do not belong together.
        """
        folder = fresh.base(project) if project.config.from_scratch else bases.resolve(project)
        name = project.config.train.finetune.continue_from
        if name is None:
            return cls(folder, folder, configured_base(project, folder))
        earlier = _earlier(project, name)
        seen = read_seen(earlier.folder)
        if earlier.has_adapter:
            if not adapters:
                raise UsageError(
                    f"train.finetune.continue_from: '{name}' is an adapter, and train.lora.enabled is off.",
                    "Go on with the adapter (train.lora.enabled: true), or export the model as merged and name that "
                    "folder as model.base.",
                )
            base = earlier.manifest.base or Base()
            bases.check_fingerprint(folder, base)
            return cls(folder, earlier.own, base, earlier.own, seen)
        weights = earlier.own
        base = Base(id=_id(str(weights), project.root), fingerprint=bases.fingerprint(weights))
        return cls(weights, weights, base, None, seen)


def _earlier(project: Project, name: str) -> Saved:
    if name == project.config.train.name:
        raise UsageError(
            f"train.finetune.continue_from: '{name}' is also the name of the new model, which would overwrite it.",
            "Give the new model another name: train.name",
        )
    earlier = Saved.read(project.model(name))
    if earlier.family is not project.config.train.kind:
        raise UsageError(
            f"train.finetune.continue_from: '{name}' is of the family '{earlier.family.name}', not "
            f"'{project.config.train.family}'."
        )
    if differences := earlier.prompt.differences(Prompt.of(project)):
        log.warning("the earlier model was asked in another way", model=name, differences=differences)
    return earlier


def configured_base(project: Project, folder: Path) -> Base:
    """The base that ``model`` names, for the manifest of what is made from it; without a name for one from scratch."""
    section = project.config.model
    name = _id(section.base, project.root) if section.base else ""
    return Base(id=name, revision=section.revision, fingerprint=bases.fingerprint(folder))


def _id(base: str, root: Path) -> str:
    """The base as it is written; a folder inside the project from the project folder, so that it can move."""
    path = Path(base)
    return path.relative_to(root).as_posix() if path.is_absolute() and path.is_relative_to(root) else base
