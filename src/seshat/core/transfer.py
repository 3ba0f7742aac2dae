"""A file on its way: how much of it has come, of which version, and whether it is the one that was meant."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.core.errors import DataError, DiskFull
from seshat.core.jsonl import cannot_read, write_json
from seshat.core.paths import remove

if TYPE_CHECKING:
    import httpx


@dataclass
class Transfer:
    """The bytes of a file that came so far; a note beside them says of which version they are.

    A file whose server names no version (``ETag``, ``Last-Modified``) is fetched from its beginning again.
    """

    path: Path
    """Where the bytes are."""
    name: str
    """What messages call the file."""

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._noted: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._noted = {}

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def label(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2].rpartition(": ")[2]

    @property
    def total(self) -> int | None:
        """Bytes of the whole file, where the server says so."""
        return self._noted.get("total")

    @property
    def have(self) -> int:
        """Bytes that can be gone on after."""
        return self.path.stat().st_size if self._noted.get("version") and self.path.exists() else 0

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are there."""
        return self.total is not None and self.path.exists() and self.path.stat().st_size == self.total

    def headers(self) -> dict[str, str]:
        """What to ask a server for."""
        plain = {"Accept-Encoding": "identity"}
        have = self.have
        return {**plain, "Range": f"bytes={have}-", "If-Range": self._noted["version"]} if have else plain

    def begin(self, answer: httpx.Response) -> int | None:
        """The byte that an answer starts at; None where it is of no use, and everything has to be asked for again.

        Raises:
            DataError: the disk cannot hold the rest.
        """
        start = self.have if answer.status_code == 206 else 0
        if answer.status_code == 416 or (
            start and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        ):
            self.forget()
            return None
        if not start:
            self._noted = _noted(answer)
            write_json(self._note, self._noted)
        missing, free = (self.total or 0) - start, shutil.disk_usage(self.path.parent).free
        if missing > free:
            raise DiskFull(
                f"{self.name}: the disk is full: it needs {missing / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free.",
                "Free some space and run the same command again: it goes on where it stopped.",
            )
        return start

    def verify(self, sha256: str | None) -> None:
        """Compare with the hash that is known, and with the one that the storage gave.

        Raises:
            DataError: it is another file; it is taken away.
        """
        for kind, expected in (("sha256", sha256), ("md5", self._noted.get("md5"))):
            if expected is not None and (found := digest(self.path, kind)) != expected.lower():
                self.forget()
                raise DataError(
                    f"{self.name}: not the file that was meant: {kind} {found}, expected {expected.lower()}.",
                    "It was changed where it comes from, or damaged on the way: look at it before you change the hash.",
                )

    def forget(self) -> None:
        """Take the bytes and the note away."""
        remove(self.path)
        remove(self._note)
        self._noted = {}


def digest(path: Path, kind: str = "sha256") -> str:
    """The hash of a file, in hexadecimal.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise cannot_read(path, error) from error


def _noted(answer: httpx.Response) -> dict[str, Any]:
    length, tag = answer.headers.get("Content-Length", ""), answer.headers.get("ETag", "")
    hashes = dict(one.strip().partition("=")[::2] for one in answer.headers.get("x-goog-hash", "").split(","))
    return {
        # RFC 9110, 13.1.5: a weak tag cannot say that bytes are the same.
        "version": answer.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag,
        "total": int(length) if length.isdecimal() else None,
        "md5": base64.b64decode(hashes["md5"]).hex() if "md5" in hashes else None,
    }
