"""The list of objects in a JSON file, one object at a time, with line numbers.

The text of the file is held in memory; its objects are not. A file that breaks off gives what stands before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.decoder import JSONDecodeError
from pathlib import Path
from typing import Any

import regex

from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read
from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.lines import EXCERPT
from seshat.formats.rows import Row, unusable

_SPACE = regex.compile(r"[ \t\r\n]*+")
_DECODER = json.JSONDecoder()


def objects(path: Path, place: str | None, context: Context) -> Iterator[Row | Reject]:
    """The objects of the list at ``place``, such as ``words`` or ``data.entries``.

    Args:
        path: the file: a list, or an object that holds one.
        place: where the list stands; not needed when the file is a list or holds only one list of objects.
        context: for the report, the encoding and the limit.

    Raises:
        DataError: the file cannot be read, or it is not clear which list is meant.
    """
    encoding = context.encoding(path)
    try:
        text = path.read_bytes()[encoding.bom :].decode(encoding.name, errors="replace")
    except OSError as error:
        raise cannot_read(path, error) from error
    if not text.strip():
        return
    try:
        start = _find(text, place, path)
    except (JSONDecodeError, RecursionError) as error:
        line = error.lineno if isinstance(error, JSONDecodeError) else 1
        yield context.reject(path, line, f"no JSON: {error}", text[:EXCERPT])
        return
    yield from _items(text, start, path, context)


def _items(text: str, position: int, path: Path, context: Context) -> Iterator[Row | Reject]:
    """The items of the list whose bracket stands before ``position``."""
    number, line, counted = 0, 1, 0
    limit = context.ingest.max_line_bytes
    position = _skip(text, position)
    if text[position : position + 1] == "]":
        return
    while True:
        line, counted = line + text.count("\n", counted, position), position
        number += 1
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (JSONDecodeError, RecursionError) as error:
            reason = f"no JSON ({error}); the rest of the file is not read"
            context.report(path).remarks.append(f"line {line}: {reason}")
            yield context.reject(path, line, reason, text[position : position + EXCERPT])
            return
        refused = unusable(value, text[position:end])
        if refused is None and end - position > limit:
            refused = "the row is longer than max_line_bytes"
        if refused is not None:
            yield context.reject(path, line, refused, text[position : position + EXCERPT])
        else:
            yield Row(line, number, value)
        position = _skip(text, end)
        if text[position : position + 1] != ",":
            if text[position : position + 1] != "]":
                reason = "the list breaks off here: a comma or a closing bracket is missing"
                context.report(path).remarks.append(f"line {line}: {reason}")
                yield context.reject(path, line, reason, text[position : position + EXCERPT])
            return
        position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _find(text: str, place: str | None, path: Path) -> int:
    """Where the wanted list starts: the position after its bracket."""
    start = _skip(text, 0)
    opening = text[start : start + 1]
    if place is not None:
        return _descend(text, start, place.split("."), path)
    if opening == "[":
        return start + 1
    if opening != "{":
        raise DataError(f"{path}: neither a list nor an object.", "A table in JSON is a list of objects: [{…}, {…}].")
    lists = [(key, at) for key, at in _members(text, start, tolerant=True) if _is_list_of_objects(text, at)]
    if len(lists) == 1:
        return lists[0][1] + 1
    if not lists:
        raise DataError(f"{path}: there is no list of objects.", "Say where the list stands with rows: key.key")
    names = ", ".join(key for key, _ in lists)
    raise DataError(f"{path}: there are several lists of objects: {names}.", f"Choose one: rows: {lists[0][0]}")


def _descend(text: str, start: int, keys: list[str], path: Path) -> int:
    for key in keys:
        if text[start : start + 1] != "{":
            raise DataError(f"{path}: rows: {'.'.join(keys)} leads nowhere: '{key}' is looked for in no object.")
        members: dict[str, int] = {}
        for name, at in _members(text, start, tolerant=True):
            members[name] = at
            if name == key:
                break
        if key not in members:
            raise DataError(f"{path}: there is no '{key}' for rows: {'.'.join(keys)}.", f"Found: {', '.join(members)}.")
        start = members[key]
    if text[start : start + 1] != "[":
        raise DataError(f"{path}: rows: {'.'.join(keys)} is no list.")
    return start + 1


def _is_list_of_objects(text: str, at: int) -> bool:
    first = _skip(text, at + 1)
    return text[at : at + 1] == "[" and text[first : first + 1] == "{"


def _members(text: str, start: int, *, tolerant: bool) -> Iterator[tuple[str, int]]:
    """Keys of the object at ``start`` and where their values start.

    Args:
        text: the file.
        start: position of the brace.
        tolerant: let the last value be broken off: its place is known, and its reader will tell.
    """
    position = _skip(text, start + 1)
    while text[position : position + 1] not in {"}", ""}:
        key, position = _key(text, position)
        at = _skip(text, position)
        yield key, at
        try:
            position = _skip(text, _DECODER.raw_decode(text, at)[1])
        except JSONDecodeError:
            if tolerant and text[at : at + 1] == "[":
                return
            raise
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)


def _key(text: str, position: int) -> tuple[str, int]:
    key: Any
    key, end = _DECODER.raw_decode(text, position)
    end = _skip(text, end)
    if not isinstance(key, str) or text[end : end + 1] != ":":
        raise JSONDecodeError("a key and a colon are expected", text, position)
    return key, end + 1
