"""What Seshat has written in a folder that people may put files into as well.

The folder holds a list of the files, each with its hash. What is no longer wanted goes by that list alone: a file that
is not on it, or is not any more what was written, is somebody else's and stays.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from seshat.core.jsonl import sha256, write_json
from seshat.core.paths import inside, remove

LIST = ".written.json"
"""Name of a file relative to the folder -> SHA-256 of its content."""


def note_written(folder: Path, names: Iterable[str]) -> None:
    """Write down that these files of a folder, named with slashes, are Seshat's.

    Raises:
        DataError: the folder lies outside the project that it is named in, or cannot be written to.
    """
    inside(folder).mkdir(parents=True, exist_ok=True)
    write_json(folder / LIST, {name: sha256(folder / name) for name in sorted(names)})


def remove_written(folder: Path, keep: Collection[str] = ()) -> list[str]:
    """Take away what Seshat has written in a folder, and the folders that this leaves empty.

    Args:
        folder: there or not.
        keep: names that stay, because they are written again.

    Returns:
        What lies there and is not on the list, or has been changed since.

    Raises:
        DataError: the folder lies outside the project that it is named in, or the system refuses.
    """
    if not inside(folder).is_dir():
        return []
    written: dict[str, str] = {}
    with suppress(OSError, ValueError):
        read = json.loads((folder / LIST).read_bytes())
        written = read if isinstance(read, dict) else {}
    there = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or path.is_file()]
    others = []
    for path in there:
        name = path.relative_to(folder).as_posix()
        if name in keep or name == LIST:
            continue
        if not path.is_symlink() and written.get(name) == sha256(path):
            remove(path)
        else:
            others.append(name)
    if not keep:
        remove(folder / LIST)
    for place in (*sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True), folder):
        with suppress(OSError):  # not empty, or a link
            place.rmdir()
    return others
