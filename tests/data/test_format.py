from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from seshat.config import Config
from seshat.core.errors import CheckFailed, DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Access, Entry, Meta, Method, Segment
from seshat.data.format import FILES, run
from seshat.project.folder import Project


def segment(number: int, access: Access = Access.PUBLIC, **meta: Any) -> Segment:
    texts = {"xx": f"nokon jema {number} jake riki", "es": f"mi pueblo {number} tiene casas"}
    return Segment(id=f"s{number}", texts=texts, meta=Meta(source="book", access=access, licence="CC0", **meta))


def make(tmp_path: Path, config: dict[str, Any] = {}, **files: list[Any]) -> Project:  # noqa: B006
    settings = {**config, "project": {"pivot": "es", **config.get("project", {})}}
    project = Project(tmp_path, Config.model_validate(settings))
    for name in FILES:
        write_jsonl(project.processed / f"{name}.jsonl", files.get(name, []))
    return project


def ids(project: Project, name: str) -> list[str]:
    return [record.id for record in read_jsonl(project.training / f"{name}.jsonl", FILES[name])]


def test_access_keeps_records_out_and_counts_them(tmp_path: Path) -> None:
    project = make(
        tmp_path,
        train=[segment(1), segment(2, Access.RESTRICTED), segment(3, Access.COMMUNITY)],
        test=[segment(4, Access.SEALED), segment(5)],
        lexicon=[Entry(id="e", lang="xx", headword="jema")],
    )
    report = run(project)
    assert ids(project, "train") == ["s1"]
    assert ids(project, "test") == ["s5"]
    assert report["dropped"] == {
        "train": {"access:community": 1, "access:restricted": 1},
        "test": {"access:sealed": 1},
        "lexicon": {"access:restricted": 1},
    }
    assert "4 records are less open than project.max_access (public)" in report["warnings"][0]


def test_access_of_the_run(tmp_path: Path) -> None:
    project = make(
        tmp_path,
        {"project": {"max_access": "community"}},
        train=[segment(2, Access.RESTRICTED), segment(3, Access.COMMUNITY)],
    )
    run(project)
    assert ids(project, "train") == ["s3"]


def test_methods_are_left_out_of_what_is_learned_only(tmp_path: Path) -> None:
    made: dict[str, Any] = {"method": Method.MACHINE}
    project = make(
        tmp_path,
        {"format": {"exclude_methods": ["machine"]}},
        train=[segment(1, **made), segment(2)],
        test=[segment(3, **made)],
        monolingual=[Segment(id="m", texts={"es": "una frase sola aquí"}, meta=Meta(access=Access.PUBLIC, **made))],
    )
    report = run(project)
    assert (ids(project, "train"), ids(project, "test"), ids(project, "monolingual")) == (["s2"], ["s3"], [])
    assert report["dropped"] == {"train": {"method:machine": 1}, "monolingual": {"method:machine": 1}}


@pytest.mark.parametrize("name", ["train", "monolingual"])
def test_the_guard(tmp_path: Path, name: str) -> None:
    copy = Segment(id="copy", texts={"es": "MI PUEBLO, 7, tiene casas."}, meta=Meta(access=Access.PUBLIC))
    files: dict[str, Any] = {name: [copy]}
    project = make(tmp_path, test=[segment(6), segment(7)], **files)
    with pytest.raises(CheckFailed, match=r"1 test segments stand in train or in the monolingual text: s7\."):
        run(project)
    assert not project.training.exists()
    allowed = Project(project.root, Config.model_validate({"split": {"allow_leaks": True}}))
    run(allowed)
    assert ids(allowed, name) == ["copy"]


def test_the_guard_ignores_what_does_not_pass_the_gate(tmp_path: Path) -> None:
    project = make(tmp_path, test=[segment(7)], train=[segment(7, Access.SEALED), segment(8)])
    assert run(project)["counts"]["train"] == 1


@pytest.mark.parametrize(
    ("config", "closed", "reason"),
    [
        ({}, Access.SEALED, "2 by access:sealed"),
        ({"format": {"exclude_methods": ["gold"]}}, Access.PUBLIC, "2 by method:gold"),
    ],
)
def test_a_set_of_which_nothing_passes_is_an_error(
    tmp_path: Path, config: dict[str, Any], closed: Access, reason: str
) -> None:
    project = make(tmp_path, config, train=[segment(1, closed), segment(2, closed)], test=[segment(3)])
    with pytest.raises(CheckFailed, match=f"Nothing of train may be used by this run: {reason}"):
        run(project)


def test_card(tmp_path: Path) -> None:
    project = make(tmp_path, train=[segment(1), segment(2, Access.RESTRICTED)], test=[segment(3)])
    run(project)
    card = (project.training / "README.md").read_text(encoding="utf-8")
    _, header, body = card.split("---\n", 2)
    front = YAML(typ="safe").load(header)
    assert front["language"] == ["xx", "es"]
    assert front["task_categories"] == ["translation"]
    assert front["configs"][0]["data_files"] == [
        {"split": "train", "path": "train.jsonl"},
        {"split": "test", "path": "test.jsonl"},
    ]
    assert "| train.jsonl | 1 | access:restricted 1 |" in body
    assert "CC0" in body
    assert "pueblo" not in body


def test_bytes_are_the_same_twice(tmp_path: Path) -> None:
    outputs = []
    for run_number in range(2):
        project = make(tmp_path / str(run_number), train=[segment(1)], test=[segment(3)])
        run(project)
        outputs.append({p.name: p.read_bytes() for p in project.training.iterdir()})
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0]["report.json"])["counts"]["train"] == 1


def test_before_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="seshat split"):
        run(Project(tmp_path, Config()))


def test_a_language_alone_is_written_as_plain_text(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    texts = [
        Segment(id=f"t{n}", texts={"xx": f"nokon jema {n}"}, meta=Meta(source="book", access=Access.PUBLIC, order=n))
        for n in range(6)
    ]
    project = make(tmp_path, {"project": {"pivot": None}}, train=texts[:4], validation=texts[4:5], test=texts[5:])
    run(project)
    assert json.loads((project.training / "test.jsonl").read_text(encoding="utf-8")) == {
        "id": "t5",
        "text": "nokon jema 5",
        "language": "xx",
        "source": "book",
        "meta": {"order": 5, "access": "public"},
    }
    assert list(project.segments("train")) == texts[:4], "read again, they are the segments that they were"
    files = {name: str(project.training / f"{name}.jsonl") for name in ("train", "validation", "test")}
    loaded = datasets.load_dataset("json", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert loaded["train"]["text"][:] == [f"nokon jema {n}" for n in range(4)]
    card = (project.training / "README.md").read_text(encoding="utf-8")
    assert "monolingual" in card
    assert "translation" not in card


def test_files_of_others_beside_the_messages_stay(tmp_path: Path) -> None:
    folder = tmp_path / "data/training/messages"
    folder.mkdir(parents=True)
    (folder / "mine.jsonl").write_text("{}")
    project = make(tmp_path, {"train": {"family": "causal"}, "model": {"base": "x"}}, train=[segment(1)])
    run(project)
    assert (folder / "train.jsonl").exists()
    report = run(make(tmp_path, train=[segment(1)]))
    assert [path.name for path in folder.iterdir()] == ["mine.jsonl"]
    assert any("stays: mine.jsonl" in warning for warning in report["warnings"])
