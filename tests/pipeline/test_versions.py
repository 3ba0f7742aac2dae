"""Results pushed to a folder come back in another copy of the project, and nothing runs again: docs/versions.md."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.small_project import small_project

import seshat


def dvc(root: Path, *words: str) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=root, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_results_travel_by_a_folder(tmp_path: Path) -> None:
    here, there = small_project(tmp_path / "here"), tmp_path / "there"
    seshat.open(here).run(until="format")
    dvc(here, "remote", "add", "--default", "disk", str(tmp_path / "disk"))
    dvc(here, "push")
    there.mkdir()
    for name in ("seshat.yaml", "dvc.yaml", "dvc.lock"):
        shutil.copy(here / name, there / name)
    (there / ".dvc").mkdir()
    shutil.copy(here / ".dvc" / "config", there / ".dvc" / "config")
    shutil.copytree(here / "data" / "raw", there / "data" / "raw")
    dvc(there, "pull", "--allow-missing")
    assert (there / "data/training/train.jsonl").read_bytes() == (here / "data/training/train.jsonl").read_bytes()
    outcomes = {one.stage: one.state for one in seshat.open(there).run(until="format")}
    assert "ran" not in outcomes.values(), outcomes
