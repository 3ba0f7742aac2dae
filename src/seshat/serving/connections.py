"""Connections: how many, for how long, and what happens when there are too many.

One client must not keep the others out. A connection whose request does not come is closed; when all places are taken,
the one that has been idle longest makes room; and what the log would repeat is counted. A proxy in front
(docs/serve.md) does the same better, and for many addresses.
"""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from seshat.core.logs import Repeats

HEAD_SECONDS = 10.0
"""For the head of a request, from the first moment."""
MOST = 4_000
"""Connections, where the system allows as many files."""
BURST = 64
"""Connections taken at once, before any of them is looked at."""
_SPARE = 256
"""Files kept for databases, models and what is being taken."""
log = structlog.get_logger(__name__)


def places() -> int:
    """Connections that fit: as many files as this process may open, with some to spare."""
    if sys.platform == "win32":
        return 400
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + BURST + _SPARE
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(16, min(MOST, max(soft, limit) - BURST - _SPARE))


class Connection(H11Protocol):
    """One connection; uvicorn's, with a deadline for the head of a request and a place among limited ones."""

    most: ClassVar[int] = 400
    """Places."""
    open: ClassVar[OrderedDict[Connection, None]] = OrderedDict()
    """All of them, the one that has been quiet longest first."""
    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; where all places are taken, the one that has been idle longest goes."""
        super().connection_made(transport)
        if len(self.open) >= self.most:
            idle = next((other for other in self.open if other.is_waited_for), None)
            if idle is None:
                transport.abort()
                return
            idle.transport.abort()
            self.open.pop(idle, None)
        self.open[self] = None
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.open.pop(self, None)
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came; the deadline is that of the whole head, not of the next byte."""
        if not self.is_busy and self._head is None:
            self._wait_for_head()
        super().data_received(data)
        if self.is_busy:
            self._stop_waiting()
            if self in self.open:
                self.open.move_to_end(self)

    @property
    def is_busy(self) -> bool:
        """Whether a request of it is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def is_waited_for(self) -> bool:
        """Whether it is the client's turn: no request is there, or not the whole of its body."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _wait_for_head(self) -> None:
        self._head = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _too_late(self) -> None:
        self._head = None
        if not self.is_busy and not self.transport.is_closing():
            self.transport.abort()


def report(repeats: Repeats) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """What is done with what goes wrong in an event loop: a line without traceback, and not again and again."""

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        kind = type(context.get("exception")).__name__
        if (times := repeats.counted(f"loop {kind} {context.get('message')}")) is not None:
            log.error("the server met an error", error=kind, what=str(context.get("message"))[:200], times=times)

    return handle
