"""The API, asked in process; the translator is a stand-in."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.evaluations import an_evaluation
from tests.serving.serving_project import SECRET, Upper, serving_project

from seshat.config import Direction
from seshat.core.errors import UsageError
from seshat.core.records import Access
from seshat.inference.dialogue import Piece
from seshat.inference.translator import Candidate, Hypothesis
from seshat.scores import METRICS
from seshat.serving.reasons import Reasons
from seshat.serving.search import open_search
from seshat.serving.service import Busy, Correction, Service

pytest.importorskip("fastapi", reason="FastAPI is not installed")
pytest.importorskip("prometheus_client", reason="the Prometheus client is not installed")

from fastapi.testclient import TestClient

from seshat.prompt.request import Request
from seshat.serving.app import create_app

KEY = "k" * 32
JSON = {"content-type": "application/json"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    limits: dict[str, Any] = {"max_body": 20_000, "max_batch": 4, "max_length": 50, "queue": 8, "search_seconds": 1.0}
    made = Service(serving_project(tmp_path, **limits), Access.COMMUNITY, opens=Upper)
    yield made
    made.close()


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), base_url="http://localhost") as client:
        yield client


def test_translate_says_why(client: TestClient) -> None:
    asked = {"texts": ["mina palina gelu", "tolo"], "n_best": 2}
    first, second = client.post("/translate", json=asked).json()["translations"]
    assert first["text"] == "MINA PALINA GELU"
    assert [one["text"] for one in first["alternatives"]] == ["MINA PALINA GELU!"]
    assert first["invented"] == []  # copied from the source
    assert first["examples"][0]["id"] == "a"
    assert first["examples"][0]["target"] == "la niña ve la casa"
    used = first["entries"][0]
    assert (used["start"], used["end"], used["headword"], used["meanings"]) == (5, 11, "pali", ["casa"])
    assert second["text"] == "TOLO"
    back = client.post("/translate", json={"texts": ["la casa"], "direction": "es-qsm", "explain": False}).json()
    assert back["translations"][0]["entries"] == []


def test_confidence_is_what_validation_says(client: TestClient, service: Service) -> None:
    import numpy as np

    from seshat.inference.confidence import Calibration, save

    sources = [f"tolo pali {n}" for n in range(40)]
    guesses = [Hypothesis("x", float(n)) for n in range(40)]
    calibration = Calibration.fit(sources, guesses, np.arange(40.0), {"tolo", "pali"})
    assert calibration is not None
    save(service.project.model(), {"qsm-es": calibration})
    ask = {"texts": ["tolo pali", ""], "explain": False}
    found = [one["confidence"] for one in client.post("/translate", json=ask).json()["translations"]]
    assert found[0]["level"] == "low"
    assert 0 <= found[0]["value"] < 0.2
    assert found[1] is None
    back = client.post("/translate", json={"texts": ["la casa"], "direction": "es-qsm"}).json()
    assert back["translations"][0]["confidence"] is None


def test_invented_words(service: Service) -> None:
    found = [Hypothesis("la casa morada gorpa", 0.0)]
    answer = service.answers(["mina"], found, "qsm-es")[0]
    assert answer.invented == ("gorpa",)  # morada stands in the lexicon's example


def test_lexicon_and_concordance(client: TestClient) -> None:
    assert client.get("/lexicon", params={"q": "casa"}).json()["entries"][0]["id"] == "pali"
    assert [one["id"] for one in client.get("/lexicon", params={"q": "morada"}).json()["entries"]] == ["pali"]
    found = client.get("/concordance", params={"q": "palina"}).json()
    assert [one["id"] for one in found["hits"]] == ["a", "s"]
    assert client.get("/concordance", params={"q": "loc", "tier": "gloss"}).json()["total"] == 1
    cut = client.get("/concordance", params={"q": "(b|bb|.)*$x", "regex": "true"}).json()
    assert cut["hits"] == []
    assert client.get("/concordance", params={"q": "(", "regex": "true"}).status_code == 400


def test_corrections_are_stored_and_shown_at_once(client: TestClient, service: Service) -> None:
    heard: list[Correction] = []
    service.listeners.append(heard.append)
    sent = {"source": "qsm", "target": "es", "text": "ruka jumi teka", "translation": "la madre lleva el pan"}
    stored = client.post("/corrections", json=sent)
    assert stored.status_code == 201
    assert [one.id for one in service.corrections()] == [stored.json()["id"]] == [heard[0].id]
    assert heard[0].access is Access.COMMUNITY
    nearest = client.post("/translate", json={"texts": ["ruka jumi teka"]}).json()["translations"][0]["examples"][0]
    assert (nearest["target"], nearest["origin"]) == ("la madre lleva el pan", "corrections")
    for wrong in ({"text": ""}, {"source": "xx"}, {"text": "x" * 51}, {"access": "secret"}, {"note": "a\x00b"}):
        assert client.post("/corrections", json={**sent, **wrong}).status_code in (400, 422)
    assert len(service.corrections()) == 1


@pytest.mark.parametrize("viewer", [Access.PUBLIC, Access.COMMUNITY])
def test_records_above_the_viewer_appear_nowhere(tmp_path: Path, viewer: Access) -> None:
    project = serving_project(tmp_path)
    service = Service(project, viewer, opens=Upper)
    secret = Correction(source="qsm", target="es", text=SECRET, translation="cosa", access=Access.COMMUNITY)
    service.correct(secret)
    sees = viewer is Access.COMMUNITY
    reasons = Reasons(open_search(project, viewer), "qsm", "es", service.corrections())
    with TestClient(create_app(service), base_url="http://localhost") as client:
        pages = [client.get("/lexicon", params={"q": query}).text for query in ("cosa", SECRET)]
        for query in ("q=basi", "q=za.*&regex=true", "q=*rokum"):
            pages.append(client.get(f"/concordance?{query}").text)
        pages.append(str(service.corrections()))
        pages.append(str(reasons.examples(f"{SECRET} palina basi", "qsm", "es", 9)))
        pages.append(str(reasons.used(f"{SECRET} palina basi", "qsm")[0]))
        assert [SECRET in page for page in pages] == [sees] * len(pages)
        assert reasons.invented(f"{SECRET}", "", "es") == (() if sees else (SECRET,))
        asked = client.post("/translate", json={"texts": ["mina"]})
        # A model may repeat what it was trained on.
        assert asked.status_code == (200 if sees else 400)
        assert sees or "community" in asked.json()["error"]["message"]
    service.close()


BAD: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "/translate", {"content": b"x" * 30_000, "headers": JSON}, 413),
    ("POST", "/translate", {"json": {"texts": ["x" * 51]}}, 400),
    ("POST", "/translate", {"json": {"texts": ["x"] * 5}}, 400),
    ("POST", "/translate", {"json": {"texts": []}}, 400),
    ("POST", "/translate", {"json": {"texts": ["x"], "n_best": 11}}, 400),
    ("POST", "/translate", {"json": {"texts": ["x"], "n_best": 0}}, 400),
    ("POST", "/translate", {"json": {"texts": "x"}}, 422),
    ("POST", "/translate", {"json": {"texts": ["x"], "surprise": 1}}, 422),
    ("POST", "/translate", {"content": b"{", "headers": JSON}, 400),
    ("POST", "/translate", {"content": b"\xff\xfe\x00\x01" * 9, "headers": JSON}, 400),
    ("POST", "/translate", {"content": b"[" * 15_000, "headers": JSON}, 400),
    ("POST", "/translate", {"content": b'{"texts": ["\\ud800"]}', "headers": JSON}, 400),
    ("POST", "/translate", {"content": b'{"texts": ["\\u0000"]}', "headers": JSON}, 400),
    ("POST", "/translate", {"content": b'{"texts": ["x"]}', "headers": {"content-type": "text/plain"}}, 415),
    ("POST", "/translate", {"files": {"file": b"\x00\x01"}}, 415),
    ("POST", "/translate", {"json": {"texts": ["x"], "model": "../../etc/passwd"}}, 400),
    ("POST", "/translate", {"json": {"texts": ["x"], "direction": "../es"}}, 400),
    ("POST", "/translate", {"json": {"texts": ["nonsense"]}}, 422),
    ("GET", "/translate", {}, 405),
    ("GET", "/../../etc/passwd", {}, 404),
    ("GET", "/..%2f..%2fetc%2fpasswd", {}, 404),
    ("GET", "/concordance", {"params": {"q": "x", "tier": "../../etc"}}, 400),
    ("GET", "/concordance", {"params": {"q": "x\x00"}}, 400),
    ("GET", "/concordance", {"params": {"q": "x" * 300}}, 400),
    ("GET", "/concordance", {"params": {"q": "x", "after": "-1"}}, 422),
    ("GET", "/concordance", {"params": {"q": "x", "after": str(10**30)}}, 422),
    ("GET", "/lexicon", {}, 422),
    ("POST", "/v1/chat/completions", {"json": {"model": "../x", "messages": [{"role": "user", "content": "x"}]}}, 404),
    ("POST", "/v1/chat/completions", {"json": {"model": "statistical", "messages": []}}, 422),
    ("POST", "/corrections", {"json": {}}, 422),
    ("GET", "/health", {"headers": {"host": "evil.example"}}, 421),
    ("POST", "/translate", {"json": {"texts": ["x"]}, "headers": {"origin": "http://evil.example"}}, 403),
]


@pytest.mark.parametrize(("method", "path", "sent", "status"), BAD)
def test_bad_requests_get_a_sentence(
    client: TestClient, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    answer = client.request(method, path, **sent)
    assert answer.status_code == status
    said = answer.json()["error"]["message"]
    assert said.endswith(".")
    assert "\n" not in said
    assert "xxxxx" not in said  # what was sent is not repeated
    assert "access-control-allow-origin" not in answer.headers


def test_a_mistake_of_ours_is_no_text_in_the_log(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    answer = client.post("/translate", json={"texts": ["boom palina"]})
    assert answer.status_code == 500
    assert "log" in answer.json()["error"]["message"]
    client.get("/concordance", params={"q": "palina"})
    client.get("/palina")
    logged = capsys.readouterr().err
    assert "RuntimeError" in logged
    assert "route=/concordance" in logged
    assert "status=404" in logged
    assert "palina" not in logged


def test_the_key(service: Service) -> None:
    with TestClient(create_app(service, key=KEY), base_url="http://localhost") as client:
        assert client.get("/health").status_code == 200
        for path in ("/metrics", "/v1/models", "/openapi.json", "/nothing"):
            assert client.get(path).status_code == 401
        for wrong in (f"Bearer {KEY}x", "Bearer", f"Token {KEY}", "Basic !!", "Bearer ключ"):
            assert client.get("/metrics", headers={b"authorization": wrong.encode()}).status_code == 401
        assert client.get("/metrics", headers={"authorization": f"Bearer {KEY}"}).status_code == 200
        assert client.get("/metrics", auth=("anybody", KEY)).status_code == 200  # as browsers ask for it


@pytest.mark.parametrize(("viewer", "sees"), [(Access.PUBLIC, False), (Access.COMMUNITY, True)])
def test_what_is_in_the_test_set_is_named_to_those_who_may_see_it(tmp_path: Path, viewer: Access, sees: bool) -> None:
    project = serving_project(tmp_path)
    value = {"score": 31.25, "low": 30.0, "high": 33.0}
    slices = [
        {"group": "Genre", "name": name, "segments": 3, "small": True, "systems": {"m": value}}
        for name in ("tale", SECRET)
    ]
    systems = [{"name": "m", "scores": dict.fromkeys(METRICS, value)}]
    an_evaluation(systems, "geomean", slices=slices, quoted=["community"]).write(project.reports / "evaluation.json")
    service = Service(project, viewer, opens=Upper)
    found = service.evaluation()
    service.close()
    assert found is not None and found["table"][0]["geomean low"] == 30.0
    assert ([row["genre"] for row in found.get("by_genre", ())] == ["tale", SECRET]) is sees
    assert (SECRET in json.dumps(found)) is sees


class Slow(Upper):
    """Stands still until it is let go."""

    go, entered = threading.Event(), threading.Event()

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        self.entered.set()
        self.go.wait(10)
        return super().translate(requests)


def test_back_pressure_and_graceful_end(tmp_path: Path) -> None:
    service = Service(serving_project(tmp_path, queue=4, max_batch=4), Access.COMMUNITY, opens=Slow)
    with TestClient(create_app(service), base_url="http://localhost") as client, ThreadPoolExecutor(4) as threads:

        def ask(text: str) -> Any:
            return client.post("/translate", json={"texts": [text] * 4, "explain": False})

        first = threads.submit(ask, "one")
        assert Slow.entered.wait(10)
        second = threads.submit(ask, "two")
        while service.worker.waiting < 4:
            pass
        refused = ask("three")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/health").status_code == 200
        service.refuse()
        assert client.get("/health").json() == {"status": "stopping"}
        assert ask("four").status_code == 503
        Slow.go.set()
        assert first.result().json()["translations"][3]["text"] == "ONE"
        assert second.result().json()["translations"][0]["text"] == "TWO"
    service.close()


def test_a_request_ends_in_time(tmp_path: Path) -> None:
    Slow.go.clear()
    service = Service(serving_project(tmp_path, seconds=0.2), Access.COMMUNITY, opens=Slow)
    with TestClient(create_app(service), base_url="http://localhost") as client:
        assert client.post("/translate", json={"texts": ["x"]}).status_code == 504
        assert client.post("/translate", json={"texts": ["y"]}).status_code == 504  # dropped while it waits
    Slow.go.set()
    service.close()


def test_figures(client: TestClient) -> None:
    client.post("/translate", json={"texts": ["a", "b"]})
    page = client.get("/metrics").text
    assert 'seshat_requests_total{method="POST",route="/translate",status="200"} 1.0' in page
    assert "seshat_texts_total 2.0" in page
    assert "seshat_batch_texts_count 1.0" in page
    assert "seshat_queue_texts 0.0" in page


def completion(client: TestClient, **more: Any) -> Any:
    messages = [{"role": "system", "content": "Translate!"}, {"role": "user", "content": "mina basi"}]
    return client.post("/v1/chat/completions", json={"model": "statistical:qsm-es", "messages": messages, **more})


def events(text: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_openai(client: TestClient) -> None:
    listed = [one["id"] for one in client.get("/v1/models").json()["data"]]
    assert listed == ["statistical", "statistical:qsm-es", "statistical:es-qsm"]
    said = completion(client, n=2, top_p=0.5).json()
    assert said["object"] == "chat.completion"
    assert [one["message"]["content"] for one in said["choices"]] == ["MINA BASI", "MINA BASI!"]
    streamed = completion(client, stream=True)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    deltas = [one["choices"][0] for one in events(streamed.text)]
    assert deltas[0]["delta"]["role"] == "assistant"
    assert "".join(one["delta"].get("content", "") for one in deltas) == "MINA BASI"
    assert deltas[-1]["finish_reason"] == "stop"
    parts = [{"role": "user", "content": [{"type": "text", "text": "to"}, {"type": "text", "text": "lo"}]}]
    assert completion(client, messages=parts).json()["choices"][0]["message"]["content"] == "TOLO"
    answer = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    assert completion(client, messages=answer).status_code == 400


def test_libretranslate(client: TestClient) -> None:
    listed = client.get("/libretranslate/languages").json()
    assert [(one["code"], one["targets"]) for one in listed] == [("qsm", ["es"]), ("es", ["qsm"])]
    address = "/libretranslate/translate"
    form = client.post(address, data={"q": "mina & basi", "source": "qsm", "target": "es", "api_key": "k"})
    assert form.json() == {"translatedText": "MINA & BASI"}
    several = client.post(address, json={"q": ["mina", "tolo"], "source": "auto", "target": "es", "alternatives": 1})
    assert several.json() == {
        "translatedText": ["MINA", "TOLO"],
        "detectedLanguage": [{"language": "qsm", "confidence": 50}] * 2,
        "alternatives": [["MINA!"], ["TOLO!"]],
    }
    spanish = client.post("/libretranslate/detect", data={"q": "la niña no está en la casa"}).json()
    assert [one["language"] for one in spanish] == ["es"]
    assert client.post(address, json={"q": "x", "source": "qsm", "target": "fr"}).status_code == 400
    assert "q, source and target" in client.post(address, content=b"\xff").json()["error"]["message"]


class Talker:
    """Says the last turn back, a word at a time."""

    def reply(self, turns: Sequence[Any], *, max_tokens: int | None = None, temperature: float | None = None) -> Any:
        said = turns[-1]["content"].split()[:max_tokens]
        for word in said:
            yield Piece(f"{word} ")
        yield Piece("", "stop", 7, len(said))


def test_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = serving_project(tmp_path)
    path = project.model() / "model.json"
    path.write_text(path.read_text().replace('"family": "statistical"', '"family": "causal"'))
    monkeypatch.setattr(Upper, "dialogue", lambda _self: Talker())
    service = Service(project, Access.COMMUNITY, opens=Upper)
    with TestClient(create_app(service), base_url="http://localhost") as client:
        said = completion(client, model="statistical").json()
        assert said["choices"][0]["message"]["content"] == "mina basi"
        assert said["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
        deltas = events(completion(client, model="statistical", stream=True, max_tokens=1).text)
        assert "".join(one["choices"][0]["delta"].get("content", "") for one in deltas) == "mina "
        assert completion(client).json()["choices"][0]["message"]["content"] == "MINA BASI"  # with a direction
    service.close()


class Endless(Talker):
    """Talks until it is stopped."""

    def reply(self, turns: Sequence[Any], *, max_tokens: int | None = None, temperature: float | None = None) -> Any:
        while True:
            time.sleep(0.001)
            yield Piece("on and ")


def test_a_reply_ends_when_nobody_listens_or_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = serving_project(tmp_path, seconds=0.5)
    path = project.model() / "model.json"
    path.write_text(path.read_text().replace('"family": "statistical"', '"family": "causal"'))
    monkeypatch.setattr(Upper, "dialogue", lambda _self: Endless())
    service = Service(project, Access.COMMUNITY, opens=Upper)
    turns = [{"role": "user", "content": "go on"}]
    said: Any = service.chat(turns)
    assert next(said).text == "on and "
    said.close()
    assert service.translate(["free"])[0].text == "FREE"
    assert list(service.chat(turns))[-1].finish == "length"
    service.close()


def test_no_conversation_with_a_translator(service: Service) -> None:
    with pytest.raises(UsageError, match="only translate"):
        service.chat([{"role": "user", "content": "hello"}])


def test_searches_wait_for_each_other(service: Service) -> None:
    for _ in range(2):
        service._searches.acquire()
    with pytest.raises(Busy):
        service.concordance("basi")
    for _ in range(2):
        service._searches.release()
    assert service.concordance("basi").total == 3


def test_scores_that_json_cannot_say(service: Service, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(self: Upper, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        return [Hypothesis("x", float("-inf"), (Candidate("x", 0.0), Candidate("y", float("nan")))) for _ in texts]

    monkeypatch.setattr(Upper, "translate", answers)
    found = client.post("/translate", json={"texts": ["x"], "n_best": 2}).json()["translations"][0]
    assert found["score"] == found["alternatives"][0]["score"] < -1e8


def test_engines_that_lost_their_processes_are_opened_anew(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Upper, "broken", True, raising=False)
    original = Upper.translate

    def once(self: Upper, requests: Sequence[Request]) -> list[Hypothesis]:
        if Upper.__dict__["broken"]:
            monkeypatch.setattr(Upper, "broken", False)
            raise BrokenExecutor
        return original(self, requests)

    monkeypatch.setattr(Upper, "translate", once)
    assert service.translate(["again"])[0].text == "AGAIN"


def test_other_data_than_the_model_was_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = serving_project(tmp_path)
    path = project.model() / "model.json"
    described = json.loads(path.read_text())
    digest = hashlib.sha256((project.training / "train.jsonl").read_bytes()).hexdigest()
    for known, warns in ((digest, False), ("0" * 64, True)):
        path.write_text(json.dumps({**described, "data": {"train.jsonl": known}}))
        Service(project, Access.COMMUNITY, opens=Upper).close()
        assert ("have changed" in capsys.readouterr().err) is warns


def test_with_translator(service: Service) -> None:
    def learn(translator: Any) -> str:
        return f"{translator.direction} {threading.current_thread().name}"

    assert service.with_translator("es-qsm", learn).result(5) == ["es-qsm seshat-worker"]


def test_without_a_model_the_rest_works(tmp_path: Path) -> None:
    project = serving_project(tmp_path)
    (project.model() / "model.json").unlink()
    service = Service(project, Access.COMMUNITY)
    assert service.models == []
    assert service.concordance("palina").total == 2
    with pytest.raises(UsageError, match="seshat train"):
        service.translate(["x"], Direction("qsm", "es"))
    service.close()


def test_a_text_that_comes_back_as_it_is_is_noticed(service: Service) -> None:
    pytest.importorskip("gradio", reason="Gradio is not installed")
    from seshat.serving.page import Page

    assert [one.echo for one in service.translate(["mina palina basi", "mina"], "qsm-es")] == [True, False]
    html, *_ = Page(service).translate("mina palina basi", "qsm-es")
    assert "otra dirección" in html


def test_texts_that_would_hold_the_translator_are_refused(tmp_path: Path) -> None:
    service = Service(serving_project(tmp_path), Access.COMMUNITY, opens=Upper)
    with TestClient(create_app(service), base_url="http://localhost") as client:
        answer = client.post("/translate", json={"texts": ["ka. " * 1_200] * 5, "n_best": 10})
        assert answer.status_code == 400
        assert "24,000 characters are more than the 20,000" in answer.json()["error"]["message"]
        for text in ("ka. " * 1_200, "ka " * 1_590):  # a chain parts what has no full stops
            assert client.post("/translate", json={"texts": [text]}).status_code == 200
    service.close()


def test_the_page_repeats_no_text_that_a_mistake_holds(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gradio", reason="Gradio is not installed")
    from seshat.serving.page import Page

    shown, asked, _ = Page(service).translate("boom of a secret", "qsm-es")
    assert ("mistake in Seshat" in shown, asked) == (True, None)
    printed = capsys.readouterr()
    assert "secret" not in printed.err + printed.out + shown
    assert "RuntimeError" in printed.err
