from __future__ import annotations

import json
from pathlib import Path

from tests.formats.test_flextext import TEXT
from tests.formats.test_lift import LIFT
from tests.formats.test_sfm import LEXICON
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config import Config
from seshat.formats.inspection import inspect, inspect_all

SPANISH = "\\lx kuno\n\\ge river\n\\gn el río de la casa que no es de los otros\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


def test_a_file_alone(tmp_path: Path) -> None:
    write(tmp_path, t_flextext=TEXT, d_lift=LIFT, d_sfm=SPANISH, x_xml="<x/>")
    found = inspect(tmp_path / "t.flextext")
    assert (found.reader, found.language, found.counts["words"]) == ("flextext", "qlm", 2)
    assert found.languages == {"qlm": 6, "en": 5, "nl": 1}
    assert found.settings["tiers"]["gloss.morphemes"] == "morph.txt.qlm"
    assert found.settings["tiers"]["nl"] == "phrase.gls.nl"
    assert "phrase.lit.en" in found.not_understood
    found = inspect(tmp_path / "d.lift")
    assert (found.language, found.settings["kind"], found.counts["entries"]) == ("x-l", "entries", 2)
    assert found.settings["tiers"]["gloss.fr"] == "gloss.fr"
    found = inspect(tmp_path / "d.sfm")
    assert (found.pivot, found.settings["markers"]["gloss.es"]) == ("es", "gn")
    assert "nothing is known" in inspect(tmp_path / "x.xml").problems[0]


def test_a_proposal_can_be_pasted(tmp_path: Path) -> None:
    write(tmp_path, d_txt=LEXICON, t_flextext=TEXT, w_csv="word,meaning\nkuno,río\n")
    project = {"language": "qlm", "pivot": "es", "languages": {"en": {"name": "English"}}}
    config = Config.model_validate({"project": project})
    first = {one.file: one for one in inspect_all(tmp_path, config)}
    assert first["w.csv"].problems
    sources = [{"name": name, "path": name, **one.settings} for name, one in first.items() if name != "w.csv"]
    again = inspect_all(tmp_path, Config.model_validate({"project": project, "ingest": {"sources": sources}}))
    for one in again:
        if one.file != "w.csv":
            assert one.counts == first[one.file].counts
            assert one.settings == first[one.file].settings


def test_on_the_command_line(tmp_path: Path) -> None:
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    write(raw, d_txt=LEXICON)
    (tmp_path / "seshat.yaml").write_text("project: {language: qlm, pivot: es}\n", encoding="utf-8")
    printed = CliRunner().invoke(app, ["ingest", "--inspect", "--project", str(tmp_path)])
    assert printed.exit_code == 0
    assert "- {name: d, path: d.txt, reader: sfm, kind: entries, markers: {headword: lx" in printed.output
    assert not (tmp_path / "data" / "interim").exists()
    printed = CliRunner().invoke(app, ["ingest", "--inspect", "--json", "--project", str(tmp_path)])
    (found,) = json.loads(printed.output)
    assert found["counts"]["entries"] == 3
