"""The way out, against servers on the loopback interface."""

from __future__ import annotations

import ast
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import seshat
from seshat.core import net
from seshat.core.errors import DataError, UsageError
from seshat.core.net import Client, Refused, Unreachable

CONTENT = b"kuno taba\n" * 1000
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, list[Any]]]:
    """A server; gives its address, and the requests as they come: path and headers."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, dict(self.headers)))
            answer(self)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def say(handler: BaseHTTPRequestHandler, status: int = 200, content: bytes = b"{}", **headers: str) -> None:
    """Answer; underscores in the names of headers stand for hyphens."""
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two tries."""
    monkeypatch.setattr(net, "PAUSE", 0.0)


def test_nothing_is_asked_but_what_was_asked_for() -> None:
    with serving(say) as (address, seen), serving(say) as (other, others), Client(address) as client:
        assert client.request("GET", "x").json() == {}
        with pytest.raises(DataError, match="nobody asked for this server"):
            client.request("GET", f"{other}/x")
        assert (len(seen), others) == (1, [])
        with Client(address, other) as both:
            both.request("GET", f"{other}/x", headers={"If-None-Match": '"a"'})
        assert others[0][1]["If-None-Match"] == '"a"'
        assert others[0][1]["User-Agent"].startswith("seshat/")


def test_a_redirection_gets_no_credentials_and_is_followed_for_downloads_alone(tmp_path: Path) -> None:
    with serving(lambda handler: say(handler, content=CONTENT)) as (storage, seen):
        with (
            serving(lambda handler: say(handler, 302, b"", Location=f"{storage}/there?signature=x")) as (api, asked),
            Client(api, headers={"Authorization": "Bearer k"}, secret="k") as client,
        ):
            with client.download("file", tmp_path / "part", "file") as whole:
                assert whole.read_bytes() == CONTENT
            with pytest.raises(Refused, match="answered 302"):
                client.request("POST", "x", body={"text": "ka"})
        assert [headers.get("Authorization") for _, headers in asked] == ["Bearer k"] * 2
        assert [(path, headers.get("Authorization")) for path, headers in seen] == [("/there?signature=x", None)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.7", "169.254.169.254", "[::1]", "[fd00::1]"])
def test_the_internet_does_not_lead_into_this_network(host: str) -> None:
    import httpx

    public = httpx.URL("https://93.184.216.34/x")
    with pytest.raises(DataError, match="in this network; not followed"):
        net._may_lead(public, httpx.URL(f"https://{host}/"))
    net._may_lead(public, httpx.URL("https://93.184.216.35/"))
    for worse in ("http://93.184.216.35/", "file:///etc/passwd", "ftp://93.184.216.35/"):
        with pytest.raises(DataError, match="not followed"):
            net._may_lead(public, httpx.URL(worse))


def test_a_busy_server_is_asked_again_and_a_refusal_is_not() -> None:
    statuses = [503, 429, 200, 400]
    with (
        serving(lambda handler: say(handler, statuses.pop(0), b'{"error": {"message": "secret-key no"}}')) as (
            url,
            seen,
        ),
        Client(url, headers={"X": "secret-key"}, secret="secret-key") as client,
    ):
        assert client.request("GET", "x").status_code == 200
        with pytest.raises(Refused, match=r"answered 400: \[key\] no") as refused:
            client.request("GET", "x")
    assert (len(seen), refused.value.status, refused.value.said) == (4, 400, "[key] no")
    with Client("http://127.0.0.1:1", retries=1) as client, pytest.raises(Unreachable, match="cannot be reached"):
        client.request("GET", "x")


def test_a_download_goes_on_and_is_the_file_that_was_meant(tmp_path: Path) -> None:
    cuts = [3000, 4000]

    def ranged(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"]
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(CONTENT) - start))
        handler.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        handler.wfile.write(CONTENT[start : start + cuts.pop(0)] if cuts else CONTENT[start:])

    part, sha256 = tmp_path / "part", hashlib.sha256(CONTENT).hexdigest()
    with serving(ranged) as (url, seen):
        broken = r"after 3,000 of 10,000 bytes(?s:.*)goes on after the 3,000 bytes"
        with Client(url, retries=0) as client, pytest.raises(Unreachable, match=broken):
            client.download("x", part, "x").__enter__()
        with Client(url) as client:
            with pytest.raises(ValueError, match="killed"), client.download("x", part, "x", sha256=sha256):
                raise ValueError("killed")
            with client.download("x", part, "x", sha256=sha256.upper()) as whole:  # whole already: nothing is asked
                assert whole.read_bytes() == CONTENT
            assert [headers.get("Range") for _, headers in seen] == [None, "bytes=3000-", "bytes=7000-"]
            with pytest.raises(DataError, match="not the file that was meant"):
                client.download("x", part, "x", sha256="0" * 64).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_noticed_before_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=5))
    with (
        serving(lambda handler: say(handler, content=CONTENT)) as (url, _),
        Client(url) as client,
        pytest.raises(DataError, match="the disk is full"),
    ):
        client.download("x", tmp_path / "part", "x").__enter__()
    assert not (tmp_path / "part").exists()


def test_a_key_goes_over_https_or_stays_in_this_network() -> None:
    for address in ("https://93.184.216.34/v1", "http://127.0.0.1:1", "http://192.168.1.5:8000"):
        Client(address, secret="k").close()
    with pytest.raises(UsageError, match="no key or password is sent there"):
        Client("http://93.184.216.34/v1", secret="k")
    for wrong in ("127.0.0.1:8000", "file:///etc/passwd", "https://"):
        with pytest.raises(UsageError, match="no address"):
            Client(wrong)


def test_no_other_module_opens_connections() -> None:
    """Modules that may import what speaks to the network, and why."""
    allowed = {
        "core/net.py": {"httpx", "socket"},
        "core/transfer.py": {"httpx"},  # types alone
        "serving/run.py": {"socket"},  # listens
        "cli/serve.py": {"socket"},  # types alone
        "core/errors.py": {"urllib.request"},  # paths of file: addresses
    }
    root = Path(seshat.__file__).parent
    speaks = {"httpx", "socket", "requests", "aiohttp", "urllib3", "http.client", "urllib.request", "kaggle", "ftplib"}
    found: dict[str, set[str]] = {}
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in speaks.intersection(names):
                found.setdefault(path.relative_to(root).as_posix(), set()).add(name)
    assert found == allowed
