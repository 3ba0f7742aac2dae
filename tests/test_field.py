"""A FLEx export, ELAN files and a Toolbox dictionary become all that docs/field.md promises, typed as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.field_materials import TURNS, write_materials
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Segment
from seshat.report.results import Evaluation

pytest.importorskip("lxml")

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```bash\n(.*?)^```", (ROOT / "docs/field.md").read_text(encoding="utf-8"), re.M | re.S)
LINES = [line for block in BLOCKS for line in block.splitlines()]


def typed(line: str) -> str:
    """What a command says."""
    program, *arguments = shlex.split(line)
    assert program == "seshat"
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"
    return done.output


@pytest.mark.slow
def test_field_materials_become_a_translator_and_a_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_materials(tmp_path / "materials")
    init, run, annotate, again, *dictionaries = LINES
    said = typed(init)
    assert all(name in said for name in ("flex/tales.flextext", "elan/*.eaf", "toolbox/dictionary.db"))
    assert "not read" not in said
    typed(run)
    home = Path("mylanguage")
    evaluation = Evaluation.read(home / "reports/evaluation.json")
    for result in evaluation.directions:
        scores = {system.name: system.scores["chrf2"].score for system in result.systems}
        assert scores["statistical"] > scores["word-by-word"], result.direction

    typed(annotate)
    copy, raw = home / "reports/annotated/session12.eaf", home / "data/raw/elan/session12.eaf"
    suggested = copy.read_text(encoding="utf-8")
    assert suggested.count("?? ") == TURNS
    raw.write_text(suggested.replace("?? ", "", 1), encoding="utf-8")
    assert "that nobody has accepted" in typed(again)
    spoken = [one for one in read_jsonl(home / "data/interim/ingest/segments.jsonl", Segment) if "session12" in one.id]
    assert [one.meta.extra.get("accepted") for one in spoken] == ["es", *[None] * (TURNS - 1)]
    assert [len(one.texts) for one in spoken] == [2, *[1] * (TURNS - 1)]
    trained = read_jsonl(home / "data/training/train.jsonl", Segment)
    others = (
        one for name in ("validation", "test") for one in read_jsonl(home / f"data/training/{name}.jsonl", Segment)
    )
    assert any(one.texts == spoken[0].texts for one in (*trained, *others)), "what was accepted is used"

    for line in dictionaries:
        typed(line)
    page = (home / "reports/dictionary/dictionary.html").read_text(encoding="utf-8")
    assert "kumu" in page and "río" in page
    assert "kumu" in (home / "reports/dictionary/qsm.dic").read_text(encoding="utf-8")
