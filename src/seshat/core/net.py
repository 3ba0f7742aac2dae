"""The way out: every request that leaves this machine is made here.

Nothing is asked but the servers that a :class:`Client` was opened for, and it is opened only for what the user's
command or configuration names. A request is tried again when a server is busy or a connection breaks; a download goes
on after the bytes that came, and is compared with its checksum. A redirection is followed for downloads alone: without
credentials where another server is named, never from HTTPS to HTTP, never from the internet to this machine or its
network.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import structlog

from seshat import __version__
from seshat.core.errors import DataError, UsageError
from seshat.core.progress import task
from seshat.core.transfer import Transfer
from seshat.core.trust import asked_for, is_loopback

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

PAUSE = 0.5
"""Seconds before the second try; each further pause is twice as long."""
_LONGEST_PAUSE = 60.0
_MOST_PATIENCE = 600.0
"""Seconds to wait at most when a server itself says how long."""
_BUSY = (408, 425, 429, 500, 502, 503, 504, 529)
"""What busy or broken servers answer."""
_REDIRECTIONS = 10
_SHOWN = 300
_BLOCK = 1 << 18
_CONNECT = 10.0
log = structlog.get_logger(__name__)


class Unreachable(DataError):
    """There is no answer, or it broke off; ``timed_out`` when it took too long."""

    timed_out = False
    pause: float | None = None


class Refused(DataError):
    """The server answered, and not with what was asked for.

    Args:
        status: of HTTP.
        said: what the server said about it.
        pause: seconds that it asks to wait.
    """

    def __init__(self, message: str, status: int, said: str, pause: float | None = None) -> None:
        hints = {401: _LOGIN, 403: _LOGIN, 404: _GONE, 410: _GONE}
        super().__init__(message, hints.get(status, "Try again later." if status in _BUSY else None))
        self.status, self.said, self.pause = status, said, pause


@dataclass(frozen=True)
class Fetched:
    """An answer as it came."""

    status: int
    """Of HTTP."""
    reason: str
    """The words beside the status."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    """Unpacked."""
    pause: float | None
    """Seconds that the server asks to wait."""


_LOGIN = "It may need a login: fetch it with a browser and use --from FOLDER."
_GONE = "It was moved or removed: look for its new address."


class Client:
    """Connections to the servers of some addresses; a context manager. May be used from several threads.

    Args:
        addresses: what may be asked, by server; paths are taken below the first.
        headers: sent with every request, but not after a redirection to another server.
        secret: a key in these headers, which no message repeats. It goes over HTTPS, or stays in this network.
        timeout: seconds without a byte after which a server is given up.
        retries: how often a request is made again when the server is busy or does not answer.
        connections: most requests at a time.

    Raises:
        UsageError: no address of a server, one that nobody has allowed, or none that a secret may be sent to.
    """

    def __init__(
        self,
        *addresses: str,
        headers: Mapping[str, str] | None = None,
        secret: str | None = None,
        timeout: float = 60.0,
        retries: int = 4,
        connections: int = 8,
    ) -> None:
        import httpx

        urls = [_url(asked_for(address)) for address in addresses]
        self.address = str(urls[0].copy_with(userinfo=b"")).rstrip("/")
        """The first address, without a password that may stand in it."""
        for url in urls if secret else ():
            if url.scheme != "https" and not _is_private(url.host):
                raise UsageError(f"{url.copy_with(userinfo=b'')} is not https://: no key or password is sent there.")
        self._asked_for = {_origin(url) for url in urls}
        self._secret = secret
        self._timeout = timeout
        self._retries = retries
        self._client = httpx.Client(
            base_url=urls[0],
            headers={"User-Agent": f"seshat/{__version__}", **(headers or {})},
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT)),
            limits=httpx.Limits(max_connections=connections),
            trust_env=not all(is_loopback(url.host) for url in urls),  # a proxy is for the way out
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        accept: Container[int] = range(200, 300),
    ) -> httpx.Response:
        """Ask and wait for the whole answer; redirections are not followed.

        Args:
            method: of HTTP.
            path: below the first address, or a whole address.
            body: sent as JSON.
            headers: beside those of the client, such as ``If-None-Match``.
            accept: statuses that are an answer (304, 404); others are errors.

        Raises:
            Refused: the server says no.
            Unreachable: there is no answer, however often it is asked.
        """

        def ask() -> httpx.Response:
            with self._answer(method, path, False, json=body, headers=headers) as answer:
                self._judge(answer, accept)
                answer.read()
                return answer

        return self._tried(ask)

    def fetch(self, address: str, *, headers: Mapping[str, str], most_bytes: int, seconds: float) -> Fetched:
        """Ask for an address once, whatever the answer is; redirections are not followed.

        Args:
            address: a whole address, of a server that the client was opened for.
            headers: beside those of the client.
            most_bytes: a longer answer, unpacked, is no answer.
            seconds: one that takes longer, from first to last, neither.

        Raises:
            Unreachable: there is no answer, or it breaks off or takes too long.
            DataError: it is too long.
        """
        import httpx

        deadline = time.monotonic() + seconds
        with self._answer("GET", address, False, headers=headers) as answer:
            body = bytearray()
            try:
                for block in answer.iter_bytes():
                    body += block
                    if len(body) > most_bytes:
                        raise DataError(f"{address}: the answer is longer than {most_bytes:,} bytes.")
                    if time.monotonic() > deadline:
                        raise Unreachable(f"{address}: the answer takes longer than {seconds:g} seconds.")
            except httpx.DecodingError as error:
                raise DataError(f"{address}: the answer is packed in a way that cannot be unpacked.") from error
            pause = _asked_pause(answer)
            return Fetched(answer.status_code, answer.reason_phrase, dict(answer.headers), bytes(body), pause)

    def upload(self, address: str, file: Path) -> None:
        """Send a file (``PUT``), from its beginning again where the connection breaks.

        Raises:
            Refused: the server says no.
            Unreachable: it does not answer.
        """
        size = file.stat().st_size

        def send() -> None:
            with file.open("rb") as stream, task(file.name, size) as advance:
                content = _told(stream, advance)
                headers = {"Content-Length": str(size)}
                with self._answer("PUT", address, False, content=content, headers=headers) as answer:
                    self._judge(answer, range(200, 300))

        self._tried(send)

    @contextmanager
    def download(self, path: str, part: Path, name: str, *, sha256: str | None = None) -> Iterator[Path]:
        """Fetch a file; what a former run brought of it is kept and gone on with.

        Args:
            path: below the first address, or a whole address.
            part: where the bytes go; ``part`` with ``.json`` added holds size and version. Both are taken away when the
                block that uses the file ends well.
            name: what messages call the file; the progress bar shows its last part.
            sha256: refuse it when its hash is another.

        Yields:
            ``part``, whole.

        Raises:
            Refused: the server says no.
            Unreachable: the connection broke off too often; the bytes that came are kept.
            DataError: it is not the file that was meant, or the disk cannot hold it.
        """
        transfer = Transfer(part, name)
        try:
            self._tried(lambda: self._receive(path, transfer))
        except Unreachable as error:
            error.hint = (
                f"Run the same command again: it goes on after the {transfer.have:,} bytes that came."
                if transfer.have
                else "Check the address and the connection, then try again."
            )
            raise
        transfer.verify(sha256)
        yield part
        transfer.forget()

    def _receive(self, path: str, transfer: Transfer) -> None:
        import httpx

        if transfer.is_whole:
            return
        with self._answer("GET", path, True, headers=transfer.headers()) as answer:
            self._judge(answer, (200, 206, 416))
            start = transfer.begin(answer)
            if start is None:
                raise Unreachable(f"{transfer.name}: the server does not know the place to go on at.")
            with transfer.path.open("ab" if start else "wb") as out, task(transfer.label, transfer.total) as advance:
                advance(start)
                try:
                    for block in answer.iter_raw():  # as it comes: nothing waits for a full block when it breaks off
                        out.write(block)
                        advance(len(block))
                except httpx.TransportError as error:
                    size = f"{out.tell():,}{f' of {transfer.total:,}' if transfer.total else ''} bytes"
                    raise Unreachable(f"{transfer.name}: the connection broke off after {size}.") from error

    @contextmanager
    def _answer(self, method: str, path: str, follow: bool, **content: Any) -> Iterator[httpx.Response]:
        """One request; errors of the connection in plain words."""
        import httpx

        request = self._client.build_request(method, path, **content)
        if _origin(request.url) not in self._asked_for:
            raise DataError(f"{request.url.host}: nobody asked for this server; nothing was sent.")
        try:
            answer = self._client.send(request, stream=True)
            for _ in range(_REDIRECTIONS if follow else 0):
                if answer.next_request is None:
                    break
                answer.close()
                _may_lead(answer.request.url, answer.next_request.url)
                answer = self._client.send(answer.next_request, stream=True)
            try:
                yield answer
            finally:
                answer.close()
        except httpx.TimeoutException as error:
            late = Unreachable(
                f"{self._shown(request)}: no answer within {self._timeout:g} seconds.", "Try again later."
            )
            late.timed_out = True
            raise late from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            said = self._without_secret(str(error) or type(error).__name__)
            raise Unreachable(
                f"{self._shown(request)}: cannot be reached: {said}.", "Check the address and the connection."
            ) from error

    def _judge(self, answer: httpx.Response, accept: Container[int]) -> None:
        if answer.status_code in accept:
            return
        answer.read()
        said = self._without_secret(_said(answer))
        message = (
            f"{self._shown(answer.request)}: the server answered {answer.status_code}{f': {said}' if said else ''}."
        )
        raise Refused(message, answer.status_code, said, _asked_pause(answer))

    def _tried(self, attempt: Callable[[], T]) -> T:
        for number in range(self._retries + 1):
            try:
                return attempt()
            except (Refused, Unreachable) as error:
                again = number < self._retries and (isinstance(error, Unreachable) or error.status in _BUSY)
                if not again:
                    raise
                pause = min(_LONGEST_PAUSE, PAUSE * 2**number) * (0.5 + random.random() / 2)
                pause = pause if error.pause is None else error.pause
                log.info("the server is asked again", problem=error.message, seconds=round(pause, 1))
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _shown(self, request: httpx.Request) -> str:
        """An address for messages: what is signed or secret in it left out."""
        return str(request.url.copy_with(userinfo=b"", query=None))

    def _without_secret(self, text: str) -> str:
        return text.replace(self._secret, "[key]") if self._secret else text


def variable(name: str, setting: str) -> str:
    """The key in an environment variable that a setting names.

    Raises:
        UsageError: it is not set.
    """
    key = os.environ.get(name, "").strip()
    if not key:
        raise UsageError(f"{setting}: the environment variable {name} is not set.", f"export {name}=…")
    return key


def _url(address: str) -> httpx.URL:
    import httpx

    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise UsageError(f"{address} is no address: {error}.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"{address} is no address of a server.", "It begins with https:// (or http://).")
    return url


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    """Scheme, host and port."""
    return url.scheme, url.host.lower(), url.port or (443 if url.scheme == "https" else 80)


def _may_lead(start: httpx.URL, end: httpx.URL) -> None:
    """Refuse redirections that nobody can mean: off the web, off HTTPS, into this machine or its network."""
    if end.scheme != "https" and (end.scheme != "http" or start.scheme == "https"):
        raise DataError(f"{start.copy_with(query=None)}: it redirects to {end.copy_with(query=None)}; not followed.")
    if _is_private(end.host) and not _is_private(start.host):
        raise DataError(f"{start.copy_with(query=None)}: it redirects to {end.host}, in this network; not followed.")


def _is_private(host: str) -> bool:
    """Whether a host is this machine, or in a network that the internet does not reach."""
    found: list[IPv4Address | IPv6Address] = []
    try:
        found = [ip_address(host.strip("[]"))]
    except ValueError:
        try:
            found = [ip_address(str(one[4][0]).partition("%")[0]) for one in socket.getaddrinfo(host, None)]
        except (OSError, UnicodeError):  # behind a proxy names may be unknown here
            return is_loopback(host)
    return any(not one.is_global for one in found)


def _told(stream: Any, advance: Callable[[float], None]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block
        advance(len(block))


def _asked_pause(answer: httpx.Response) -> float | None:
    """Seconds that the server asks to wait (RFC 9110, 10.2.3: seconds or a date)."""
    wanted = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(wanted)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(wanted) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), _MOST_PATIENCE)


def _said(answer: httpx.Response) -> str:
    """What stands in the body of an error, in the ways that servers write it."""
    try:
        found = answer.json()
    except ValueError:
        kind = answer.headers.get("Content-Type", "")
        return "" if "html" in kind else " ".join(answer.text.split())[:_SHOWN]
    for key in ("error", "detail", "message"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return " ".join(str(found).split())[:_SHOWN]
