"""One gate: what it lets through, what it counts, and that nothing reads records beside it."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import seshat
from seshat.core.gate import Gate, least_open, read_everything
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Meta, Segment

SOURCE = Path(seshat.__file__).parent
SEES_EVERYTHING = {
    "corpus/documents.py",
    "data/align/stage.py",
    "data/align/whole.py",
    "data/check/base.py",
    "data/clean.py",
    "data/format.py",
    "data/ingest.py",
    "data/instruct/write.py",
    "data/split.py",
    "data/transcriptions.py",
    "governance/probe.py",
    "governance/trace.py",
    "prompt/retrieval.py",
    "tracking/content.py",
}
"""Stages that pass closed records on, checks that count them, what looks for them in order to keep them in."""


def segment(name: str, access: Access) -> Segment:
    return Segment(id=name, texts={"xx": name}, meta=Meta(access=access))


def test_levels() -> None:
    assert Gate(Access.COMMUNITY).admits(Access.PUBLIC)
    assert Gate(Access.COMMUNITY).admits(Access.COMMUNITY)
    assert not Gate(Access.PUBLIC).admits(Access.REGISTERED)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    levels = (Access.PUBLIC, Access.SEALED, Access.COMMUNITY, Access.SEALED)
    path = tmp_path / "segments.jsonl"
    write_jsonl(path, (segment(str(number), level) for number, level in enumerate(levels)))
    left_out: Counter[str] = Counter()
    assert [one.id for one in Gate(Access.COMMUNITY).read(path, Segment, left_out)] == ["0", "2"]
    assert left_out == {"access:sealed": 2}
    assert len(list(read_everything(path, Segment))) == 4
    assert list(Gate(Access.SEALED).read(tmp_path / "none.jsonl", Segment)) == []


def test_a_line_of_messages_says_its_level() -> None:
    gate = Gate(Access.REGISTERED)
    assert gate.admits_example({"meta": {"access": "registered"}})
    assert not gate.admits_example({"meta": {"access": "community"}})
    assert not gate.admits_example({"meta": {}})
    assert not gate.admits_example({"meta": None})
    assert not gate.admits_example({})


def test_least_open() -> None:
    assert least_open([Access.PUBLIC, Access.RESTRICTED, Access.COMMUNITY]) is Access.RESTRICTED
    assert least_open([]) is Access.PUBLIC


def _calls(path: Path, name: str) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == name]


def test_records_are_read_through_the_gate_alone() -> None:
    records = {"Segment", "Entry", "Document"}
    beside, everything = [], set()
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith("core/"):
            continue
        for call in _calls(path, "read_jsonl"):
            kind = call.args[1]
            if not isinstance(kind, ast.Name) or kind.id in records:
                beside.append(f"{place}:{call.lineno}")
        if _calls(path, "read_everything"):
            everything.add(place)
    assert beside == [], "read records with Gate.read or Project.segments"
    assert everything == SEES_EVERYTHING
