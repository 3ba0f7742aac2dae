"""The Kaggle API: credentials, downloads, uploads.

The `kaggle` package asks for credentials when it is imported, ends the program where they are missing, prints, and does
not resume what was redirected to storage; `kagglehub` pushes no notebooks. The few requests that are needed are made
here instead. The addresses are those of kagglesdk 0.1.37. Nothing here runs unless the user asks for a download or an
upload.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from seshat.core.errors import DataError, SeshatError
from seshat.core.net import Client, Refused

API = "https://www.kaggle.com/api/v1"
URL_SETTING = "KAGGLE_API_URL"
"""Environment variable that names another address of the API."""
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


class Kaggle:
    """One connection to the API; a context manager.

    Args:
        credentials: default: those of this user.
        url: address of the API; default: the environment variable ``KAGGLE_API_URL``, or Kaggle's own.

    Raises:
        DataError: there are no credentials.
        UsageError: the address is not safe to send them to.
    """

    def __init__(self, credentials: Credentials | None = None, url: str | None = None) -> None:
        self.credentials = credentials or Credentials.find()
        header = self.credentials.header
        address = (url or os.environ.get(URL_SETTING) or API).rstrip("/") + "/"
        self._client = Client(address, headers={"Authorization": header}, secret=header.partition(" ")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @contextmanager
    def download(self, path: str, part: Path, subject: Subject, name: str) -> Iterator[Path]:
        """Fetch a file; what a former run brought of it is kept and gone on with, see :meth:`Client.download`.

        Args:
            path: below the address of the API.
            part: where the bytes go until the block that uses them ends well.
            subject: for messages.
            name: of the file, for messages and the progress bar.

        Raises:
            DataError: Kaggle refuses, or the connection broke off too often; the bytes that came are kept.
        """
        with self._told(subject), self._client.download(quote(path, safe="/"), part, f"{subject}: {name}") as whole:
            with whole.open("rb") as stream:
                if stream.read(20).lstrip().lower().startswith((b"<!doctype html", b"<html")):
                    raise DataError(f"{subject}: {name}: a web page came instead of it.", f"Look at {subject.page}")
            yield whole

    def post(self, path: str, body: Mapping[str, Any], subject: Subject) -> dict[str, Any]:
        """Send a request with a JSON body; gives the JSON of the answer.

        Raises:
            DataError: Kaggle refuses, or cannot be reached; also when the answer holds an ``error``.
        """
        with self._told(subject):
            found: dict[str, Any] = self._client.request("POST", path, body=dict(body)).json()
        if found.get("error"):
            raise DataError(f"{subject}: Kaggle answers: {found['error']}")
        return found

    def get(self, path: str, subject: Subject) -> dict[str, Any] | None:
        """The JSON at an address of the API; ``None`` where there is nothing.

        Raises:
            DataError: Kaggle refuses, or cannot be reached.
        """
        # Kaggle answers 403 about a private dataset that is not there, so that names cannot be guessed.
        with self._told(subject):
            answer = self._client.request("GET", path, accept=(200, 403, 404))
        return answer.json() if answer.status_code == 200 else None

    def upload(self, file: Path, subject: Subject) -> str:
        """Bring a file to Kaggle's storage; gives the token that a dataset names it by.

        Raises:
            DataError: Kaggle or its storage refuses, or cannot be reached.
        """
        about = {"type": "DATASET", "name": file.name, "contentLength": file.stat().st_size}
        started = self.post("blobs/upload", {**about, "lastModifiedEpochSeconds": 0}, subject)
        # Storage is not the API: it gets an address that the API signed, and no credentials.
        with self._told(subject), Client(started["createUrl"]) as storage:
            storage.upload(started["createUrl"], file)
        return str(started["token"])

    @contextmanager
    def _told(self, subject: Subject) -> Iterator[None]:
        """What Kaggle's refusals mean."""
        try:
            yield
        except Refused as error:
            raise _refusal(error, subject, self.credentials) from error


def _refusal(error: Refused, subject: Subject, credentials: Credentials) -> SeshatError:
    """What an answer other than 200 means, and what to do about it."""
    code, said = error.status, f": {error.said}" if error.said else ""
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
