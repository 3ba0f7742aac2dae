"""One thread that owns the engines: no engine may be asked from two threads at once, and one batch beats ten.

Jobs wait in a queue of bounded length; those that can be done together are done together, a long one piece by piece, so
that it can be given up and others come in between. Clients get equal shares of the time, however much each asks for
(start-time fair queuing: Goyal, Vin and Cheng, 1996); who would wait too long for the others is told so at once.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from seshat.core.errors import SeshatError

_FIRST_GUESS = 0.0005
"""Seconds for a character, before anything was measured."""
_COST = 10
_LONGEST_WAIT = 60
PATIENCE = 3.0
"""Seconds that a request may have to wait for those before it."""
LEAST, SLICE = 500, 2_000
"""Characters that are translated together before others get their turn, at least and at most."""
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


@dataclass(eq=False)
class _Job:
    key: Hashable
    items: list[Any]
    run: Run
    deadline: float
    client: Hashable
    future: Future[Any] = field(default_factory=Future)
    """Pending until all is done, so that it can be cancelled at any time."""
    answers: list[Any] = field(default_factory=list)
    taken: int = 0

    @property
    def left(self) -> int:
        """Characters of what has not been taken yet."""
        return sum(map(_size, self.items[self.taken :]))

    def take(self, most: int, size: int) -> list[Any]:
        """The next items: at most so many, and of so many characters together."""
        found: list[Any] = []
        for item in self.items[self.taken : self.taken + most]:
            size -= _size(item)
            if size < 0:
                break
            found.append(item)
        self.taken += len(found)
        return found


def _size(item: Any) -> int:
    """What an item costs, in characters; a short one has its own cost too."""
    text = item if isinstance(item, str) else getattr(item, "text", None)
    return len(text) + _COST if text is not None else 1


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
        self._under_way: dict[Hashable, int] = {}
        """Characters of the batch that is being done, by client."""
        self._pace = _FIRST_GUESS
        self._spent: dict[Hashable, float] = {}
        """Seconds that clients have had; one that comes anew starts where the others are."""
        self._now = 0.0
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

    def submit(
        self, key: Hashable, items: Sequence[Any], run: Run, seconds: float, client: Hashable = None
    ) -> Future[Any]:
        """Put items into the queue; the future gives their answers, in order.

        Args:
            key: items of jobs with the same key are given to one ``run`` together.
            items: what to do; many or long ones are done in several batches.
            run: called in the thread of the worker.
            seconds: after so long nobody waits any more, and what has not been done of a job is dropped.
            client: who asks; every client gets the same share.

        Raises:
            Busy: there is no room, or too much is to be done before.
            Stopping: :meth:`refuse` was called.
        """
        job = _Job(key, list(items), run, time.monotonic() + seconds, client)
        with self._changed:
            if self._stopping:
                raise Stopping
            wait = self._wait(job)
            if self._waiting + len(job.items) > self._queue or wait > PATIENCE:
                raise Busy(self._waiting, max(1, min(_LONGEST_WAIT, round(wait - PATIENCE / 2))))
            if all(other.client != client for other in self._jobs):
                self._spent[client] = max(self._spent.get(client, 0.0), self._now)
            self._waiting += len(job.items)
            self._jobs.append(job)
            self._changed.notify_all()
        return job.future

    def _wait(self, job: _Job) -> float:
        """About how long others are served before a job is done: each as much as this client, or what it wants."""
        wanted: dict[Hashable, int] = {}
        for other in self._jobs:
            wanted[other.client] = wanted.get(other.client, 0) + other.left
        own = wanted.pop(job.client, 0)
        share = own + job.left
        under_way = self._under_way.get(job.client, 0)  # of others one batch is waited for, whatever it costs
        return self._pace * (under_way + own + sum(min(size, share) for size in wanted.values()))

    @property
    def _slice(self) -> int:
        """Characters of the next batch: about a second's work, but never so few that batches lose their worth."""
        return max(LEAST, min(SLICE, int(1.0 / self._pace)))

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
            with suppress(InvalidStateError):
                job.future.set_exception(Stopping())
        return not self._thread.is_alive()

    def _work(self) -> None:
        _keep_from_children()
        while batch := self._next():
            began = time.monotonic()
            self._do(batch)
            took = time.monotonic() - began
            sizes = [(job.client, sum(map(_size, items))) for job, items in batch]
            total = sum(size for _, size in sizes)
            with self._changed:
                self._under_way.clear()
                if total > len(sizes):  # a model that is opened on the way is no pace to go by
                    self._pace = min(2 * self._pace, self._pace + 0.2 * (took / total - self._pace))
                for client, size in sizes:
                    self._spent[client] = self._spent.get(client, 0.0) + took * size / total
            if self.observe is not None:
                self.observe(sum(len(items) for _, items in batch), took)

    def _next(self) -> list[tuple[_Job, list[Any]]]:
        """The next batch: jobs and items of them; nothing when there will be no more."""
        with self._changed:
            while True:
                while not self._jobs and not self._stopping:
                    self._changed.wait()
                if not self._jobs:
                    return []
                if self._gather and not self._stopping and self._waiting < self._batch:
                    self._changed.wait_for(lambda: self._waiting >= self._batch or self._stopping, self._gather)
                self._drop()
                if batch := self._take():
                    return batch

    def _drop(self) -> None:
        """Give up what nobody waits for any more."""
        now = time.monotonic()
        for job in self._jobs:
            if job.deadline < now:
                job.future.cancel()
        gone = [job for job in self._jobs if job.future.done()]
        self._waiting -= sum(len(job.items) - job.taken for job in gone)
        self._jobs = deque(job for job in self._jobs if not job.future.done())

    def _take(self) -> list[tuple[_Job, list[Any]]]:
        """Out of the queue: items of who has had least, and of others with the same key, as they fit into a batch."""
        order = sorted(self._jobs, key=lambda job: self._spent.get(job.client, 0.0))
        batch: list[tuple[_Job, list[Any]]] = []
        count = size = 0
        for job in order:
            if batch and job.key != batch[0][0].key:
                continue
            # The first item is taken however long it is.
            room = self._slice - size if batch else max(self._slice, _size(job.items[job.taken]))
            if items := job.take(self._batch - count, room):
                batch.append((job, items))
                count += len(items)
                size += sum(map(_size, items))
        if batch:
            self._now = max(self._now, self._spent.get(batch[0][0].client, 0.0))
        self._jobs = deque(job for job in self._jobs if job.taken < len(job.items))
        self._waiting -= count
        for job, items in batch:
            self._under_way[job.client] = self._under_way.get(job.client, 0) + sum(map(_size, items))
        if not self._jobs:  # nobody waits: everybody starts anew
            self._spent.clear()
            self._now = 0.0
        return batch

    def _do(self, batch: Sequence[tuple[_Job, list[Any]]]) -> None:
        try:
            answers = list(batch[0][0].run([item for _, items in batch for item in items]))
        except BaseException as error:  # if the thread died, everybody would wait in vain
            if len(batch) > 1:  # what one of them asks for must not spoil the others
                for one in batch:
                    self._do([one])
                return
            if not isinstance(error, SeshatError):
                log.error("the translator failed", **told(error))
            job = batch[0][0]
            with self._changed, suppress(InvalidStateError):  # nobody waits for it any more
                job.future.set_exception(error)
            return
        place = 0
        for job, items in batch:
            job.answers += answers[place : place + len(items)]
            place += len(items)
            if len(job.answers) == len(job.items):
                with suppress(InvalidStateError):
                    job.future.set_result(job.answers)


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
