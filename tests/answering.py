"""A server that speaks as much of the OpenAI protocol as is asked of it here, in this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[list[dict[str, str]], int], str]
"""Messages and the number of the request (from 1) -> what the model says."""


class Served:
    """What a running server knows: its address, and the messages that it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[list[dict[str, str]]] = []
        self.bodies: list[dict[str, Any]] = []


@contextmanager
def serving(answer: Answer) -> Iterator[Served]:
    """Serve as long as the block runs; every token is three bytes."""
    served, lock = Served(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                served.asked.append(body["messages"])
                served.bodies.append(body)
                number = len(served.asked)
            text = answer(body["messages"], number)
            size = sum(len(message["content"].encode()) for message in body["messages"])
            usage = {"prompt_tokens": size // 3, "completion_tokens": len(text.encode()) // 3}
            said = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage}
            content = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
