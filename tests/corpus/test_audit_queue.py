"""Documents for a native reader, what the reader says of them, and the page of the corpus."""

from __future__ import annotations

from pathlib import Path

from tests.corpus.test_corpus import lines, segments

from seshat.config import Config
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access
from seshat.corpus import dedup, measure, mix
from seshat.corpus.audit import KEPT, chosen
from seshat.corpus.documents import Verdict
from seshat.project.folder import Project
from seshat.review.queues.documents import QUEUE


def project(root: Path) -> Project:
    settings = {
        "project": {"language": "qlm", "languages": {"qlm": {"name": "Lumeko", "script": "Latin"}}},
        "measure": {"trusted": ["good"]},
        "mix": {"strategy": "all", "audit": 3},
    }
    found = Project(root, Config.model_validate(settings))
    made = [one for number in range(30) for one in segments("good", f"g{number}", lines(number))]
    for number in range(6):
        made += segments("more", f"chant{number}", [f"kuno{number} kuno kuno kuno kuno kuno kuno kuno"] * 12)
    made += segments("more", "copy", lines(3))
    closed = [
        one.model_copy(update={"meta": one.meta.model_copy(update={"access": Access.SEALED})}) for one in made[-3:]
    ]
    write_jsonl(found.cleaned / "segments.jsonl", [*made[:-3], *closed])
    write_jsonl(found.aligned / "segments.jsonl", [])
    measure.fit_and_save(found)
    measure.run(found)
    dedup.run(found)
    return found


def test_a_reader_sees_documents_of_every_reason_and_what_he_says_is_counted(tmp_path: Path) -> None:
    found = project(tmp_path)
    before = mix.run(found)
    assert before["agreement"] == {}
    rows, content = QUEUE.read(QUEUE.path(found))
    tags = {row["tag"] for row in rows}
    assert {KEPT, "measure:repeated_lines"} <= tags
    assert all(sum(row["tag"] == tag for row in rows) <= 3 for tag in tags)
    assert all("kuno" in row["text"] for row in rows if row["tag"] == "measure:repeated_lines")
    assert all(row["document"] != "copy" for row in rows), "it holds lines that this run may not use"
    said = [row.changed(decision="wrong" if place % 2 else "right") for place, row in enumerate(rows)]
    QUEUE.write(QUEUE.path(found), said, content)
    digest = QUEUE.digest(found)
    after = mix.run(found)
    assert sum(one["right"] + one["wrong"] for one in after["agreement"].values()) == len(rows)
    assert QUEUE.digest(found) == digest, "a run does not change what people have said"
    page = (tmp_path / "reports" / "corpus.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 4
    assert "measure:repeated_lines" in page
    assert lines(3)[0].split()[0] not in page, "the page quotes nothing"


def test_the_draw_repeats_itself_and_differs_with_the_seed() -> None:
    verdicts = [Verdict(id=f"a\t{number}", tags=("x",) if number % 2 else ()) for number in range(100)]
    first = chosen(verdicts, mix.NOT_DRAWN, 5, 1)
    assert first == chosen(reversed(verdicts), mix.NOT_DRAWN, 5, 1)
    assert first.keys() != chosen(verdicts, mix.NOT_DRAWN, 5, 2).keys()
    assert sorted(tag for tags in first.values() for tag in tags) == [KEPT] * 5 + ["x"] * 5
