"""The WARC file of a site (ISO 28500): every answer as it came, one packed record after the other."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from seshat import __version__
from seshat.core.errors import require
from seshat.core.jsonl import cannot_write
from seshat.core.net import Fetched
from seshat.core.paths import inside

_LEFT = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive", "set-cookie"})
"""Headers that say how an answer travelled, or who asked."""


class Archive:
    """A file that answers are added to.

    Args:
        path: the file; what follows the last whole record, which a killed run can leave, has to be cut off first.
        contact: whom a reader of the file can ask.
        robots: whether robots.txt was obeyed; the API of a wiki has rules of its own.
    """

    def __init__(self, path: Path, contact: str, robots: bool) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream: IO[bytes] = inside(path).open("ab")
        except OSError as error:
            raise cannot_write(path, error) from error
        self.path = path
        writer = require("warcio.warcwriter", extra="crawl", purpose="Writing WARC files")
        self._writer: Any = writer.WARCWriter(self._stream, gzip=True)
        if not self._stream.tell():
            told = {
                "software": f"seshat/{__version__}",
                "operator": contact,
                "robots": "RFC 9309" if robots else "ignored: API",
            }
            self._writer.write_record(self._writer.create_warcinfo_record(path.name, told))

    def add(self, address: str, answer: Fetched) -> int:
        """Add an answer; it is on its way to the disk when this returns.

        Returns:
            Where its record ends.

        Raises:
            DataError: it cannot be written.
        """
        headers = require("warcio.statusandheaders", extra="crawl", purpose="Writing WARC files").StatusAndHeaders
        told = [(name, value) for name, value in answer.headers.items() if name not in _LEFT]
        told.append(("content-length", str(len(answer.body))))
        line = f"{answer.status} {answer.reason}".strip()
        try:
            record = self._writer.create_warc_record(
                address, "response", payload=BytesIO(answer.body), http_headers=headers(line, told, protocol="HTTP/1.1")
            )
            self._writer.write_record(record)
            record.raw_stream.close()
            self._stream.flush()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return self._stream.tell()

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()


def cut(path: Path, end: int) -> None:
    """Take away what a killed run left behind the last whole record."""
    if path.exists() and path.stat().st_size > end:
        os.truncate(inside(path), end)
