"""A base model is fetched from a hub, compared with its checksums, and used without a network from then on."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

WEIGHTS = b"w" * 5_000
FILES = {"config.json": b'{"model_type": "llama"}', "model.safetensors": WEIGHTS, "pytorch_model.bin": b"a pickle"}
COMMIT = "a" * 40


class Hub(BaseHTTPRequestHandler):
    """The few answers of the Hugging Face Hub that a download takes."""

    damaged = False

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        if "/api/models/some/model/tree/" in self.path:
            listed = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in FILES.items()
            ]
            self.send(json.dumps(listed).encode(), with_body)
        elif "/api/models/some/model" in self.path:
            described = [
                {"rfilename": name, "size": len(data), **lfs(name, data)} for name, data in sorted(FILES.items())
            ]
            self.send(json.dumps({"id": "some/model", "sha": COMMIT, "siblings": described}).encode(), with_body)
        elif f"/some/model/resolve/{COMMIT}/" in self.path and name in FILES:
            body = FILES[name]
            etag = hashlib.sha256(body).hexdigest()
            sent = body[::-1][:-1] + b"x" if self.damaged and name == "model.safetensors" else body
            self.send(sent, with_body, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})
        else:
            self.send(b"{}", with_body, {"X-Error-Code": "RepoNotFound"}, 404)

    def send(self, body: bytes, with_body: bool, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def lfs(name: str, data: bytes) -> dict[str, object]:
    large = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 100}
    return {"lfs": large} if name.endswith((".safetensors", ".bin")) else {}


@pytest.fixture
def hub() -> Iterator[tuple[str, type[Hub]]]:
    kind = type("OneHub", (Hub,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", kind
    server.shutdown()
    server.server_close()


def fetch(home: Path, address: str, model: str, *, offline: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HF_HOME": str(home),
        "HF_ENDPOINT": address,
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "HF_HUB_DISABLE_XET": "1",
    }
    command = [sys.executable, "-m", "seshat", "download", "--model", model, "--json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_model_is_fetched_once_and_used_offline(tmp_path: Path, hub: tuple[str, type[Hub]]) -> None:
    done = fetch(tmp_path, hub[0], "some/model")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["folder"])
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert not (folder / "pytorch_model.bin").exists(), "only safetensors are fetched"
    again = fetch(tmp_path, "http://127.0.0.1:9", "some/model", offline=True)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["folder"] == str(folder)


def test_damaged_weights_are_refused_and_fetched_again(tmp_path: Path, hub: tuple[str, type[Hub]]) -> None:
    hub[1].damaged = True
    done = fetch(tmp_path, hub[0], "some/model")
    assert done.returncode == 1
    assert "not what the Hub holds" in done.stderr
    hub[1].damaged = False
    done = fetch(tmp_path, hub[0], "some/model")
    assert done.returncode == 0, done.stderr


def test_an_unknown_id_is_said_in_plain_words(tmp_path: Path, hub: tuple[str, type[Hub]]) -> None:
    done = fetch(tmp_path, hub[0], "no/such")
    assert done.returncode == 1
    assert "no/such could not be fetched" in done.stderr
    assert "Traceback" not in done.stderr
