"""What a stage declares beside its ``run``: what it reads and writes, and what its result depends on."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seshat.config import Config
    from seshat.project.folder import Project

RECORD_FILES = ("segments.jsonl", "entries.jsonl", "documents.jsonl")
SET_FILES = ("train.jsonl", "validation.jsonl", "test.jsonl", "monolingual.jsonl", "lexicon.jsonl")
LANGUAGES = ("project.language", "project.pivot", "project.languages", "project.seed")
"""Settings that every stage depends on."""
GATE = ("project.max_access", "project.purpose")
"""Settings that every stage depends on that reads records through the gate."""


@dataclass(frozen=True)
class SharedFile:
    """A file that people write and a stage reads, when its bytes change although people have written nothing.

    It cannot be an input or an output for DVC, which would see a change after every run. What counts is what people
    have written in it.
    """

    path: Callable[[Project], Path]
    decisions: Callable[[Project], str | None]
    """A digest of what people have written; ``None`` for nothing."""
    written: bool = True
    """Whether the stage writes it too. Such a stage is not restored from the cache: the file would hold what another
    run wrote."""


@dataclass(frozen=True)
class Stage:
    """One stage: what it is called, what it reads and writes, and which settings its result depends on."""

    name: str
    module: str
    """Module whose ``run(project)`` does the work."""
    version: int
    """Raised when the code changes so that the same input gives another result: the stage then runs again."""
    settings: Callable[[Config], tuple[str, ...]]
    """Dotted keys of the configuration that the result depends on."""
    reads: Callable[[Project], tuple[Path, ...]]
    """Files and folders it reads."""
    writes: Callable[[Project], tuple[Path, ...]]
    """Files and folders it writes."""
    shared: SharedFile | None = None
    """A file that people write beside the raw files."""
    switched_on: Callable[[Config], bool] = lambda _config: True
    """Whether ``seshat run`` does it; otherwise only ``seshat NAME`` does."""
    cost: Callable[[Project], str] = lambda _project: ""
    """What it would take, in words, where that is worth knowing beforehand; empty when there is nothing to do."""

    def run(self, project: Project) -> dict[str, Any]:
        """Do the work of the stage; returns its summary."""
        summary: dict[str, Any] = importlib.import_module(self.module).run(project)
        return summary


def files(folder: Path, *names: str) -> tuple[Path, ...]:
    """Files of one folder."""
    return tuple(folder / name for name in names)


def expand(pattern: str, languages: tuple[str, ...]) -> Iterator[Path]:
    """The files a pattern can mean: each language for ``{lang}``, the fixed part of the path before a wild card."""
    for tag in languages if "{lang}" in pattern else ("",):
        fixed: list[str] = []
        for part in Path(pattern.replace("{lang}", tag)).parts:
            if any(character in part for character in "*?["):
                break
            fixed.append(part)
        yield Path(*fixed)


def trained_tokenizer(project: Project) -> tuple[Path, ...]:
    """The tokenizer of the project's own, where one is trained: `tokenizer` writes it, `train` reads it."""
    wanted = project.config.tokenizer.train
    if wanted is None:
        wanted = project.config.from_scratch
    return (project.models / "tokenizer",) if wanted else ()
