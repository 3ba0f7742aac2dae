"""Clients that nobody changed: those of OpenAI and of LibreTranslate get what the service gives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving.serving_project import Upper, serving_project

from seshat.core.records import Access
from seshat.serving.app import create_app
from seshat.serving.service import Service

uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")
TEXTS = ["mina palina basi", "tolo pali", "¿mina?"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Service, str]]:
    service = Service(serving_project(tmp_path), Access.COMMUNITY, opens=Upper)
    server = uvicorn.Server(uvicorn.Config(create_app(service), port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield service, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    service.close()


def expected(service: Service) -> list[str]:
    return [one.text for one in service.translate(TEXTS, "qsm-es")]


def test_libretranslate(served: tuple[Service, str]) -> None:
    library = pytest.importorskip("libretranslatepy")
    client = library.LibreTranslateAPI(f"{served[1]}/libretranslate")
    assert {one["code"] for one in client.languages()} == {"qsm", "es"}
    assert [client.translate(text, "qsm", "es") for text in TEXTS] == expected(served[0])
    assert client.detect("la niña no está en la casa")[0]["language"] == "es"


def test_openai(served: tuple[Service, str]) -> None:
    library = pytest.importorskip("openai")
    with library.OpenAI(base_url=f"{served[1]}/v1", api_key="none is needed here") as client:
        assert "statistical:qsm-es" in {one.id for one in client.models.list()}
        said = []
        for text in TEXTS:
            answer = client.chat.completions.create(
                model="statistical:qsm-es", messages=[{"role": "user", "content": text}]
            )
            said.append(answer.choices[0].message.content)
    assert said == expected(served[0])
