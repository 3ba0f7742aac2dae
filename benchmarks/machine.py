"""What a figure was measured on: the machine, the revision of the code, and who else used the processor meanwhile."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_BUSY = (0, 1, 2, 5, 6, 7)
"""Columns of the first line of /proc/stat in which a processor worked: user, nice, system, irq, softirq, steal."""


def describe() -> dict[str, Any]:
    """The machine: processor, cores this process may use, memory, system, Python."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def revision() -> dict[str, Any]:
    """The git revision, and whether the code differs from it (new files too); empty outside a repository."""
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--", "src", "benchmarks", "projects", ":!benchmarks/results")
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit, "modified": bool(changed)}


class Meter:
    """Measures a block: ``wall_seconds``, ``own_cpu_seconds``, ``others_cpu_share``, ``peak_memory_mb``.

    ``others_cpu_share`` is the part of the machine's processor time that went to processes other than this one and
    those it waited for: what is busy in /proc/stat less what :func:`os.times` says. Workers of a process that was
    killed were waited for by nobody and count as others. ``None`` off Linux.
    """

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}

    def __enter__(self) -> Meter:
        self._wall, self._own, self._stat = time.monotonic(), _own(), _stat()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _t: TracebackType | None
    ) -> None:
        wall, own = time.monotonic() - self._wall, _own() - self._own
        share: float | None = None
        after = _stat()
        if self._stat and after:
            busy, total = (now - before for now, before in zip(after, self._stat, strict=True))
            share = round(max(0.0, busy - own) / total, 3) if total else 0.0
        self.figures = {
            "wall_seconds": round(wall, 2),
            "own_cpu_seconds": round(own, 2),
            "others_cpu_share": share,
            "peak_memory_mb": _peak(),
        }


def _own() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _stat() -> tuple[float, float] | None:
    """Seconds that all processors together worked, and that passed on them, since the machine started."""
    try:
        line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    except OSError:
        return None
    columns = [int(number) for number in line.split()[1:9]]
    tick = os.sysconf("SC_CLK_TCK")
    return sum(columns[i] for i in _BUSY) / tick, sum(columns) / tick


def _peak() -> int | None:
    """Largest memory of this process or of one that it waited for, in MB."""
    try:
        import resource
    except ModuleNotFoundError:
        return None
    unit = 1 if platform.system() == "Darwin" else 1024
    usages = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(max(usages) * unit / 1e6)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (OSError, ValueError, AttributeError):
        return None


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()
