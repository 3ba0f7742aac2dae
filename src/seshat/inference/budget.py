"""A time budget: how many candidates per text there is time for, measured anew as the work goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from seshat.core.errors import UsageError
from seshat.prompt.request import Request

SAFETY = 0.9
"""Share of the time that is planned with; the rest is for what takes longer than it did before."""
_PILOT = 4
"""Texts, the shortest of a batch, that the cost of candidates is first measured on."""
_TRY = 0.05
"""Share of the time that finding out the cost of many candidates may take."""
_ROUNDS = 20
"""The work is cut so that the number of candidates can change about so many times."""
_RECENT = 3
_UNITS = {"h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Measurement:
    """What some texts took."""

    size: float
    """Characters, or segments; in the unit of what is left."""
    candidates: int
    """Per text."""
    seconds: float


def parse_duration(text: str) -> float:
    """Seconds of a duration such as ``9h``, ``1h30m``, ``45min``, ``90s`` or ``1.5h``; a bare number is seconds.

    Raises:
        UsageError: it is no duration, or none above 0.
    """
    cleaned = text.strip().lower().replace(" ", "")
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|min|m|s|)", cleaned)
    seconds = sum(float(number) * _UNITS.get(unit, 1.0) for number, unit in parts)
    units = [unit for _, unit in parts]
    if "".join(number + unit for number, unit in parts) != cleaned or seconds <= 0 or ("" in units and len(units) > 1):
        raise UsageError(f"'{text}' is no duration.", "Write it like 9h, 1h30m, 45m or 90s.")
    return seconds


def fit(budget: float, segments: float, measured: Sequence[Measurement], most: int) -> int:
    """How many candidates per text there is time for.

    A text costs so much for its first candidate and so much for every further one. Both are taken from the
    measurements; how long things take now, compared with that, from the last few of them.

    Args:
        budget: seconds left.
        segments: how much is left to translate, in the unit of the measurements.
        measured: what the work took so far, oldest first; best with different numbers of candidates.
        most: no more than this.

    Returns:
        From 1 (even when there is no time for that) to ``most``.
    """
    if segments <= 0:
        return most
    if not measured:
        return 1
    fewest = min(one.candidates for one in measured)
    first = _rate([one for one in measured if one.candidates == fewest])
    others = [one for one in measured if one.candidates > fewest]
    extra = sum(one.size * (one.candidates - fewest) for one in others)
    paid = sum(one.seconds - first * one.size for one in others)
    # Without a second point, every candidate is taken to cost as much as those that were measured.
    further = max(paid, 0.0) / extra if extra else first / fewest
    recent = measured[-_RECENT:]
    planned = sum(one.size * (first + further * (one.candidates - fewest)) for one in recent)
    pace = sum(one.seconds for one in recent) / planned if planned else 1.0
    time_each = budget * SAFETY / segments / pace if pace else float("inf")
    if time_each <= first:
        return min(most, max(1, int(fewest * time_each / first)))
    return min(most, int(fewest + (time_each - first) / further)) if further else most


def _rate(measured: Sequence[Measurement]) -> float:
    size = sum(one.size for one in measured)
    return sum(one.seconds for one in measured) / size if size else 0.0


class Budget:
    """The time that a job may take, from now on.

    Args:
        seconds: how long.
        clock: tells the time in seconds; another one for tests.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._left = self._part = 0.0
        self._measured: list[Measurement] = []
        self._said = 0
        self._warned = False

    @property
    def seconds(self) -> float:
        """What is left of it; below 0 when it is over."""
        return self._end - self._clock()

    @property
    def begun(self) -> bool:
        """Whether anything was measured."""
        return bool(self._measured)

    def expect(self, requests: Iterable[Request]) -> None:
        """Say what all is to be translated."""
        self._left = float(sum(map(_size, requests)))
        self._part = self._left / _ROUNDS

    def pilot(self, requests: Sequence[Request]) -> list[Request]:
        """A few short texts to measure the cost of candidates on before the work begins."""
        if not self._left:  # nobody said how much there is
            self.expect(requests)
        short = sorted(requests, key=_size)[:_PILOT]
        return short[: max(1, int(self._part / _size(short[-1])))]

    def pilot_candidates(self, requests: Sequence[Request], most: int) -> int:
        """How many candidates the pilot may try, were each as costly as the first."""
        size = float(sum(map(_size, requests)))
        return min(most, int(self.seconds * _TRY / (_rate(self._measured) * size or 1e-9)))

    def candidates(self, most: int) -> int:
        """How many candidates per text there is time for now."""
        count = fit(self.seconds, self._left, self._measured, most)
        if count != self._said:
            log.info("time budget", candidates=count, seconds_left=round(self.seconds))
            self._said = count
        if count == 1 and not self._warned and self._short:
            log.warning("there is no time even for one candidate per text", seconds_left=round(self.seconds))
            self._warned = True
        return count

    def parts(self, requests: Sequence[Request], most: int) -> Iterator[Sequence[Request]]:
        """Cut a batch so small that what one part took can still change the next; not where nothing would change."""
        if float(sum(map(_size, requests))) > self._left:
            self.expect(requests)
        start = 0
        while start < len(requests):
            ample = self.begun and fit(self.seconds / 2, self._left, self._measured, most) == most
            end, filled = start + 1, _size(requests[start])
            while end < len(requests) and (ample or self._short or filled + _size(requests[end]) <= self._part):
                filled += _size(requests[end])
                end += 1
            yield requests[start:end]
            start = end

    @property
    def _short(self) -> bool:
        """Whether there is no time even for single candidates."""
        return self.begun and self.seconds < self._left * _rate([one for one in self._measured if one.candidates == 1])

    @contextmanager
    def measured(self, requests: Sequence[Request], candidates: int, *, done: bool = True) -> Iterator[None]:
        """Take the time that texts need; unless ``done``, they are still to be translated."""
        size = float(sum(map(_size, requests)))
        started = self._clock()
        yield
        self._measured.append(Measurement(size, candidates, self._clock() - started))
        if done:
            self._left = max(self._left - size, 0.0)


def _size(request: Request) -> int:
    return 1 + len(request.text)
