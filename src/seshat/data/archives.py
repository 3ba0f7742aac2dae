"""Unpacks zip archives from elsewhere: nothing leaves the folder, nothing grows without limit."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from seshat.core.errors import DataError
from seshat.core.jsonl import atomic_path, cannot_read

MOST_MEMBERS = 100_000
BLOCK = 1 << 20


@contextmanager
def opened(archive: Path, most_bytes: int) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose members have all been looked at.

    Args:
        archive: the file.
        most_bytes: refuse it when its members say that they are larger together.

    Raises:
        DataError: it is no whole archive, or a member is not safe; lists the first ones.
    """
    try:
        with zipfile.ZipFile(archive) as found:
            faults = _faults(found, most_bytes)
            if faults:
                listed = "".join(f"\n- {fault}" for fault in faults[:10])
                raise DataError(f"{archive.name}: not unpacked:{listed}", "Look at where this archive comes from.")
            yield found
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{archive.name}: a damaged archive: {error}.", "Fetch it again.") from error


def members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files in it."""
    return [one for one in archive.infolist() if not one.is_dir()]


def extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member to a file, which appears only when whole and its checksum right.

    Raises:
        DataError: it is damaged, or larger than the archive says.
    """
    left = member.file_size
    with atomic_path(target) as temporary, archive.open(member) as stream, temporary.open("wb") as out:
        while block := stream.read(BLOCK):
            left -= len(block)
            if left < 0:
                raise DataError(f"{member.filename}: larger than the archive says: {member.file_size:,} bytes.")
            out.write(block)


def _faults(archive: zipfile.ZipFile, most_bytes: int) -> list[str]:
    found = [f"{one.filename!r}: {why}" for one in archive.infolist() if (why := _unsafe(one))]
    files = members(archive)
    seen: set[str] = set()
    for one in files:
        key = one.filename.casefold()
        if key in seen:
            found.append(f"{one.filename!r}: stands there twice")
        seen.add(key)
    total = sum(one.file_size for one in files)
    if total > most_bytes:
        found.append(f"{total / 1e9:.1f} GB when unpacked; the limit is {most_bytes / 1e9:.1f} GB (max_gigabytes)")
    if len(files) > MOST_MEMBERS:
        found.append(f"{len(files):,} files; the limit is {MOST_MEMBERS:,}")
    return found


def _unsafe(member: zipfile.ZipInfo) -> str | None:
    name = member.orig_filename
    parts = PurePosixPath(name).parts
    if not name or "\0" in name or "\\" in name or ":" in name or name.startswith("/") or ".." in parts:
        return "leads out of the folder"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or another special file"
    return "is encrypted" if member.flag_bits & 0x1 else None


def below(raw: Path, path: str) -> Path:
    """A place below ``data/raw``; refuses links that lead out of it."""
    target = raw / path
    if not target.resolve().is_relative_to(raw.resolve()):
        raise DataError(
            f"{path}: a link on the way leads out of data/raw; nothing is written there.",
            "Take the link away, or choose another path in the recipe.",
        )
    return target


def copy(source: Path, target: Path) -> None:
    """Copy a file; it appears under its new name when it is whole.

    Raises:
        DataError: one of them cannot be read or written.
    """
    try:
        stream = source.open("rb")
    except OSError as error:
        raise cannot_read(source, error) from error
    with stream, atomic_path(target) as temporary, temporary.open("wb") as out:
        shutil.copyfileobj(stream, out, BLOCK)
