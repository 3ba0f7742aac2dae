"""A web server in this process, for crawlers: pages with links, and everything that goes wrong on the web."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    """What the server says."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: HTML)
    pause: float = 0.0
    """Seconds before every kilobyte."""
    cut: bool = False
    """Break off in the middle."""


Say = Callable[[str, Mapping[str, str]], Answer | str | None]
"""Path (with what follows a question mark) and the headers of a request -> what is said; ``None`` is 404."""


@dataclass
class Site:
    """A running server."""

    url: str = ""
    asked: list[tuple[float, str, Mapping[str, str]]] = field(default_factory=list)
    """Its log: when (seconds), which path, with which headers."""

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for _, path, _ in self.asked]


def page(text: str, *links: str) -> str:
    """A web page with a paragraph and links."""
    listed = "".join(f'<p><a href="{one}">on</a></p>' for one in links)
    return f"<html><head><title>t</title></head><body><p>{text}</p>{listed}</body></html>"


@contextmanager
def web_site(say: Say) -> Iterator[Site]:
    """Serve as long as the block runs."""
    site, lock = Site(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.casefold(): value for name, value in self.headers.items()}
            with lock:
                site.asked.append((time.monotonic(), self.path, headers))
            said = say(self.path, headers)
            answer = said if isinstance(said, Answer) else Answer((said or "").encode(), 200 if said else 404)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + 1000 * answer.cut))
            self.end_headers()
            for start in range(0, len(answer.body), 1_000):
                time.sleep(answer.pause)
                self.wfile.write(answer.body[start : start + 1_000])

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:  # a crawler that has had enough closes the connection
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
