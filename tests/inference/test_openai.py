"""The engine for servers of the OpenAI protocol, against a server written here."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.config import Config, Direction
from seshat.config.translate import ServerSection
from seshat.core.errors import DataError, UsageError
from seshat.inference.engines.openai import ServerTranslator
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import requests

WAY = Direction("qlm", "es")
KEY = "sk-very-secret-5"
Reply = tuple[int, dict[str, str], Any]


def choice(text: str, logprobs: list[float] | None = None) -> dict[str, Any]:
    found = {"content": [{"token": "x", "logprob": one} for one in logprobs]} if logprobs else None
    return {"message": {"role": "assistant", "content": text}, "logprobs": found, "finish_reason": "stop"}


class Server:
    """Answers as ``reply`` says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.reply: Callable[[str, dict[str, Any]], Reply] = self.translate
        self.now = self.most = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, {}, {"data": [{"id": "only-one"}]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    outer.asked.append((self.path, body, dict(self.headers)))
                    outer.now += 1
                    outer.most = max(outer.most, outer.now)
                status, headers, value = outer.reply(self.path, body)
                with outer._lock:
                    outer.now -= 1
                self._send(status, headers, value)

            def _send(self, status: int, headers: dict[str, str], value: Any) -> None:
                content = json.dumps(value).encode()
                self.send_response(status)
                for name, text in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def translate(self, _path: str, body: dict[str, Any]) -> Reply:
        """The last line of the question in capitals; later ones sooner, so that answers come out of order."""
        text = body["messages"][-1]["content"].splitlines()[-1]
        time.sleep(0.05 / len(text))
        answers = [choice(text.upper() + "!" * n, [-0.5 * (n + 1), -0.1]) for n in range(body.get("n", 1))]
        return 200, {}, {"choices": answers}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("seshat.core.net.PAUSE", 0.01)
    made = Server()
    yield made
    made.close()


def prompt_of(**settings: Any) -> Prompt:
    config = {"project": {"language": "qlm", "pivot": "es"}, "prompt": settings}
    return Prompt.of(Project(Path(), Config.model_validate(config)))


@pytest.fixture
def opened(server: Server) -> Iterator[Callable[..., ServerTranslator]]:
    made: list[ServerTranslator] = []

    def open_one(prompt: Prompt | None = None, **settings: Any) -> ServerTranslator:
        section = ServerSection.model_validate({"url": server.url, "model": "m", "retries": 2} | settings)
        made.append(ServerTranslator(section, WAY, prompt or prompt_of(), seed=3))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


Open = Callable[..., ServerTranslator]


def test_answers_stand_where_their_texts_did(server: Server, opened: Open) -> None:
    prompt = prompt_of(max_new_tokens=7)
    texts = [f"{'uma ' * number}ka" for number in range(1, 20)]
    found = opened(prompt, concurrency=4).translate(requests([*texts, "", " "]))
    assert [one.text for one in found] == [text.upper() for text in texts] + ["", ""]
    assert found[0].score == pytest.approx(-0.3)
    assert 1 < server.most <= 4
    path, body, _ = next(one for one in server.asked if one[1]["messages"][-1]["content"].endswith(f"\n{texts[0]}"))
    assert path == "/v1/chat/completions"
    assert body["messages"] == prompt.messages("translate", source="qlm", target="es", text=texts[0])
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 7, 0.0)


def test_thoughts_are_left_out(server: Server, opened: Open) -> None:
    said = ["<think>\nHm.\n</think>\n\ncasa", "<think>\nHm, and so on", "casa"]
    server.reply = lambda _path, _body: (200, {}, {"choices": [choice(said.pop(0))]})
    assert [one.text for one in opened(concurrency=1).translate(requests(["a", "b", "c"]))] == ["casa", "", "casa"]


def test_a_busy_server_is_asked_again_when_it_says(server: Server, opened: Open) -> None:
    began: list[float] = []

    def busy(path: str, body: dict[str, Any]) -> Reply:
        began.append(time.monotonic())
        answers: list[Reply] = [(429, {"Retry-After": "0.2"}, {"error": {"message": "slow"}}), (503, {}, {})]
        return answers[len(began) - 1] if len(began) <= 2 else server.translate(path, body)

    server.reply = busy
    assert opened().translate(requests(["uma"]))[0].text == "UMA"
    assert began[1] - began[0] >= 0.2
    server.reply = lambda _path, _body: (502, {}, {"detail": "no backend"})
    before = len(server.asked)
    with pytest.raises(DataError, match="answered 502: no backend"):
        opened(retries=3).translate(requests(["uma"]))
    assert len(server.asked) == before + 4


def test_what_is_wrong_is_not_tried_again(server: Server, opened: Open) -> None:
    server.reply = lambda _path, _body: (400, {}, {"error": {"message": "the context is too long"}})
    with pytest.raises(DataError, match="the context is too long"):
        opened().translate(requests(["uma"]))
    assert len(server.asked) == 1
    server.close()
    with pytest.raises(DataError, match="cannot be reached"):
        opened().translate(requests(["uma"]))


def test_the_key_is_sent_and_never_told(server: Server, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="SESHAT_TEST_KEY is not set"):
        opened(api_key_env="SESHAT_TEST_KEY")
    monkeypatch.setenv("SESHAT_TEST_KEY", KEY)
    answers: list[Reply] = [(503, {}, {"error": f"not now, {KEY}"}), (401, {}, {"error": f"wrong key {KEY}"})]
    server.reply = lambda _path, _body: answers.pop(0)
    with structlog.testing.capture_logs() as logs, pytest.raises(DataError) as failed:
        opened(api_key_env="SESHAT_TEST_KEY").translate(requests(["uma"]))
    assert all(headers["Authorization"] == f"Bearer {KEY}" for *_, headers in server.asked)
    assert "asked again" in str(logs)
    assert "answered 401: wrong key [key]" in str(failed.value)
    assert KEY not in str(logs) + str(failed.value)


@pytest.mark.parametrize("knows_n", [True, False])
def test_candidates(server: Server, opened: Open, knows_n: bool) -> None:
    if not knows_n:
        drawn = iter(range(1, 99))

        def one_at_a_time(path: str, body: dict[str, Any]) -> Reply:
            if body["temperature"] > 0:
                return 200, {}, {"choices": [choice(f"drawn {next(drawn)}")]}
            return server.translate(path, body)

        server.reply = one_at_a_time
    translator = opened()
    found = translator.translate(requests(["uma"], n_best=3))[0]
    assert found.text == "UMA"
    assert len({one.text for one in found.alternatives}) == (2 if knows_n else 3)
    assert translator.samples
    groups = translator.sample(requests(["uma", ""]), 3, temperature=0.9, top_p=0.8, seed=5)
    assert [len(group) for group in groups] == [3, 3]
    assert groups[0] == sorted(groups[0], key=lambda one: -one.score)
    last = server.asked[-1][1]
    assert (last["temperature"], last["top_p"]) == (0.9, 0.8)
    assert last.get("n") == (3 if knows_n else None)
    assert last["seed"] == (5 if knows_n else 7)


def test_a_server_that_refuses_what_it_does_not_know(server: Server, opened: Open) -> None:
    def strict(path: str, body: dict[str, Any]) -> Reply:
        for name in ("chat_template_kwargs", "logprobs"):
            if name in body:
                return 400, {}, {"error": {"message": f"Unrecognized request argument supplied: {name}"}}
        return server.translate(path, body)

    server.reply = strict
    translator = opened(concurrency=1)
    assert [one.text for one in translator.translate(requests(["uma", "ka"]))] == ["UMA", "KA"]
    assert len(server.asked) == 4


def test_a_server_that_knows_no_chats(server: Server, opened: Open) -> None:
    def completions(path: str, body: dict[str, Any]) -> Reply:
        if path != "/v1/completions":
            return 404, {}, {"detail": "Not Found"}
        said = {"text": f" {body['prompt'].splitlines()[-1].upper()}", "logprobs": {"token_logprobs": [None, -1.0]}}
        return 200, {}, {"choices": [said]}

    server.reply = completions
    found = opened(concurrency=1).translate(requests(["uma", "ka"]))
    assert [(one.text, one.score) for one in found] == [("UMA", -1.0), ("KA", -1.0)]
    assert [path for path, *_ in server.asked] == ["/v1/chat/completions", "/v1/completions", "/v1/completions"]
    template = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}<answer>\n"
    prompt = prompt_of(system="S").model_copy(update={"chat_template": template})
    opened(prompt, api="completions").translate(requests(["uma"]))
    assert server.asked[-1][1]["prompt"].startswith("<system>S<user>Translate from")
    with pytest.raises(DataError, match="Not Found"):
        opened(api="chat").translate(requests(["uma"]))


def test_the_only_model_of_a_server_needs_no_name(server: Server, opened: Open) -> None:
    opened(model=None).translate(requests(["uma"]))
    assert server.asked[-1][1]["model"] == "only-one"
    with pytest.raises(UsageError, match="no address"):
        opened(url="127.0.0.1:8000")


def test_a_project_without_a_model_translates_through_its_server(server: Server, tmp_path: Path) -> None:
    (tmp_path / "seshat.yaml").write_text(
        "project: {language: qlm, pivot: es, languages: {qlm: {name: Lumeko}}}\n"
        "clean: {profiles: {qlm: {rules: [{name: k, type: map, map: {q: k}}]}}}\n"
        f"translate: {{engine: server, server: {{url: '{server.url}'}}}}\n"
    )
    arguments = ["translate", "-p", str(tmp_path), "uma qa"]
    shown = CliRunner().invoke(app, arguments)
    assert (shown.exit_code, shown.stdout) == (0, "UMA KA\n"), shown.stderr
    assert "Lumeko" in server.asked[-1][1]["messages"][0]["content"]
    shown = CliRunner().invoke(app, [*arguments, "--model", "none"])
    assert "there is no trained model here" in shown.stderr
    shown = CliRunner().invoke(app, [*arguments, "--set", "translate.server.url=null"])
    assert shown.exit_code == 2
    assert "a server needs its address" in shown.stderr
