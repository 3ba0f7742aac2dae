"""How many questions of each task are taken, and which: decided by the seed and the question alone.

So the same question is taken whatever stands around it, and more data does not shuffle the choice.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping
from math import floor

from seshat.config.prompt import Task
from seshat.data.instruct.tasks import Question

_ALL = 1 << 64


def draw(seed: int, *names: str) -> int:
    """An even draw from 0 to 2 to the 64, less 1."""
    text = "\x1f".join((str(seed), *names))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Mixture:
    """Chooses questions by the share of each task.

    Args:
        shares: task -> share of its questions: 0.5 takes every other one, 2 takes each twice.
        seed: of the project.
        limits: task -> the highest rank that is taken, see :func:`limits`.
    """

    def __init__(self, shares: Mapping[Task, float], seed: int, limits: Mapping[Task, int] | None = None) -> None:
        self._shares = dict(shares)
        self._seed = seed
        self._limits = dict(limits or {})

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of which something is taken."""
        return tuple(task for task, share in self._shares.items() if share > 0)

    def copies(self, question: Question) -> Iterator[tuple[int, str, str]]:
        """The times that a question is asked: their number from 1, text and answer."""
        share = self._shares.get(question.task, 0.0)
        whole = floor(share)
        times = whole + (draw(self._seed, question.key, "share") < (share - whole) * _ALL)
        first = draw(self._seed, question.key, "variant")
        limit = self._limits.get(question.task)
        for number in range(1, times + 1):
            if limit is None or self.rank(question, number) <= limit:
                yield number, *question.variants[(first + number - 1) % len(question.variants)]

    def rank(self, question: Question, number: int) -> int:
        """What a limit goes by: the copies of lowest rank stay, first ones before second ones."""
        return number * _ALL + draw(self._seed, question.key, "limit")


def limits(questions: Iterable[Question], mixture: Mixture, most: int) -> dict[Task, int]:
    """The highest rank of each task that still belongs to its first ``most``; tasks with fewer are not named."""
    heaps: dict[Task, list[int]] = {}
    full: set[Task] = set()
    for question in questions:
        heap = heaps.setdefault(question.task, [])
        for number, _, _ in mixture.copies(question):
            rank = -mixture.rank(question, number)
            if len(heap) < most:
                heapq.heappush(heap, rank)
            else:
                full.add(question.task)
                heapq.heappushpop(heap, rank)
    return {task: -heap[0] for task, heap in heaps.items() if task in full}
