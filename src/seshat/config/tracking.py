"""Section ``tracking``: where the figures of a training go."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from seshat.config.base import Section


class TrackingSection(Section):
    """Where the figures of a training go beside `log.jsonl`. Nothing leaves the machine unless it stands here."""

    removed: ClassVar[dict[str, str]] = {"experiment": "the experiment is called after project.name"}

    report_to: tuple[Literal["mlflow", "wandb"], ...] = ()
    """Trackers."""
    uri: str | None = None
    """Where MLflow keeps its runs; default: `models/mlflow.db` (SQLite)."""
    samples: int = Field(default=5, ge=0)
    """Sample translations stored with the run; only of public records."""
