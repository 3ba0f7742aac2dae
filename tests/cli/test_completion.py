from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from seshat.cli.app import app


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "seshat.yaml").write_text("project: {language: qlm, pivot: es}\n")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/cloud.yaml").write_text("{}\n")
    return tmp_path


def offered(typed: str) -> list[str]:
    """What bash is told when Tab is pressed behind a command line."""
    words = typed.split(" ")
    environment = {"_SESHAT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    return CliRunner().invoke(app, [], prog_name="seshat", env=environment).stdout.split()


def test_values_are_offered(root: Path) -> None:
    assert offered("seshat run --until fo") == ["format"]
    assert offered(f"seshat run --project {root} --profile c") == ["cloud"]
    assert offered(f"seshat translate --project {root} --direction ") == ["qlm-es", "es-qlm"]
    assert "model.preset=byt5-base" in offered("seshat train model.preset=by")


def test_without_a_project_nothing_is_offered_and_nothing_fails(tmp_path: Path) -> None:
    assert offered(f"seshat run --project {tmp_path} --profile ") == []
