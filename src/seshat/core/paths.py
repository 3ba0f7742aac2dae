"""Where Seshat may write and what it may take away.

A project is a folder that may come from a stranger, and a link in it can lead anywhere. So every file and folder that
Seshat writes, moves or removes passes here first: its real place must lie inside the project that its name says.
Folders without a project above them (an export that somebody asks for, a cache) are where their user put them.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from seshat.core.errors import DataError

MARK = "seshat.yaml"
"""The file that makes a folder a project."""


def inside(path: Path) -> Path:
    """A path that may be written to: links on the way to it do not lead out of the project that it is named in.

    Every folder above ``path``, as it is written, that holds a :data:`MARK` is a project; a link could lead into
    another one, so all of them are asked.

    Args:
        path: a file or folder, there or not.

    Returns:
        The same path.

    Raises:
        DataError: its real place is outside; names the link.
    """
    full = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links that are looked for
    real = os.path.realpath(full)
    for root in full.parents:
        if os.path.lexists(root / MARK) and not _within(real, os.path.realpath(root)):
            link = next((part for part in _parts(full, root) if part.is_symlink()), full)
            raise DataError(
                f"{link}: this link leads out of the project, to {os.path.realpath(link)}; "
                "nothing is written or removed there.",
                "Replace the link by a folder of the project, or move the whole project to the other disk.",
            )
    return path


def sealed(path: Path) -> Path:
    """The same for everything below a folder: no link in it leads out of the project."""
    for place, folders, files in os.walk(inside(path)):
        for name in (*folders, *files):
            if (link := Path(place, name)).is_symlink():
                inside(link)
    return path


def readable(path: Path) -> Path:
    """A path that may be opened: not a pipe or device, which a program could wait for without end.

    Raises:
        DataError: it is one, or links that lead in a circle.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DataError(f"{path}: a link that leads in a circle.", "Take it away.") from error
        return path  # what opens it says what is wrong
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(f"{path}: neither a file nor a folder, but a pipe or device; not read.", "Take it away.")
    return path


def all_readable(folder: Path) -> None:
    """Look at everything below a folder (or at a file) before a library reads it; links are not followed.

    Raises:
        DataError: there is a pipe or device, or a link that leads in a circle.
    """
    readable(folder)
    for place, _, files in os.walk(folder):
        for name in files:
            readable(Path(place) / name)


def remove(path: Path) -> None:
    """Take a file or folder away, if it is there; of a link the link alone.

    Raises:
        DataError: it lies outside the project that it is named in, or the system refuses.
    """
    inside(path.parent)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be removed: {error.strerror or error}.") from error


def move(path: Path, target: Path) -> None:
    """Give a file or folder another name on the same disk; a file that has it already is replaced.

    Raises:
        DataError: one of the two lies outside the project that it is named in, or the system refuses.
    """
    inside(path)
    inside(target)
    try:
        path.replace(target)
    except OSError as error:
        raise DataError(f"{path}: cannot be moved to {target}: {error.strerror or error}.") from error


def swap(finished: Path, folder: Path) -> None:
    """Give a finished folder, which may be on another disk, its name; what had it stays until the new one is whole.

    Args:
        finished: a folder that is complete.
        folder: where it belongs; what is there goes. After a kill, :func:`recover` brings back what was there.

    Raises:
        DataError: one of the two lies outside the project that it is named in, or the system refuses.
    """
    former, beside = _beside(folder, "former"), _beside(folder, "new")
    recover(folder)
    inside(folder)
    remove(beside)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(inside(finished), beside)
    except OSError as error:
        raise DataError(f"{finished}: cannot be moved to {folder}: {error.strerror or error}.") from error
    if folder.exists():
        move(folder, former)
    move(beside, folder)
    remove(former)


def recover(folder: Path) -> None:
    """Bring back what :func:`swap` was replacing when it was killed between its moves."""
    former = _beside(folder, "former")
    if former.exists() and not folder.exists():
        move(former, folder)
    remove(former)


def _beside(folder: Path, word: str) -> Path:
    return folder.with_name(f".{folder.name}.{word}.tmp")


def fresh(folder: Path) -> Path:
    """An empty folder; what a killed run left in it goes.

    Raises:
        DataError: it lies outside the project that it is named in, or the system refuses.
    """
    inside(folder)
    remove(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made: {error.strerror or error}.") from error
    return folder


def strangers(folder: Path, known: Iterable[str]) -> list[str]:
    """Names of what lies in a folder and is not in a list of what Seshat made there.

    Args:
        folder: a folder, there or not.
        known: names of files relative to it, with slashes; the folders on the way to them are known, too.
    """
    names = set(known)
    return sorted(name for name in _files(folder) if name not in names)


def _files(folder: Path) -> Iterator[str]:
    """Files, links and empty folders below a folder, relative to it; links are not followed."""
    for place, folders, files in os.walk(folder):
        here = Path(place).relative_to(folder)
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *linked):
            yield (here / name).as_posix()


def _parts(full: Path, root: Path) -> Iterator[Path]:
    """The paths from the project down to a path, the nearest to the project first."""
    place = root
    for part in full.relative_to(root).parts:
        place /= part
        yield place


def _within(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)
