"""The review pages of the server: what a viewer may see and decide, and that a decision is stored at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.review import toy
from tests.serving.serving_project import Upper, serving_project

from seshat.core.records import Access
from seshat.review import queues
from seshat.review.desk import Desk
from seshat.review.queue import Queue
from seshat.serving.service import Service

pytest.importorskip("fastapi", reason="FastAPI is not installed")
pytest.importorskip("prometheus_client", reason="the Prometheus client is not installed")

from fastapi.testclient import TestClient

from seshat.serving.app import create_app

KEY = "k" * 32
BLUE = "document.querySelector('canvas').getContext('2d').getImageData(10, 10, 1, 1).data.join() === '0,0,200,255'"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    project = serving_project(tmp_path, max_access="community", language="en")
    made = toy.write(project)
    monkeypatch.setattr(queues, "queues", lambda: {made.name: made})
    service = Service(project, Access.COMMUNITY, opens=Upper)
    yield service
    service.close()


@pytest.fixture
def queue(service: Service) -> Queue:
    return queues.queue("readings")


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), base_url="http://localhost") as client:
        yield client


def decide(client: TestClient, queue: Queue, service: Service, key: list[str], **cells: str) -> Any:
    rows = queue.read(queue.path(service.project))[0]
    row = next(one for one in rows if list(queue.key(one)) == key)
    return client.post("/review/readings", json={"key": key, "seen": queue.mark(row), "cells": cells})


def test_pages_and_decisions(client: TestClient, queue: Queue, service: Service) -> None:
    listed = client.get("/review")
    assert "Doubtful readings" in listed.text
    assert "24 open, 0 decided" in listed.text, "one row is above the level of the viewer"
    page = client.get("/review/readings")
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert "<img src=x" not in page.text
    answer = decide(client, queue, service, ["l2", "f"], decision="reject", reviewer="Rosa")
    assert answer.status_code == 200
    assert answer.json()["cells"]["reviewer"] == "Rosa"
    stored = Desk(queue, service.project).row(("l2", "f"))
    assert (stored["decision"], stored["reviewer"]) == ("reject", "Rosa")
    assert answer.json()["seen"] == queue.mark(stored)


def test_what_is_refused(client: TestClient, queue: Queue, service: Service) -> None:
    ask = {"key": ["l2", "f"], "seen": "old", "cells": {"decision": "accept"}}
    assert client.post("/review/readings", json=ask).status_code == 409
    assert decide(client, queue, service, ["l2", "f"], decision="perhaps").status_code == 400
    assert decide(client, queue, service, ["l2", "f"], reading="x").status_code == 400
    assert decide(client, queue, service, ["l1", "f"], decision="accept").status_code == 400, "above the viewer"
    assert client.get("/review/nope").status_code == 400
    elsewhere = {"origin": "http://evil.example"}
    assert client.post("/review/readings", json=ask, headers=elsewhere).status_code == 403
    assert not any(map(queue.touched, queue.read(queue.path(service.project))[0]))


def test_media_of_rows_that_the_viewer_sees(client: TestClient, queue: Queue, service: Service) -> None:
    address = "/review/readings/media"
    scan = client.get(address, params={"column": "scan", "key": '["l0", "f"]'})
    assert (scan.status_code, scan.headers["content-type"]) == (200, "image/png")
    part = client.get(address, params={"column": "recording", "key": '["l0", "f"]'}, headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF"), "a span of a recording can be played"
    assert client.get(address, params={"column": "scan", "key": "l0"}).status_code == 400
    for column, key in (("scan", "l1"), ("scan", "l2"), ("reading", "l0"), ("id", "l0")):
        assert client.get(address, params={"column": column, "key": f'["{key}", "f"]'}).status_code == 400
    rows, before = queue.read(queue.path(service.project))
    rows[0] = rows[0].changed(scan="seshat.yaml")
    queue.write(queue.path(service.project), rows, before)
    assert client.get(address, params={"column": "scan", "key": '["l0", "f"]'}).status_code == 400


def test_everything_needs_the_key(service: Service) -> None:
    with TestClient(create_app(service, key=KEY), base_url="http://localhost") as client:
        for path in ("/review", "/review/readings", "/review/readings/media?column=scan&key=%5B%22l0%22,%22f%22%5D"):
            assert client.get(path).status_code == 401
            assert client.get(path, auth=("anybody", KEY)).status_code == 200
        assert client.post("/review/readings", json={}).status_code == 401


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """The application on a free port of this machine."""
    uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(service), log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["wide", "phone"])
def test_deciding_in_a_browser(
    browser: Any, address: str, service: Service, queue: Queue, size: tuple[int, int]
) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/review")
    page.click("text=Doubtful readings")
    page.wait_for_function("() => document.querySelector('audio')?.duration > 1.9")
    page.wait_for_function(f"() => {BLUE}")  # the right half of the scan
    for key in ("a", "r", "u", "r"):
        page.keyboard.press(key)
    desk = Desk(queue, service.project)

    def stored() -> list[str]:
        return [row["decision"] for row in desk.rows()[:3]]

    wait = time.monotonic() + 10
    while stored() != ["accept", "reject", ""] and time.monotonic() < wait:
        time.sleep(0.05)
    assert stored() == ["accept", "reject", ""]
    taken = desk.rows()[0]  # somebody else decides about the first row
    desk.decide(queue.key(taken), queue.mark(taken), {"decision": "reject", "reviewer": "Juan"})
    page.click("article >> nth=0 >> .facts")
    page.keyboard.press("a")
    page.wait_for_function("() => document.querySelector('#problem').textContent.includes('Juan has decided')")
    assert desk.rows()[0]["decision"] == "reject"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert said == ["Failed to load resource: the server responded with a status of 409 (Conflict)"]
    page.close()
