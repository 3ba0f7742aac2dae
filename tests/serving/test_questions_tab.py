"""The page's tab of questions in a real browser, with an instruction model that is small and trained on the spot."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import pytest
from tests import finetuned, tiny_models
from tests.browser import CHROMIUM
from tests.serving.test_demo import Visit

from seshat.core.records import Access
from seshat.serving.app import create_app
from seshat.serving.service import Service

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
uvicorn = pytest.importorskip("uvicorn")

ASKED, ANSWER = "¿Qué hace el perro?", "Busca <b>a la niña</b> en *la casa."
FIELD = "#question textarea"
SECONDS = 20

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Gradio counts its events with pandas


class Asked:
    """A running page: what its model was asked, and a gate before each further piece of an answer."""

    def __init__(self, service: Service) -> None:
        self.turns: list[list[dict[str, str]]] = []
        self.stopped = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self._chat = service.chat
        service.chat = self.chat  # type: ignore[assignment, method-assign]
        self.address = ""

    def chat(self, turns: list[dict[str, str]], **more: Any) -> Generator[Any, None, None]:
        self.turns.append(turns)
        self.stopped.clear()
        try:
            with closing(self._chat(turns, **more)) as pieces:
                for number, piece in enumerate(pieces):
                    assert number < 2 or self.go.wait(SECONDS)
                    yield piece
        except GeneratorExit:
            self.stopped.set()
            raise


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The page on a free port, and a model that knows one answer."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    from seshat.serving.page import mount

    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("questions")
    project = finetuned.project(root, "causal", "base")
    base = tiny_models.qwen3(root / "base")
    said = f"<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n{ANSWER}<|im_end|>"
    tiny_models.pretrain(base, [said] * 8, steps=30)
    shutil.copytree(base, finetuned.describe(project, "causal", base) / "weights")
    service = Service(project, Access.COMMUNITY)
    service.warm()
    made = Asked(service)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        made.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = mount(create_app(service), service)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield made
        server.should_exit = True
        thread.join(SECONDS)
    service.close()
    assert not thread.is_alive()


@pytest.fixture
def visit(browser: Any, asked: Asked, request: pytest.FixtureRequest) -> Iterator[Visit]:
    made = Visit(browser, asked.address, *getattr(request, "param", (1100, 900)))
    tab = made.page.get_by_role("tab", name="Preguntas")
    if not tab.count():  # a phone has no room for five
        made.page.click(".overflow-menu > button")
        tab = made.page.locator(".overflow-dropdown button", has_text="Preguntas")
    tab.click()
    made.page.wait_for_selector(FIELD)
    asked.turns.clear()
    yield made
    asked.go.set()
    assert made.failures == []
    assert [url for url in made.asked if not url.startswith((asked.address, "data:", "blob:"))] == []
    made.page.close()


def turns(page: Any, count: int, ready: Callable[[str], bool] = bool) -> list[str]:
    """What the conversation says once it has so many turns, and the last is as it should be."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        said = page.locator("#chat .turns p").all_inner_texts()
        if len(said) == count and (count == 0 or ready(said[-1])):
            return list(said)
        time.sleep(0.02)
    raise AssertionError(page.inner_text("body"))


def test_questions_are_answered_piece_by_piece_and_remembered(visit: Visit, asked: Asked) -> None:
    page = visit.page
    page.press(FIELD, "Enter")
    page.wait_for_selector("#problem [role=status]:has-text('Primero escriba una pregunta.')")
    assert asked.turns == []

    asked.go.clear()
    page.fill(FIELD, ASKED)
    page.press(FIELD, "Enter")
    begun = turns(page, 2, lambda said: 2 < len(said) < len(ANSWER))
    assert begun[0] == ASKED
    assert ANSWER.startswith(begun[1])
    assert page.inner_text("#problem") == ""
    page.keyboard.type("y ahora <i>qué</i>")  # while the answer is coming
    page.keyboard.press("Enter")
    assert page.is_disabled("#send")
    asked.go.set()
    assert turns(page, 2, lambda said: len(said) >= len(ANSWER)) == [ASKED, ANSWER]
    assert page.input_value(FIELD) == "y ahora <i>qué</i>"

    page.click("#send")
    after = turns(page, 4)
    assert after[:3] == [ASKED, ANSWER, "y ahora <i>qué</i>"]
    assert page.locator("#chat b, #chat i, #chat em").count() == 0
    page.wait_for_function(f"document.querySelector('{FIELD}').value === ''")
    one, other = asked.turns
    assert one == [{"role": "user", "content": ASKED}]
    assert other == [*one, {"role": "assistant", "content": ANSWER}, {"role": "user", "content": "y ahora <i>qué</i>"}]
    labels = page.locator("#chat .turns li span").all_inner_texts()
    assert labels == ["Usted", "Modelo"] * 2


def test_what_cannot_be_answered_is_given_back(visit: Visit, asked: Asked) -> None:
    page = visit.page
    for question, reason in (("x" * 5_001, "5,000 are the most"), ("zyx " * 1_200, "Begin a new conversation")):
        page.fill(FIELD, question)
        page.click("#send")
        page.wait_for_selector(f"#problem [role=alert]:has-text('{reason}')")
        turns(page, 0)
        page.wait_for_function(f"document.querySelector('{FIELD}').value.length === {len(question)}")
    page.fill(FIELD, ASKED)  # and does not stand in the way of the next
    page.click("#send")
    turns(page, 2, ANSWER.__eq__)
    assert page.inner_text("#problem") == ""
    assert asked.turns[-1] == [{"role": "user", "content": ASKED}]


def test_a_new_conversation_ends_the_old_one(visit: Visit, asked: Asked) -> None:
    page = visit.page
    asked.go.clear()
    page.fill(FIELD, ASKED)
    page.press(FIELD, "Enter")
    turns(page, 2)
    page.click("#new-chat")
    turns(page, 0)
    asked.go.set()
    assert asked.stopped.wait(SECONDS), "the model stops too"
    page.fill(FIELD, ASKED)
    page.press(FIELD, "Enter")
    turns(page, 2, ANSWER.__eq__)
    assert asked.turns == [[{"role": "user", "content": ASKED}]] * 2


def test_who_leaves_stops_the_model(visit: Visit, asked: Asked) -> None:
    asked.go.clear()
    visit.page.fill(FIELD, ASKED)
    visit.page.press(FIELD, "Enter")
    turns(visit.page, 2)
    visit.page.goto("about:blank")
    asked.go.set()
    assert asked.stopped.wait(SECONDS)


@pytest.mark.parametrize("visit", [(375, 720)], indirect=True)
def test_on_a_phone_and_from_right_to_left(visit: Visit) -> None:
    page = visit.page
    page.fill(FIELD, "ירושלים <img src=x onerror=alert(1)> " + "x" * 120)
    page.press(FIELD, "Enter")
    turns(page, 2)
    assert page.locator("#chat img").count() == 0
    assert page.evaluate("getComputedStyle(document.querySelector('#chat .turns p')).direction") == "rtl"
    assert page.evaluate(f"getComputedStyle(document.querySelector('{FIELD}')).direction") == "ltr"
    assert not visit.too_wide()
