"""The page in a real browser, opened from a folder: by keyboard, saved as a download, taken over by the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.review import toy
from tests.small_project import small_project
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.project.folder import Project, open_project
from seshat.review import queues
from seshat.review.desk import Desk
from seshat.review.page import write_page
from seshat.review.queue import Queue
from seshat.review.queues.audit import QUEUE as AUDIT
from seshat.review.table import Row


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(small_project(tmp_path), overrides=["project.max_access=restricted", "serve.language=en"])


@pytest.fixture
def readings(project: Project) -> Queue:
    return toy.write(project)


class Visit:
    """A page opened from its file; nothing may fail, be blocked or be fetched."""

    def __init__(self, browser: Any, path: Path, width: int, height: int) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": height}, accept_downloads=True)
        self.page.set_default_timeout(10_000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.goto(path.as_uri())

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def save(self, folder: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.keyboard.press("s")
        target = folder / str(download.value.suggested_filename)
        download.value.save_as(target)
        return target

    @property
    def progress(self) -> str:
        return str(self.page.inner_text("#progress"))


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["wide", "phone"])
def visit(
    request: pytest.FixtureRequest,
    browser: Any,
    project: Project,
    readings: Queue,
) -> Iterator[Visit]:
    made = Visit(browser, write_page(Desk(readings, project)), *request.param)
    yield made
    assert made.said == []
    assert all(url.startswith(("file:", "blob:")) for url in made.asked)
    assert made.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    made.page.close()


def test_deciding_by_keyboard_saving_and_taking_over(
    visit: Visit, project: Project, readings: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit.page
    assert page.evaluate("window.hacked") is None
    assert toy.HOSTILE.split("\u2028")[0].strip() in page.inner_text("article >> nth=0")
    page.fill("#reviewer", "Rosa")
    page.keyboard.press("Tab")
    page.click("article >> nth=0 >> .facts")
    visit.press("a", "r", "e")
    page.locator("textarea").first.fill('=mina, "dos"\nlíneas')
    visit.press("Control+Enter")
    assert visit.progress.startswith("3 of 25 decided, 22 open")
    visit.press("a", "u", "j", "k", "k", "k", "k", "r", "u")  # what is undone leaves nothing behind
    assert visit.progress.startswith("3 of 25 decided, 22 open")

    copy = visit.save(tmp_path)
    assert copy.name == "readings_review.csv"
    assert "not saved" not in visit.progress
    monkeypatch.setattr(queues, "queues", lambda: {"readings": readings})
    taking = ["review", "readings", "--take", str(copy), "--project", str(project.root)]
    shown = CliRunner().invoke(app, taking)
    assert shown.exit_code == 0, shown.output
    assert "3 rows taken over" in " ".join(shown.output.split())
    rows = Desk(readings, project).rows()
    assert [row["decision"] for row in rows[:4]] == ["accept", "reject", "accept", ""]
    assert rows[2]["corrected_reading"] == '=mina, "dos"\nlíneas'
    assert {row["reviewer"] for row in rows[:3]} == {"Rosa"}
    assert not any(readings.touched(row) for row in rows[3:])
    assert rows[0]["reading"] == toy.HOSTILE, "what was proposed comes back sign by sign"


def test_scans_recordings_and_glosses(visit: Visit) -> None:
    page = visit.page
    page.wait_for_function("() => document.querySelector('article img')?.naturalWidth === 40")
    assert page.evaluate("[document.querySelector('canvas').width, document.querySelector('canvas').height]") == [
        20,
        20,
    ]
    page.wait_for_function("() => document.querySelector('audio')?.duration > 1.9")
    stacks = [stack.inner_text().split() for stack in page.locator(".words >> nth=0 >> div").all()]
    assert stacks == [["mina-ra", "girl-TOP"], ["lorona", "big"]]


def test_what_was_decided_is_there_again_when_the_page_was_closed(visit: Visit) -> None:
    visit.press("a", "r")
    visit.page.reload()
    assert visit.progress.startswith("2 of 25 decided")
    visit.page.select_option("#filter", "reject")
    assert visit.page.locator("article").count() == 1
    visit.page.select_option("#filter", "open")
    assert visit.page.locator("article").count() == 20
    visit.page.click("#after")
    assert visit.page.inner_text("#where") == "21–23 of 23"


def test_the_page_speaks_the_language_of_the_project(project: Project, browser: Any) -> None:
    project = open_project(project.root, overrides=["project.pivot=es"])
    AUDIT.write(AUDIT.path(project), [Row({"id": "a", "source_text": "mina", "fingerprint": "f"})], None)
    visit = Visit(browser, write_page(Desk(AUDIT, project)), 390, 844)
    assert visit.page.get_attribute("html", "lang") == "es"
    assert visit.progress == "0 de 1 decididas, 1 pendientes"
    assert visit.page.inner_text("h1").startswith("Pares de los que duda la auditoría")
    assert visit.page.inner_text("article .label").startswith("texto (")
    assert "Rechazar" in visit.page.inner_text("article")
    visit.page.close()
    (project.root / "words").mkdir()
    (project.root / "words" / "es.yaml").write_text("review_reject: No\ncolumn_source_text: cuento\n", encoding="utf-8")
    html = write_page(Desk(AUDIT, project)).read_text(encoding="utf-8")
    assert '"reject": "No"' in html
    assert '"label": "cuento (' in html


def test_the_command_lists_queues_and_writes_pages(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*more: str) -> Any:
        return CliRunner().invoke(app, ["review", *more, "--project", str(project.root)], env={"COLUMNS": "150"})

    assert "nothing to review" in ask().output
    made = toy.write(project, 2)
    monkeypatch.setattr(queues, "queues", lambda: {"readings": made})
    shown = ask()
    assert "reports/readings_review.html" in shown.output
    assert (project.reports / "readings_review.html").exists()
    assert ask("nope").exit_code == 2
    assert ask("--take", "x.csv").exit_code == 2
