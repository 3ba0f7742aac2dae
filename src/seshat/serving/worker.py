"""One thread that owns the engines: no engine may be asked from two threads at once, and one batch beats ten.

Jobs wait in a queue of bounded length; those that can be done together are done together.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from seshat.core.errors import SeshatError

_FIRST_GUESS = 0.05
"""Seconds for a text, before anything was measured."""
_LONGEST_WAIT = 60
log = structlog.get_logger(__name__)

Run = Callable[[list[Any]], Sequence[Any]]
"""Answers a batch of items, in order."""


class Busy(SeshatError):
    """Too many texts wait already; ``retry_after`` is about when there is room, in seconds."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        what = f"{waiting} texts wait" if waiting else "others search"
        super().__init__(f"The server is busy: {what}.", f"Try again in {retry_after} s.")
        self.retry_after = retry_after


class Stopping(SeshatError):
    """The service is being stopped and takes nothing new."""

    def __init__(self) -> None:
        super().__init__("The server is being stopped.", "Try again when it has been started.")


class TimedOut(SeshatError):
    """It took longer than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"There was no answer within {seconds:g} s.", "Send fewer or shorter texts, or try later.")


@dataclass
class _Job:
    key: Hashable
    items: list[Any]
    run: Run
    deadline: float
    future: Future[Any] = field(default_factory=Future)


class Worker:
    """A thread with a bounded queue.

    Args:
        queue: items that may wait.
        batch: items that are done together.
        gather: seconds to wait for more items before a batch that is not full is begun.
        observe: called with the items and the seconds of every batch.
    """

    def __init__(
        self, queue: int, batch: int, gather: float, observe: Callable[[int, float], None] | None = None
    ) -> None:
        self._queue = queue
        self._batch = batch
        self._gather = gather
        self.observe = observe
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._waiting = 0
        self._per_item = _FIRST_GUESS
        self._thread = threading.Thread(target=self._work, name="seshat-worker", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Items that wait."""
        return self._waiting

    @property
    def stopping(self) -> bool:
        """Whether nothing new is taken any more."""
        return self._stopping

    def submit(self, key: Hashable, items: Sequence[Any], run: Run, seconds: float) -> Future[Any]:
        """Put items into the queue; the future gives their answers, in order.

        Args:
            key: items of jobs with the same key are given to one ``run`` together.
            items: what to do; a job is done whole, even when it is larger than a batch.
            run: called in the thread of the worker.
            seconds: after so long nobody waits any more, and a job that has not been begun is dropped.

        Raises:
            Busy: there is no room.
            Stopping: :meth:`refuse` was called.
        """
        job = _Job(key, list(items), run, time.monotonic() + seconds)
        with self._changed:
            if self._stopping:
                raise Stopping
            if self._waiting + len(job.items) > self._queue:
                raise Busy(self._waiting, max(1, min(_LONGEST_WAIT, round(self._waiting * self._per_item))))
            self._waiting += len(job.items)
            self._jobs.append(job)
            self._changed.notify_all()
        return job.future

    def call(self, function: Callable[[], Any], seconds: float) -> Future[Any]:
        """Do something else in the thread that owns the engines; it counts as one item, and gives a list of one."""
        return self.submit(object(), [None], lambda _items: [function()], seconds)

    def refuse(self) -> None:
        """Take nothing new; what is in the queue is done."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def close(self, seconds: float) -> bool:
        """Finish what is in the queue; whether that was done in time. What was not fails with :class:`Stopping`."""
        self.refuse()
        self._thread.join(seconds)
        with self._changed:
            left, self._jobs = list(self._jobs), deque()
        for job in left:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(Stopping())
        return not self._thread.is_alive()

    def _work(self) -> None:
        _keep_from_children()
        while jobs := self._next():
            began = time.monotonic()
            self._do(jobs)
            count, took = sum(len(job.items) for job in jobs), time.monotonic() - began
            self._per_item += 0.2 * (took / count - self._per_item)
            if self.observe is not None:
                self.observe(count, took)

    def _next(self) -> list[_Job]:
        """The jobs of the next batch; none when there will be no more."""
        while True:
            with self._changed:
                while not self._jobs and not self._stopping:
                    self._changed.wait()
                if not self._jobs:
                    return []
                if self._gather and not self._stopping and self._waiting < self._batch:
                    self._changed.wait_for(lambda: self._waiting >= self._batch or self._stopping, self._gather)
                taken = self._take()
            now = time.monotonic()
            for job in taken:
                if job.deadline < now:
                    job.future.cancel()
            if alive := [job for job in taken if job.future.set_running_or_notify_cancel()]:
                return alive

    def _take(self) -> list[_Job]:
        """Out of the queue: the oldest job, and those with the same key that fit into a batch with it."""
        first = self._jobs.popleft()
        taken, count, kept = [first], len(first.items), deque[_Job]()
        for job in self._jobs:
            if job.key == first.key and count + len(job.items) <= self._batch:
                taken.append(job)
                count += len(job.items)
            else:
                kept.append(job)
        self._jobs = kept
        self._waiting -= count
        return taken

    def _do(self, jobs: Sequence[_Job]) -> None:
        try:
            answers = list(jobs[0].run([item for job in jobs for item in job.items]))
        except BaseException as error:  # if the thread died, everybody would wait in vain
            if len(jobs) > 1:  # what one of them asks for must not spoil the others
                for job in jobs:
                    self._do([job])
                return
            if not isinstance(error, SeshatError):
                log.error("the translator failed", **told(error))
            jobs[0].future.set_exception(error)
            return
        place = 0
        for job in jobs:
            job.future.set_result(answers[place : place + len(job.items)])
            place += len(job.items)


def _keep_from_children() -> None:
    """Ctrl-C goes to every process of a terminal; those that an engine starts from this thread have work to finish."""
    if sys.platform != "win32":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # when it is started, it takes the mask off again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def told(error: BaseException) -> dict[str, str]:
    """An error for the log: what and where, without its message and values, which may hold texts."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return {
        "error": type(error).__name__,
        "where": " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames)),
    }
