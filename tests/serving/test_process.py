"""A real server process: killed while corrections come in, and stopped gracefully."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from benchmarks.serve import kill_under_load, server, stored
from tests.serving.serving_project import serving_project

from seshat.core.errors import UsageError
from seshat.core.trust import is_loopback
from seshat.project.folder import Project
from seshat.serving.run import KEY_VARIABLE, api_key

pytest.importorskip("uvicorn", reason="uvicorn is not installed")


def test_no_acknowledged_correction_is_lost(tmp_path: Path) -> None:
    project = serving_project(tmp_path)
    (project.model() / "model.json").unlink()  # only the rest of the service is asked here
    acknowledged = kill_under_load(tmp_path, concurrent=8, enough=40, run="test")
    assert len(acknowledged) >= 40
    assert acknowledged <= stored(tmp_path)


def test_a_real_server(tmp_path: Path) -> None:
    project = serving_project(tmp_path, max_access="public")
    (project.model() / "model.json").unlink()
    with server(tmp_path, "serve.max_body=1000") as (process, address):
        assert address.startswith("http://127.0.0.1:")
        with httpx.Client(base_url=address) as client:
            assert client.get("/concordance", params={"q": "palina"}).json()["total"] == 1
            assert client.post("/translate", content=b"x" * 2_000).status_code == 413
            assert client.post("/translate", content=iter([b"x" * 900] * 5)).status_code == 413  # without a length
            assert client.get("/health", headers={"host": "evil.example"}).status_code == 421
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_others_need_a_key(tmp_path: Path) -> None:
    serving_project(tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
    command = [sys.executable, "-m", "seshat", "serve", "-p", str(tmp_path), "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 2
    assert "API key" in done.stderr
    assert "secrets.token_urlsafe" in done.stderr


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = serving_project(tmp_path)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert api_key(project, "127.0.0.1") is None
    monkeypatch.setenv(KEY_VARIABLE, "k" * 20)
    assert api_key(project, "0.0.0.0") == api_key(project, "127.0.0.1") == "k" * 20
    monkeypatch.setenv(KEY_VARIABLE, "short")
    with pytest.raises(UsageError, match="at least 16"):
        api_key(project, "127.0.0.1")
    named = Project(tmp_path, serving_project(tmp_path, api_key_file="key").config)
    (tmp_path / "key").write_text(f"{'f' * 20}\n")
    assert api_key(named, "0.0.0.0") == "f" * 20
    (tmp_path / "key").write_text("\n")
    with pytest.raises(UsageError, match="there is none in"):
        api_key(named, "127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "LocalHost"])
def test_what_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "localhost.example.org", ""])
def test_what_others_reach(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of open files are of POSIX")
def test_one_client_with_many_connections_does_not_keep_others_out(tmp_path: Path) -> None:
    import socket

    project = serving_project(tmp_path, max_access="public")
    (project.model() / "model.json").unlink()
    limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400)); "
    command = [sys.executable, "-c", f"{limited}runpy.run_module('seshat', run_name='__main__')"]
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, "serve", "--project", str(tmp_path), "--port", "0"], stdout=subprocess.PIPE, stderr=errors
        )
        held: list[socket.socket] = []
        slow = b"POST /translate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
        try:
            assert process.stdout is not None
            address = process.stdout.readline().decode().split()[-1]
            host, port = address.removeprefix("http://").split(":")
            for number in range(450):
                held.append(socket.create_connection((host, int(port)), timeout=5))
                with contextlib.suppress(OSError):
                    held[-1].send(b"G" if number < 200 else slow)
            began = time.monotonic()
            assert httpx.get(f"{address}/health", timeout=10).status_code == 200
            assert httpx.get(f"{address}/concordance", params={"q": "palina"}, timeout=10).json()["total"] == 1
            assert time.monotonic() - began < 5
        finally:
            for one in held:
                one.close()
            process.terminate()
            process.communicate(timeout=30)
    assert log.stat().st_size < 50_000
