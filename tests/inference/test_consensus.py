"""Consensus and confidence from the command line, with a real statistical model: train, evaluate, translate."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from tests.bitext import make_project, pairs
from typer.testing import CliRunner, Result

from seshat.cli.app import app
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Segment
from seshat.evaluation import evaluate
from seshat.inference.confidence import file_of
from seshat.models.train import run
from seshat.project.folder import Project, open_project

YAML = "project: {language: xx, pivot: en, seed: 7, max_access: restricted}\ntrain: {statistical: {tune: false}}\n"


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Any:
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Trained on few sentences and evaluated, so that some translations are bad."""
    root = make_project(tmp_path_factory.mktemp("consensus"), train=30).root
    (root / "seshat.yaml").write_text(YAML, encoding="utf-8")
    made = open_project(root)
    rows = pairs(180, seed=9)[90:]
    tests = (Segment(id=f"t{n}", texts={"xx": source, "en": target}) for n, (source, target) in enumerate(rows))
    write_jsonl(made.training / "test.jsonl", tests)
    run(made)
    evaluate.run(made)
    return made


def _seshat(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["translate", "-p", str(project.root), *arguments])


def test_the_report_says_what_confidence_is_worth(project: Project) -> None:
    found = json.loads((project.reports / "evaluation.json").read_text(encoding="utf-8"))["directions"][0]["confidence"]
    assert found["learnt_from"] == 60
    assert found["correlation"] > 0.2
    assert sum(row["segments"] for row in found["levels"]) == 90
    page = (project.reports / "evaluation.html").read_text(encoding="utf-8")
    assert "How far may a single translation be trusted?" in page
    assert str(project.root) not in file_of(project.model()).read_text(encoding="utf-8")


def test_consensus_within_a_budget(project: Project) -> None:
    texts = ["Nukaka welo doko genai, Lima.", "Tamaka kiru bali rapai 7."]
    plain = _seshat(project, "--json", *texts)
    assert plain.exit_code == 0, plain.output
    lines = [json.loads(line) for line in plain.stdout.splitlines()]
    assert [line["confidence"]["level"] in ("low", "medium", "high") for line in lines] == [True, True]
    assert "agreement" not in lines[0]
    asked = ["--json", "--n-best", "4", "--set", "translate.mbr.candidates=12", *texts]
    mbr, timed = _seshat(project, "--mbr", *asked), _seshat(project, "--budget", "1h", *asked)
    for result in (mbr, timed):
        assert result.exit_code == 0, result.output
        lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        assert [line["source"] for line in lines] == texts
        assert all(0 < line["agreement"] <= 1 for line in lines)
        assert all(len(line["alternatives"]) == 3 for line in lines)
    never = _seshat(project, "--budget", "soon", texts[0])
    assert never.exit_code == 2
    assert "no duration" in never.output
