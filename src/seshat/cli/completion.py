"""What the shell offers when somebody presses Tab at a value. What fails offers nothing: a shell shows no errors."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from seshat.core.errors import SeshatError

if TYPE_CHECKING:
    from seshat.project.folder import Project


def stages() -> list[str]:
    """The stages of a run."""
    from seshat.pipeline.stages import SUMMARIES

    return list(SUMMARIES)


def profiles(ctx: typer.Context) -> list[str]:
    """The profiles of the project that the command names."""
    project = _project(ctx)
    return sorted(path.stem for path in (project.root / "profiles").glob("*.yaml")) if project else []


def directions(ctx: typer.Context) -> list[str]:
    """What the project translates."""
    project = _project(ctx)
    return list(map(str, project.config.project.directions)) if project else []


def settings(incomplete: str) -> list[str]:
    """``model.preset=NAME`` for every preset, once its key has been begun."""
    from seshat.config.presets import names

    return [f"model.preset={name}" for name in names()] if incomplete.startswith("m") else []


def _project(ctx: typer.Context) -> Project | None:
    from seshat.project.folder import open_project

    with suppress(SeshatError, OSError):
        folder = ctx.params.get("folder")
        return open_project(Path(folder) if folder else None)
    return None
