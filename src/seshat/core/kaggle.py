"""The Kaggle API over plain HTTPS: credentials, downloads that go on after an interruption, uploads.

The `kaggle` package asks for credentials when it is imported, ends the program where they are missing, prints, and does
not resume what was redirected to storage; the few requests that are needed are made here instead. The addresses are
those of kagglesdk 0.1.37. Nothing here runs unless the user asks for a download or an upload.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import os
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from seshat import __version__
from seshat.core.errors import DataError, SeshatError
from seshat.core.jsonl import write_json
from seshat.core.paths import remove
from seshat.core.progress import task

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

API = "https://www.kaggle.com/api/v1"
URL_SETTING = "KAGGLE_API_URL"
"""Environment variable that names another address of the API."""
TIMEOUT = 60.0
"""Seconds without a byte after which a server is given up."""
TRIES = 5
"""How often a transfer is taken up again before the command gives up."""
PAUSE = 1.0
"""Seconds before the second try; each further pause is twice as long."""
BLOCK = 1 << 18
TOKEN_PAGE = "https://www.kaggle.com/settings"  # noqa: S105


@dataclass(frozen=True)
class Subject:
    """A competition, dataset or notebook on Kaggle."""

    kind: str
    """``competition``, ``dataset`` or ``notebook``."""
    name: str
    """Such as ``titanic``, or ``owner/name``."""

    @property
    def page(self) -> str:
        """Its address for people."""
        folder = {"competition": "competitions", "dataset": "datasets", "notebook": "code"}[self.kind]
        return f"https://www.kaggle.com/{folder}/{self.name}"

    def __str__(self) -> str:
        return f"Kaggle {self.kind} '{self.name}'"


@dataclass(frozen=True)
class Credentials:
    """What a request is signed with, and where it was found."""

    header: str
    where: str
    user: str | None = None

    @classmethod
    def find(cls, environment: Mapping[str, str] | None = None, home: Path | None = None) -> Self:
        """Credentials from the environment or ``~/.kaggle``, in the order of Kaggle's own program.

        Raises:
            DataError: there are none, or the file that should hold them does not; says how to make them.
        """
        env = os.environ if environment is None else environment
        folder = Path(env.get("KAGGLE_CONFIG_DIR") or (home or Path.home()) / ".kaggle")
        if token := env.get("KAGGLE_API_TOKEN"):
            file = Path(token)
            token = file.read_text(encoding="utf-8").strip() if len(token) < 4096 and file.is_file() else token
            return cls(f"Bearer {token}", "KAGGLE_API_TOKEN", env.get("KAGGLE_USERNAME"))
        if env.get("KAGGLE_USERNAME") and env.get("KAGGLE_KEY"):
            return cls.basic(env["KAGGLE_USERNAME"], env["KAGGLE_KEY"], "KAGGLE_USERNAME and KAGGLE_KEY")
        access = folder / "access_token"
        if access.is_file() and (token := access.read_text(encoding="utf-8").strip()):
            return cls(f"Bearer {token}", str(access), env.get("KAGGLE_USERNAME"))
        file = folder / "kaggle.json"
        if not file.is_file():
            raise DataError(
                "there are no credentials for Kaggle.",
                f"Make a token at {TOKEN_PAGE} (API), and put kaggle.json into {folder}, or set KAGGLE_USERNAME and "
                "KAGGLE_KEY, or KAGGLE_API_TOKEN. Without an account: fetch the files with a browser and use "
                "seshat download --from FOLDER.",
            )
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            return cls.basic(found["username"], found["key"], str(file))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f'{file}: this is not {{"username": …, "key": …}}.', f"Make a new token at {TOKEN_PAGE} (API)."
            ) from error

    @classmethod
    def basic(cls, user: str, key: str, where: str) -> Self:
        """Credentials of a user name and a key."""
        return cls("Basic " + base64.b64encode(f"{user}:{key}".encode()).decode(), where, user)


class _Broken(Exception):
    """A transfer that broke off and can be taken up again."""


class Kaggle:
    """One connection to the API; a context manager.

    Args:
        credentials: default: those of this user.
        url: address of the API; default: the environment variable ``KAGGLE_API_URL``, or Kaggle's own.

    Raises:
        DataError: there are no credentials, or the address is not safe to send them to.
    """

    def __init__(self, credentials: Credentials | None = None, url: str | None = None) -> None:
        import httpx

        self.credentials = credentials or Credentials.find()
        self._client = httpx.Client(
            base_url=_safe(url or os.environ.get(URL_SETTING) or API),
            headers={
                "Authorization": self.credentials.header,
                "User-Agent": f"seshat/{__version__}",
                "Accept-Encoding": "identity",
            },
            timeout=TIMEOUT,
            follow_redirects=True,
            event_hooks={"response": [_stay_secure]},
        )
        # Storage is not the API: it gets addresses that the API signed, and no credentials.
        self._storage = httpx.Client(timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._storage.close()

    def download(self, path: str, part: Path, subject: Subject, name: str) -> None:
        """Fetch a file; what a former run brought of it is kept and gone on with.

        Args:
            path: below the address of the API.
            part: where the bytes go; ``part`` with ``.json`` added holds size and version meanwhile. Whole at the end.
            subject: for messages.
            name: of the file, for messages and the progress bar.

        Raises:
            DataError: Kaggle refuses, or the connection broke off too often; the bytes that came are kept.
        """
        part.parent.mkdir(parents=True, exist_ok=True)
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                self._receive(path, part, subject, name)
                return _verify(part, subject, name)
            except _Broken as error:
                reason = str(error)
        size = part.stat().st_size if part.exists() else 0
        raise DataError(
            f"{subject}: {name}: the connection broke off {TRIES} times ({reason}).",
            f"Run the same command again: it goes on after the {size:,} bytes that came.",
        )

    def _receive(self, path: str, part: Path, subject: Subject, name: str) -> None:
        note = _read_note(part)
        have = part.stat().st_size if note and part.exists() else 0
        if note and have == note["total"]:
            return
        headers = {"Range": f"bytes={have}-", "If-Range": note["etag"]} if have else {}
        with self._transport(), self._client.stream("GET", quote(path, safe="/"), headers=headers) as answer:
            if answer.status_code == 416:
                remove(part)
                raise _Broken("the server does not know the place to go on at")
            if answer.status_code not in (200, 206):
                answer.read()
                raise _refusal(answer, subject, self.credentials)
            if "text/html" in answer.headers.get("Content-Type", ""):
                raise DataError(f"{subject}: {name}: a web page came instead of the file.", f"Look at {subject.page}")
            start = _start(answer, have)
            note = note if start else _write_note(part, answer)
            with part.open("ab" if start else "wb") as out, task(name, note["total"]) as advance:
                advance(start)
                for block in answer.iter_raw():  # as it comes: nothing waits for a full block when it breaks off
                    out.write(block)
                    advance(len(block))
        size = part.stat().st_size
        if note["total"] is not None and size != note["total"]:
            raise _Broken(f"after {size:,} of {note['total']:,} bytes")

    def post(self, path: str, body: Mapping[str, Any], subject: Subject) -> dict[str, Any]:
        """Send a request with a JSON body; gives the JSON of the answer.

        Raises:
            DataError: Kaggle refuses, or cannot be reached; also when the answer holds an ``error``.
        """
        try:
            with self._transport():
                answer = self._client.post(path, json=dict(body))
        except _Broken as error:
            raise _unreachable(subject, error) from error
        if answer.status_code != 200:
            raise _refusal(answer, subject, self.credentials)
        found: dict[str, Any] = answer.json()
        if found.get("error"):
            raise DataError(f"{subject}: Kaggle answers: {found['error']}")
        return found

    def get(self, path: str, subject: Subject) -> dict[str, Any] | None:
        """The JSON at an address of the API; ``None`` where there is nothing.

        Raises:
            DataError: Kaggle refuses, or cannot be reached.
        """
        try:
            with self._transport():
                answer = self._client.get(path)
        except _Broken as error:
            raise _unreachable(subject, error) from error
        # Kaggle answers 403 about a private dataset that is not there, so that names cannot be guessed.
        if answer.status_code in (403, 404):
            return None
        if answer.status_code != 200:
            raise _refusal(answer, subject, self.credentials)
        found: dict[str, Any] = answer.json()
        return found

    def upload(self, file: Path, subject: Subject) -> str:
        """Bring a file to Kaggle's storage; gives the token that a dataset names it by.

        Raises:
            DataError: Kaggle or its storage refuses, or cannot be reached.
        """
        size = file.stat().st_size
        started = self.post(
            "blobs/upload",
            {"type": "DATASET", "name": file.name, "contentLength": size, "lastModifiedEpochSeconds": 0},
            subject,
        )

        def blocks() -> Iterator[bytes]:
            with file.open("rb") as stream, task(file.name, size) as advance:
                while block := stream.read(BLOCK):
                    yield block
                    advance(len(block))

        try:
            with self._transport():
                headers = {"Content-Length": str(size)}
                answer = self._storage.put(started["createUrl"], content=blocks(), headers=headers)
        except _Broken as error:
            raise _unreachable(subject, error) from error
        if answer.status_code not in (200, 201):
            raise _refusal(answer, subject, self.credentials)
        return str(started["token"])

    @contextmanager
    def _transport(self) -> Iterator[None]:
        """Breaks and timeouts of the connection as :class:`_Broken`."""
        import httpx

        try:
            yield
        except httpx.TransportError as error:
            raise _Broken(str(error) or type(error).__name__) from error


def _unreachable(subject: Subject, error: Exception) -> DataError:
    return DataError(f"{subject}: Kaggle cannot be reached: {error}.", "Check the connection and try again.")


def _safe(url: str) -> str:
    """An address that credentials may be sent to: HTTPS, or this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise DataError(f"{URL_SETTING}: '{url}' is not https://: credentials are not sent there.")
    return url.rstrip("/") + "/"


def _stay_secure(answer: httpx.Response) -> None:
    """Never from HTTPS to HTTP; httpx takes the credentials off when another server is named."""
    following = answer.next_request
    if following is not None and answer.request.url.scheme == "https" and following.url.scheme != "https":
        raise DataError(f"Kaggle redirects to {following.url.copy_with(query=None)}, which is not https://.")


def _start(answer: httpx.Response, have: int) -> int:
    """The byte that the answer starts at."""
    if answer.status_code == 200:
        return 0
    said = answer.headers.get("Content-Range", "")
    if not said.startswith(f"bytes {have}-"):
        raise _Broken(f"asked for bytes from {have}, and the server says '{said}'")
    return have


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_note(part: Path) -> dict[str, Any]:
    """What is known about a file on its way; empty when nothing is, and it cannot be gone on with."""
    try:
        found: dict[str, Any] = json.loads(_note(part).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if found.get("etag") else {}


def _write_note(part: Path, answer: httpx.Response) -> dict[str, Any]:
    length = answer.headers.get("Content-Length", "")
    etag = answer.headers.get("ETag", "")
    hashes = dict(one.strip().partition("=")[::2] for one in answer.headers.get("x-goog-hash", "").split(","))
    note = {
        "etag": "" if etag.startswith("W/") else etag,
        "total": int(length) if length.isdecimal() else None,
        "md5": base64.b64decode(hashes["md5"]).hex() if "md5" in hashes else None,
    }
    write_json(_note(part), note)
    return note


def _verify(part: Path, subject: Subject, name: str) -> None:
    """Compare with the hash that the storage gave, when it gave one."""
    try:
        expected = json.loads(_note(part).read_text(encoding="utf-8"))["md5"]
    finally:
        remove(_note(part))
    if expected is None:
        return
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != expected:
        remove(part)
        raise DataError(
            f"{subject}: {name}: damaged on the way (md5 {found}, the storage says {expected}).", "Try again."
        )


def _refusal(answer: httpx.Response, subject: Subject, credentials: Credentials) -> SeshatError:
    """What an answer other than 200 means, and what to do about it."""
    code = answer.status_code
    said = _said(answer)
    if code == 401:
        return DataError(
            f"{subject}: Kaggle does not accept the credentials of {credentials.where} (401{said}).",
            f"They may have expired: make a new token at {TOKEN_PAGE} (API).",
        )
    if code == 403 and subject.kind == "competition":
        return DataError(
            f"{subject}: Kaggle refuses (403{said}). Most often the rules have not been accepted by this account.",
            f"Accept them at {subject.page}/rules, with the account of {credentials.where}, then run this again.",
        )
    if code == 403:
        return DataError(
            f"{subject}: Kaggle refuses (403{said}): it is private, or its terms were not accepted.",
            f"Open {subject.page} with the account of {credentials.where}.",
        )
    if code == 404:
        return DataError(
            f"{subject}: Kaggle knows no such {subject.kind}, or no such file in it (404{said}).",
            f"The name is the last part of its address: {subject.page}",
        )
    if code == 429:
        return DataError(f"{subject}: too many requests (429{said}).", "Wait a few minutes, then run this again.")
    if code >= 500:
        return DataError(f"{subject}: Kaggle has trouble ({code}{said}).", "Try again later.")
    return DataError(f"{subject}: Kaggle answers {code}{said}.")


def _said(answer: httpx.Response) -> str:
    """The message of an answer, after a colon."""
    try:
        message = str(answer.json().get("message") or "")
    except (ValueError, AttributeError):
        message = ""
    return f": {message[:300]}" if message else ""
