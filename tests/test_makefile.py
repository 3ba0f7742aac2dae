"""The steps of the guide: each target of the Makefile types commands that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from seshat.cli.app import app

ROOT = Path(__file__).parents[1]
STEPS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
PROMISED = {
    "install",
    "download-model",
    "check-gpu",
    "ingest",
    "transcribe",
    "align",
    "format",
    "data-stats",
    "tokenizer-analysis",
    "train",
    "eval",
    "export-gguf",
    "serve",
    "demo",
    "test",
    "check",
    "help",
}


def typed(*arguments: str) -> list[str]:
    done = subprocess.run(
        ["make", "-n", "-o", ".venv/.core", "-o", ".venv/.dev", "-o", "projects/sample/data/raw", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if line.startswith(".venv/bin/seshat ")]


def test_the_steps_of_the_guide_are_there() -> None:
    assert set(STEPS) >= PROMISED


@pytest.mark.parametrize("step", STEPS)
def test_a_step_types_commands_that_there_are(step: str) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for line in typed(step, "MODEL=some/model"):
        assert shlex.split(line)[1] in commands, line


def test_a_profile_of_the_guide_is_handed_on() -> None:
    (line,) = typed("train", "CONFIG=configs/training/qlora_qwen3_14b.yaml", "PROJECT=projects/sample", "ARGS=a.b=1")
    wanted = "run --until train --project projects/sample --profile configs/training/qlora_qwen3_14b.yaml a.b=1"
    assert line == f".venv/bin/seshat {wanted}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("configs/**/*.yaml")), ids=lambda path: path.stem)
def test_a_profile_of_the_guide_fits_any_project(path: Path) -> None:
    from seshat.config.load import load_config

    for project in ("sample", "shipibo"):
        load_config(ROOT / "projects" / project, [str(path)])
    assert path.read_text(encoding="utf-8").count("#") > 1, "the reason of its values is missing"
