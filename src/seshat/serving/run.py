"""Runs the application: key, socket, graceful end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from seshat.core.errors import SeshatError, UsageError, require
from seshat.core.jsonl import cannot_read
from seshat.core.logs import Repeats
from seshat.core.trust import is_loopback
from seshat.project.folder import Project
from seshat.serving.service import STOP_SECONDS, Service

if TYPE_CHECKING:
    from fastapi import FastAPI

KEY_VARIABLE = "SESHAT_API_KEY"
_SHORTEST_KEY = 16
_BACKLOG = 2_048
log = structlog.get_logger(__name__)


def api_key(project: Project, host: str) -> str | None:
    """The API key; none is needed where only this machine can ask.

    Raises:
        UsageError: others can ask and there is no key, or it is easily guessed.
        DataError: the file with the key cannot be read.
    """
    name = project.config.serve.api_key_file
    key, place = os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE
    if name:
        path = project.root / name
        try:
            key, place = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise cannot_read(path, error if isinstance(error, OSError) else OSError(str(error))) from error
    key = key.strip()
    how = f"Make one: export {KEY_VARIABLE}=$(python -c 'import secrets; print(secrets.token_urlsafe(32))')"
    if not key:
        if name or not is_loopback(host):
            raise UsageError(
                f"On {host} others can reach this server: it needs an API key, and there is none"
                f"{' in ' + place if name else ''}.",
                f"{how}, or name a file: serve.api_key_file. Without --host it is reached from this machine only.",
            )
        return None
    if len(key) < _SHORTEST_KEY or not key.isascii():
        raise UsageError(f"{place}: an API key has at least {_SHORTEST_KEY} characters of ASCII.", how)
    return key


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; its port is a free one where 0 was asked for.

    Raises:
        SeshatError: the address is taken, or not one of this machine.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(_BACKLOG)
        except OSError:
            made.close()
            raise
    except OSError as error:
        raise SeshatError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}.",
            "Stop what listens there, or take a free port: --port 0",
        ) from error
    return made


def serve(service: Service, app: FastAPI, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Answer requests until the process is told to stop; what runs then is finished, nothing new is taken.

    Args:
        service: refuses new work as soon as the signal comes; it is closed at the end.
        app: the application.
        listening: a socket that listens.
        ready: called when requests are answered.
    """
    uvicorn = require("uvicorn", extra="serve", purpose="Serving")

    from seshat.serving.connections import BURST, Connection, places, report

    Connection.most = places()
    repeats = Repeats()
    logging.getLogger("uvicorn.error").addFilter(repeats)

    class Server(uvicorn.Server):  # type: ignore[name-defined, misc]
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            asyncio.get_running_loop().set_exception_handler(report(repeats))
            await super().startup(sockets=sockets)
            listening.listen(_BACKLOG)  # the event loop set it to what it takes at once
            ready()

        def handle_exit(self, sig: int, frame: Any) -> None:
            log.info("stopping", waiting=service.worker.waiting)
            service.refuse()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_config=None,  # our own log says what there is to say, and no texts
        access_log=False,
        server_header=False,
        date_header=False,
        http=Connection,
        ws="none",
        backlog=BURST,
        lifespan="on",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=32_768,
    )
    # uvicorn sends the signal on when it has stopped: that is no failure here.
    before = {sig: signal.signal(sig, lambda *_: None) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        Server(config).run(sockets=[listening])
    finally:
        service.close()
        listening.close()
        for sig, handler in before.items():
            signal.signal(sig, handler)
