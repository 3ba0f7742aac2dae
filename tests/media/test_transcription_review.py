"""The review of transcriptions in a real browser, by keyboard and by ear, and what becomes of it in training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.formats.test_eaf import document, tier, timed
from tests.media.recorded import Listener, tone
from tests.small_project import small_project
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Method, Segment
from seshat.media import transcribe
from seshat.project.folder import Project, open_project
from seshat.review.desk import Desk
from seshat.review.page import write_page
from seshat.review.queues.transcription import QUEUE

LINES = 20
SECTION = """\
serve: {language: en}
transcribe:
  recordings:
    - {name: tape, path: "audio/*.wav", language: qsm, access: public, speaker: Ana}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A small project with twenty marked utterances that a machine has written down."""
    root = small_project(tmp_path)
    with (root / "seshat.yaml").open("a", encoding="utf-8") as stream:
        stream.write(SECTION)
    tone(root / "data/raw/audio/tale.wav", LINES)
    slots = [number * 1000 for number in range(LINES + 1)]
    marked = (timed(f"a{number}", f"ts{number}", f"ts{number + 1}", "") for number in range(1, LINES + 1))
    (root / "data/raw/audio/tale.eaf").write_text(document(slots, tier("tx", "utterance", *marked)), encoding="utf-8")
    (root / "models/whisper").mkdir(parents=True)
    monkeypatch.setattr(transcribe, "check", lambda *_: None)
    monkeypatch.setattr(transcribe, "load", lambda *_: Listener())
    made = open_project(root)
    assert transcribe.run(made)["to_review"] == LINES
    return made


@pytest.fixture
def page(browser: Any, project: Project) -> Iterator[Any]:
    made = browser.new_page(accept_downloads=True)
    said: list[str] = []
    made.on("pageerror", lambda error: said.append(str(error)))
    made.goto(write_page(Desk(QUEUE, project)).as_uri())
    yield made
    assert said == []
    made.close()


def test_twenty_lines_are_corrected_while_listening_and_are_trained_on(
    page: Any, project: Project, tmp_path: Path
) -> None:
    page.fill("#reviewer", "Rosa")
    page.keyboard.press("Tab")
    page.click("article >> nth=0 >> .facts")
    page.keyboard.press("p")
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0")
    assert "#t=" in page.get_attribute("article >> nth=0 >> audio", "src")
    for number in range(LINES):
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type(f"Wani loro pali sika{number}.")
        page.keyboard.press("Control+Enter")
    assert page.inner_text("#progress").startswith(f"{LINES} of {LINES} decided")
    with page.expect_download() as download:
        page.keyboard.press("s")
    copy = tmp_path / "copy.csv"
    download.value.save_as(copy)
    taking = ["review", "transcription", "--take", str(copy), "--project", str(project.root)]
    shown = CliRunner().invoke(app, taking)
    assert f"{LINES} rows taken over" in " ".join(shown.output.split())
    shown = CliRunner().invoke(app, ["run", "--until", "format", "--project", str(project.root)])
    assert shown.exit_code == 0, shown.output
    trained = [one for one in read_jsonl(project.training / "monolingual.jsonl", Segment) if one.meta.source == "tape"]
    assert len(trained) == LINES
    assert {one.meta.method for one in trained} == {Method.GOLD}
    assert {one.meta.extra["reviewer"] for one in trained} == {"Rosa"}
    assert {one.texts["qsm"] for one in trained} == {f"Wani loro pali sika{number}." for number in range(LINES)}
