"""Stages that do next to nothing, for tests of what is around them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from seshat.pipeline.stages import STAGES
from seshat.project.folder import Project
from seshat.project.stage import Stage

SETTINGS: dict[str, Any] = {
    "project": {"language": "qlm", "pivot": "es"},
    "ingest": {
        "sources": [
            {"name": "a", "path": "translations/a.csv"},
            {"name": "b", "path": "monolingual/*.txt", "reader": "text"},
        ]
    },
}


def work(stage: Stage, project: Project) -> dict[str, Any]:
    """Write files that depend on everything the stage says it reads, and on its settings."""
    digest = hashlib.sha256(stage.name.encode())
    for path in stage.reads(project):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(file.read_bytes())
    for key in stage.settings(project.config):
        value: Any = project.config
        for part in key.split("."):
            value = getattr(value, part)
        digest.update(repr(value).encode())
    for path in stage.writes(project):
        target = path if path.suffix else path / "model.bin"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{path.name} {digest.hexdigest()}\n")
    return {"digest": digest.hexdigest()}


def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put stand-ins in the place of the stages; gives the names of those that ran, as they run."""
    calls: list[str] = []
    for stage in STAGES:

        def run(project: Project, stage: Stage = stage) -> dict[str, Any]:
            calls.append(stage.name)
            return work(stage, project)

        monkeypatch.setattr(f"{stage.module}.run", run)
    return calls


def raw_files(root: Path) -> None:
    """Two raw files, and one that no source names."""
    for name in ("translations/a.csv", "monolingual/one.txt", "scans/page.txt"):
        path = root / "data" / "raw" / name
        path.parent.mkdir(parents=True)
        path.write_text(f"{name}\n")
