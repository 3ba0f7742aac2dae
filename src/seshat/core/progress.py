"""Progress of long work, reported upwards.

Nothing below the command line prints. Long work announces itself through :func:`track` or :func:`task`; the
command line installs a reporter that draws bars, everybody else gets silence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from seshat.core.jsonl import write_json

T = TypeVar("T")
Advance = Callable[[float], None]


class Reporter(Protocol):
    """What the command line provides: a context manager that gives a function to advance a bar."""

    def task(self, description: str, total: float | None) -> AbstractContextManager[Advance]:
        """Open a bar of ``total`` units (``None``: unknown) and give the function that advances it."""
        ...


class _Silent:
    def task(self, description: str, total: float | None) -> AbstractContextManager[Advance]:  # noqa: ARG002
        return nullcontext(lambda _amount: None)


_reporter: ContextVar[Reporter] = ContextVar("seshat_reporter")
_SILENT = _Silent()


@contextmanager
def reporting(reporter: Reporter) -> Iterator[None]:
    """Send the progress of everything inside this block to ``reporter``."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


class Pulse:
    """A file of figures that is written again while long work goes on, for whoever looks on from elsewhere.

    Args:
        path: the file; it says when it was written, and how long the work has taken until then.
        every: seconds between two writings.
    """

    def __init__(self, path: Path, every: float = 5.0) -> None:
        self._path, self._every = path, every
        self._started = self._last = time.monotonic()

    def tell(self, figures: Callable[[], Mapping[str, Any]]) -> None:
        """Write the file if it is time; ``figures`` are asked for only then."""
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            at = datetime.now(UTC).isoformat(timespec="seconds")
            write_json(self._path, {"at": at, "seconds": round(now - self._started, 1), **figures()})


def task(description: str, total: float | None = None) -> AbstractContextManager[Advance]:
    """Open a bar of ``total`` units; gives the function that advances it."""
    return _reporter.get(_SILENT).task(description, total)


def track(items: Iterable[T], description: str, total: float | None = None) -> Iterator[T]:
    """Iterate and advance a bar by one for every item."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with task(description, total) as advance:
        for item in items:
            yield item
            advance(1)
