"""Small inputs on which something went wrong, kept outside the repository: each gives what its README expects.

An entry is a function with the name of its case's folder: it is given a copy of the project and asserts what is
expected. Where the cases are absent, the module is skipped. Self-written tests of the same kinds stand with the modules
that they concern.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SHARED
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config.serve import ServeSection
from seshat.core.errors import UsageError
from seshat.core.records import Access
from seshat.project.folder import open_project
from seshat.review.corrections import Correction, open_corrections
from seshat.serving.limits import Limits

CASES = SHARED / "cases"
Check = Callable[["Case"], None]
CHECKS: dict[str, Check] = {}
"""Folder of a case -> what must hold."""


class Case:
    """A copy of a case's project, and what commands make of it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command of ``seshat`` in the project: exit code and what it printed. No traceback, no own mistake."""
        result = CliRunner().invoke(app, [*words, "--project", str(self.root)])
        shown = " ".join(result.output.split())
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "mistake in Seshat" not in shown
        return result.exit_code, shown

    def train(self) -> None:
        """Make the statistical model of the project; its weights are not tuned, which takes longest."""
        assert self.run("run", "--until", "train", "train.statistical.tune=false")[0] == 0

    def translate(self, *texts: str) -> list[dict[str, Any]]:
        """What `seshat translate --json` says of texts."""
        result = CliRunner().invoke(app, ["translate", "--project", str(self.root), "--json", *texts])
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def read(self, name: str) -> list[dict[str, Any]]:
        """The records of a file of ``data/interim/ingest``, such as ``segments``."""
        text = (self.root / "data/interim/ingest" / f"{name}.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def texts(self) -> list[tuple[str, str]]:
        """The pairs that were read."""
        return [(one["texts"].get("quz", ""), one["texts"].get("es", "")) for one in self.read("segments")]

    def write(self, files: dict[str, bytes], **source: Any) -> None:
        """Make a project of some files and one source."""
        (self.root / "data/raw").mkdir(parents=True)
        for name, content in files.items():
            (self.root / "data/raw" / name).write_bytes(content)
        config = {
            "project": {"name": "x", "language": "quz", "pivot": "es", "max_access": "public"},
            "ingest": {"sources": [{"name": "s", "access": "public", **source}]},
        }
        (self.root / "seshat.yaml").write_text(json.dumps(config))


def case(name: str) -> Callable[[Check], Check]:
    """Register what must hold for a case."""

    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register


# Readers


@case("csv-second-bom")
def _(case: Case) -> None:
    assert case.run("ingest")[0] == 0
    assert case.texts() == [("wasi", "casa"), ("misi", "gato")]
    assert "\ufeff" not in (case.root / "data/interim/ingest/segments.jsonl").read_text()


@case("csv-sep-line")
def _(case: Case) -> None:
    assert case.run("ingest")[0] == 0
    assert case.texts() == [("wasi", "casa"), ("allqu, misi", "perro, gato")]


@case("table-note-beside")
def _(case: Case) -> None:
    code, shown = case.run("ingest")
    assert code == 0
    assert case.texts() == [("wasi", "casa"), ("misi", "gato"), ("runa", "persona"), ("inti", "sol")]
    assert [bool(one["meta"].get("extra")) for one in case.read("segments")].count(True) == 2
    assert "remark to the right" in shown


@case("table-title-rows")
def _(case: Case) -> None:
    assert case.run("ingest")[0] == 0
    assert case.texts() == [("wasi", "casa"), ("misi", "gato")]


@case("xlsx-cell-values")
def _(case: Case) -> None:
    code, shown = case.run("ingest")
    assert code == 0
    assert [one["headword"] for one in case.read("entries")] == ["wasi", "misi", "wasi\nhatun"]
    assert "A2: #NAME?" in shown
    assert "B3: #N/A" in shown
    assert "formulas without a stored result" in shown
    assert "B4" in shown


@case("tmx-control-character")
def _(case: Case) -> None:
    code, shown = case.run("ingest")
    assert code == 0
    assert case.texts() == [("huk", "uno"), ("iskay", "dostres"), ("tawa", "cuatro"), ("pichqa", "cinco")]
    assert "control characters, left out: 1" in shown


@case("tmx-harmless-entity")
def _(case: Case) -> None:
    assert case.run("ingest")[0] == 0
    assert case.texts() == [("huk", "uno"), ("huk iskay", "uno\u00a0dos"), ("kimsa", "tres")]


@case("tmx-wrong-declaration")
def _(case: Case) -> None:
    code, shown = case.run("ingest")
    assert code == 0
    assert case.texts() == [("huk", "uño")]
    assert "says that it is UTF-16, but it is utf-8" in shown


@case("json-lines-named-json")
def _(case: Case) -> None:
    assert case.run("ingest")[0] == 0
    assert case.texts() == [("wasi", "casa"), ("misi", "gato"), ("", "sol"), ("inti", "sol")]


@case("moses-blank-end-and-gz")
def _(case: Case) -> None:
    code, shown = case.run("ingest")
    assert code == 1
    assert case.texts() == [("huk", "uno"), ("iskay", "dos")]
    assert "z/c.quz.gz: this is no text but packed with gzip" in shown


@case("side-tables")
def _(case: Case) -> None:
    for stage in ("ingest", "clean", "align", "augment"):
        assert case.run(stage)[0] == 0
    for table in ("groups.csv", "groups-semicolon.csv", "groups-long.csv"):
        code, shown = case.run("split", f"split.groups.path={table}")
        assert code == 0, shown


@case("security/xlsx-49MB-cell")
def _(case: Case) -> None:
    content = (case.root / "bomb49.xlsx").read_bytes()
    case.write({"bomb49.xlsx": content}, path="bomb49.xlsx")
    started = time.monotonic()
    code, shown = case.run("ingest")
    assert time.monotonic() - started < 5
    assert code == 1
    assert "the row is longer than max_line_bytes" in shown + str(case.read("rejects"))


@case("security/reader-crashes")
def _(case: Case) -> None:
    for name in ("x.csv", "x.json", "x.jsonl", "x.tmx", "x.txt"):
        other = Case(case.root / name.replace(".", "-"))
        columns = {} if name in {"x.txt", "x.tmx"} else {"columns": {"quz": "a", "es": "b"}}
        content = (case.root / name).read_bytes()
        other.write({name: content}, path=name, languages={"qlm": "quz"}, **columns)
        other.run("ingest")
        assert other.read("segments") or (name == "x.txt" and other.read("rejects")), name


@case("security/fifo-and-links")
def _(case: Case) -> None:
    case.write({"a.txt": b"wasi\n"}, path="**/*.txt", language="quz")
    os.mkfifo(case.root / "data/raw/pairs.txt")
    (case.root / "data/raw/again").symlink_to(case.root / "data/raw")
    (case.root / "data/raw/loop.txt").symlink_to(case.root / "data/raw/loop.txt")
    code, shown = case.run("ingest")
    assert code == 1
    assert "pipe or device" in shown
    (case.root / "data/raw/pairs.txt").unlink()
    code, shown = case.run("ingest")
    assert code == 1
    assert "leads in a circle" in shown
    (case.root / "data/raw/loop.txt").unlink()
    assert case.run("ingest")[0] == 0
    assert case.texts() == [("wasi", "")]


@case("security/yaml-bomb")
def _(case: Case) -> None:
    shutil.copy(CASES / "security/yaml-bomb/seshat.yaml", case.root / "seshat.yaml")
    code, shown = case.run("check")
    assert (code, "more than 50,000 values" in shown) == (2, True), shown


@case("security/regex-rule")
def _(case: Case) -> None:
    shutil.copy(CASES / "security/regex-rule/seshat.yaml", case.root / "seshat.yaml")
    (case.root / "data/raw").mkdir(parents=True, exist_ok=True)
    evil = (CASES / "security/regex-rule/line.tsv").read_text()
    (case.root / "data/raw/pairs.tsv").write_text(f"a\tb\nka\tcasa\n{evil}")
    code, shown = case.run("run", "--until", "clean")
    assert (code, "rule 'r'" in shown, "takes too long" in shown) == (1, True, True), shown


@case("security/corrections-row")
def _(case: Case) -> None:
    shutil.copy(CASES / "security/regex-rule/seshat.yaml", case.root / "seshat.yaml")
    store = open_corrections(open_project(case.root))
    for text in ("ka", "wasi"):
        store.add(Correction(source="qlm", target="es", text=text, translation="casa", access=Access.PUBLIC))
    with store._database.writing() as cursor:
        cursor.execute("update corrections set access='Public ' where text='ka'")
    assert "wasi" in [one.text for one in store.all()]
    store.close()


@case("security/long-text-dos")
def _(_case: Case) -> None:
    attack = CASES / "security/long-text-dos/attack.py"
    said = subprocess.run([sys.executable, str(attack)], capture_output=True, text=True, check=True).stdout
    with pytest.raises(UsageError, match="characters are more than the"):
        Limits(ServeSection()).texts(json.loads(said)["texts"], 10)


# Translating


@case("translate-several-sentences")
def _(case: Case) -> None:
    case.train()
    line, long = (case.root / "in.txt").read_text().splitlines()
    alone = case.translate(*line.replace(". ", ".\n").splitlines())
    found = case.translate(line, long)
    assert found[0]["text"] == " ".join(one["text"] for one in alone)
    assert found[1]["text"].count("pan") > 50
    assert not any("nothing was said" in change for change in found[1].get("changes", ()))
    (several,) = case.translate("Warmi tantata mikhun.\n\n  Qhari sarata munan.")
    assert several["text"] == f"{alone[0]['text']}\n\n  {alone[1]['text']}"


@case("translate-marks")
def _(case: Case) -> None:
    case.train()
    address, mail, quoted, slots = (
        one["text"] for one in case.translate(*(case.root / "in.txt").read_text().splitlines())
    )
    assert address.endswith("pan: https://example.org/a_b?c=1")
    assert all(f" {one} " in mail for one in ("name@example.org", "10:30", "2024-05-01"))
    assert quoted == '"La mujer come pan"'
    assert " %s {0} </b> " in slots and slots.endswith("!!!")


@case("script-without-spaces")
def _(case: Case) -> None:
    assert case.run("run")[0] == 0
    found = json.loads((case.root / "reports/evaluation.json").read_text())
    for direction, least in zip(found["directions"], (80, 75), strict=True):
        chrf2 = {one["name"]: one["scores"]["chrf2"]["score"] for one in direction["systems"]}
        assert chrf2["statistical"] > max(least, chrf2["nearest"]), chrf2
    assert "written without spaces" in case.run("check")[1]


@case("damaged-text-unnoticed")
def _(case: Case) -> None:
    for stage in ("ingest", "clean", "align", "augment", "split"):
        assert case.run(stage)[0] == 0
    shown = case.run("check")[1]
    for words in (
        "stand for nothing", "read in a wrong encoding", "HTML entities", "question marks inside words",
        "space before a full stop",
    ):  # fmt: skip
        assert words in shown
    assert "a.jsonl:1 (nan)" in shown


@case("verse-range-marks")
def _(case: Case) -> None:
    for stage in ("ingest", "clean", "align", "augment", "split"):
        assert case.run(stage)[0] == 0
    assert "<range>" not in (case.root / "data/processed/train.jsonl").read_text()
    assert "have no word" in case.run("check")[1]


@pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases at {CASES} (set SESHAT_SHARED to the folder with cases/)")
@pytest.mark.parametrize("name", CHECKS.keys() or [""])
def test_case(name: str, tmp_path: Path) -> None:
    root = tmp_path / "case"
    shutil.copytree(CASES / name, root)
    for path in (root, *root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    CHECKS[name](Case(root))
