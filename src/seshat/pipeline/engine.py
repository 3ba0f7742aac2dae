"""Bringing a project up to date: only what changed runs, and a killed run goes on where it was.

DVC judges what changed and remembers what ran; the stages run inside this process, one after the other, so that errors,
progress and Ctrl-C need no detour through a shell, and no process is left behind when this one is killed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import structlog

from seshat.core import progress
from seshat.core.errors import DataError, SeshatError, UsageError
from seshat.core.paths import all_readable, remove, sealed
from seshat.pipeline import graph, memory
from seshat.pipeline.cache import Cache
from seshat.pipeline.lock import Lock, hold
from seshat.pipeline.stages import on_demand, stage, stages_of
from seshat.project.folder import Project
from seshat.project.stage import Stage

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a stage: it ``ran``, came from the ``cache`` of earlier runs, or was ``current`` already."""

    stage: str
    state: Literal["ran", "cache", "current"]
    seconds: float
    reasons: tuple[str, ...]
    summary: dict[str, Any]


@dataclass(frozen=True)
class Status:
    """Whether a stage will run, and why. ``after``: stages that run before it and may change what it reads.

    ``off``: only its own command runs it; the reasons say what that would take.
    """

    stage: str
    state: Literal["current", "will-run", "may-run", "off"]
    reasons: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


class Engine:
    """Runs the stages of one project. Made by :func:`engine`, which holds the project's lock."""

    def __init__(self, project: Project, cache: Cache, lock: Lock) -> None:
        self.project = project
        self._cache = cache
        self._lock = lock
        self._stages = stages_of(project.config)

    def status(self) -> list[Status]:
        """What a run would do, without running anything."""
        found: dict[str, Status] = {}
        for one in on_demand():
            if one not in self._stages and (cost := one.cost(self.project)):
                found[one.name] = Status(one.name, "off", (cost,))
        for one in self._stages:
            reasons = tuple(self._reasons(one))
            before = tuple(
                name for name in self._upstream(one) if name in found and found[name].state in ("will-run", "may-run")
            )
            state: Literal["current", "will-run", "may-run"] = "current"
            if reasons:
                state = "will-run"
                reasons += tuple(filter(None, [one.cost(self.project)]))
            elif before:
                state = "may-run"
            found[one.name] = Status(one.name, state, reasons, before)
        return list(found.values())

    def update(self, until: str | None = None) -> Iterator[Outcome]:
        """Bring every stage up to date, in order; gives the outcome of each as it is known.

        Args:
            until: the last stage; default: all.

        Raises:
            UsageError: there is no such stage.
        """
        last = self._place(stage(until)) if until else len(self._stages)
        for one in self._stages[: last + 1]:
            reasons = self._reasons(one)
            if not reasons:
                yield Outcome(one.name, "current", 0.0, (), self._summary(one.name))
                continue
            log.debug("stage is not up to date", stage=one.name, reasons=reasons)
            self._require(one)
            started = time.monotonic()
            restorable = one.shared is None or not one.shared.written
            if restorable and self._cache.restore(one.name):
                seconds = time.monotonic() - started
                yield Outcome(one.name, "cache", seconds, tuple(reasons), self._summary(one.name))
            else:
                yield self._run(one, reasons)

    def run(self, name: str) -> Outcome:
        """Run one stage on the project as it is, whether or not it is up to date.

        Raises:
            DataError: what the stage reads is not there yet.
        """
        one = stage(name)
        self._require(one)
        if one not in self._stages:  # it keeps its own books, of pages or of segments
            started = time.monotonic()
            with progress.task(one.name):
                summary = one.run(self.project)
            return Outcome(one.name, "ran", time.monotonic() - started, (), summary)
        return self._run(one, ["you asked for it"])

    def _place(self, one: Stage) -> int:
        if one not in self._stages:
            raise UsageError(f"'{one.name}' is not switched on for this run.", f"Run it with: seshat {one.name}")
        return self._stages.index(one)

    def _run(self, one: Stage, reasons: Sequence[str]) -> Outcome:
        self._lock.note(stage=one.name)
        for path in one.writes(self.project):
            sealed(path)
        before = self._cache.before(one.name)
        started = time.monotonic()
        with progress.task(one.name):
            summary = one.run(self.project)
        seconds = time.monotonic() - started
        missing = [graph.name(path, self.project) for path in one.writes(self.project) if not path.exists()]
        if missing:
            raise SeshatError(f"{one.name} ended without writing {', '.join(missing)}.", "This is a mistake in Seshat.")
        with progress.task(f"{one.name}: recording"):
            changed = self._cache.remember(one.name, before)
        if changed:
            log.warning("input changed during the run; the stage will run again next time", changed=changed)
        key = self._cache.key(one.name)
        if key and not changed:
            shared = one.shared.path(self.project) if one.shared and one.shared.written else None
            written = graph.name(shared, self.project) if shared and shared.exists() else ""
            kept = memory.Memory(graph.settings(one, self.project), summary, written)
            memory.write(self.project.state, one.name, key, kept)
        return Outcome(one.name, "ran", seconds, tuple(reasons), summary)

    def _reasons(self, one: Stage) -> list[str]:
        """Why a stage has to run; empty when it is up to date."""
        for path in one.writes(self.project):
            sealed(path)  # DVC itself writes and removes there
        changes = self._cache.changes(one.name)
        key = self._cache.key(one.name)
        if changes and key is None:
            return ["it has not run yet"]
        known = memory.read(self.project.state, one.name, key or "")
        if known.shared and not (self.project.root / known.shared).exists():
            changes.append((known.shared, "deleted"))
        return memory.explain(changes, known.settings, graph.settings(one, self.project))

    def _writers(self, path: Path) -> list[str]:
        """The stages that write a file or folder."""
        written = ((one.name, out) for one in self._stages for out in one.writes(self.project))
        return [name for name, out in written if path == out or out in path.parents]

    def _upstream(self, one: Stage) -> list[str]:
        """The stages that write what ``one`` reads."""
        return list(dict.fromkeys(name for path in one.reads(self.project) for name in self._writers(path)))

    def _require(self, one: Stage) -> None:
        """Refuse to run a stage before the one that writes its input."""
        for path in one.reads(self.project):
            if path.exists():
                continue
            writer = next(iter(self._writers(path)), None)
            raise DataError(
                f"{one.name} reads {graph.name(path, self.project)}, which does not exist"
                + (f" yet: {writer} writes it." if writer else "."),
                "Bring everything up to date with: seshat run" if writer else None,
            )

    def _summary(self, name: str) -> dict[str, Any]:
        """The summary of the run that made what is there now; empty when it is not known."""
        key = self._cache.key(name)
        return memory.read(self.project.state, name, key).summary if key else {}


@contextmanager
def engine(project: Project) -> Iterator[Engine]:
    """Hold the project and give the engine that runs its stages.

    Raises:
        ProjectBusy: another run is working in the project.
    """
    with hold(project.state) as lock:
        sweep(project)
        for path in {path for one in stages_of(project.config) for path in one.reads(project)}:
            all_readable(path)  # DVC reads all of it, and would wait at a pipe
        graph.write(project)
        cache = Cache(project.root)
        try:
            yield Engine(project, cache, lock)
        finally:
            cache.close()


def sweep(project: Project) -> list[Path]:
    """Remove the temporary files that a killed run left beside the files it was writing; returns them."""
    folders = (
        project.ingested,
        project.cleaned,
        project.aligned,
        project.augmented,
        project.processed,
        project.training,
        project.models,
        project.reports,
        project.state,
    )
    left = [path for folder in folders for path in folder.rglob(".*.tmp") if path.is_file()]
    left += [path for path in project.root.glob(".*.tmp") if path.is_file()]
    for path in left:
        remove(path)
    for path in project.root.glob(".dvc.*.tmp"):
        remove(path)
    return left
