"""The web page in a real browser, from typing a sentence to a correction that the next run ingests."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser import CHROMIUM
from tests.small_project import small_project

from seshat.core.jsonl import read_jsonl
from seshat.core.records import Method, Segment
from seshat.pipeline.engine import engine
from seshat.pipeline.stages import stage
from seshat.project.folder import Project, open_project

ASKED, RIGHT = "Ani mina lorona zeru dopa.", "Hoy la niña busca la canoa <b>azul</b>."
NEAR = "Ruka zeru gelu."
WAIT = 20_000

pytest.importorskip("gradio", reason="the page needs Gradio")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project with a trained model."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    made = open_project(small_project(tmp_path_factory.mktemp("demo")), overrides=["project.language=qsm"])
    for name in ("ingest", "clean", "align", "augment", "split", "format", "train"):
        stage(name).run(made)
    return made


@pytest.fixture(scope="module")
def address(project: Project) -> Iterator[str]:
    """``seshat demo`` in a process of its own, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "seshat", "demo", "--project", str(project.root), "--port", str(port)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        assert process.stdout is not None
        said = next((line for line in process.stdout if "listens on" in line), "")
        yield re.search(r"http://\S+", said)[0]  # type: ignore[index]
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()  # type: ignore[union-attr]


class Visit:
    """One visitor's page, and every address that it asked for."""

    def __init__(self, browser: Any, address: str, width: int, height: int) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(WAIT)
        self.asked: list[str] = []
        self.failures: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.failures.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_selector("#text textarea")

    def result(self, text: str) -> str:
        """What the page says once it has ``text`` in its translation."""
        self.page.wait_for_function(
            "text => document.querySelector('#result .translation')?.innerText.includes(text)", arg=text
        )
        return str(self.page.inner_text("#result"))

    def too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture
def visit(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    made = Visit(browser, address, *getattr(request, "param", (1100, 900)))
    yield made
    assert made.failures == []
    assert [url for url in made.asked if not url.startswith((address, "data:", "blob:"))] == []
    made.page.close()


def test_typing_reading_correcting_and_ingesting(visit: Visit, project: Project) -> None:
    page = visit.page
    assert page.get_attribute("html", "lang") == "es"
    page.fill("#text textarea", ASKED)
    page.click("#translate")
    said = visit.result("niña")
    assert "Seguridad" in said
    assert [mark.text_content() for mark in page.locator("#result .why mark").all()] == ["mina", "lorona", "dopa"]
    assert page.get_attribute("#text textarea", "dir") == "auto"

    page.click("#correct button")  # what was said is there to be corrected, a moment after the fields are
    page.wait_for_function("() => document.querySelector('#right textarea')?.value.includes('niña')")
    page.fill("#right textarea", RIGHT)
    page.fill("#by input, #by textarea", "Rosa")
    page.fill("#note input, #note textarea", "zeru = azul")
    page.click("#save")  # who may see it is not assumed
    page.wait_for_selector("#saved [role=alert]")
    page.click("#access label:has-text('Todos')")
    page.click("#save")
    page.wait_for_selector("#saved [role=status]")

    page.click("#translate")  # the correction is the translation at once, shown as it was written
    said = visit.result(RIGHT)
    assert "Esta traducción la dio una persona." in said
    assert page.locator("#result .translation b").count() == 0
    page.fill("#text textarea", NEAR)  # and the model knows the new word elsewhere
    page.click("#translate")
    visit.result("azul")

    with engine(project) as runs:
        assert runs.status()[0].state == "will-run"
        runs.run("ingest")
    (found,) = [one for one in read_jsonl(project.ingested / "segments.jsonl", Segment) if one.meta.speaker == "Rosa"]
    assert found.texts == {"qsm": ASKED, "es": RIGHT}
    assert (found.meta.source, found.meta.method) == ("corrections", Method.GOLD)
    assert found.meta.extra["note"] == "zeru = azul"


def test_letters_files_and_the_clipboard(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    written = tmp_path / "asked.txt"
    written.write_bytes(f"\ufeff{ASKED}\r\n".encode())
    page.set_input_files(".upload input", written)
    page.wait_for_function("asked => document.querySelector('#text textarea').value === asked", arg=ASKED)
    page.click("#translate")
    visit.result("la")
    page.click("button.copy")
    assert page.inner_text("button.copy") == "Copiado"
    too_long = tmp_path / "long.txt"
    too_long.write_text("x" * 10_000_000, encoding="utf-8")
    page.set_input_files(".upload input", too_long)
    page.wait_for_function("() => document.querySelector('.upload [role=status]').textContent.includes('demasiado')")
    assert page.input_value("#text textarea") == ASKED

    assert "español" in page.inner_text("#direction")
    page.get_by_role("tab").nth(1).click()
    page.click("#letters label:has-text('M')")
    page.wait_for_selector("#entries .entry h3")
    heads = [one.lower() for one in page.locator("#entries .entry h3").all_inner_texts()]
    assert heads == sorted(heads)
    assert all(one.startswith("m") for one in heads)


@pytest.mark.parametrize("visit", [(375, 720)], indirect=True)
def test_every_tab_fits_a_phone(visit: Visit) -> None:
    page = visit.page
    page.fill("#text textarea", "Ani mina lorona dopa. " + "x" * 90)
    page.click("#translate")
    page.wait_for_selector("#result .translation")
    page.click(".why summary")
    page.click("#correct button")
    assert not visit.too_wide()
    tabs = page.get_by_role("tab")
    assert [tab.inner_text() for tab in tabs.all()] == ["Traducir", "Diccionario", "Textos", "Acerca de"]
    for number, (box, shown) in enumerate((("#word", "#entries .entry"), ("#query", "#lines .line")), start=1):
        tabs.nth(number).click()
        page.fill(f"{box} input, {box} textarea", "mina")
        page.press(f"{box} input, {box} textarea", "Enter")
        page.wait_for_selector(shown)
        assert not visit.too_wide()
    tabs.nth(3).click()
    page.wait_for_selector("#figures h2")
    assert not visit.too_wide()


def test_the_keyboard_is_enough_and_text_from_the_right_runs_so(visit: Visit) -> None:
    page = visit.page
    names = []
    for _ in range(20):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.closest('[id]')?.id + ' ' + document.activeElement.tagName"))
        if page.evaluate("document.activeElement.matches('#text textarea')"):
            break
    assert page.evaluate("document.activeElement.matches('#text textarea')"), names
    page.keyboard.type("ירושלים <img src=x onerror=alert(1)>")
    page.keyboard.press("Control+Enter")
    visit.result("ירושלים")
    assert page.evaluate("getComputedStyle(document.querySelector('#text textarea')).direction") == "rtl"
    assert page.evaluate("getComputedStyle(document.querySelector('#result .translation')).direction") == "rtl"
    assert page.locator("#result img").count() == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "translate"
    labels = page.evaluate(
        "[...document.querySelectorAll('textarea, input')].filter(e => e.offsetParent && !e.closest('label') "
        "&& !e.labels?.length && !e.ariaLabel).length"
    )
    assert labels == 0
