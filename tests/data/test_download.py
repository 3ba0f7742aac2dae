from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from seshat.config import Config
from seshat.config.download import DownloadFile
from seshat.core.errors import DataError
from seshat.core.progress import reporting
from seshat.data import download
from seshat.project.folder import Project

CONTENT = b"kuno\ttaba\n" * 100_000
HASH = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves one file in several ways."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/words.tsv")
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        elif self.path in {"/words.tsv", "/short.tsv", "/%C3%B1%20x.tsv"}:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT if self.path != "/short.tsv" else CONTENT[:1000])
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("seshat.core.net.PAUSE", 0.0)
    Handler.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def make(root: Path, *files: dict[str, Any], **section: Any) -> Project:
    return Project(root, Config.model_validate({"download": {"files": files, **section}}))


def leftovers(project: Project) -> list[Path]:
    return [path for path in project.raw.rglob("*") if path.name.endswith(".tmp")]


def test_fetch_check_and_skip(tmp_path: Path, server: str) -> None:
    project = make(
        tmp_path,
        {"path": "deep/words.tsv", "url": f"{server}/words.tsv", "sha256": HASH.upper()},
        {"path": "b.tsv", "url": f"{server}/away"},
        {"path": "c.tsv", "url": f"{server}/ñ x.tsv"},
        licence="CC0",
        citation="Somebody, 2020",
    )
    summary = download.run(project, None)
    assert summary["fetched"] == ["deep/words.tsv", "b.tsv", "c.tsv"]
    assert (summary["licence"], summary["citation"]) == ("CC0", "Somebody, 2020")
    assert summary["warnings"] == ["2 of 3 files have no sha256 in the recipe: not checked"]
    assert (project.raw / "deep/words.tsv").read_bytes() == CONTENT
    asked = len(Handler.seen)
    again = download.run(project, None)
    assert again["already_there"] == ["deep/words.tsv", "b.tsv", "c.tsv"]
    assert len(Handler.seen) == asked
    (project.raw / "deep/words.tsv").write_bytes(b"changed")
    assert download.run(project, None)["fetched"] == ["deep/words.tsv"]
    assert not leftovers(project)


def test_failures_are_listed_together_and_leave_nothing(tmp_path: Path, server: str) -> None:
    project = make(
        tmp_path,
        {"path": "a.tsv", "url": f"{server}/none.tsv"},
        {"path": "b.tsv", "url": f"{server}/short.tsv"},
        {"path": "c.tsv", "url": f"{server}/words.tsv", "sha256": "0" * 64},
        {"path": "d.tsv", "url": f"{server}/elsewhere"},
        {"path": "e.tsv", "url": "http://127.0.0.1:1/x.tsv"},
        {"path": "f.tsv", "url": f"{server}/words.tsv"},
    )
    with pytest.raises(DataError) as caught:
        download.run(project, None)
    message = str(caught.value)
    for part in (
        "5 files could not be had",
        "none.tsv: the server answered 404",
        "broke off after 1,000 of 1,000,000 bytes",
        f"c.tsv: not the file that was meant: sha256 {HASH}",
        "it redirects to file:",
        "http://127.0.0.1:1/x.tsv: cannot be reached",
        "1 files are in place",
        "--from FOLDER",
    ):
        assert part in message
    assert [path.name for path in project.raw.iterdir()] == ["f.tsv"]


def test_copy_from_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    (folder / "x").mkdir(parents=True)
    (folder / "words ñ.tsv").write_bytes(CONTENT)
    (folder / "x" / "y.tsv").write_bytes(b"y")
    project = make(
        tmp_path / "project",
        {"path": "a.tsv", "url": "https://example.org/words%20%C3%B1.tsv?x=1", "sha256": HASH},
        {"path": "b.tsv", "url": "https://example.org/other.tsv", "local": "x/y.tsv"},
    )
    assert download.run(project, folder)["fetched"] == ["a.tsv", "b.tsv"]
    assert (project.raw / "a.tsv").read_bytes() == CONTENT
    missing = make(tmp_path / "other", {"path": "a.tsv", "url": "https://example.org/none.tsv"})
    with pytest.raises(DataError, match=r"holds no file 'none\.tsv'"):
        download.run(missing, folder)
    with pytest.raises(DataError, match="there is no such folder"):
        download.run(missing, tmp_path / "nowhere")
    with pytest.raises(DataError, match="no fetch recipe"):
        download.run(make(tmp_path / "empty"), None)


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "C:/x", ""])
def test_paths_may_not_lead_out(path: str) -> None:
    with pytest.raises(ValidationError):
        DownloadFile.model_validate({"path": path, "url": "https://example.org/x"})
    with pytest.raises(ValidationError):
        DownloadFile.model_validate({"path": "x", "local": path, "url": "https://example.org/x"})


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "example.org/x"])
def test_only_web_addresses(url: str) -> None:
    with pytest.raises(ValidationError, match="does not start with https"):
        DownloadFile.model_validate({"path": "x", "url": url})


def test_links_may_not_lead_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "y.tsv").write_bytes(b"y")
    project = make(tmp_path / "project", {"path": "link/y.tsv", "url": "https://example.org/y.tsv"})
    project.raw.mkdir(parents=True)
    (project.raw / "link").symlink_to(outside)
    with pytest.raises(DataError, match=r"a link on the way leads out of data/raw"):
        download.run(project, outside)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "y.tsv").write_bytes(b"y")
    project = make(tmp_path / "project", {"path": "y.tsv", "url": "https://example.org/y.tsv"})

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seshat.data.archives.shutil.copyfileobj", full)
    with pytest.raises(DataError, match="the disk is full"):
        download.run(project, folder)
    assert not list(project.raw.iterdir())


def test_progress_is_told(tmp_path: Path, server: str) -> None:
    from contextlib import contextmanager

    from seshat.core.progress import Advance

    bars: list[tuple[str, float | None, list[float]]] = []

    class Reporter:
        @contextmanager
        def task(self, description: str, total: float | None) -> Iterator[Advance]:
            steps: list[float] = []
            bars.append((description, total, steps))
            yield steps.append

    with reporting(Reporter()):
        download.run(make(tmp_path, {"path": "a.tsv", "url": f"{server}/words.tsv"}), None)
    assert [(name, total, sum(steps)) for name, total, steps in bars] == [("a.tsv", len(CONTENT), len(CONTENT))]
