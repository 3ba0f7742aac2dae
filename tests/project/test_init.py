"""A new project loads, is complete, and overwrites nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seshat.config.load import load_config
from seshat.core.errors import SeshatError, UsageError
from seshat.project.init import RAW_FOLDERS, init_project


@pytest.mark.parametrize(
    ("name", "language", "pivot"),
    [("Shipibo-Konibo", "shp", "es"), ("Norsk: $bokmål, {ny}", "no", "on"), ('N\'Ko "x" # y', "nqo", "pt-BR")],
)
def test_a_new_project_loads(tmp_path: Path, name: str, language: str, pivot: str) -> None:
    written = init_project(tmp_path / "new", name, language, pivot)
    config = load_config(tmp_path / "new")
    assert (config.project.name, config.project.language, config.project.pivot) == (name, language, pivot)
    assert config.project.language_name(language) == name
    assert all(path.is_file() for path in written)
    for kind in RAW_FOLDERS:
        assert (tmp_path / "new" / "data" / "raw" / kind).is_dir()
    assert (tmp_path / "new" / "profiles").is_dir()
    assert f"{language} <-> {pivot}" in (tmp_path / "new" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["shp", "no"])
def test_the_examples_work_when_uncommented(tmp_path: Path, language: str) -> None:
    init_project(tmp_path, "X", language, "on")
    path = tmp_path / "seshat.yaml"
    text = path.read_text(encoding="utf-8").replace("sources: []", "sources:")
    text = re.sub(r"^  #  - ", "    - ", re.sub(r"^  #    ", "      ", text, flags=re.M), flags=re.M)
    head, rules = text.split("# clean:")
    path.write_text(head + "clean:" + rules.replace("\n# ", "\n"), encoding="utf-8")
    config = load_config(tmp_path)
    assert [source.name for source in config.ingest.sources] == [
        "dictionary", "sentences", "line-by-line", "two-versions", "running-text",
    ]  # fmt: skip
    assert config.ingest.sources[0].columns["gloss.on"] == "translation"
    assert config.ingest.sources[1].columns["on"] == "translation"
    assert len(config.clean.profiles[language].rules) == 2


def test_refuses_to_overwrite(tmp_path: Path) -> None:
    init_project(tmp_path, "A", "shp", "es")
    (tmp_path / "README.md").write_text("mine")
    before = (tmp_path / "seshat.yaml").read_bytes()
    with pytest.raises(UsageError, match="already"):
        init_project(tmp_path, "B", "cni", "es")
    assert (tmp_path / "seshat.yaml").read_bytes() == before
    (tmp_path / "seshat.yaml").unlink()
    written = init_project(tmp_path, "B", "cni", "es")
    assert [path.name for path in written] == ["seshat.yaml"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "language", "pivot", "message"),
    [
        ("X", "x", "es", "'x' is not a language tag"),
        ("X", "Shipibo Konibo", "es", "is not a language tag"),
        ("X", "es", "es", "both 'es'"),
        (" ", "shp", "es", "needs a name"),
    ],
)
def test_mistakes(tmp_path: Path, name: str, language: str, pivot: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        init_project(tmp_path / "new", name, language, pivot)
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SeshatError, match="is a file"):
        init_project(tmp_path / "file", "X", "shp", "es")
    with pytest.raises(SeshatError, match="cannot write"):
        init_project(tmp_path / "file" / "below", "X", "shp", "es")


def test_a_language_alone(tmp_path: Path) -> None:
    init_project(tmp_path / "new", "Lumeko", "qlm", None)
    assert load_config(tmp_path / "new").project.pivot is None
    config = (tmp_path / "new" / "seshat.yaml").read_text(encoding="utf-8")
    assert "reader: text" in config
    assert "pivot" not in config + (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
