"""Ten kills at random moments over the whole sample project, then a run to the end: the same files?"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SUMMARY = "kill -9 at ten random moments over the sample project, against an uninterrupted run: time and bytes"
KILLS = 10
SEED = 13
SAMPLE = Path(__file__).resolve().parents[1] / "projects" / "sample"
OUTPUTS = ("data/interim", "data/processed", "data/training", "models", "reports")


def copy_project(source: Path, target: Path) -> None:
    """The project without what Seshat made in it: configuration, generator, raw files."""
    made = {".dvc", ".seshat", "interim", "processed", "training", "models", "reports", "dvc.lock", "dvc.yaml"}
    shutil.copytree(source, target, ignore=lambda _folder, names: sorted(made & set(names)))


def digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file that the stages made, by path; not the records of runs, which are named after the time."""
    files = [path for folder in OUTPUTS for path in sorted((root / folder).rglob("*")) if path.is_file()]
    files = [path for path in files if not path.is_relative_to(root / "reports" / "runs")]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def start(root: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start ``seshat run`` as the head of its own process group; ``more`` are further arguments."""
    return subprocess.Popen(
        [sys.executable, "-m", "seshat", "run", "--project", str(root), "--quiet", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run; complain when it failed."""
    _out, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"seshat run failed: {errors.decode(errors='replace')}")


@dataclass
class Trial:
    """What came of killing."""

    killed_after: list[float] = field(default_factory=list)
    """Seconds after which each killed run was killed."""
    ends: int = 0
    """How often the end was reached, and the files compared."""
    differing: set[str] = field(default_factory=set)
    """Files that were not the same there."""


def kill_repeatedly(source: Path, root: Path, expected: dict[str, str], total: float, kills: int, seed: int) -> Trial:
    """Run a project again and again, each time killed at a random moment, until so many kills have been made.

    A run that gets to its end before its moment has its files compared; then the project starts from the raw files
    again. The last run is not killed.

    Args:
        source: the project to copy.
        root: where to run it.
        expected: the digests of an uninterrupted run.
        total: seconds that such a run takes: the moments lie between 0 and that.
        kills: how many.
        seed: of the moments.
    """
    moments, trial = random.Random(seed), Trial()
    copy_project(source, root)
    while True:
        process, wait = start(root), moments.uniform(0.1, total)
        try:
            process.wait(timeout=wait if len(trial.killed_after) < kills else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            trial.killed_after.append(round(wait, 2))
            continue
        finish(process)
        trial.ends += 1
        found = digests(root)
        trial.differing |= {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)}
        if len(trial.killed_after) >= kills:
            return trial
        shutil.rmtree(root)
        copy_project(source, root)


def main() -> dict[str, Any]:
    """Run it; returns the figures."""
    subprocess.run([sys.executable, str(SAMPLE / "generate.py")], check=True)
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = Path(folder, "whole"), Path(folder, "cut")
        copy_project(SAMPLE, whole)
        began = time.monotonic()
        finish(start(whole))
        uninterrupted = time.monotonic() - began
        began = time.monotonic()
        finish(start(whole))
        nothing_to_do = time.monotonic() - began
        expected = digests(whole)
        trial = kill_repeatedly(SAMPLE, cut, expected, uninterrupted, KILLS, SEED)
    figures = {
        "uninterrupted_seconds": round(uninterrupted, 2),
        "nothing_to_do_seconds": round(nothing_to_do, 2),
        "kills": len(trial.killed_after),
        "killed_after_seconds": trial.killed_after,
        "compared": trial.ends,
        "files": len(expected),
        "differing_files": sorted(trial.differing),
    }
    table = Table(show_header=False)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    return figures
