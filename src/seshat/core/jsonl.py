"""JSON Lines of records: streaming reads, atomic writes.

A file that is being written has another name until it is complete, so a killed run leaves the old file or the
new one, never half of one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from seshat.core.errors import DataError, DiskFull, UsageError
from seshat.core.paths import inside

if TYPE_CHECKING:
    from pydantic import BaseModel

R = TypeVar("R", bound="BaseModel")

OPEN_TO = "SESHAT_UMASK"
"""Environment variable: the umask of a project that several people write, such as 007; default: 077, for its owner."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary file beside ``path`` to write; it takes the name ``path`` only when the block ends well.

    What killed runs left behind for the same path is taken away. Errors of the block about other files pass through.

    Args:
        path: the file to write; its folder is made.

    Raises:
        DataError: the disk is full or the folder may not be written to.
    """
    inside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "rb") as held:
            lock(held.fileno())  # says that this writer is alive
            yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(_mode(path))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.filename is not None and error.filename not in {str(temporary), str(path)}:
            raise  # about another file, such as one that the block reads
        raise cannot_write(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_write(path: Path, *, newline: str = "\n") -> Iterator[IO[str]]:
    r"""Open ``path`` for writing text (UTF-8); it appears under its name only when the block ends well.

    Args:
        path: the file to write; its folder is made.
        newline: what "\n" is written as.

    Raises:
        DataError: the disk is full or the folder may not be written to.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline=newline) as stream:
        yield stream


def lock(descriptor: int) -> bool:
    """Lock an open file for as long as it is open, where the system can; whether nobody else held the lock."""
    if sys.platform == "win32":  # there, temporary files of killed runs stay until somebody deletes them
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(path: Path) -> None:
    """Take away temporary files for ``path`` whose writers are dead: those that nobody has locked."""
    for entry in path.parent.iterdir():
        if entry.name.startswith(f".{path.name}.") and entry.name.endswith(".tmp"):
            with contextlib.suppress(OSError), entry.open("rb") as stream:
                if lock(stream.fileno()):
                    entry.unlink(missing_ok=True)


def umask() -> int:
    """What new files and folders may not be used for: records belong to their owner, unless somebody says otherwise.

    Raises:
        UsageError: :data:`OPEN_TO` is no umask.
    """
    try:
        return int(os.environ.get(OPEN_TO) or "077", 8) & 0o777
    except ValueError as error:
        raise UsageError(f"{OPEN_TO} is no umask: write three octal digits, such as 007 or 027.") from error


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, or those of a new file of this user."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        return 0o666 & ~umask()


def cannot_write(path: Path, error: OSError) -> DataError:
    """The error for a file that cannot be written, in plain words."""
    reasons = {
        errno.ENOSPC: ("the disk is full", "Free some space and run the same command again: nothing is lost."),
        errno.EDQUOT: ("the disk quota is used up", "Free some space and run the same command again."),
        errno.EACCES: ("no permission", "Check who owns the folder, or run as its owner."),
        errno.EPERM: ("no permission", "Check who owns the folder, or run as its owner."),
        errno.EROFS: ("the disk is read-only", "Copy the project to a disk that can be written to."),
    }
    reason, hint = reasons.get(error.errno or 0, (error.strerror or str(error), None))
    kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else DataError
    return kind(f"{path}: cannot write: {reason}.", hint)


def cannot_read(path: Path, error: OSError) -> DataError:
    """The error for a file that cannot be read, in plain words."""
    reasons = {
        errno.ENOENT: ("there is no such file", None),
        errno.EACCES: ("no permission", "Check who owns the file, or run as its owner."),
        errno.EPERM: ("no permission", "Check who owns the file, or run as its owner."),
        errno.EISDIR: ("it is a folder", None),
        errno.EIO: ("the disk reports an error", "Copy the file anew from where it came from."),
    }
    reason, hint = reasons.get(error.errno or 0, (error.strerror or str(error), None))
    return DataError(f"{path}: cannot read: {reason}.", hint)


def sha256(path: Path) -> str:
    """SHA-256 of what stands in a file, in hexadecimal digits.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise cannot_read(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(path) as stream:
        stream.write(text)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a binary file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value atomically, indented, keys in the given order."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def dump(record: BaseModel) -> str:
    """A record as one line of JSON, without the fields that hold their default."""
    return record.model_dump_json(exclude_defaults=True)


def write_jsonl(path: Path, records: Iterable[BaseModel]) -> int:
    """Write records atomically, one a line; returns how many."""
    count = 0
    with atomic_write(path) as stream:
        for record in records:
            stream.write(dump(record))
            stream.write("\n")
            count += 1
    return count


def count_lines(*paths: Path) -> int:
    """How many lines some files have together, for a progress bar; one that is not there has none."""
    total = 0
    for path in paths:
        with contextlib.suppress(OSError), path.open("rb") as stream:
            total += sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    return total


def read_jsonl(path: Path, kind: type[R]) -> Iterator[R]:
    """Read records of one kind, streaming. A missing file has no records.

    Raises:
        DataError: the file cannot be read, or a line is not such a record; names ``file:line``.
    """
    from pydantic import ValidationError

    if not path.exists():
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise cannot_read(path, error) from error
    with stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"])
                raise DataError(
                    f"{path}:{number}: not a {kind.__name__}: {place + ': ' if place else ''}{first['msg']}.",
                    "Run the stage that wrote this file again, or mend the line.",
                ) from error
