"""Section ``sweep``: a search over settings."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from seshat.config.base import Section


class RangeSection(Section):
    """A range of numbers to draw from."""

    low: float
    """Lowest value."""
    high: float
    """Highest value."""
    log: bool = False
    """Draw the logarithm evenly."""
    whole: bool = False
    """Whole numbers."""


class SweepSection(Section):
    """A search over settings."""

    parameters: dict[str, tuple[Any, ...] | RangeSection] = Field(default_factory=dict)
    """Full name of a setting, such as `train.finetune.learning_rate`, to a list of values or a range."""
    sampler: Literal["grid", "random", "tpe"] = "grid"
    """How values are chosen."""
    trials: int = Field(default=20, ge=1)
    """At most so many trainings."""
    metric: Literal["geometric_mean", "chrf2", "chrf++", "bleu", "loss"] = "geometric_mean"
    """On validation, the mean of the directions; the highest is the best, of `loss`, for the masked family, the
    lowest."""
    segments: int = Field(default=500, ge=10)
    """Validation segments translated to judge a trial."""
    storage: str | None = None
    """A database URL that several machines share; default: SQLite below reports/."""
