"""What every request passes before the application sees it: host, origin, key, size; and the access log behind it.

One plain ASGI middleware, so that it covers whatever is mounted on the application too.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from seshat.config.serve import ServeSection
from seshat.core.logs import Repeats
from seshat.serving.metrics import Metrics
from seshat.serving.worker import TimedOut, told

if TYPE_CHECKING:
    from seshat.serving.service import Service

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOOK = 1.0
"""Seconds between two looks whether a client is still there."""
_OPEN = frozenset({"/health"})
"""What needs no key: it says nothing but that the server is there."""
_LOCAL = frozenset({"localhost"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_BODY_SECONDS, _BODY_RATE = 10.0, 10_000
"""A body comes in so many seconds, and one more for every so many bytes."""
_MOST_HELD = 64_000_000
"""Bytes of bodies that are on their way or being answered."""
_SEND_SECONDS = 30.0
"""For a client to take what it is sent."""
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Caller:
    """Who sent the request that is being answered."""

    host: str | None = None
    """Address of the client."""
    receive: Receive | None = None

    async def is_gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        if self.receive is None:
            return False
        listening = asyncio.ensure_future(self.receive())
        done, _ = await asyncio.wait({listening}, timeout=0.001)
        listening.cancel()
        return bool(done) and listening.result()["type"] == "http.disconnect"


_NOBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("seshat_caller", default=_NOBODY)
"""Of the request that this task answers."""


class Refusal(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


def error_body(message: str) -> dict[str, Any]:
    """An error as one sentence, in the form that clients of the OpenAI protocol read."""
    return {"error": {"message": " ".join(message.split())}}


class Guard:
    """Checks and counts requests.

    Args:
        app: the application.
        settings: hosts and limits.
        key: the API key; None where everybody on this machine may ask.
        metrics: counts.
    """

    def __init__(self, app: App, settings: ServeSection, key: str | None, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._key = key.encode() if key else None
        self._metrics = metrics
        self._repeats = Repeats()
        self._running = self._held = 0
        # Those that wait for texts to be translated, as many again, and some for all else.
        self._most = 2 * settings.queue + 64
        self._hosts = _LOCAL | {settings.host.lower()} | {host.lower() for host in settings.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or pass on what is none."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks through web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        began, seen = time.perf_counter(), _Seen()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            async with asyncio.timeout(_SEND_SECONDS):
                await send(message)

        body = b""
        try:
            headers = {name.lower(): value for name, value in scope["headers"]}
            self._check(scope, headers)
            body = await self._body(headers, receive)
            CALLER.set(Caller((scope.get("client") or (None,))[0], receive))
            await self._answer(scope, _replay(body, receive), sending)
        except Refusal as refusal:
            await _refuse(refusal, sending)
        except Exception as error:
            log.error("a request failed", **told(error))
            if seen.status is None:
                ours = Refusal(500, "This is a mistake in Seshat; the log of the server tells more.")
                await _refuse(ours, sending)
        finally:
            self._held -= len(body)
            self._note(scope, seen.status or 499, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, when it has a place."""
        if scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        if self._running >= self._most:
            raise Refusal(429, "The server is busy.", **{"retry-after": "2"})
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1

    def _check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = _host_name(host)
        if name is None or not (name in self._hosts or _is_address(name)):
            raise Refusal(421, "This server is not reached under that name. Its owner can add the name to serve.hosts.")
        if scope["method"] not in ("GET", "HEAD"):
            origin = headers.get(b"origin", b"").decode("latin-1").lower()
            if origin and urlsplit(origin).netloc != host:
                raise Refusal(403, "Pages of other sites may not send anything here.")
        if self._key and scope["path"] not in _OPEN and not self._is_allowed(headers.get(b"authorization", b"")):
            challenge = 'Bearer realm="seshat", Basic realm="seshat", charset="UTF-8"'
            raise Refusal(
                401,
                "This needs the API key: send it as 'Authorization: Bearer KEY'.",
                **{"www-authenticate": challenge},
            )

    def _is_allowed(self, given: bytes) -> bool:
        """A bearer token; or, as browsers ask for it, a password with any name."""
        kind, _, value = given.partition(b" ")
        value = value.strip()
        if kind.lower() == b"basic":
            try:
                value = base64.b64decode(value, validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif kind.lower() != b"bearer":
            return False
        return hmac.compare_digest(value, self._key or b"")

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The whole body, when it is not too large and comes in time."""
        most = self._settings.max_body
        too_large = Refusal(413, f"The request is larger than {most:,} bytes.", connection="close")
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > most:
            raise too_large
        parts: list[bytes] = []
        size, began = 0, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(_BODY_SECONDS) as limit:
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refusal(400, "The request broke off.")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    self._held += len(parts[-1])
                    if size > most:
                        raise too_large
                    if not message.get("more_body"):
                        return b"".join(parts)
                    if self._held > _MOST_HELD:
                        raise Refusal(429, "The server is busy.", **{"retry-after": "2", "connection": "close"})
                    limit.reschedule(began + _BODY_SECONDS + size / _BODY_RATE)
        except BaseException as error:
            self._held -= size
            if isinstance(error, TimeoutError):
                raise Refusal(408, "The request did not come to its end in time.", connection="close") from error
            raise

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("route")
        # Never the path as it was asked for: it may hold anything.
        path = getattr(route, "path", None) or "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.request(path, method, status, seconds)
        times = self._repeats.counted(f"{method} {path} {status}") if status >= 400 else 1
        if times is not None:
            more = {"times": times} if times > 1 else {}
            log.info("request", method=method, route=path, status=status, ms=round(1000 * seconds, 1), **more)


class _Seen:
    status: int | None = None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read already, then what comes after it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = json.dumps(error_body(refusal.message)).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def _host_name(host: str) -> str | None:
    """The name in a ``Host`` header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    """Whether it is a number, not a name: a page that rebinds a name cannot come under a number."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def answered(
    service: Service, texts: list[str], direction: str | None, n_best: int, model: str | None
) -> list[Any]:
    """Wait for the translator without keeping a thread; when the client goes away, the rest is not translated.

    Raises:
        TimedOut: it took longer than ``serve.seconds``.
    """
    caller = CALLER.get()
    future = service.submit(texts, direction, n_best, model, caller.host)
    waited = asyncio.wrap_future(future)
    until = asyncio.get_running_loop().time() + service.settings.seconds
    try:
        while not (await asyncio.wait({waited}, timeout=_LOOK))[0]:
            if await caller.is_gone() or asyncio.get_running_loop().time() > until:
                future.cancel()
                raise TimedOut(service.settings.seconds)
        return waited.result()
    except asyncio.CancelledError:
        if future.cancelled():  # the worker dropped it, because its time was over
            raise TimedOut(service.settings.seconds) from None
        raise
