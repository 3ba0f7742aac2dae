"""kill -9 at random moments over the real pipeline, then a run to the end: the same files, byte for byte."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from benchmarks.kill import digests, finish, kill_repeatedly, start
from tests.small_project import small_project
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config import Config
from seshat.pipeline.stages import stages_of

KILLS = 4
SEED = 75
"""Of the moments: on an idle machine one falls into the data stages, one into the training, one into the start and one
into the evaluation, and no run comes to its end before."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project with raw files only."""
    return small_project(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The project after an uninterrupted run, and how many seconds it took."""
    root = tmp_path_factory.mktemp("whole") / "project"
    shutil.copytree(source, root)
    began = time.monotonic()
    finish(start(root))
    return root, time.monotonic() - began


@pytest.mark.slow
def test_killed_and_run_again(source: Path, whole: tuple[Path, float], tmp_path: Path) -> None:
    root, seconds = whole
    expected = digests(root)
    assert any(name.startswith("models/") for name in expected)
    trial = kill_repeatedly(source, tmp_path / "cut", expected, seconds, KILLS, SEED)
    assert len(trial.killed_after) == KILLS
    assert trial.differing == set()
    assert not list((tmp_path / "cut").rglob(".*.tmp"))


def test_a_second_run_does_nothing(whole: tuple[Path, float]) -> None:
    root, _ = whole
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file() and path.suffix == ".jsonl"}
    done = CliRunner().invoke(app, ["run", "-p", str(root)])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("up to date") == len(stages_of(Config()))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_two_runs_at_once(source: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(source, root)
    first = start(root)
    try:
        while not (root / "data/interim").exists():
            assert first.poll() is None
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGSTOP)  # so that it does not come to its end meanwhile
        second = CliRunner().invoke(app, ["run", "-p", str(root)])
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    assert second.exit_code == 1
    assert f"process {first.pid} is already working in this project" in second.stderr
