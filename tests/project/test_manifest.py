"""What a model says of itself, what is noticed when its folder is opened, and what may be replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from seshat.core.errors import DataError
from seshat.core.jsonl import sha256
from seshat.project.manifest import FILE, Base, Manifest, claim, digest, publish


def model(folder: Path, text: str = "weights") -> Manifest:
    """A sealed model of three files."""
    (folder / "xx-en").mkdir(parents=True)
    (folder / "memory").mkdir()
    (folder / "xx-en" / "table.tsv").write_text(text)
    (folder / "memory" / "pairs.jsonl").write_text("pairs")
    (folder / "README.md").write_text("a card")
    return Manifest(family="statistical", name=folder.name, directions=("xx-en",), base=Base(id="b")).seal(folder)


def test_it_names_every_file_but_itself(tmp_path: Path) -> None:
    made = model(tmp_path / "m")
    assert made.files is not None
    assert set(made.files) == {"README.md", "memory/pairs.jsonl", "xx-en/table.tsv"}
    assert made.files["xx-en/table.tsv"] == sha256(tmp_path / "m" / "xx-en" / "table.tsv")
    assert Manifest.open(tmp_path / "m") == made
    assert digest(tmp_path / "m") == sha256(tmp_path / "m" / FILE) != ""
    assert digest(tmp_path) == ""


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.unlink(), r"damaged: xx-en/table\.tsv is missing"),
        (lambda file: file.write_text("wei"), r"damaged: xx-en/table\.tsv is not the file that was written"),
        (lambda file: file.write_text("wights!"), r"damaged: xx-en/table\.tsv is not the file that was written"),
    ],
)
def test_a_cut_or_mixed_folder_is_noticed_and_named(tmp_path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    model(tmp_path / "m")
    damage(tmp_path / "m" / "xx-en" / "table.tsv")
    with pytest.raises(DataError, match=message) as caught:
        Manifest.open(tmp_path / "m")
    assert "Copy the whole folder anew" in (caught.value.hint or "")


def test_damage_after_a_folder_was_opened_is_noticed_too(tmp_path: Path) -> None:
    model(tmp_path / "m")
    Manifest.open(tmp_path / "m")
    file = tmp_path / "m" / "xx-en" / "table.tsv"
    stamp = file.stat()
    file.write_text("WEIGHTS")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    with pytest.raises(DataError, match="is not the file"):
        Manifest.open(tmp_path / "m")


def test_a_card_may_be_edited_and_quoted_records_taken_away(tmp_path: Path) -> None:
    model(tmp_path / "m")
    (tmp_path / "m" / "README.md").write_text("a better card")
    (tmp_path / "m" / "memory" / "pairs.jsonl").unlink()
    with pytest.raises(DataError, match=r"memory/pairs\.jsonl is missing"):
        Manifest.open(tmp_path / "m")
    (tmp_path / "m" / "memory").rmdir()
    Manifest.open(tmp_path / "m")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"family": "causal", "shape": 3}', '{"family": 1}'])
def test_a_damaged_description_is_refused_in_plain_words(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(DataError, match=r"model\.json: not a model description"):
        Manifest.read(tmp_path)


def test_a_folder_without_a_list_of_files_is_opened_as_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"family": "statistical", "directions": ["xx-en"]}))
    assert Manifest.open(tmp_path).directions == ("xx-en",)


def test_only_what_seshat_wrote_is_replaced(tmp_path: Path) -> None:
    model(tmp_path / "old", "old")
    model(tmp_path / "new", "new")
    (tmp_path / "old" / ".DS_Store").write_text("")
    thesis = tmp_path / "old" / "xx-en" / "thesis.odt"
    thesis.write_text("years of work")
    with pytest.raises(DataError, match=r"what Seshat did not write there.*xx-en/thesis\.odt\.") as caught:
        claim(tmp_path / "old")
    assert "train.name" in (caught.value.hint or "")
    with pytest.raises(DataError, match=r"thesis\.odt"):
        publish(tmp_path / "new", tmp_path / "old")
    assert thesis.read_text() == "years of work"
    thesis.unlink()
    publish(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "xx-en" / "table.tsv").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]
    claim(tmp_path / "nothing")


def test_a_model_that_links_out_of_its_project_is_not_replaced(tmp_path: Path) -> None:
    other = tmp_path / "other"
    model(other)
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "seshat.yaml").write_text("")
    (project / "models" / "m").symlink_to(other)
    with pytest.raises(DataError, match="leads out of the project"):
        claim(project / "models" / "m")
    assert (other / "xx-en" / "table.tsv").exists()
