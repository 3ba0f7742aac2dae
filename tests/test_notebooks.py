"""The notebooks run from top to bottom, and use nothing but the public face."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.alone import prepared
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


def _output(name: str, root: Path, settings: Sequence[str] = ()) -> str:
    """What a notebook prints, run from top to bottom on a project."""
    environment = {**os.environ, "SESHAT_PROJECT": str(root), "SESHAT_SET": " ".join(settings)}
    command = [sys.executable, str(FOLDER / f"{name}.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_each_names_the_next() -> None:
    for path, following in zip(NOTEBOOKS, [*NOTEBOOKS[1:], NOTEBOOKS[0]], strict=True):
        said = path.read_text(encoding="utf-8").rstrip().splitlines()[-1]
        assert f"`{following.name}`" in said


def test_the_data_of_a_translator(tmp_path: Path) -> None:
    root = small_project(tmp_path)
    settings = (root / "seshat.yaml").read_text().replace("statistical: {", "statistical: {tune: false, ")
    (root / "seshat.yaml").write_text(settings)
    said = _output("01_data_exploration", root)
    assert "A small language: qsm-es and es-qsm" in said
    assert "characters of a text in qsm" in said
    assert "equal sides: 0" in said
    assert "chrf2" in said
    assert "nc:6" in said


@pytest.mark.parametrize(("profile", "name"), [("masked", "02_masked_pretraining"), ("causal", "03_gemma")])
def test_a_language_alone(profile: str, name: str, root: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("trafilatura")
    folder = Path(shutil.copytree(root / "projects" / "tamil", tmp_path / "tamil"))
    settings = prepared(profile, folder)
    if profile == "masked":
        assert "Tamil: a language alone" in _output("01_data_exploration", folder)
    said = _output(name, folder, settings)
    assert "base (zero-shot)" in said
    assert "bits a byte" in said
    assert ("[___]" if profile == "masked" else "(the text: ") in said
