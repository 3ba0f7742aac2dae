"""Corrections come back: from the store into train, never into test."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.small_project import small_project

from seshat.config import Config
from seshat.core.errors import DataError, SeshatError
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Access, Method, Reject, Segment
from seshat.data import ingest
from seshat.data.corrections import REJECTED, SOURCE, SUPERSEDED
from seshat.pipeline.engine import engine
from seshat.pipeline.stages import stage
from seshat.project.folder import Project, open_project
from seshat.review import corrections
from seshat.review.corrections import Correction, open_corrections
from seshat.review.desk import Desk
from seshat.review.queues import corrections as reviewed
from seshat.review.queues.corrections import QUEUE
from seshat.review.segments import is_rejection


def store(project: Project, *rows: dict[str, Any]) -> Path:
    """A store of corrections, as the page leaves it."""
    path = corrections.corrections_file(project)
    connection = sqlite3.connect(path)
    columns = ", ".join(f'"{name}" TEXT' for name in corrections.COLUMNS)
    connection.execute(f"CREATE TABLE IF NOT EXISTS corrections ({columns})")
    for number, row in enumerate(rows):
        full = {"id": f"c{number}", "source": "qsm", "target": "es", "at": f"2026-01-0{number + 1}", **row}
        marks = ", ".join("?" * len(full))
        names = ", ".join(f'"{name}"' for name in full)
        connection.execute(f"INSERT INTO corrections ({names}) VALUES ({marks})", list(full.values()))
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(small_project(tmp_path))


def corrected(project: Project) -> list[Segment]:
    ingest.run(project)
    records = read_jsonl(project.ingested / "segments.jsonl", Segment)
    return [one for one in records if one.meta.source == SOURCE]


def test_a_correction_becomes_a_gold_segment_with_its_provenance(project: Project) -> None:
    row = {"text": "Mina palina gelu.", "translation": " La nin\u0303a quiere la casa. ", "machine": "La niña la casa."}
    store(project, {**row, "by": "Rosa", "access": "public", "note": "word order"})
    (found,) = corrected(project)
    assert found.texts == {"qsm": "Mina palina gelu.", "es": "La niña quiere la casa."}
    assert (found.meta.method, found.meta.speaker, found.meta.access) == (Method.GOLD, "Rosa", Access.PUBLIC)
    assert str(found.meta.origin) == "data/corrections.sqlite:1"
    assert found.meta.extra == {
        "direction": "qsm-es",
        "machine": "La niña la casa.",
        "at": "2026-01-01",
        "note": "word order",
    }
    report = json.loads((project.ingested / "report.json").read_text(encoding="utf-8"))
    assert report["corrections"] == {"found": 1, "superseded": 0, "rejects": 0}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_seshat_ingest_takes_corrections_from_either_database(
    database: str, request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small_project(tmp_path)
    if database == "postgres":
        address = request.getfixturevalue("postgres").replace("seshat@", "seshat:sesame@")  # any password will do here
        monkeypatch.setenv("SESHAT_DATABASE", address)
    assert "corrections" not in _ingest(root), "no store yet"
    store = open_corrections(open_project(root))
    given = {"source": "qsm", "target": "es", "text": "Mina palina gelu.", "translation": "La niña quiere la casa."}
    store.add(Correction(**given, machine="La casa.", by="Rosa", access=Access.PUBLIC, note="word order"))
    store.add(Correction(**{**given, "translation": "La niña quiere una casa."}, access=Access.PUBLIC))
    store.close()
    assert _ingest(root)["corrections"] == 2
    read = read_jsonl(root / "data" / "interim" / "ingest" / "segments.jsonl", Segment)
    older, newer = (one for one in read if one.meta.source == SOURCE)
    assert older.texts == {"qsm": "Mina palina gelu.", "es": "La niña quiere la casa."}
    assert (older.meta.method, older.meta.speaker, older.meta.access) == (Method.GOLD, "Rosa", Access.PUBLIC)
    assert {name: older.meta.extra[name] for name in ("direction", "machine", "note")} == {
        "direction": "qsm-es",
        "machine": "La casa.",
        "note": "word order",
    }
    assert (older.meta.tags, newer.meta.tags) == ((SUPERSEDED,), ())
    assert newer.texts["es"] == "La niña quiere una casa."
    assert _reasons(open_project(root)) == ()
    assert "sesame" not in (root / "dvc.lock").read_text(), "people publish it"


def _ingest(root: Path) -> Any:
    """What the command says."""
    command = [sys.executable, "-m", "seshat", "ingest", "--project", str(root), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_user_without_rights_is_told_so(postgres: str, tmp_path: Path) -> None:
    import psycopg

    schema = postgres.rpartition("%3D")[2]
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in ("reader", "stranger"):
            connection.execute(f"CREATE ROLE {name}_{schema} LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader_{schema}, stranger_{schema}")
        owner = open_corrections(_in_database(tmp_path, postgres))
        owner.add(Correction(source="qsm", target="es", text="a", translation="b"))
        owner.close()
        connection.execute(f"GRANT SELECT ON corrections TO reader_{schema}")
    reader, stranger = (
        _in_database(tmp_path, postgres.replace("seshat@", f"{one}_{schema}@")) for one in ("reader", "stranger")
    )
    assert [one.text for one in corrections.read(reader)] == ["a"], "whoever may read can ingest"
    with pytest.raises(SeshatError, match="PostgreSQL refuses: permission denied for table corrections"):
        corrections.read(stranger)
    with pytest.raises(SeshatError, match="permission denied for schema"):
        open_corrections(reader)


def _in_database(root: Path, address: str) -> Project:
    config = {"project": {"language": "qsm", "pivot": "es"}, "serve": {"database": address}}
    return Project(root, Config.model_validate(config))


def test_the_newest_wins_and_the_others_stay_tagged(project: Project) -> None:
    store(
        project,
        {"text": "Mina  palina gelu.", "translation": "una"},
        {"text": "La casa.", "translation": "pali", "source": "es", "target": "qsm"},
        {"text": "Mina palina gelu.", "translation": "dos"},
        {"text": "Mina palina gelu.", "translation": "  "},
        {"text": "Mina", "translation": "girl", "target": "en"},
    )
    found = corrected(project)
    assert [(one.texts["es"], one.meta.tags) for one in found] == [
        ("una", (SUPERSEDED,)),
        ("La casa.", ()),
        ("dos", ()),
    ]
    assert found[0].meta.access is Access.RESTRICTED
    rejects = [one.reason for one in read_jsonl(project.ingested / "rejects.jsonl", Reject) if "corr" in one.file]
    assert [reason.split(":")[0] for reason in rejects] == [
        "a correction without text or without translation",
        "a correction from 'qsm' into 'en'",
    ]


def test_reviewers_have_the_last_word(project: Project) -> None:
    store(
        project,
        {"text": "Mina palina gelu.", "translation": "una", "access": "public", "by": "Rosa"},
        {"text": "Mina palina gelu.", "translation": "=HACKED()", "access": "public"},
        {"text": "Tolo.", "translation": "el pero", "access": "public"},
        {"text": "Zeru.", "translation": "secreto", "access": "sealed"},
    )
    before = reviewed.digest(project)
    desk = Desk(QUEUE, project)
    rows = desk.rows()
    assert [(row["id"], row["by"]) for row in rows] == [("c0", "Rosa"), ("c1", ""), ("c2", "")], "none above max_access"
    desk.decide(("c1",), QUEUE.mark(rows[1]), {"decision": "reject", "reviewer": "Juan"})
    desk.decide(("c2",), QUEUE.mark(rows[2]), {"corrected_translation": "el perro"})
    assert reviewed.digest(project) != before
    found = {one.id: one for one in corrected(project)}
    assert found["corrections:c0"].meta.tags == (), "the rejected one replaces nothing"
    assert found["corrections:c1"].meta.tags == (REJECTED,)
    assert is_rejection(REJECTED), "so the split leaves it out"
    assert found["corrections:c2"].texts["es"] == "el perro"
    report = json.loads((project.ingested / "report.json").read_text(encoding="utf-8"))
    assert report["corrections"] == {"found": 4, "superseded": 0, "rejects": 0, "rejected": 1}
    held = corrections.judged(corrections.read(project), reviewed.judgements(project))
    assert [one.translation for one in held] == ["una", "el perro", "secreto"]


def test_a_damaged_store_is_named_and_none_is_needed(project: Project) -> None:
    assert reviewed.digest(project) is None
    assert corrected(project) == []
    path = corrections.corrections_file(project)
    path.write_bytes(b"no database" * 100)
    assert reviewed.digest(project) is not None
    with pytest.raises(DataError, match="corrections cannot be read"):
        ingest.run(project)


def test_a_run_notices_what_people_wrote_and_not_what_the_database_does(project: Project) -> None:
    with engine(project) as runs:
        runs.run("ingest")
    path = store(project)  # a store without corrections
    assert _reasons(project) == ()
    store(project, {"text": "Mina palina gelu.", "translation": "La niña quiere la casa."})
    assert _reasons(project) == ("people have corrected translations or transcriptions, or accepted word pairs",)
    with engine(project) as runs:
        outcome = runs.run("ingest")
    assert outcome.summary["corrections"] == 1
    before = path.read_bytes()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    assert path.read_bytes() != before
    assert _reasons(project) == ()


def _reasons(project: Project) -> tuple[str, ...]:
    with engine(project) as runs:
        return runs.status()[0].reasons


def test_corrections_are_learned_from_and_never_measured_on(project: Project) -> None:
    _prepare(project)
    sets = ("train", "validation", "test")
    before = {name: [one.id for one in _read(project, name)] for name in sets}
    asked = next(_read(project, "test")).texts
    fresh = "Wani nisana hiro teka."
    store(
        project,
        {"text": asked["qsm"], "translation": "Una frase que ya está en la prueba."},
        {"text": fresh, "translation": "Mala."},
        {"text": fresh, "translation": "El viejo canta a la luna."},
    )
    report = _prepare(project)
    after = {name: [one.id for one in _read(project, name)] for name in sets}
    assert (after["validation"], after["test"]) == (before["validation"], before["test"])
    assert set(after["train"]) - set(before["train"]) == {"corrections:c2"}
    assert set(before["train"]) <= set(after["train"])
    assert any("1 corrections are of sentences like those in" in warning for warning in report["warnings"])
    excluded = {one.id: one.meta.tags for one in _read(project, "excluded")}
    assert excluded["corrections:c0"] == ("split:leak",)
    assert SUPERSEDED in excluded["corrections:c1"]


def _prepare(project: Project) -> dict[str, Any]:
    for name in ("ingest", "clean", "align"):
        stage(name).run(project)
    return stage("split").run(project)


def _read(project: Project, name: str) -> Iterator[Segment]:
    return read_jsonl(project.processed / f"{name}.jsonl", Segment)
