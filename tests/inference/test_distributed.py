"""Translation over several processes, through a Ray cluster of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.small_project import trained_project
from typer.testing import CliRunner

from seshat.cli.app import app

pytestmark = [pytest.mark.slow, pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")]


def test_ray_gives_the_same_translations(tmp_path: Path) -> None:
    root = trained_project(tmp_path / "small")
    words = ["mina", "tolo", "palina", "kumuna", "tekana", "basi", "gelu"]
    lines = [f"{a.capitalize()} {b}, {c}." for a in words for b in words for c in words]
    (tmp_path / "in.txt").write_text("\n".join([*lines, "", lines[0]]) + "\n")

    def command(output: str) -> list[str]:
        paths = ["-p", str(root), "-f", str(tmp_path / "in.txt"), "-o", str(tmp_path / output)]
        return ["translate", *paths, "-q", "--json", "--n-best", "2"]

    here = CliRunner().invoke(app, command("here.txt"))
    there = subprocess.run(
        [sys.executable, "-m", "seshat", *command("there.txt"), "--engine", "ray", "--set", "translate.ray.workers=2"],
        capture_output=True, text=True, check=False, env=os.environ | {"PATH": ""},
    )  # fmt: skip
    assert (here.exit_code, there.returncode) == (0, 0), here.stderr + there.stderr
    made = (tmp_path / "there.txt").read_bytes()
    assert made == (tmp_path / "here.txt").read_bytes()
    assert len(made.splitlines()) == len(lines) + 2
    assert not (tmp_path / "there.txt.partial").exists()
    assert "INFO" not in there.stderr
