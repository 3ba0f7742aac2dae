from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Access, Document, Entry, Reject, Segment
from seshat.data import ingest
from seshat.project.folder import Project
from seshat.project.speakers import Speakers

FILES: dict[str, bytes] = {
    "t.qlm": "kuno\nta\0ba\nnin\u0303o\n".encode(),
    "t.es": "uno\ndos\nni\u00f1o\n".encode(),
    "d.csv": b"word,meaning\nkuno,uno; \xc3\xbanico\n,\n,x\n",
    "m.es.txt": "El niño comió una manzana y después salió al jardín.\nMañana vendrá mi tío.\n".encode("latin-1"),
    "l/flood.qlm": b"kuno\n\ntaba\n",
    "l/flood.es": b"uno\n\ndos\n",
}
SOURCES: list[dict[str, Any]] = [
    {"name": "pairs", "path": "t.{lang}", "access": "public", "licence": "CC0"},
    {"name": "words", "path": "d.csv", "kind": "entries"},
    {"name": "news", "path": "m.es.txt", "language": "es", "encoding": "latin-1", "access": "sealed"},
    {"name": "legends", "path": "l/*.{lang}", "kind": "documents"},
]


def make(root: Path, files: dict[str, bytes], sources: list[dict[str, Any]], **sections: Any) -> Project:
    config = Config.model_validate(
        {"project": {"language": "qlm", "pivot": "es"}, "ingest": {"sources": sources}, **sections}
    )
    project = Project(root, config)
    for name, content in files.items():
        (project.raw / name).parent.mkdir(parents=True, exist_ok=True)
        (project.raw / name).write_bytes(content)
    return project


def test_all_sources_to_records_rejects_and_report(tmp_path: Path) -> None:
    project = make(tmp_path, FILES, SOURCES)
    summary = ingest.run(project)
    segments = list(read_jsonl(project.ingested / "segments.jsonl", Segment))
    entries = list(read_jsonl(project.ingested / "entries.jsonl", Entry))
    documents = list(read_jsonl(project.ingested / "documents.jsonl", Document))
    rejects = list(read_jsonl(project.ingested / "rejects.jsonl", Reject))
    counts = {"segments": len(segments), "entries": len(entries), "documents": len(documents), "rejects": len(rejects)}
    assert counts == {"segments": 4, "entries": 1, "documents": 1, "rejects": 3}
    assert {key: summary[key] for key in counts} == counts
    assert segments[1].texts == {"qlm": "niño", "es": "niño"}
    assert (segments[0].meta.access, segments[0].meta.licence) == (Access.PUBLIC, "CC0")
    assert {segment.meta.access for segment in segments[2:]} == {Access.SEALED}
    assert entries[0].meta.access is Access.RESTRICTED
    assert [(reject.file, reject.line) for reject in rejects] == [("t.qlm", 2), ("t.es", 2), ("d.csv", 4)]
    assert any("3 rows could not be read" in warning for warning in summary["warnings"])

    report = json.loads((project.ingested / "report.json").read_text(encoding="utf-8"))
    by_name = {source["name"]: source for source in report["sources"]}
    assert by_name["pairs"]["records"] == 2
    assert by_name["pairs"]["files"][0]["unicode_forms"] == {"ASCII": 1, "NFD": 1}
    assert by_name["news"]["files"][0]["encoding"] == "iso8859-1"
    assert by_name["words"]["files"][0]["columns"] == {"headword": ["word"], "gloss.es": ["meaning"]}
    assert str(tmp_path) not in (project.ingested / "report.json").read_text(encoding="utf-8")


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    outputs = []
    for name in ("one", "two"):
        project = make(tmp_path / name, FILES, SOURCES)
        ingest.run(project)
        outputs.append({path.name: path.read_bytes() for path in sorted(project.ingested.iterdir())})
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) == {*ingest.FILES.values(), "report.json"}


def test_all_failures_at_once_and_everything_else_is_read(tmp_path: Path) -> None:
    sources = [
        *SOURCES,
        {"name": "gone", "path": "gone.csv"},
        {"name": "wrong", "path": "d.csv", "columns": {"qlm": "wort"}},
        {"name": "uneven", "path": "u.{lang}"},
        {"name": "torn", "path": "x.xlsx"},
    ]
    files = {**FILES, "u.qlm": b"a\nb\n", "u.es": b"a\n", "x.xlsx": b"PK\x03\x04torn"}
    project = make(tmp_path, files, sources)
    with pytest.raises(DataError) as caught:
        ingest.run(project)
    message = str(caught.value)
    for part in (
        "4 of the files or sources cannot be used",
        "source 'gone': gone.csv is not there",
        "'wort' for qlm (did you mean 'word'?)",
        "u.qlm has 2, u.es has 1",
        "x.xlsx: the workbook is cut off or damaged",
        "4 segments, 1 entries, 1 documents",
    ):
        assert part in message
    assert sum(1 for _ in read_jsonl(project.ingested / "segments.jsonl", Segment)) == 4
    rejects = [(one.file, one.line) for one in read_jsonl(project.ingested / "rejects.jsonl", Reject)]
    assert {("u.qlm", 1), ("u.qlm", 2), ("u.es", 1), ("x.xlsx", None)} <= set(rejects)
    report = json.loads((project.ingested / "report.json").read_text(encoding="utf-8"))
    assert len(report["problems"]) == 4


def test_optional_sources_may_be_missing(tmp_path: Path) -> None:
    project = make(tmp_path, FILES, [*SOURCES, {"name": "gone", "path": "gone/*.csv", "optional": True}])
    warnings = ingest.run(project)["warnings"]
    assert any("gone/*.csv matches no file" in warning and "optional" in warning for warning in warnings)


def test_the_hint_names_the_recipe_where_there_is_one(tmp_path: Path) -> None:
    download = {"files": [{"path": "gone.csv", "url": "https://example.org/gone.csv"}]}
    project = make(tmp_path, {}, [{"name": "gone", "path": "gone.csv"}], download=download)
    with pytest.raises(DataError, match="Fetch the files with: seshat download"):
        ingest.run(project)


def test_no_sources_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are no sources"):
        ingest.run(make(tmp_path, {}, []))


def test_a_full_disk_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make(tmp_path, FILES, SOURCES)
    ingest.run(project)
    before = {path.name: path.read_bytes() for path in project.ingested.iterdir()}
    (project.raw / "t.qlm").write_bytes(b"x\ny\nz\n")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seshat.core.jsonl.os.fsync", full)
    with pytest.raises(DataError, match="the disk is full"):
        ingest.run(project)
    assert {path.name: path.read_bytes() for path in project.ingested.iterdir()} == before


def test_an_interrupted_run_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make(tmp_path, FILES, SOURCES)
    ingest.run(project)
    before = {path.name: path.read_bytes() for path in project.ingested.iterdir()}

    def interrupted(_record: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest, "dump", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ingest.run(project)
    assert {path.name: path.read_bytes() for path in project.ingested.iterdir()} == before


@pytest.mark.real_data
def test_real_line_aligned_text_is_read_whole(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "americasnlp" / "shp"
    names = ("dev.shp", "dev.es", "train.shp", "train.es")
    files = {name: (folder / name).read_bytes() for name in names}
    project = make(tmp_path, files, [{"name": "anlp", "path": "*.{lang}", "languages": {"shp": "qlm"}}])
    summary = ingest.run(project)
    lines = sum(files[name].count(b"\n") for name in ("dev.es", "train.es"))
    assert abs(summary["segments"] + summary["rejects"] - lines) <= 2


def test_speakers_have_numbers_where_the_project_wants_them(tmp_path: Path) -> None:
    files = {"t.csv": b"qlm,es,who\nkuno,uno,Ana\ntaba,dos,Rosa\nti,tres,Ana\nsa,seis,\n"}
    sources = [
        {"name": "t", "path": "t.csv", "access": "public", "columns": {"qlm": "qlm", "es": "es", "speaker": "who"}}
    ]
    config = {"sources": sources, "pseudonyms": True}
    project = make(tmp_path, files, sources)
    project = Project(
        tmp_path, Config.model_validate({"project": {"language": "qlm", "pivot": "es"}, "ingest": config})
    )
    for _ in range(2):  # a second run gives the same numbers
        ingest.run(project)
        segments = list(read_jsonl(project.ingested / "segments.jsonl", Segment))
        assert [one.meta.speaker for one in segments] == ["speaker-1", "speaker-2", "speaker-1", None]
    kept = project.state / "speakers.json"
    assert kept.stat().st_mode & 0o077 == 0
    written = (path for path in (tmp_path / "data" / "interim").rglob("*") if path.is_file())
    assert not any(b"Ana" in path.read_bytes() or b"Rosa" in path.read_bytes() for path in written)
    assert Speakers(project.state).known_as("Rosa") == "speaker-2"
    kept.write_text("[]")
    with pytest.raises(DataError, match="damaged"):
        ingest.run(project)
