"""The machine and the Python on it: versions, disk, memory, cores, text encoding."""

from __future__ import annotations

import importlib
import importlib.metadata
import locale
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seshat.core.errors import DISTRIBUTION, install_command

Status = Literal["ok", "warn", "fail", "absent"]


@dataclass(frozen=True)
class Finding:
    """One thing about this machine.

    ``ok`` works; ``warn`` works with a catch; ``fail`` should work and does not; ``absent`` is optional and not
    there. ``advice`` says what to do, where there is something to do.
    """

    name: str
    status: Status
    detail: str
    advice: str | None = None


GIB = 1 << 30
_SCRIPTS = "ñ ʼ ẹ̀ ḫ தமிழ் ሰላም བོད 𒀀"
_CGROUP = Path("/sys/fs/cgroup")


def python() -> Finding:
    """The interpreter. An older one than Seshat needs cannot have it installed."""
    return Finding("python", "ok", f"{platform.python_version()} ({platform.system()} {platform.machine()})")


def packages() -> Finding:
    """The core packages: all there, and new enough?"""
    from packaging.requirements import Requirement

    wrong, good = [], []
    for text in importlib.metadata.requires(DISTRIBUTION) or ():
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if wanted.specifier.contains(version, prereleases=True):
            good.append(f"{wanted.name} {version}")
        else:
            wrong.append(f"{wanted.name} {version} is not {wanted.specifier}")
    if wrong:
        return Finding("packages", "fail", "; ".join(wrong), f"Install them again: {install_command()}")
    return Finding("packages", "ok", ", ".join(good))


def disk(folder: Path) -> Finding:
    """Room on the disk of a folder, and whether it can be written to."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / GIB:.1f} GiB free at {folder}"
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding("disk", "fail", f"{detail}; cannot be written to: {error.strerror}", "Work in another folder.")
    if free < GIB // 2:
        return Finding("disk", "fail", detail, "Free some space: even a small project needs half a GiB.")
    if free < 5 * GIB:
        return Finding("disk", "warn", detail, "Enough for the statistical family; neural models need more.")
    return Finding("disk", "ok", detail)


def memory() -> Finding:
    """Memory that is free now, within the limit of the container."""
    free, total = available()
    detail = f"{free / GIB:.1f} GiB available of {total / GIB:.1f}"
    if free < GIB:
        return Finding("memory", "warn", detail, "Close other programs: training a small model needs 1 to 2 GiB.")
    return Finding("memory", "ok", detail)


def available() -> tuple[int, int]:
    """Bytes of memory that are free now, and in all, within the limit of the container."""
    free, total = _memory()
    limit = _number(_CGROUP / "memory.max")
    if limit is not None and limit < total:
        used = _number(_CGROUP / "memory.current") or 0
        total, free = limit, min(free, max(0, limit - used))
    return free, total


def cores() -> Finding:
    """Processor cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    detail = f"{usable} usable of {os.cpu_count()}"
    quota = _quota()
    if quota is not None and quota < usable:
        return Finding("cores", "warn", f"{detail}; the container allows the work of {quota:g}")
    return Finding("cores", "ok", detail)


def text() -> Finding:
    """Whether all scripts can be printed and used in names of files."""
    output = (sys.stdout.encoding or "unknown") if sys.stdout else "none"
    detail = f"terminal {output}, files {locale.getpreferredencoding(False)}, names {sys.getfilesystemencoding()}"
    try:
        _SCRIPTS.encode(output)
    except (UnicodeEncodeError, LookupError):
        advice = "Set PYTHONUTF8=1 (or LANG=C.UTF-8): otherwise letters outside its alphabet cannot be printed."
        return Finding("text", "warn", detail, advice)
    with tempfile.TemporaryDirectory() as folder:
        try:
            (Path(folder) / _SCRIPTS).write_text(_SCRIPTS, encoding="utf-8")
        except (OSError, UnicodeError):
            advice = "Give raw files plain names, or set PYTHONUTF8=1."
            return Finding("text", "warn", f"{detail}; names of files cannot hold all letters", advice)
    return Finding("text", "ok", detail)


def _memory() -> tuple[int, int]:
    """Bytes available and in all."""
    try:
        psutil = importlib.import_module("psutil")  # comes with DVC; knows every system
    except ImportError:
        page = os.sysconf("SC_PAGE_SIZE")
        return os.sysconf("SC_AVPHYS_PAGES") * page, os.sysconf("SC_PHYS_PAGES") * page
    now = psutil.virtual_memory()
    return int(now.available), int(now.total)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None  # not Linux, no container, or "max"


def _quota() -> float | None:
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return None
