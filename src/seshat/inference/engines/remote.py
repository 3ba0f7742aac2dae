"""One server over HTTP: requests that are tried again when it is busy, and errors in plain words."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any

import httpx
import structlog

from seshat.config.translate import ServerSection
from seshat.core.errors import DataError, UsageError

_AGAIN = (408, 425, 429, 500, 502, 503, 504, 529)
"""What busy or broken servers answer."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_MOST_PATIENCE = 600.0
"""Seconds to wait at most when a server itself says how long."""
_SHOWN = 300
log = structlog.get_logger(__name__)


class Refused(DataError):
    """The server understood and said no.

    Args:
        status: of HTTP.
        said: what the server said about it.
    """

    def __init__(self, message: str, hint: str | None, status: int, said: str) -> None:
        super().__init__(message, hint)
        self.status, self.said = status, said


class Remote:
    """A server that speaks the OpenAI protocol.

    Args:
        settings: section ``translate.server``.

    Raises:
        UsageError: there is no address, or no key where there should be one.
    """

    def __init__(self, settings: ServerSection) -> None:
        if settings.url is None:
            raise UsageError("translate.server.url is not set.", "Write the address: http://127.0.0.1:8000/v1")
        url = _url(settings.url)
        self._settings = settings
        self._key = _key(settings.api_key_env)
        self.address = str(url.copy_with(userinfo=b"")).rstrip("/")
        """Where it is, without a password that may stand in the URL."""
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(settings.timeout, connect=min(settings.timeout, 10.0)),
            limits=httpx.Limits(max_connections=settings.concurrency),
            trust_env=not _is_here(url.host),  # a proxy is for the way out
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def only_model(self) -> str:
        """The name of the model, where the server has one only.

        Raises:
            UsageError: it has several, or does not say which.
            DataError: it does not answer.
        """
        found = self._request("GET", "models").get("data")
        names = [str(one.get("id")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        if len(names) != 1:
            known = f"has several: {', '.join(names)}" if names else "does not say which it has"
            raise UsageError(f"{self.address}: which model? The server {known}.", "Set translate.server.model.")
        return names[0]

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a question and wait for the answer.

        Raises:
            Refused: the server says no.
            DataError: there is no answer, however often it is asked.
        """
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        for attempt in range(self._settings.retries + 1):
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt) * (0.5 + random.random() / 2)
            try:
                answer = self._client.request(method, path, json=body)
            except httpx.HTTPError as error:
                problem = self._unreachable(error)
            else:
                if answer.is_success:
                    return self._read(answer)
                problem = self._refused(answer)
                if answer.status_code not in _AGAIN:
                    raise problem
                pause = _asked_pause(answer, pause)
            if attempt < self._settings.retries:
                log.info("the server is asked again", problem=problem.message, seconds=round(pause, 1))
                time.sleep(pause)
        raise problem

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError as error:
            raise DataError(f"{self.address}: the answer is not JSON.", "Does the address end in /v1?") from error
        if not isinstance(found, dict):
            raise DataError(f"{self.address}: the answer is not a JSON object.", "Does the address end in /v1?")
        return found

    def _refused(self, answer: httpx.Response) -> Refused:
        said = self._without_key(_said(answer))
        hints = {
            401: "Set the key: export it, and name the variable in translate.server.api_key_env.",
            403: "Does the key allow this model?",
            404: "Look at translate.server.url and translate.server.model.",
            429: "Lower translate.server.concurrency, or try again later: what is done is kept.",
        }
        message = f"{self.address}: the server answered {answer.status_code}{f': {said}' if said else ''}."
        return Refused(message, hints.get(answer.status_code), answer.status_code, said)

    def _unreachable(self, error: httpx.HTTPError) -> DataError:
        if isinstance(error, httpx.TimeoutException):
            return DataError(
                f"{self.address}: no answer within {self._settings.timeout:g} seconds.",
                "Is the server busy? Raise translate.server.timeout, or lower translate.server.concurrency.",
            )
        said = self._without_key(str(error) or type(error).__name__)
        return DataError(f"{self.address}: the server cannot be reached: {said}.", "Is it running?")

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UsageError(f"translate.server.url: {text} is no address: {error}.", _EXAMPLE) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"translate.server.url: {text} is no address of a server.", _EXAMPLE)
    return url.copy_with(path=f"{url.path.rstrip('/')}/") if url.path.strip("/") else url.copy_with(path="/v1/")


_EXAMPLE = "Write it like http://127.0.0.1:8000/v1"


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UsageError(
            f"translate.server.api_key_env: the environment variable {variable} is not set.", f"export {variable}=…"
        )
    return key


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _asked_pause(answer: httpx.Response, otherwise: float) -> float:
    """Seconds that the server asks to wait (RFC 9110, 10.2.3: seconds or a date)."""
    wanted = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(wanted)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(wanted) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return otherwise
    return min(max(seconds, 0.0), _MOST_PATIENCE)


def _said(answer: httpx.Response) -> str:
    """What stands in the body of an error, in the ways that servers write it."""
    try:
        found = answer.json()
    except ValueError:
        return " ".join(answer.text.split())[:_SHOWN]
    for key in ("error", "detail", "message"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return " ".join(str(found).split())[:_SHOWN]
