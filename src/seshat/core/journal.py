"""The journal of work that goes on after a kill: results by key, kept as they come.

A file of JSON Lines. The first line names the job, where it has a name (``{"job": "…"}``); every other line is one
result: ``[key, result]``. Whoever works through many things (texts, pages, segments of speech, addresses) asks for each
whether its key is there, and puts its result when it is done. Killed at any moment, the work starts again with what is
left; half a line at the end, which a killed run can leave, is taken away.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from seshat.core.errors import DataError, ProjectBusy
from seshat.core.jsonl import cannot_write, lock
from seshat.core.paths import inside, remove

_JOB = "job"


def key_of(*parts: Any) -> str:
    """A short key that tells things or jobs apart: a hash of whatever JSON can say of them."""
    told = json.dumps(parts, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()[:32]


class Journal:
    """Results so far. One process writes; its threads may share it, its worker processes hand their results to it.

    The memory holds a number per key, not the results: they are read from the file.

    Args:
        path: the file; there from before, or not.
        job: tells this work from other work whose keys look alike (model, settings, input); without one, whatever
            stands in the file counts.
        replace: begin anew where the file is of another job; otherwise that is an error.
        durable: results are on the disk when they are put, for what costs money. Without it they are with the system:
            killing the program loses none, a power failure may.

    Raises:
        ProjectBusy: another process is at it.
        DataError: the file is of another job, is damaged, or cannot be written.
    """

    def __init__(self, path: Path, job: str = "", *, replace: bool = False, durable: bool = False) -> None:
        self.path = inside(path)
        self._durable = durable
        self._places: dict[str, int] = {}
        self._guard = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a+b")
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            if sys.platform != "win32" and not lock(self._stream.fileno()):
                raise ProjectBusy(f"{path}: another process writes this file.", "Wait for it, or stop it.")
            self._begin(job, replace)
        except BaseException:
            self._stream.close()
            raise

    def _begin(self, job: str, replace: bool) -> None:
        found = self._read()
        if found != job and (self._places or found):
            if not replace:
                raise DataError(
                    f"{self.path}: these are results of another job: its settings, its model or its input differ.",
                    "Go back to them to go on with it, or take the file away to begin anew.",
                )
            self._places.clear()
            self._stream.truncate(0)
        if job and not self._places:
            self._stream.truncate(0)
            self._append([{_JOB: job}])

    def _read(self) -> str:
        """Find the results of the file; gives the name of its job."""
        job, place = "", 0
        self._stream.seek(0)
        for number, line in enumerate(self._stream, start=1):
            row = _row(line)
            if number == 1 and isinstance(row, dict):
                job = str(row.get(_JOB))
            elif isinstance(row, list) and len(row) == 2:
                self._places[str(row[0])] = place
            elif self._stream.read(1):
                raise DataError(f"{self.path}:{number}: this line is damaged.", "Take the line away.")
            else:
                break
            place += len(line)
        self._stream.truncate(place)
        return job

    def __enter__(self) -> Journal:
        """The journal itself; it is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file; what is in it stays."""
        self.close()

    def __len__(self) -> int:
        """How many results there are."""
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        """Whether this is done."""
        return key in self._places

    def get(self, key: str) -> Any:
        """The result of a key, as JSON has it; ``None`` where there is none yet."""
        with self._guard:
            place = self._places.get(key)
            if place is None:
                return None
            self._stream.seek(place)
            return _row(self._stream.readline())[1]

    def values(self) -> Iterator[Any]:
        """All results, in the order in which their keys first came."""
        return (self.get(key) for key in list(self._places))

    def put(self, key: str, result: Any) -> None:
        """Keep a result; a later one of the same key counts.

        Raises:
            DataError: it cannot be written.
        """
        self.put_all([(key, result)])

    def put_all(self, results: Iterable[tuple[str, Any]]) -> None:
        """Keep several results at once.

        Raises:
            DataError: they cannot be written.
        """
        kept = list(results)
        with self._guard:
            places = self._append([[key, result] for key, result in kept])
            self._places.update(zip((key for key, _ in kept), places, strict=True))

    def _append(self, rows: Iterable[Any]) -> list[int]:
        """Write lines; gives where each begins."""
        places = []
        try:
            place = self._stream.seek(0, os.SEEK_END)
            for row in rows:
                places.append(place)
                place += self._stream.write(
                    json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
                )
            self._stream.flush()
            if self._durable:
                os.fsync(self._stream.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return places

    def finish(self) -> None:
        """Everything is done and stands elsewhere: the file goes."""
        if sys.platform == "win32":
            self.close()
        remove(self.path)
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()


def _row(line: bytes) -> Any:
    """What a whole line says; ``None`` for one that is cut off or no JSON."""
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
