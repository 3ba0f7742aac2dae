"""What a result was made from: configuration, data, software, command.

A snapshot answers, months later, "which files, which settings, which versions gave this figure?". It holds no
environment variables, and what looks like a key or password is masked.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seshat.core.errors import DISTRIBUTION, DataError
from seshat.core.jsonl import write_json
from seshat.core.progress import task

if TYPE_CHECKING:
    from seshat.project.folder import Project

T = TypeVar("T")
RUNS = "runs"
MASK = "***"
_CACHE = "hashes.json"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_OF_GIT = 10 << 20
_SETTLED_NS = 2_000_000_000
"""A file changed less than two seconds ago may change again within the resolution of its time stamp."""
_SECRET_NAME = re.compile(
    r"(^|[._-])(api_?key|key|token|secret|pass(word|wd|phrase)?|credentials?|auth)$", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"\b(hf_[A-Za-z0-9]{16,}|sk-[\w-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[A-Z0-9]{16}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]*)"
)
_IN_ADDRESS = re.compile(
    r"(?<=://)[^/\s@]+(?=@)|(?<=[?&])((?:[\w-]*(?:key|token|secret|signature|password))=)[^&\s#]+", re.I
)


def snapshot(project: Project, command: Sequence[str] = ()) -> dict[str, Any]:
    """Everything that a run depends on.

    Args:
        project: the project.
        command: the command line, as a list of arguments.

    Returns:
        JSON-able; equal for equal projects on the same machine (it holds no time and no absolute path of the project).
    """
    config = project.config.model_dump(mode="json", by_alias=True)
    data = data_hashes(project)
    return {
        "command": masked_command(command),
        "seed": project.config.project.seed,
        "purpose": project.config.project.purpose,
        "max_access": project.config.project.max_access.value,
        "config": masked(config),
        "config_sha256": _digest(config),
        "data": data,
        "data_sha256": _digest(data),
        "git": git_revision(project.root),
        "packages": package_versions(),
        "python": platform.python_version(),
        "platform": {"system": platform.platform(), "machine": platform.machine(), "cores": os.cpu_count()},
    }


def record_run(project: Project, snapshot: dict[str, Any]) -> Path:
    """Keep a snapshot as ``reports/runs/<UTC time>.json``; returns the file."""
    now = datetime.now(UTC)
    path = project.reports / RUNS / f"{now:%Y%m%dT%H%M%S.%fZ}.json"
    write_json(path, {"recorded": now.isoformat(timespec="seconds"), **snapshot})
    return path


def data_hashes(project: Project) -> dict[str, str]:
    """SHA-256 of every file below ``data/raw``, by its name there.

    A file whose size and time stamp are those of the last call is not read again.

    Raises:
        DataError: a file cannot be read.
    """
    cache = project.state / _CACHE
    known = _read_cache(cache)
    found: dict[str, str] = {}
    kept: dict[str, list[Any]] = {}
    now = time.time_ns()
    files = sorted(_files(project.raw))
    with task("hash raw files", len(files)) as advance:
        for name, path in files:
            stat = _readable(path, path.stat)
            stamp = [stat.st_size, stat.st_mtime_ns]
            before = known.get(name)
            found[name] = before[2] if before and before[:2] == stamp else _readable(path, partial(_sha256, path))
            if now - stat.st_mtime_ns > _SETTLED_NS:
                kept[name] = [*stamp, found[name]]
            advance(1)
    if kept != known:
        with contextlib.suppress(DataError):  # it only saves time
            write_json(cache, kept)
    return found


def package_versions() -> dict[str, str]:
    """Versions of Seshat and of the installed packages among those it can use."""
    versions = {"seshat": "unknown"}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        versions["seshat"] = importlib.metadata.version(DISTRIBUTION)
        for requirement in importlib.metadata.requires(DISTRIBUTION) or ():
            name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                versions[name] = importlib.metadata.version(name)
    return dict(sorted(versions.items()))


def git_revision(folder: Path) -> str | None:
    """The commit that a folder stands at; nothing outside of git.

    Read from the files of the repository: the ``git`` command would run programs that a stranger's repository names
    (``core.fsmonitor``, filters). Whether files have changed since is told by their hashes.
    """
    for place in (folder, *folder.parents):
        found = _text(place / ".git") if (place / ".git").is_file() else None
        home = place / (found.removeprefix("gitdir:").strip() if found else ".git")
        if (home / "HEAD").is_file():
            return _commit(home)
    return None


def _commit(home: Path) -> str | None:
    """The commit of ``HEAD``: its own, that of the branch it names, or that of the branch among the packed ones."""
    head = _text(home / "HEAD") or ""
    if not head.startswith("ref:"):
        return head if _COMMIT.fullmatch(head) else None
    branch = head.removeprefix("ref:").strip()
    shared = home / (_text(home / "commondir") or "")  # of a work tree beside the first
    if not re.fullmatch(r"refs/[\w./+@-]+", branch) or ".." in branch:
        return None
    for place in (home, shared):
        if _COMMIT.fullmatch(found := _text(place / branch) or ""):
            return found
    packed = re.search(rf"^([0-9a-f]{{40,64}}) {re.escape(branch)}$", _text(shared / "packed-refs") or "", re.MULTILINE)
    return packed[1] if packed else None


def _text(path: Path) -> str | None:
    """A small file of git's, if it is one."""
    try:
        if path.is_file() and path.stat().st_size < _MOST_OF_GIT:
            return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        pass
    return None


def masked(value: Any, name: str = "") -> Any:
    """A JSON-able value in which what looks like a key or password is masked."""
    if isinstance(value, dict):
        return {key: masked(item, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, name) for item in value]
    if not isinstance(value, str) or not value:
        return value
    if _SECRET_NAME.search(name):
        return MASK
    return _IN_ADDRESS.sub(lambda match: (match[1] or "") + MASK, _SECRET_VALUE.sub(MASK, value))


def masked_command(command: Sequence[str]) -> list[str]:
    """A command line in which the values of ``section.api_key=…``, ``--token=…`` and ``--token …`` are masked."""
    shown: list[str] = []
    after_secret = False
    for argument in command:
        name, equals, value = argument.partition("=")
        if after_secret and not argument.startswith("-"):
            shown.append(MASK)
        elif equals:
            shown.append(f"{masked(name)}={masked(value, name)}" if _SECRET_NAME.search(name) else masked(argument))
        else:
            shown.append(masked(argument))
        after_secret = argument.startswith("--") and not equals and bool(_SECRET_NAME.search(argument))
    return shown


def _files(raw: Path) -> Iterator[tuple[str, Path]]:
    """Files below ``raw`` by name; folders that are links are entered, each folder once."""
    seen: set[str] = set()
    for folder, subfolders, names in os.walk(raw, onerror=_unreadable, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders.sort()
        for name in names:
            path = Path(folder, name)
            if name != ".gitkeep" and path.is_file():
                yield path.relative_to(raw).as_posix(), path


def _readable(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except OSError as error:
        raise _cannot_read(path, error) from error


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise _cannot_read(Path(error.filename), error) from error


def _cannot_read(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path}: cannot be read: {error.strerror or error}.", "Check who owns it, or remove it from data/raw."
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_cache(path: Path) -> dict[str, list[Any]]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {name: entry for name, entry in known.items() if isinstance(entry, list) and len(entry) == 3}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
