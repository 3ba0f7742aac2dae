"""A stand-in for Kaggle on the loopback interface: the API on one port, its storage on another."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER, KEY = "scribe", "0123456789abcdef"
BASIC = "Basic " + base64.b64encode(f"{USER}:{KEY}".encode()).decode()


def zipped(**members: bytes) -> bytes:
    """A zip archive; ``__`` in a name stands for a slash, ``_csv`` for its ending."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return buffer.getvalue()


@dataclass
class Kaggle:
    """What the stand-in holds, and what was asked of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Path below the API -> content; served by the storage, by redirection."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Path below the API -> a refusal."""
    cuts: list[int] = field(default_factory=list)
    """The next transfers break off after so many bytes."""
    etag: str = '"one"'
    wrong_md5: bool = False
    asked: list[tuple[str, str | None, bool]] = field(default_factory=list)
    """Requests: path, ``Range``, whether it brought credentials."""
    posted: list[tuple[str, Any]] = field(default_factory=list)
    uploaded: dict[str, bytes] = field(default_factory=dict)
    """Token -> content."""
    names: dict[str, str] = field(default_factory=dict)
    """Token -> name."""
    existing: set[str] = field(default_factory=set)
    """Datasets that are there already."""
    api: str = ""
    storage: str = ""


def _api(kaggle: Kaggle) -> type[BaseHTTPRequestHandler]:
    class Api(_Quiet):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/api/v1/")
            kaggle.asked.append((path, self.headers["Range"], self.headers["Authorization"] is not None))
            if self.headers["Authorization"] not in (BASIC, "Bearer token"):
                return self.answer(401, {"message": "Unauthorized"})
            if path in kaggle.statuses:
                return self.answer(kaggle.statuses[path], {"message": "You must accept the rules"})
            if found := re.fullmatch("datasets/status/(.+)", path):
                return self.answer(200 if found[1] in kaggle.existing else 404, {"status": "ready"})
            if path not in kaggle.files:
                return self.answer(404, {"message": "Not found"})
            self.send_response(302)
            self.send_header("Location", f"{kaggle.storage}/{path}?signature=x")
            self.send_header("Content-Length", "0")
            return self.end_headers()

        def do_POST(self) -> None:
            path = self.path.removeprefix("/api/v1/")
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["Authorization"] != BASIC:
                return self.answer(401, {})
            kaggle.posted.append((path, body))
            if path == "blobs/upload":
                token = f"token-{len(kaggle.names)}"
                kaggle.names[token] = body["name"]
                return self.answer(200, {"token": token, "createUrl": f"{kaggle.storage}/put/{token}"})
            return self.answer(200, {"status": "ok", "url": "https://www.kaggle.com/x"})

    return Api


def _storage(kaggle: Kaggle) -> type[BaseHTTPRequestHandler]:
    class Storage(_Quiet):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/").partition("?")[0]
            content = kaggle.files[path]
            asked = self.headers["Range"]
            kaggle.asked.append((f"storage:{path}", asked, self.headers["Authorization"] is not None))
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if self.headers["If-Range"] not in (None, kaggle.etag):
                start = 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", kaggle.etag)
            md5 = hashlib.md5(b"other" if kaggle.wrong_md5 else content).digest()
            self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={base64.b64encode(md5).decode()}")
            self.end_headers()
            self.wfile.write(content[start : start + kaggle.cuts.pop(0)] if kaggle.cuts else content[start:])

        def do_PUT(self) -> None:
            assert self.headers["Authorization"] is None
            kaggle.uploaded[self.path.rpartition("/")[2]] = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200, {})

    return Storage


class _Quiet(BaseHTTPRequestHandler):
    def answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def kaggle_server() -> Iterator[Kaggle]:
    """Run the stand-in."""
    kaggle = Kaggle()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), make(kaggle)) for make in (_api, _storage)]
    threads = [threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    kaggle.api = f"http://127.0.0.1:{servers[0].server_port}/api/v1"
    kaggle.storage = f"http://127.0.0.1:{servers[1].server_port}"
    try:
        yield kaggle
    finally:
        for one, thread in zip(servers, threads, strict=True):
            one.shutdown()
            one.server_close()
            thread.join()
