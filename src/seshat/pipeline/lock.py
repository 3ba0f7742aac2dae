"""One run at a time in a project.

The lock is a POSIX record lock on ``.seshat/lock``: the system drops it when its holder dies, however it dies, and a
forked worker that outlives its parent does not inherit it (as it would with ``flock``). The file says who holds it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from seshat.core.errors import ProjectBusy
from seshat.core.jsonl import cannot_write
from seshat.core.paths import inside

FILE = "lock"


class Lock:
    """A lock that is held; :meth:`note` says in the file what its holder is doing."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def note(self, **what: Any) -> None:
        """Write who holds the lock and what it is doing, for whoever finds the project busy."""
        self._stream.seek(0)
        self._stream.truncate()
        self._stream.write(json.dumps({"pid": os.getpid(), **what}))
        self._stream.flush()


@contextmanager
def hold(state: Path) -> Iterator[Lock]:
    """Hold the lock of a project while the block runs.

    Args:
        state: the ``.seshat`` folder of the project; it is made.

    Raises:
        ProjectBusy: another process holds it; names the process and what it is doing.
    """
    path = state / FILE
    try:
        inside(path).parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error
    with stream:
        if not _take(stream):
            raise busy(state)
        lock = Lock(stream)
        lock.note()
        try:
            yield lock
        finally:
            with contextlib.suppress(OSError):
                stream.truncate(0)


def busy(state: Path) -> ProjectBusy:
    """The error for a project in which another process works."""
    owner = holder(state)
    who = f"process {owner['pid']}" if "pid" in owner else "another process"
    doing = f" ({owner['stage']})" if owner.get("stage") else ""
    return ProjectBusy(
        f"{state.parent}: {who} is already working in this project{doing}.",
        "Wait until it has ended, or stop it; then run the same command again.",
    )


def holder(state: Path) -> dict[str, Any]:
    """What the holder of the lock noted (``pid``, ``stage``); empty when nothing can be read."""
    try:
        noted = json.loads((state / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _take(stream: IO[str]) -> bool:
    try:
        import fcntl
    except ModuleNotFoundError:
        return _take_on_windows(stream)
    try:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _take_on_windows(stream: IO[str]) -> bool:
    import msvcrt

    try:
        # Far beyond the note: Windows would refuse to let others read locked bytes.
        stream.seek(1 << 20)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True
