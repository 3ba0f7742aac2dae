"""From scans to text that people have reviewed. Pages come as hOCR, so that no recogniser is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.media.test_lessons import _lines

from seshat.config.load import load_config
from seshat.core.gate import Gate
from seshat.core.journal import Journal
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Access, Method, Reject, Segment
from seshat.data import ingest
from seshat.media import ocr
from seshat.media.markup import written
from seshat.media.pages import Line, Page, Word
from seshat.project.folder import Project
from seshat.review.queues.ocr import QUEUE

pytest.importorskip("lxml")

CONFIG = """\
project: {name: Scans, language: qsm, pivot: es, max_access: public}
ocr:
  sources: [{name: books, path: "scans/*.hocr", access: public}]
  processes: 1
  review_pages: 2
"""


def page_file(path: Path, paragraphs: list[list[str]]) -> None:
    lines = [
        Line(
            words=tuple(Word(text=word, confidence=0.8, box=(10, 10, 30, 20)) for word in line.split()), paragraph=place
        )
        for place, part in enumerate(paragraphs)
        for line in part
    ]
    page = Page(file=path.name, number=1, width=600, height=800, lines=tuple(lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(page, "none.png", "hocr"), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "seshat.yaml").write_text(CONFIG)
    for number in range(5):
        reads = [read for read, _ in _lines(number, 16)]
        page_file(tmp_path / f"data/raw/scans/p{number}.hocr", [reads[:8], reads[8:]])
    return Project(tmp_path, load_config(tmp_path))


def segments(project: Project) -> list[Segment]:
    return list(read_jsonl(project.scanned / "segments.jsonl", Segment))


def test_what_was_read_waits_for_people(project: Project) -> None:
    summary = ocr.run(project)
    found = segments(project)
    assert summary["pages"] == 5
    assert len(found) == 10
    assert all(one.meta.method is Method.MACHINE and "ocr:unreviewed" in one.meta.tags for one in found)
    assert found[0].meta.origin is not None
    assert found[0].meta.origin.page == 1
    assert not list(Gate(Access.PUBLIC).passing(found))
    rows, _ = QUEUE.read(QUEUE.path(project))
    assert len(rows) == 2 * 16


def test_each_page_is_read_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ocr.run(project)["read now"] == 5
    page_file(project.raw / "scans/p9.hocr", [["mina loro"]])
    assert ocr.run(project)["read now"] == 1


def test_a_killed_reading_goes_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    put, count = Journal.put, 0

    def killed(self: Journal, key: str, result: object) -> None:
        nonlocal count
        count += 1
        if count > 3:
            raise KeyboardInterrupt
        put(self, key, result)

    monkeypatch.setattr(Journal, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        ocr.run(project)
    monkeypatch.setattr(Journal, "put", put)
    assert ocr.run(project)["read now"] == 2


def review(project: Project, page: str, **cells: str) -> None:
    path = QUEUE.path(project)
    rows, before = QUEUE.read(path)
    mine = [
        row.changed(decision="accept", reviewer="Ana", **cells) if row["id"].startswith(page) else row for row in rows
    ]
    QUEUE.write(path, mine, before)


def test_reviewed_pages_are_gold_and_pass(project: Project) -> None:
    ocr.run(project)
    path = QUEUE.path(project)
    first = QUEUE.read(path)[0][0]["id"].rpartition(":")[0]
    review(project, f"{first}:")
    assert ocr.cost(project) == "people have decided about what was read"
    assert ocr.run(project)["reviewed pages"] == 1
    assert ocr.cost(project) == ""
    passing = list(Gate(Access.PUBLIC).passing(segments(project)))
    assert [one.meta.method for one in passing] == [Method.GOLD] * 2
    assert passing[0].meta.extra["reviewer"] == "Ana"
    assert len(list((project.scanned / "ground_truth").iterdir())) == 3
    ingest.run(project)
    assert len(list(read_jsonl(project.ingested / "segments.jsonl", Segment))) == 10


def test_a_rejected_line_is_no_text(project: Project) -> None:
    ocr.run(project)
    path = QUEUE.path(project)
    rows, before = QUEUE.read(path)
    QUEUE.write(path, [rows[0].changed(decision="reject"), *rows[1:]], before)
    ocr.run(project)
    assert not any(rows[0]["reading"] in one.texts["qsm"] for one in segments(project))


def test_typed_pages_teach_and_are_measured(project: Project) -> None:
    for number in range(4):
        texts = [text for _, text in _lines(number, 16)]
        typed = "\n".join(texts[:8]) + "\n\n" + "\n".join(texts[8:])
        (project.raw / f"scans/p{number}.hocr.1.txt").write_text(typed, encoding="utf-8")
    summary = ocr.run(project)
    rates = summary["error rates"]
    assert rates["CER"] > 5
    assert rates["CER with candidates"] < 1
    assert all(page["candidates"] <= page["CER"] for page in summary["by page"].values())
    assert {"text": "s̈", "read": "8"}.items() <= next(
        one for one in summary["confusions"] if one["read"] == "8"
    ).items()
    found = segments(project)
    assert [one.meta.method for one in found] == [Method.GOLD] * 8 + [Method.MACHINE] * 2
    assert "ocr:candidate" in found[-1].meta.tags
    assert found[-1].texts["qsm"] != found[-1].meta.extra["recognised"]
    row = QUEUE.read(QUEUE.path(project))[0][0]
    assert row["reading"] != row["recognised"]
    assert float(row["candidate"]) > 0.5


def test_a_file_that_is_no_scan_is_rejected(project: Project) -> None:
    (project.raw / "scans/p7.hocr").write_text("<svg/>")
    summary = ocr.run(project)
    (reject,) = read_jsonl(project.scanned / "rejects.jsonl", Reject)
    assert reject.file == "scans/p7.hocr"
    assert summary["pages"] == 5
