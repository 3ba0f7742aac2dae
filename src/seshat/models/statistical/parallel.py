"""Decoding on all processors: Thot holds Python's lock while it searches, so each worker is a process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import TracebackType

from seshat.core.processes import FreshProcesses, leave_with_parent
from seshat.models.statistical.decoder import Translation
from seshat.models.statistical.model import Direction
from seshat.models.statistical.options import Source

CHUNK = 25
"""Sentences given to a worker at once."""
Lessons = list[tuple[Sequence[str], Sequence[str]]]
_opened: dict[Path, Direction] = {}


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _decode(
    folder: Path, lessons: Lessons, sources: list[Source], weights: tuple[float, ...], n: int
) -> list[list[Translation]]:
    if folder not in _opened:
        _opened[folder] = Direction(folder)
    opened = _opened[folder]
    for source, target in lessons[len(opened.lessons) :]:
        opened.take(source, target)
    return opened.decoder.translate(sources, weights, n)


class Workers:
    """Decodes in this process when there is little to do, else in one process per processor."""

    def __init__(self, direction: Direction, workers: int | None = None) -> None:
        self._direction = direction
        self.apart = False
        """Whether even a single sentence is decoded in another process: this one then has its hands free."""
        self._count = workers or processors()
        self._pool: ProcessPoolExecutor | None = None

    def translate(self, sources: Sequence[Source], weights: Sequence[float], n: int) -> list[list[Translation]]:
        """As :meth:`Decoder.translate`; the result does not depend on how many workers there are."""
        size = max(1, min(CHUNK, -(-len(sources) // self._count))) if self.apart else CHUNK
        chunks = [list(sources[start : start + size]) for start in range(0, len(sources), size)]
        if not self.apart and (self._count == 1 or len(chunks) < 3):
            return [one for chunk in chunks for one in self._direction.decoder.translate(chunk, weights, n)]
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._count, mp_context=FreshProcesses(), initializer=leave_with_parent)
        folder, lessons = self._direction.folder, list(self._direction.lessons)
        futures = [self._pool.submit(_decode, folder, lessons, chunk, tuple(weights), n) for chunk in chunks]
        return [one for future in futures for one in future.result()]

    def close(self) -> None:
        """Let the workers go."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
