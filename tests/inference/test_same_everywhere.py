"""What is measured is what people get: a model with sentences before gives the same translations on every way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("fastapi")

from starlette.testclient import TestClient
from tests.models.test_fresh import SHAPE, TUNING, WAY, make_project
from typer.testing import CliRunner

from seshat.cli import notebook
from seshat.cli.app import app
from seshat.core.jsonl import write_jsonl, write_text
from seshat.core.records import Access, Meta, Segment
from seshat.evaluation import systems
from seshat.evaluation.assess import Assessment
from seshat.models import train
from seshat.project.folder import Project, open_project
from seshat.serving.app import create_app
from seshat.serving.page import Page
from seshat.serving.service import Service

LINES = ("kana tiro", "suwe nomi pela", "kana tiro", "chiku suwe", "kana tiro", "pela pela kana", "kana tiro")
"""A document in which a text stands four times, each time after others."""
CONFIG = """\
project: {language: xx, pivot: es, max_access: restricted}
prompt: {context: 2}
train: {family: seq2seq, name: small, directions: to-pivot}
evaluate: {zero_shot: none, confidence_texts: 0, postprocess_texts: 0, bootstrap: 100}
submit: {test: test/test.csv, columns: {id: id, text: text, document: doc, line: line, translation: translation}}
"""
Said = list[tuple[str, float]]
"""A translation and its score, of each line."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("same")
    short = {**TUNING, "max_steps": 120, "validate_every": 120}
    learned = {"family": "seq2seq", "name": "small", "directions": "to-pivot", "seq2seq": SHAPE, "finetune": short}
    train.run(make_project(root, prompt={"context": 2}, train=learned))
    write_text(root / "seshat.yaml", CONFIG)
    opened = open_project(root)
    rows = [("an other", "x", 0), *((text, "d", number) for number, text in enumerate(LINES))]
    cells = [f"{number},{text},{document},{line}" for number, (text, document, line) in enumerate(rows)]
    write_text(opened.raw / "test" / "test.csv", "\n".join(("id,text,doc,line", *cells)) + "\n")
    segments = [
        Segment(id=str(number), texts={"xx": text, "es": text}, meta=Meta(doc_id=document, order=line))
        for number, (text, document, line) in enumerate(rows)
    ]
    write_jsonl(opened.training / "test.jsonl", segments)
    return opened


@pytest.fixture(scope="module")
def service(project: Project) -> Any:
    made = Service(project, Access.RESTRICTED)
    yield made
    made.close()


@pytest.fixture(scope="module")
def from_file(project: Project) -> Said:
    path = project.root / "lines.txt"
    write_text(path, "\n".join(LINES) + "\n")
    shown = CliRunner().invoke(app, ["translate", "-p", str(project.root), "-f", str(path), "--json"])
    assert shown.exit_code == 0, shown.output
    return [_rounded(row["text"], row["score"]) for row in map(json.loads, shown.stdout.splitlines())]


def _rounded(text: str, score: float) -> tuple[str, float]:
    return text, round(score, 4)  # a batch of other texts gives the same up to the precision of its numbers


def test_a_text_that_stands_there_twice_is_translated_after_its_own_sentences(from_file: Said) -> None:
    same = [said for text, said in zip(LINES, from_file, strict=True) if text == "kana tiro"]
    assert len(set(same)) == 4


def test_over_http(service: Service, from_file: Said) -> None:
    with TestClient(create_app(service), base_url="http://localhost") as client:
        answer = client.post("/translate", json={"texts": list(LINES), "direction": "xx-es"})
    assert [_rounded(one["text"], one["score"]) for one in answer.json()["translations"]] == from_file


def test_on_the_page(service: Service, from_file: Said) -> None:
    _, asked, text = Page(service).translate("\n".join(LINES), "xx-es")
    assert asked is not None and text == asked.machine == "\n".join(said for said, _ in from_file)


def test_in_the_notebook(project: Project, from_file: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESHAT_TEST", str(project.raw / "test" / "test.csv"))
    job = notebook.Job(project.root, "small")
    job.preprocess()
    job.translate()
    job.write(str(project.root / "submission.csv"))
    assert [_rounded(one.text, one.score) for one in job.found[1:]] == from_file


def test_in_the_evaluation(project: Project, from_file: Said) -> None:
    assessment = Assessment(project, [systems.read(project, "small")], project.config.evaluate)
    assessment.evaluation()
    found = assessment.translations[str(WAY)]["small"]
    assert [_rounded(one.text, one.score) for one in found[1:]] == from_file


def test_of_one_text_alone_nothing_stands_before(project: Project, service: Service, from_file: Said) -> None:
    found = service.translate([LINES[2]], "xx-es")[0]
    assert _rounded(found.text, found.score) == from_file[0] != from_file[2]


def test_without_the_sentences_before_it_is_something_else(tmp_path: Path, project: Project, from_file: Said) -> None:
    """The test would notice if they were lost."""
    args = ["translate", "-p", str(project.root), "--json"]
    alone = [json.loads(CliRunner().invoke(app, [*args, text]).stdout) for text in LINES]
    assert [_rounded(one["text"], one["score"]) for one in alone][1:] != from_file[1:]
