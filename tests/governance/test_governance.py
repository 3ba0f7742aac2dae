"""A run with records of all kinds: what is closed stands in no file that it leaves, and what is in can be traced."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.small_project import small_project
from typer.testing import CliRunner

import seshat
from seshat.cli.app import app
from seshat.governance.probe import probe
from seshat.governance.trace import trace
from seshat.inference.opening import open_chain
from seshat.inference.translator import Hypothesis
from seshat.project import members
from seshat.project.folder import open_project
from seshat.prompt.request import Request

Translate = Callable[[Sequence[Request]], list[Hypothesis]]

CLOSED = {
    "sealed": ("zarokum", {"access": "sealed"}),
    "embargo": ("belunit", {"embargo": (date.today() + timedelta(400)).isoformat()}),
    "purpose": ("mikador", {"purposes": "education"}),
    "label": ("tovelan", {"labels": "TK SS; TK A"}),
}
"""Why -> a word that stands in nothing else, and the columns that close its row."""
COLUMNS = ("access", "embargo", "purposes", "labels")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("governed") / "lang")
    rows = [",".join(("small", "spanish", *COLUMNS))]
    for word, columns in CLOSED.values():
        for number in range(4):
            text = f"{word} palina basi {'ani ' * number}civo", f"nunca dirás {word[::-1]} a nadie{' hoy' * number}"
            rows.append(",".join((*text, *(columns.get(name, "") for name in COLUMNS))))
    (folder / "data/raw/translations/governed.csv").write_text("\n".join(rows) + "\n")
    settings = (folder / "seshat.yaml").read_text()
    source = """\
    - name: governed
      path: translations/governed.csv
      access: public
      columns: {qsm: small, es: spanish, access: access, embargo: embargo, purposes: purposes, labels: labels}
"""
    (folder / "seshat.yaml").write_text(settings.replace("  sources:\n", f"  sources:\n{source}", 1))
    seshat.open(folder).run()
    return folder


def leftovers(root: Path, word: str) -> set[str]:
    """Files of a project with a word in them, outside what holds all levels on purpose."""
    whole = ("data/raw", "data/interim", "data/processed", ".seshat/cache", ".dvc/cache")
    found = set()
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith(whole) and word.encode() in path.read_bytes():
            found.add(name)
    return found


@pytest.mark.parametrize("why", CLOSED)
def test_what_is_closed_stands_in_no_file_of_the_run(root: Path, why: str) -> None:
    word, _ = CLOSED[why]
    assert word in (root / "data/processed/train.jsonl").read_text() + (root / "data/processed/test.jsonl").read_text()
    assert leftovers(root, word) == set()


def test_labels_and_embargo_are_carried(root: Path) -> None:
    lines = (root / "data/interim/ingest/segments.jsonl").read_text().splitlines()
    metas = [json.loads(line)["meta"] for line in lines if '"source":"governed"' in line.replace(": ", ":")]
    assert {tuple(meta.get("labels", ())) for meta in metas} >= {("TK SS", "TK A")}
    assert {meta["access"] for meta in metas if meta.get("labels")} == {"sealed"}
    assert any(meta.get("embargo") for meta in metas)


def test_trace_knows_what_is_in_a_model(root: Path) -> None:
    project = open_project(root)
    inside = next(iter(project.segments("train")))
    asked = trace(project, [members.of_id(inside.id)])
    assert [(one.model, one.holds, one.files) for one in asked] == [("statistical", True, ("train",))]
    text = trace(project, [members.of_text(inside.texts["qsm"].upper())])
    assert text[0].holds
    assert not trace(project, [members.of_text("zarokum palina basi civo")])[0].holds


def test_withdrawing_takes_a_record_out_of_the_next_run(root: Path) -> None:
    project = open_project(root)
    inside = next(iter(project.segments("train")))
    done = CliRunner().invoke(app, ["withdraw", inside.id, "--project", str(root), "--by", "Ana", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["records"] == [inside.id]
    assert [one["model"] for one in said["models"]] == ["statistical"]
    assert inside.id not in {one.id for one in open_project(root).segments("train")}, "the gate refuses it at once"
    seshat.open(root).run(until="train")
    assert not trace(project, [members.of_id(inside.id)])[0].holds
    none = CliRunner().invoke(app, ["withdraw", "Nobody", "--kind", "speaker", "--project", str(root)])
    assert none.exit_code == 2


def told(translate: Translate, known: dict[str, str]) -> Translate:
    """A translator that gives what it knows word for word."""

    def answer(requests: Sequence[Request]) -> list[Hypothesis]:
        answers = zip(requests, translate(requests), strict=True)
        return [replace(one, text=known.get(request.text, one.text)) for request, one in answers]

    return answer


def test_a_model_that_gives_closed_texts_away_is_found(root: Path) -> None:
    project = open_project(root)
    ways = project.config.directions
    chains = [open_chain(project, None, way, workers=1) for way in ways]
    honest = probe(project, chains, 100)
    for chain in chains:
        chain.close()
    assert honest.asked >= 8
    assert not honest.leaks
    telling = [open_chain(project, None, way, workers=1) for way in ways]
    closed = [
        json.loads(line)["texts"]
        for name in ("train", "validation", "test")
        for line in (root / f"data/processed/{name}.jsonl").read_text().splitlines()
        if any(word in line for word, _ in CLOSED.values())
    ]
    known = {texts[way.source]: texts[way.target] for texts in closed for way in ways}
    for chain in telling:
        chain.translate = told(chain.translate, known)  # type: ignore[method-assign, assignment]
    found = probe(project, telling, 100)
    for chain in telling:
        chain.close()
    assert len(found.completed) == found.asked
    assert found.leaks
    assert any(one.secrets for one in found.completed)
    assert not any(word in str(found) for word, _ in CLOSED.values()), "a report names records, never their words"
