"""Documents that belong together stay together in the split."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.config import Config
from seshat.config.project import ProjectSection
from seshat.config.split import SplitSection
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Access, Meta, Segment
from seshat.data import split
from seshat.data.groups import Groups, fold, read_groups
from seshat.project.folder import Project

TABLE = {"path": "groups.csv", "document": "id", "group": "book"}


def section(**more: object) -> SplitSection:
    return SplitSection.model_validate({"groups": TABLE, **more})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"d{number},book {number % 4}" for number in range(40)]
    path = tmp_path / "groups.csv"
    path.write_text("\n".join(["id,book", *rows, "alone,"]) + "\n", encoding="utf-8")
    return path


def test_named_groups_are_a_set(table: Path) -> None:
    groups = read_groups(table, section(test_groups=["book 1"], validation_groups=["book 2"]))
    assert [groups.role(name) for name in ("d1", "d2", "d3", "alone", None)] == ["test", "validation", None, None, None]
    assert groups.unit("d1") == groups.unit("d5") != groups.unit("d2")
    assert groups.unit("alone") != groups.unit("unknown")


def test_what_is_not_in_the_table_is_told(table: Path) -> None:
    with pytest.raises(DataError, match="there is no group 'book 9'; there are book 0, book 1"):
        read_groups(table, section(test_groups=["book 9"]))
    with pytest.raises(DataError, match="there is no column 'name'"):
        read_groups(table, section(groups={**TABLE, "group": "name"}))
    assert any("need groups" in mistake.message for mistake in SplitSection(folds=3).mistakes())


def test_the_table_is_read_as_sources_are(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    text = "id;book\nd1;año\nd2;" + "x" * 200_000 + '\nn\u0303;"b; c"\n'
    for content in (text.encode("utf-16"), b"sep=;\n" + text.encode(), text.replace("n\u0303", "ñ").encode("cp1252")):
        path.write_bytes(content)
        project = ProjectSection(language="xx", pivot="es")
        groups = read_groups(path, section(test_groups=["an\u0303o"]), project)
        assert groups.role("d1") == "test"
        assert groups.of["ñ"] == "b; c"


def test_folds_part_the_groups_evenly() -> None:
    of = {
        f"{group}{number}": group for group, size in (("a", 9), ("b", 5), ("c", 4), ("d", 2)) for number in range(size)
    }
    parts = [fold(of, 3, number) for number in range(3)]
    assert parts == [{"a"}, {"b"}, {"c", "d"}]
    assert Groups(of).role("a1") is None


def test_a_group_is_on_one_side_whatever_its_sources(tmp_path: Path, table: Path) -> None:
    project = Project(
        tmp_path,
        Config.model_validate(
            {
                "project": {"language": "qaa", "pivot": "en", "max_access": "public"},
                "ingest": {"sources": [{"name": name, "path": "x.csv"} for name in ("tablets", "sentences")]},
                "split": {"groups": TABLE, "test_groups": ["book 1"], "test": 0, "validation": 0.3},
            }
        ),
    )
    project.raw.mkdir(parents=True)
    table.rename(project.raw / "groups.csv")
    segments = [
        Segment(
            id=f"{source}-{number}",
            texts={"qaa": f"{source} word{number} other{number} third{number}", "en": f"{source} meaning {number * 7}"},
            meta=Meta(doc_id=f"d{number}", source=source, access=Access.PUBLIC),
        )
        for source in ("tablets", "sentences")
        for number in range(40)
    ]
    write_jsonl(project.cleaned / "segments.jsonl", segments[:40])
    write_jsonl(project.cleaned / "entries.jsonl", [])
    write_jsonl(project.aligned / "segments.jsonl", segments[40:])
    split.run(project)
    books = {
        name: {int((segment.meta.doc_id or "")[1:]) % 4 for segment in read_jsonl(project.processed / name, Segment)}
        for name in ("train.jsonl", "validation.jsonl", "test.jsonl")
    }
    assert books["test.jsonl"] == {1}
    assert books["validation.jsonl"]
    assert not books["train.jsonl"] & (books["validation.jsonl"] | {1})
    assert len(list(read_jsonl(project.processed / "test.jsonl", Segment))) == 20
