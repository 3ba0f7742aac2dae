"""Progress of long work, reported upwards.

Nothing below the command line prints. Long work announces itself through :func:`track` or :func:`task`; the
command line installs a reporter that draws bars, everybody else gets silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol, TypeVar

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
