"""The notebooks run from top to bottom, and use nothing but the public face."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.small_project import small_project

import seshat

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_uses_the_face_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("seshat")
        if isinstance(node, ast.Import):
            assert all(not one.name.startswith("seshat.") for one in node.names)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "seshat":
            assert node.attr in seshat.__all__


def test_the_first_runs(tmp_path: Path) -> None:
    root = small_project(tmp_path)
    settings = (root / "seshat.yaml").read_text().replace("statistical: {", "statistical: {tune: false, ")
    (root / "seshat.yaml").write_text(settings)
    environment = {**os.environ, "SESHAT_PROJECT": str(root)}
    done = subprocess.run(
        [sys.executable, str(FOLDER / "explore.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "A small language: qsm-es and es-qsm" in done.stdout
    assert "chrf2" in done.stdout
    assert "nc:6" in done.stdout
