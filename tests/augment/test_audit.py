"""The self-audit: pairs with a wrong translation come to the top, and what people decide is kept and applied."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.small_project import small_project
from typer.testing import CliRunner

from seshat.augment import audit
from seshat.augment import stage as augment
from seshat.cli.app import app
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Segment
from seshat.data import clean, ingest, split
from seshat.data import format as formatting
from seshat.data.align import stage as align
from seshat.project.folder import Project, open_project
from seshat.review.queues.audit import QUEUE

pytest.importorskip("thot")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, set[str]]:
    """A small project in which every fifteenth pair got the translation of another one, audited."""
    root = small_project(tmp_path_factory.mktemp("audit"))
    text = (root / "seshat.yaml").read_text()
    (root / "seshat.yaml").write_text(text + "augment: {audit: {folds: 2, share: 0.1}}\n")
    project = open_project(root)
    for stage in (ingest, clean, align):
        stage.run(project)
    segments = list(read_jsonl(project.cleaned / "segments.jsonl", Segment))
    pairs = [n for n, one in enumerate(segments) if len(one.texts) == 2]
    wrong = pairs[::15]
    for place, other in zip(wrong, [*wrong[1:], wrong[0]], strict=True):
        texts = {**segments[place].texts, "es": segments[other].texts["es"] + " Nada más."}
        segments[place] = segments[place].model_copy(update={"texts": texts})
    write_jsonl(project.cleaned / "segments.jsonl", segments)
    for later in (augment, split, formatting):
        later.run(project)
    audit.run(project)
    return project, {segments[place].id for place in wrong}


def test_wrong_pairs_come_to_the_top(audited: tuple[Project, set[str]]) -> None:
    project, wrong = audited
    rows, _ = QUEUE.read(project.root / "reports/audit_review.csv")
    train = {one.id for one in read_jsonl(project.training / "train.jsonl", Segment)}
    there = wrong & train
    assert len(there) >= 4
    top = [row["id"] for row in rows][: len(there)]
    assert len(there & set(top)) / len(there) >= 0.6
    assert all(float(row["chrf"]) < float(row["expected"]) for row in rows)


def test_an_audit_goes_on_where_it_was_and_keeps_what_people_wrote(
    audited: tuple[Project, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = audited
    path = project.root / "reports/audit_review.csv"
    rows, before = QUEUE.read(path)
    QUEUE.write(path, [rows[0].changed(decision="reject"), *rows[1:]], before)

    def again(*_: object) -> list[str]:
        raise AssertionError("it was translated before")

    monkeypatch.setattr(audit, "_train_and_translate", again)
    assert audit.run(project)["decided"] == 1
    after, _ = QUEUE.read(path)
    assert after[0]["id"] == rows[0]["id"]
    assert sum(row["id"] == rows[0]["id"] for row in after) == 1
    assert augment.run(project)["decisions"] == 1
    split.run(project)
    excluded = read_jsonl(project.processed / "excluded.jsonl", Segment)
    assert [one.id for one in excluded if "audit:rejected" in one.meta.tags] == [rows[0]["id"]]


def test_a_decision_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,decision,fingerprint\nx,perhaps,f\n")
    with pytest.raises(DataError, match=r"a.csv:2: 'perhaps' is no decision"):
        QUEUE.read(path)


def test_before_anything_is_trained(tmp_path: Path) -> None:
    small_project(tmp_path)
    shown = CliRunner().invoke(app, ["audit", "--project", str(tmp_path)])
    assert shown.exit_code == 1
    assert "seshat run" in shown.stderr


def test_too_few_documents() -> None:
    with pytest.raises(DataError, match="1 documents cannot be parted into 2"):
        audit.parts([Segment(id="a", texts={})], 2)
