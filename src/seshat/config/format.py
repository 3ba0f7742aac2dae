"""Section ``format``: the training files of a model."""

from __future__ import annotations

from pydantic import Field

from seshat.config.base import Section
from seshat.config.prompt import Task

_MIXTURE: dict[Task, float] = {"translate": 1.0, "word-to-meaning": 0.5, "meaning-to-word": 0.5, "gloss": 0.5}


class InstructSection(Section):
    """Instruction data: tasks mixed from the corpus and the lexicon."""

    tasks: dict[Task, float] = Field(default_factory=lambda: dict(_MIXTURE))
    """Share of what a task could give that is taken: 0.5 takes half of it, 2 takes everything twice."""
    limit: int | None = Field(default=None, ge=1)
    """At most so many examples of a task."""


class FormatSection(Section):
    """Processed records to the training files of a model."""

    exclude_methods: tuple[str, ...] = ()
    """Leave out of train what was made this way: `synthetic`, `machine` …"""
    instruct: InstructSection = InstructSection()
    """Instruction data, for the causal family."""
