from __future__ import annotations

from pathlib import Path

import pytest

from seshat.core.errors import DataError
from seshat.core.written import note_written, remove_written


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    for name in ("a.jsonl", "b.jsonl", "memory/pairs.jsonl"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    note_written(folder, ["a.jsonl", "b.jsonl", "memory/pairs.jsonl"])
    return folder


def test_what_was_written_goes_and_nothing_is_left(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    assert remove_written(folder) == []
    assert not folder.exists()
    assert remove_written(folder) == []


def test_what_is_written_again_stays(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    assert remove_written(folder, keep=["a.jsonl"]) == []
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == ["a.jsonl"]


def test_files_of_others_and_changed_ones_stay(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "notes.jsonl").write_text("mine")
    (folder / "b.jsonl").write_text("mended by hand")
    outside = tmp_path / "outside.jsonl"
    outside.write_text("a.jsonl")
    (folder / "a.jsonl").unlink()
    (folder / "a.jsonl").symlink_to(outside)
    assert remove_written(folder) == ["a.jsonl", "b.jsonl", "notes.jsonl"]
    assert (folder / "notes.jsonl").read_text() == "mine"
    assert (folder / "b.jsonl").read_text() == "mended by hand"
    assert outside.exists()
    assert not (folder / "memory").exists()


@pytest.mark.parametrize("listed", ["", "[]", "{", '{"a.jsonl": 3}'])
def test_without_a_list_that_can_be_read_everything_stays(tmp_path: Path, listed: str) -> None:
    folder = _folder(tmp_path)
    (folder / ".written.json").write_text(listed)
    assert remove_written(folder) == ["a.jsonl", "b.jsonl", "memory/pairs.jsonl"]
    assert (folder / "a.jsonl").exists()


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    outside = _folder(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    (project / "seshat.yaml").touch()
    (project / "made").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of the project"):
        remove_written(project / "made")
    assert (outside / "a.jsonl").exists()
