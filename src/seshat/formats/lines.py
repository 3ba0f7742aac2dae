"""Lines of a text file, one at a time, whatever is wrong with some of them.

A line that is too long, holds zero bytes or cannot be decoded comes with a reason in place of its text, so that
readers of parallel files stay in step.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from seshat.core.jsonl import cannot_read
from seshat.formats.encoding import Encoding

EXCERPT = 500
"""Characters of a bad line that are kept."""


class Line(NamedTuple):
    """One line: ``text`` without its line end, or, when ``reason`` is given, the start of what could not be read."""

    number: int
    text: str
    reason: str | None = None


def read_lines(path: Path, encoding: Encoding, limit: int) -> Iterator[Line]:
    """Read a file line by line in bounded memory.

    Args:
        path: the file.
        encoding: as :func:`seshat.formats.encoding.detect` found it.
        limit: longest line, in bytes (in characters for UTF-16 and UTF-32).

    Raises:
        DataError: the file cannot be opened or read.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(encoding.bom)
            if encoding.wide or encoding.newline == "\r":
                yield from _decoded(stream, encoding, limit)
            else:
                yield from _bytes(stream, encoding.name, limit)
    except OSError as error:
        raise cannot_read(path, error) from error


def _bytes(stream: BinaryIO, encoding: str, limit: int) -> Iterator[Line]:
    r"""Encodings in which the byte 10 is always a line end."""
    number = 0
    while raw := stream.readline(limit + 1):
        number += 1
        if len(raw) > limit and not raw.endswith(b"\n"):
            size = len(raw)
            while chunk := stream.readline(1 << 20):
                size += len(chunk)
                if chunk.endswith(b"\n"):
                    break
            yield _too_long(number, raw[: EXCERPT * 4].decode(encoding, errors="replace"), f"{size:,} bytes", limit)
            continue
        try:
            text = raw.decode(encoding)
        except UnicodeError as error:
            excerpt = raw[: EXCERPT * 4].decode("ascii", errors="replace")[:EXCERPT]
            where = f": {error}"
            if isinstance(error, UnicodeDecodeError):
                excerpt = raw[: EXCERPT * 4].decode(encoding, errors="replace")[:EXCERPT]
                where = f": byte {error.start + 1} of the line ({raw[error.start]:#04x})"
            yield Line(number, excerpt.rstrip("\r\n"), f"cannot be decoded as {encoding}{where}")
            continue
        yield _checked(number, text)


def _decoded(stream: BinaryIO, encoding: Encoding, limit: int) -> Iterator[Line]:
    """UTF-16, UTF-32, and files whose lines end with a carriage return."""
    with io.TextIOWrapper(stream, encoding=encoding.name, errors="replace", newline=encoding.newline) as wrapper:
        number = 0
        while text := wrapper.readline(limit + 1):
            number += 1
            if len(text) > limit and not text.endswith(encoding.newline):
                size = len(text)
                while chunk := wrapper.readline(1 << 20):
                    size += len(chunk)
                    if chunk.endswith(encoding.newline):
                        break
                yield _too_long(number, text, f"{size:,} characters", limit)
            elif "\ufffd" in text:
                yield Line(number, text[:EXCERPT].rstrip("\r\n"), f"cannot be decoded as {encoding.name}")
            else:
                yield _checked(number, text)


def _too_long(number: int, text: str, size: str, limit: int) -> Line:
    return Line(number, text[:EXCERPT], f"the line is too long: {size}, more than max_line_bytes ({limit:,})")


def _checked(number: int, text: str) -> Line:
    text = text.removesuffix("\n").removesuffix("\r")
    if "\0" in text:
        return Line(number, text[:EXCERPT], "the line holds zero bytes (NUL): it is damaged, or not text")
    return Line(number, text)
