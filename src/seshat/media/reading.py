"""Reads pages in several processes: each page once, whatever is killed, and no page can take the machine with it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from seshat.config.ocr import OcrSection, ScanSource
from seshat.core.errors import DataError
from seshat.core.jsonl import write_bytes
from seshat.core.processes import FreshProcesses, leave_with_parent
from seshat.media import images, markup, tesseract
from seshat.media.pages import Page, without_dust

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Task:
    """A page to be read."""

    path: Path
    file: str
    number: int
    source: ScanSource
    dpi: int
    seconds: int
    models: Path | None


def start_worker() -> None:
    """What a process does before it opens anything of a stranger's."""
    leave_with_parent()
    images.limit_memory()


def count(path: Path) -> tuple[int, str]:
    """How many pages a file has, and why they cannot be told."""
    try:
        if path.suffix.lower() in markup.ENDINGS:
            return len(markup.read(path, path.name)), ""
        return images.page_count(path), ""
    except DataError as error:
        return 0, str(error)
    except MemoryError:
        return 0, f"{path}: opening it takes more memory than {images.MEMORY // 2**20:,} MB."


def read_page(task: Task) -> Page:
    """Read one page: another program's reading, the text layer, or the image through Tesseract."""
    empty = Page(file=task.file, number=task.number, width=0, height=0)
    try:
        if task.path.suffix.lower() in markup.ENDINGS:
            return markup.read(task.path, task.file)[task.number - 1].model_copy(update={"number": task.number})
        with _time(task.seconds), images.opened(task.path) as file:
            layer = images.text_layer(file[task.number - 1]) if task.source.text_layer and _is_pdf(task) else None
            if layer is not None:
                width, height = map(int, file.get_page_size(task.number - 1))
                return empty.model_copy(
                    update={"width": width, "height": height, "lines": tuple(layer), "by": "text layer"}
                )
            image = images.drawn(file, task.number, task.dpi)
        lines, took = tesseract.read(image, task.source, dpi=task.dpi, seconds=task.seconds, folder=task.models)
    except DataError as error:
        return empty.model_copy(update={"problem": str(error)})
    except MemoryError:
        return empty.model_copy(update={"problem": f"it takes more memory than {images.MEMORY // 2**20:,} MB"})
    except Exception as error:
        return empty.model_copy(update={"problem": f"it is damaged: {error}"})
    text, dust = without_dust(lines)
    found = {"width": image.width, "height": image.height, "lines": tuple(text), "dust": tuple(dust)}
    by = f"tesseract {'+'.join(task.source.recognise)}"
    return empty.model_copy(update={**found, "by": by, "seconds": took})


def draw_page(asked: tuple[Task, Path]) -> str:
    """Write the image that the boxes of a page refer to; gives why it cannot be."""
    from io import BytesIO

    (task, target), stream = asked, BytesIO()
    try:
        with images.opened(task.path) as file:
            images.drawn(file, task.number, task.dpi).save(stream, "PNG")
    except (DataError, MemoryError) as error:
        return str(error)
    write_bytes(target, stream.getvalue())
    return ""


def _is_pdf(task: Task) -> bool:
    return task.path.suffix.lower() in images.PDF


@contextlib.contextmanager
def _time(seconds: int) -> Iterator[None]:
    """Limit the processor time of opening and drawing a page; what exceeds it ends the worker."""
    if sys.platform == "win32":
        yield
        return
    import resource
    import time

    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, hard))


class Readers:
    """Worker processes for files of strangers.

    Args:
        section: how many.
    """

    def __init__(self, section: OcrSection) -> None:
        import os

        self.processes = section.processes or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _started(self, processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(processes, mp_context=FreshProcesses(), initializer=start_worker)

    def each(self, work: Callable[[T], R], things: Iterable[T], lost: Callable[[T], R]) -> Iterator[tuple[T, R]]:
        """Do the same with many things; gives each with its result as it is done.

        A worker that a file brings down (out of memory, out of time) takes nothing with it: what had not come back is
        done again one by one, and what brings a worker down alone gets the result that ``lost`` says.
        """
        waiting = list(things)
        if not waiting:
            return
        self._pool = self._pool or self._started(min(self.processes, len(waiting)))
        futures = {self._pool.submit(work, one): place for place, one in enumerate(waiting)}
        done: set[int] = set()
        try:
            for future in as_completed(futures):
                result = future.result()
                done.add(futures[future])
                yield waiting[futures[future]], result
        except BrokenProcessPool:
            self._pool = None
            for place, one in enumerate(waiting):
                if place not in done:
                    yield one, self._alone(work, one, lost)

    def _alone(self, work: Callable[[T], R], thing: T, lost: Callable[[T], R]) -> R:
        with self._started(1) as pool:
            try:
                return pool.submit(work, thing).result()
            except BrokenProcessPool:
                return lost(thing)


def lost_page(task: Task) -> Page:
    """The result for a page that brings its worker down."""
    problem = f"reading it takes more than {images.MEMORY // 2**20:,} MB of memory or {task.seconds} seconds"
    return Page(file=task.file, number=task.number, width=0, height=0, problem=problem)


def counts(readers: Readers, paths: Sequence[Path]) -> dict[Path, tuple[int, str]]:
    """How many pages each file has, or why that cannot be told."""
    return dict(readers.each(count, paths, lambda path: (0, f"{path}: opening it takes too much memory or time.")))
