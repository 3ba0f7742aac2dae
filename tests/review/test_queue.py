"""A queue: what people decide in it, what stays, and what counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.review.toy import code
from tests.small_project import small_project

from seshat.core.errors import DataError, UsageError
from seshat.core.gate import Gate
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Method, Segment
from seshat.project.folder import Project, open_project
from seshat.review import queues
from seshat.review.desk import Conflict, Desk, media_file
from seshat.review.queue import NoDecision, Queue, Verdict
from seshat.review.queues.alignment import QUEUE as ALIGNMENT
from seshat.review.queues.audit import QUEUE
from seshat.review.queues.lexicon import QUEUE as LEXICON
from seshat.review.segments import Decisions, decided, fingerprint, is_rejection
from seshat.review.table import Row


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(small_project(tmp_path))


def proposed(*names: str, access: str = "public") -> list[Row]:
    return [
        Row({"id": n, "source_text": f"a {n}", "target_text": f"b {n}", "fingerprint": "f", "access": access})
        for n in names
    ]


def filled(project: Project, *rows: Row) -> Desk:
    QUEUE.write(QUEUE.path(project), rows, None)
    return Desk(QUEUE, project)


@pytest.mark.parametrize(
    ("cells", "verdict", "accepted"),
    [
        ({}, None, False),
        ({"decision": " Accept "}, Verdict.ACCEPT, True),
        ({"decision": "NO"}, Verdict.REJECT, False),
        ({"corrected_target_text": "c"}, None, True),
        ({"decision": "reject", "corrected_target_text": "c"}, Verdict.REJECT, False),
        ({"comment": "look"}, None, False),
    ],
)
def test_what_a_row_says(cells: dict[str, str], verdict: Verdict | None, accepted: bool) -> None:
    decision = QUEUE.decision(proposed("x")[0].changed(**cells))
    assert (decision.verdict, decision.accepted) == (verdict, accepted)


def test_touched_rows_stay_and_the_rest_is_what_is_proposed_now() -> None:
    before = [row.changed(comment="hm") if row["id"] == "b" else row for row in proposed("a", "b")]
    before.append(proposed("c")[0].changed(mine="a column of somebody's own"))
    merged = QUEUE.merged(before, proposed("b", "d"))
    assert [row["id"] for row in merged] == ["b", "c", "d"]
    assert merged[0]["comment"] == "hm"
    other = proposed("b")[0].changed(fingerprint="another text")
    assert [row["id"] for row in QUEUE.merged(before[1:2], [other])] == ["b", "b"], "a new question about a new text"


def test_only_decisions_change_the_digest(project: Project) -> None:
    rows = proposed("a", "b")
    assert QUEUE.digest(project) is None
    path = filled(project, *rows).path
    assert QUEUE.digest(project) is None

    def digest(*now: Row) -> str | None:
        QUEUE.write(path, now, path.read_bytes())
        return QUEUE.digest(project)

    first = digest(rows[0].changed(decision="reject"), rows[1])
    assert first is not None
    assert (
        digest(rows[1].changed(comment="look", reviewer="Rosa"), rows[0].changed(decision="reject", status="x"))
        == first
    )
    assert digest(rows[0].changed(decision="accept"), rows[1]) != first
    path.write_text("id\nx\n")
    assert QUEUE.digest(project) not in (None, first), "the stage will say what is wrong with it"


def test_a_word_that_is_no_decision() -> None:
    with pytest.raises(NoDecision, match="'perhaps' is no decision"):
        LEXICON.decision(Row({"accept": "perhaps"}))


def test_every_table_that_was_written_before_has_its_columns() -> None:
    """Files of people, with the columns that they had before there were reviewers and levels."""
    assert ALIGNMENT.needed == ("bead_id", "document", "source_lines", "target_lines", "decision", "fingerprint")
    assert QUEUE.needed == ("id", "decision", "fingerprint")
    assert LEXICON.needed == ("id", "word", "meaning", "accept")


class TestDesk:
    def test_a_decision_is_signed_and_stored(self, project: Project) -> None:
        desk = filled(project, *proposed("a", "b"))
        row = desk.rows()[1]
        cells = {"decision": "reject", "reviewer": "=Rosa", "comment": "-3"}
        desk.decide(QUEUE.key(row), QUEUE.mark(row), cells)
        again = desk.row(("b", "f"))
        assert (again["decision"], again["reviewer"], again["comment"]) == ("reject", "=Rosa", "-3")
        assert again["reviewed_at"].endswith("+00:00")
        assert "'=Rosa" in desk.path.read_text(encoding="utf-8-sig")
        assert (desk.count().open, desk.count().decided) == (1, 1)
        desk.decide(QUEUE.key(row), QUEUE.mark(again), {"decision": "", "comment": ""})
        assert not QUEUE.touched(desk.row(("b", "f"))), "taken back: as if nobody had been there"

    def test_who_comes_second_is_told(self, project: Project) -> None:
        desk = filled(project, *proposed("a"))
        seen = QUEUE.mark(desk.rows()[0])
        desk.decide(("a", "f"), seen, {"decision": "accept", "reviewer": "Rosa"})
        with pytest.raises(Conflict, match="Rosa has decided"):
            desk.decide(("a", "f"), seen, {"decision": "reject"})
        assert desk.rows()[0]["decision"] == "accept"

    def test_what_is_refused(self, project: Project) -> None:
        desk = filled(project, *proposed("a"))
        seen = QUEUE.mark(desk.rows()[0])
        before = desk.path.read_bytes()
        with pytest.raises(UsageError, match="do not write into source_text"):
            desk.decide(("a", "f"), seen, {"source_text": "mine"})
        with pytest.raises(NoDecision):
            desk.decide(("a", "f"), seen, {"decision": "perhaps"})
        with pytest.raises(UsageError, match="no such row"):
            desk.decide(("z", "f"), seen, {"decision": "accept"})
        assert desk.path.read_bytes() == before

    def test_rows_above_the_viewer_are_not_there(self, project: Project) -> None:
        filled(project, *proposed("open"), *proposed("closed", access="restricted"), *proposed("old", access=""))
        levels = {
            Access.PUBLIC: ["open", "old"],  # the project writes tables up to 'public'
            Access.RESTRICTED: ["open", "closed", "old"],
        }
        for viewer, names in levels.items():
            desk = Desk(QUEUE, project, Gate(viewer))
            assert [row["id"] for row in desk.rows()] == names
        closed = proposed("closed")[0]
        with pytest.raises(UsageError, match="no such row"):
            Desk(QUEUE, project, Gate(Access.PUBLIC)).decide(
                QUEUE.key(closed), QUEUE.mark(closed), {"decision": "accept"}
            )

    def test_a_copy_is_taken_over_and_overwrites_nobody(self, project: Project, tmp_path: Path) -> None:
        rows = proposed("a", "b", "c", "d")
        ours = [
            rows[0],
            rows[1].changed(decision="accept", reviewer="Juan", reviewed_at="2026-01-02"),
            rows[2].changed(decision="accept", reviewer="Rosa", reviewed_at="2026-01-02"),
            rows[3].changed(decision="reject"),
        ]
        desk = filled(project, *ours)
        copy = tmp_path / "copy.csv"
        theirs = [row.changed(decision="reject", reviewer="Rosa", reviewed_at="2026-01-03") for row in rows[:3]]
        theirs += [rows[3].changed(decision="reject"), proposed("gone")[0].changed(decision="accept")]
        QUEUE.write(copy, [*theirs, *proposed("untouched")], None)
        taken = desk.take(copy)
        assert (taken.taken, taken.known, taken.conflicts) == (3, 1, ("b f",))
        now = {row["id"]: row["decision"] for row in desk.rows()}
        assert now == {"a": "reject", "b": "accept", "c": "reject", "d": "reject", "gone": "accept"}
        with pytest.raises(UsageError, match="no such file"):
            desk.take(tmp_path / "none.csv")
        again = desk.take(copy)
        assert (again.taken, again.known) == (0, 4)


def test_media_are_files_of_the_project_and_nothing_else(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.png"
    outside.write_bytes(b"x")
    folder = project.raw / "scans"
    folder.mkdir(parents=True)
    (folder / "a b.png").write_bytes(b"x")
    (folder / "link.png").symlink_to(outside)
    name = "data/raw/scans/a b.png"
    assert media_file(project, f"{name}#xywh=1,2,3,4") == (project.root / name).resolve()
    for refused in (
        "seshat.yaml",
        "data/raw/scans/link.png",
        str(outside),
        f"../{outside.name}",
        "",
        "data:image/png;x",
    ):
        assert media_file(project, refused) is None


def test_decisions_about_segments(tmp_path: Path) -> None:
    segments = [Segment(id=n, texts={"qsm": n, "es": f"b {n}"}) for n in "abc"]
    rows = [
        Row({"id": one.id, "fingerprint": fingerprint(one.texts), **cells})
        for one, cells in zip(
            segments, ({"decision": "reject"}, {"corrected_target_text": "B"}, {"decision": "ok"}), strict=True
        )
    ]
    readings = replace(QUEUE, name="readings")
    columns = {"source_text": "qsm", "target_text": "es"}
    write_jsonl(tmp_path / "decisions.jsonl", decided(readings, rows, columns))
    decisions = Decisions.load(tmp_path / "decisions.jsonl")
    first, second, third = (decisions.applied(one) for one in segments)
    assert first.meta.tags == ("readings:rejected",)
    assert is_rejection(first.meta.tags[0])
    assert (second.texts["es"], second.meta.tags, second.meta.method) == ("B", ("readings:corrected",), Method.GOLD)
    assert third.meta.tags == ("readings:accepted",)
    other = segments[0].model_copy(update={"texts": {"qsm": "another"}})
    assert decisions.applied(other) == other


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """The queue of the documentation, as one file among the others."""
    folder = tmp_path / "added"
    folder.mkdir()
    (folder / "readings_of_the_docs.py").write_text(code(), encoding="utf-8")
    monkeypatch.setattr(queues, "__path__", [*queues.__path__, str(folder)])
    yield queues.queue("readings")


def test_a_new_queue_is_one_file(toy: Queue, project: Project) -> None:
    assert sorted(set(queues.queues()) - {"transcription"}) == [
        "alignment", "audit", "corrections", "documents", "lexicon", "ocr", "readings", "scanned_entries",
    ]  # fmt: skip
    desk = Desk(toy, project)
    row = Row({"id": "l1", "scan": "data/raw/scans/p1.png#xywh=0,0,9,9", "reading": "=mina", "fingerprint": "f"})
    toy.write(desk.path, toy.merged([], [row]), None)
    desk.decide(toy.key(row), toy.mark(row), {"corrected_reading": "mina"})
    assert toy.decision(desk.rows()[0]).corrected == {"reading": "mina"}
    assert toy.digest(project) is not None


def test_an_unknown_queue() -> None:
    with pytest.raises(UsageError, match="only alignment, audit, corrections, documents, lexicon"):
        queues.queue("nope")


def test_nothing_is_written_through_a_link_out_of_the_project(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    project.reports.symlink_to(elsewhere)
    with pytest.raises(DataError, match="leads out of the project"):
        QUEUE.write(QUEUE.path(project), proposed("a"), None)
    assert list(elsewhere.iterdir()) == []


def test_an_unreadable_table_is_refused(project: Project) -> None:
    path = QUEUE.path(project)
    path.parent.mkdir(exist_ok=True)
    path.write_text("id,decision,fingerprint\nx,accept,f\nx,perhaps,f\n")
    with pytest.raises(DataError, match=r"audit_review\.csv:3: 'perhaps' is no decision"):
        Desk(QUEUE, project).rows()
