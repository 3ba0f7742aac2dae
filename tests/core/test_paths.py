"""Nothing is written or removed outside the project that a path is named in."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.core.errors import DataError
from seshat.core.jsonl import write_text
from seshat.core.paths import MARK, fresh, inside, move, remove, sealed, strangers


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with a thesis in it, and a project whose ``models/link`` leads to the home folder."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("precious")
    (tmp_path / "project" / "models").mkdir(parents=True)
    (tmp_path / "project" / MARK).write_text("")
    (tmp_path / "project" / "models" / "link").symlink_to("../..")
    return tmp_path


@pytest.mark.parametrize("name", ["models/link", "models/link/thesis", "models/link/new/file", "models/link/project/x"])
def test_a_link_out_of_the_project_is_refused(home: Path, name: str) -> None:
    path = home / "project" / name
    if not name.endswith("project/x"):
        with pytest.raises(DataError, match=r"models/link: this link leads out of the project"):
            inside(path)
    else:
        assert inside(path) == path  # out and in again
    assert inside(home / "project" / "models" / "new" / "file")


def test_another_project_behind_the_link_does_not_help(home: Path) -> None:
    (home / "thesis" / MARK).write_text("")
    with pytest.raises(DataError, match="leads out of the project"):
        inside(home / "project" / "models" / "link" / "thesis" / "chapter.txt")


def test_a_project_that_is_reached_through_a_link(home: Path) -> None:
    (home / "short").symlink_to(home / "project", target_is_directory=True)
    write_text(home / "short" / "reports" / "page.html", "x")
    assert (home / "project" / "reports" / "page.html").read_text() == "x"


def test_nothing_is_written_through_a_link(home: Path) -> None:
    with pytest.raises(DataError, match="leads out of the project"):
        write_text(home / "project" / "models" / "link" / "note.txt", "x")
    with pytest.raises(DataError, match="leads out of the project"):
        fresh(home / "project" / "models" / "link" / "thesis")
    with pytest.raises(DataError, match="leads out of the project"):
        move(home / "project" / "models", home / "project" / "models" / "link" / "models")
    assert (home / "thesis" / "chapter.txt").read_text() == "precious"
    assert sorted(path.name for path in home.iterdir()) == ["project", "thesis"]


def test_of_a_link_the_link_alone_is_removed(home: Path) -> None:
    with pytest.raises(DataError, match="leads out of the project"):
        remove(home / "project" / "models" / "link" / "thesis")
    remove(home / "project" / "models" / "link")
    remove(home / "project" / "models" / "link")
    assert (home / "thesis" / "chapter.txt").exists()
    assert not (home / "project" / "models" / "link").is_symlink()
    remove(home / "project" / "models")
    assert not (home / "project" / "models").exists()


def test_links_below_a_folder(home: Path) -> None:
    with pytest.raises(DataError, match="models/link: this link"):
        sealed(home / "project")
    remove(home / "project" / "models" / "link")
    (home / "project" / "models" / "file").symlink_to(home / "project" / MARK)
    assert sealed(home / "project") == home / "project"
    (home / "project" / "models" / "file").unlink()
    (home / "project" / "models" / "file").symlink_to(home / "thesis" / "chapter.txt")
    with pytest.raises(DataError, match="models/file: this link"):
        sealed(home / "project")


def test_what_a_folder_holds_beside_what_is_known(home: Path) -> None:
    models = home / "project" / "models"
    (models / "a" / "b").mkdir(parents=True)
    (models / "a" / "b" / "weights").write_text("w")
    (models / "a" / "diary").write_text("d")
    assert strangers(models, ["a/b/weights"]) == ["a/diary", "link"]
    assert strangers(models / "absent", []) == []


def test_a_folder_without_a_project_is_where_its_user_put_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link" / "file", "x")
    assert (tmp_path / "real" / "file").exists()
