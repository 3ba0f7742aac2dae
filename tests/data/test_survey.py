"""Materials that nobody has described: sources are proposed that read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config.project import LanguageInfo, ProjectSection
from seshat.core.errors import UsageError
from seshat.data.survey import survey
from seshat.project.init import language_name, language_tag

SPANISH = ["la niña ve el río hoy", "el perro busca la casa", "la madre canta con el viejo", "los hijos van a la casa"]
OWN = ["mina kumuna basi ani", "tolo palina dopa wese", "ruka waniya hiro nuko", "mesi palina yare tumo"]
PROJECT = ProjectSection(language="qsm", pivot="es", languages={"qsm": LanguageInfo(name="Sumak")})


@pytest.fixture
def materials(tmp_path: Path) -> Path:
    folder = tmp_path / "materials"
    rows = [f"{number},{one},{other}" for number, (one, other) in enumerate(zip(OWN * 10, SPANISH * 10, strict=True))]
    words = [f"{word}\tn\tel {word[::-1]}" for text in OWN for word in text.split()]
    files = {
        "tales/a.csv": "\n".join(["no,frase,traducción", *rows]),
        "tales/b.csv": "\n".join(["no,frase,traducción", *rows[:20]]),
        "words.tsv": "\n".join(["Sumak\tpos\tespañol", *words]),
        "book.qsm.txt": "\n".join(OWN * 3),
        "book.es.txt": "\n".join(SPANISH * 3),
        "story_qsm.txt": "\n".join(OWN * 3),
        "story_es.txt": "\n".join(SPANISH * 2),
        "letters.txt": "\n".join(OWN),
        "notes.txt": "\n".join(SPANISH * 4),
        "lexicon.db": "\n".join(f"\\lx {word}\n\\ps n\n\\gn el {word[::-1]}\n" for word in OWN[0].split()),
        "tape.wav": "RIFF",
        ".hidden.csv": "a,b",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    return folder


def test_each_kind_of_file_is_told(materials: Path) -> None:
    found = survey(materials, PROJECT)
    by_path = {one.path: one for one in found.proposals}
    assert by_path["tales/*.csv"].settings == {"columns": {"qsm": "frase", "es": "traducción"}}
    assert by_path["tales/*.csv"].files == ("tales/a.csv", "tales/b.csv")
    assert by_path["words.tsv"].settings["kind"] == "entries"
    assert by_path["words.tsv"].settings["columns"] == {"headword": "Sumak", "gloss.es": "español", "pos": "pos"}
    assert by_path["book.{lang}.txt"].settings == {"reader": "moses"}
    assert by_path["story_{lang}.txt"].settings == {"reader": "documents"}
    assert by_path["letters.txt"].settings == {"reader": "text", "language": "qsm"}
    assert by_path["notes.txt"].settings == {"reader": "text", "language": "es"}
    assert by_path["lexicon.db"].settings["markers"]["headword"] == "lx"
    assert list(found.left) == ["tape.wav"]
    assert len({one.name for one in found.proposals}) == len(found.proposals)


def test_what_init_writes_runs(materials: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    words = ["init", str(project), "--language", "qsm", "--pivot", "Spanish", "--name", "Sumak"]
    result = CliRunner().invoke(app, [*words, "--from", str(materials), "--access", "public", "--json"])
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert {one["path"] for one in made["sources"]} >= {"tales/*.csv", "words.tsv", "book.{lang}.txt"}
    assert (materials / "words.tsv").read_bytes() == (project / "data/raw/words.tsv").read_bytes()
    ingested = CliRunner().invoke(app, ["ingest", "--project", str(project), "--json"])
    assert ingested.exit_code == 0, ingested.output
    segments = (project / "data/interim/ingest/segments.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum("traducción" in line or len(json.loads(line)["texts"]) == 2 for line in segments) == 40 + 20 + 12
    assert all(json.loads(line)["meta"]["access"] == "public" for line in segments)
    assert len((project / "data/interim/ingest/entries.jsonl").read_text().splitlines()) == 16 + 4


def test_without_rights_nothing_is_open(materials: Path, tmp_path: Path) -> None:
    words = ["init", str(tmp_path / "project"), "--language", "qsm", "--from", str(materials)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert "nothing is trained on: say `access`" in shown
    assert "not read: tape.wav" in shown
    assert "access:" not in (tmp_path / "project" / "seshat.yaml").read_text().split("sources:")[1].split("clean:")[0]
    wrong = CliRunner().invoke(app, ["init", str(tmp_path / "other"), "--from", str(tmp_path / "absent")])
    assert wrong.exit_code == 2


@pytest.mark.parametrize(
    ("text", "tag"),
    [("shp", "shp"), ("Shipibo", "shp"), ("español", "es"), ("pt-BR", "pt-BR"), ("xx", "xx"), ("qsm", "qsm")],
)
def test_tags_and_names_of_languages(text: str, tag: str) -> None:
    assert language_tag(text) == tag


@pytest.mark.parametrize("text", ["aaaaaa", "", "no such language", "e5", "zz-zz-zz"])
def test_what_is_no_language(text: str) -> None:
    with pytest.raises(UsageError, match="is neither a language tag nor the name"):
        language_tag(text)


def test_names_of_tags() -> None:
    assert language_name("quz") == "Cusco Quechua"
    assert language_name("e5") == "e5"
