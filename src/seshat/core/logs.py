"""Logs: for people on a terminal, JSON lines for machines; always on standard error, never on standard output."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import structlog
from structlog.typing import Processor

_SECONDS, _FIRST_LINES = 10.0, 20


class _Stderr:
    """Writes lines to whatever ``sys.stderr`` is at that moment, so that progress bars can step aside."""

    def __init__(self, name: str) -> None:
        self.name = name

    def msg(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)  # noqa: T201

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def _logger(*names: Any) -> _Stderr:
    return _Stderr(str(names[0]) if names else "seshat")


def configure(*, json: bool = False, level: int = logging.INFO) -> None:
    """Set up the logs of this process.

    Args:
        json: one JSON object a line, with time and logger, instead of text for people.
        level: the least important level shown, as in :mod:`logging`.
    """
    processors: list[Processor] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level]
    if json:
        processors += [
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        processors.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_logger,
        cache_logger_on_first_use=False,
    )


class Repeats(logging.Filter):
    """Lets the first lines of a kind through, then one in ten seconds; what others can cause fills no disk."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, list[float]] = {}

    def counted(self, kind: str) -> int | None:
        """How many lines of a kind this one stands for; ``None``: it is counted, not written."""
        now = time.monotonic()
        known = self._seen.get(kind)
        if known is None or now - known[0] > _SECONDS:
            if len(self._seen) > 1_000:
                self._seen.clear()
            self._seen[kind] = [now, 1, 0]
            return 1 + int(known[2] if known else 0)
        known[1] += 1
        if known[1] <= _FIRST_LINES:
            return 1
        known[2] += 1
        return None

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record of :mod:`logging` is written."""
        return self.counted(f"{record.name} {record.levelno} {record.msg}") is not None
