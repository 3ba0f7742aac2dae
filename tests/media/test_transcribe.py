"""The stage, with a recogniser that needs no model: what is heard, kept, reviewed, and trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.formats.test_eaf import document, tier, timed
from tests.media.recorded import Listener, tone
from tests.weights import say
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.core.errors import ConfigError, DataError, UsageError
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Method, Reject, Segment
from seshat.data import ingest
from seshat.media import speech_engines, speech_report, transcribe
from seshat.project.folder import Project, open_project
from seshat.review.queues.transcription import QUEUE

CONFIG = """\
project: {name: Tapes, language: qlm, pivot: es, max_access: public}
transcribe:
  recordings:
    - {name: tape, path: "audio/*.wav", language: qlm, access: public}
"""
MARKED = document(
    (0, 500, 1000, 2000, 2500, 4000, 5000),
    tier(
        "tx@Ana",
        "utterance",
        timed("a1", "ts1", "ts2", "Kuno."),
        timed("a2", "ts3", "ts4", "Kuno tola!"),
        timed("a3", "ts5", "ts6", ""),
        timed("a4", "ts6", "ts7", ""),
        more=' PARTICIPANT="Ana"',
    ),
)
"""Two utterances that somebody has written down, and two that are only marked."""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    made = Listener()
    monkeypatch.setattr(transcribe, "check", lambda *_: None)
    monkeypatch.setattr(transcribe, "load", lambda *_: made)
    monkeypatch.setattr(transcribe, "voiced", lambda *_: [])
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "seshat.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "models" / "whisper").mkdir(parents=True)
    tone(tmp_path / "data/raw/audio/river.wav", 6)
    (tmp_path / "data/raw/audio/river.eaf").write_text(MARKED, encoding="utf-8")
    return open_project(tmp_path)


def segments(project: Project) -> list[Segment]:
    return list(read_jsonl(project.transcribed / "segments.jsonl", Segment))


def test_what_people_have_written_measures_the_model_and_the_rest_is_heard(
    project: Project, listener: Listener
) -> None:
    summary = transcribe.run(project)
    first, second = segments(project)
    assert (first.texts, second.texts) == ({"qlm": "Kuno mina tola."}, {"qlm": "Kuno mina."})
    assert first.meta.method is Method.MACHINE
    assert first.meta.tags == (transcribe.TAG,)
    assert first.meta.speaker == "Ana"
    assert first.meta.origin is not None
    assert (first.meta.origin.start, first.meta.origin.end) == (2.5, 4.0)
    assert first.meta.extra["word_starts"] == "2.60"
    scores = summary["measured"]["tape"]
    assert (scores["stretches"], scores["words"], scores["wer"]) == (2, 3, 33.3)  # "Kuno mina." for "Kuno tola!"
    assert scores["wer_interval"][0] == 0.0
    assert summary["to_review"] == 2


def test_the_tier_in_the_copy_is_data_when_somebody_accepts_it(project: Project, listener: Listener) -> None:
    transcribe.run(project)
    copy = project.reports / "transcribed/audio/river.eaf"
    original = project.raw / "audio/river.eaf"
    assert original.read_text(encoding="utf-8") == MARKED
    made = copy.read_text(encoding="utf-8")
    copy.write_text(made.replace("?? Kuno mina tola.", "Kuno mina toli."), encoding="utf-8")
    assert any("somebody has worked in it" in text for text in transcribe.run(project)["warnings"])
    original.write_bytes(copy.read_bytes())
    transcribe.run(project)
    assert [one.texts["qlm"] for one in segments(project)] == ["Kuno mina."]


def test_killed_and_resumed_each_stretch_is_heard_once(project: Project, listener: Listener) -> None:
    listener.fails_at = 2
    with pytest.raises(KeyboardInterrupt):
        transcribe.run(project)
    listener.fails_at = -1
    transcribe.run(project)
    assert len(listener.asked) == 4
    transcribe.run(project)
    assert len(listener.asked) == 4


def test_nothing_unreviewed_is_trained_on_and_what_is_corrected_is_gold(project: Project, listener: Listener) -> None:
    transcribe.run(project)
    ingest.run(project)
    found = list(read_jsonl(project.ingested / "segments.jsonl", Segment))
    assert [project.gate.refusal(one.meta) for one in found] == [transcribe.TAG, transcribe.TAG]
    path = QUEUE.path(project)
    rows, before = QUEUE.read(path)
    told = {"Kuno mina tola.": {"corrected_text": "Kuno mina toli.", "reviewer": "Rosa"}}
    told["Kuno mina."] = {"decision": "reject"}
    QUEUE.write(path, [row.changed(**told[row["text"]]) for row in rows], before)
    transcribe.run(project)
    ingest.run(project)
    first, second = read_jsonl(project.ingested / "segments.jsonl", Segment)
    assert first.texts == {"qlm": "Kuno mina toli."}
    assert (first.meta.method, first.meta.extra["reviewer"]) == (Method.GOLD, "Rosa")
    assert project.gate.refusal(first.meta) is None
    assert "transcription:rejected" in second.meta.tags


def test_unreviewed_text_is_used_where_somebody_says_so(project: Project, listener: Listener) -> None:
    transcribe.run(project)
    ingest.run(open_project(project.root, overrides=["transcribe.allow_unreviewed=true"]))
    found = list(read_jsonl(project.ingested / "segments.jsonl", Segment))
    assert {(one.meta.method, project.gate.refusal(one.meta)) for one in found} == {(Method.MACHINE, None)}


def test_recordings_that_the_run_may_not_use_are_not_shown(project: Project, listener: Listener) -> None:
    config = CONFIG.replace(", access: public", ", access: community")
    (project.root / "seshat.yaml").write_text(config, encoding="utf-8")
    summary = transcribe.run(open_project(project.root))
    assert summary["to_review"] == 0
    assert not QUEUE.path(project).exists()
    assert any("less open than project.max_access" in text for text in summary["warnings"])


def test_bad_recordings_stop_nothing(project: Project, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(transcribe, "check", lambda *_: None)
    monkeypatch.setattr(transcribe, "load", lambda *_: listener)
    (project.raw / "audio/empty.wav").touch()
    (project.raw / "audio/junk.wav").write_bytes(bytes(range(256)) * 20)
    tone(project.raw / "audio/silent.wav", 3)
    summary = transcribe.run(project)
    reasons = {one.file: one.reason for one in read_jsonl(project.transcribed / "rejects.jsonl", Reject)}
    assert "empty" in reasons["audio/empty.wav"]
    assert "cannot be decoded" in reasons["audio/junk.wav"]
    assert not any("Traceback" in reason or str(project.root) in reason for reason in reasons.values())
    assert "audio/silent.wav: nobody speaks in it" in summary["warnings"]
    assert len(segments(project)) == 2
    for path in ("river.wav", "silent.wav"):
        (project.raw / "audio" / path).unlink()
    with pytest.raises(DataError, match="none of the 2 recordings"):
        transcribe.run(project)


def test_a_broken_file_beside_a_recording_is_named(project: Project, listener: Listener) -> None:
    (project.raw / "audio/river.eaf").write_text(MARKED[:900], encoding="utf-8")
    with pytest.raises(DataError, match=r"river\.eaf"):
        transcribe.run(project)


def test_status_says_what_it_would_cost(project: Project, listener: Listener) -> None:
    assert speech_report.cost(project) == "1 recordings, 0.1 minutes of sound"
    transcribe.run(project)
    assert speech_report.cost(project) == ""


@pytest.mark.parametrize("language", ["auto", "und"])
def test_no_language_is_guessed(project: Project, language: str) -> None:
    (project.root / "seshat.yaml").write_text(CONFIG.replace("language: qlm, a", f"language: {language}, a"))
    with pytest.raises(ConfigError, match="never guessed"):
        open_project(project.root)
    (project.root / "seshat.yaml").write_text(CONFIG.replace("language: qlm, a", "a"))
    with pytest.raises(ConfigError, match="language"):
        open_project(project.root)


def whisper(folder: Path, *codes: str) -> Path:
    """As much of a Whisper folder as says which languages it knows."""
    signs = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in codes), "<|translate|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.bin").touch()
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": [{"content": sign} for sign in signs]}))
    return folder


def test_a_language_that_the_model_lacks_is_refused_with_what_to_do(tmp_path: Path, project: Project) -> None:
    folder = whisper(project.root / "models/whisper", "en", "es", "haw")
    assert sorted(speech_engines.languages(folder) or ()) == ["en", "es", "haw"]
    speech_engines.check(folder, "es-PE")
    shown = CliRunner().invoke(app, ["transcribe", "--project", str(project.root)])
    told = " ".join(shown.output.split())
    assert shown.exit_code == 2
    assert "does not know 'qlm'" in told
    assert "seshat transcribe --train" in told


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "there is no model for speech"),
        ({"config.json": {"model_type": "bert"}}, "of the kind 'bert'"),
        ({"config.json": {"model_type": "wav2vec2"}, "vocab.json": {"spa": {"a": 0}}}, "does not know 'qlm'"),
        ({"config.json": {"model_type": "wav2vec2"}, "speech.json": {"language": "es"}}, "does not know 'qlm'"),
    ],
)
def test_models_that_hear_nothing(tmp_path: Path, files: dict[str, Any], told: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(UsageError, match=told):
        speech_engines.check(tmp_path, "qlm")


@pytest.mark.weights
def test_whisper_writes_down_what_espeak_says(project: Project, whisper_base: Path) -> None:
    (project.root / "models/whisper").rmdir()
    (project.root / "models/whisper").symlink_to(whisper_base)
    (project.root / "seshat.yaml").write_text(CONFIG.replace("language: qlm, a", "language: en, a"))
    (project.raw / "audio/river.eaf").unlink()
    say(project.raw / "audio/river.wav", "The river is very cold this morning.", "en")
    summary = transcribe.run(open_project(project.root))
    (found,) = segments(project)
    assert "cold this morning" in found.texts["en"]  # it takes "very", as espeak-ng says it, for "merry"
    starts = [float(start) for start in found.meta.extra["word_starts"].split()]
    assert len(starts) == 7
    assert starts == sorted(starts)
    assert summary["seconds_per_second"] > 0
