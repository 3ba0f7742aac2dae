"""Tables in JSON: a list of objects, an object that holds one, or objects one after the other (JSON Lines).

The text of a ``.json`` file is held in memory; its objects are not. An object that is broken costs one row: reading
goes on with the next that can be told apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from json.decoder import JSONDecodeError
from pathlib import Path
from typing import Any

import regex

from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read
from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.lines import EXCERPT
from seshat.formats.rows import IsHeader, Row, Table, one_form

MOST_BYTES = 150_000_000
"""A larger file is refused: its text would take more memory than a reader may."""
_SPACE = regex.compile(r"[ \t\r\n\ufeff]*+")
_SEPARATOR = regex.compile(r"[ \t\r\n\ufeff]*+(?:,[ \t\r\n\ufeff]*+)?")
_TOKEN = regex.compile(r'"(?:[^"\\\n]++|\\.)*+"|[\[\]{}]')
"""A string, which ends with its line at the latest, or a bracket."""
_BORDER = regex.compile(r"(?<=\})\s*+,?\s*+(?=\{)")
_PATIENCE = 50
"""Objects without an end that are searched for it; after so many, the next line that begins one is taken."""


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < 300 else digits  # Python refuses to turn very long ones into numbers


_DECODER = json.JSONDecoder(parse_int=_whole, parse_constant=lambda _: None)
"""NaN and Infinity, which are no JSON, stand for a missing value."""


def json_lines(path: Path, context: Context, _: IsHeader) -> Table:
    """JSON Lines: one object a line. A list under this name is read as one.

    Raises:
        DataError: the file cannot be read, or its encoding is doubtful.
    """
    first = next((line.text.strip() for line in context.lines(path) if line.text.strip()), "")
    if first.startswith("[") or first == "{":
        return Table(None, _objects(path, context))
    return Table(None, _lines(path, context))


def json_file(path: Path, context: Context, _: IsHeader) -> Table:
    """A JSON file: the list at ``rows`` of the source, or the only list of objects; JSON Lines under this name, too.

    Raises:
        DataError: the file cannot be read, or it is not clear which list is meant.
    """
    filled = (line.text.strip() for line in context.lines(path) if line.text.strip())
    first = list(islice(filled, 2))
    if context.source.rows is None and len(first) == 2 and all(_is_object(line) for line in first):
        return Table(None, _lines(path, context))
    return Table(None, _objects(path, context))


def _is_object(text: str) -> bool:
    try:
        return isinstance(_DECODER.decode(text), dict)
    except (ValueError, RecursionError):
        return False


def _lines(path: Path, context: Context) -> Iterator[Row | Reject]:
    for number, raw, reason in context.lines(path):
        if reason is not None:
            yield context.reject(path, number, reason, raw)
            continue
        if not raw.strip():
            continue
        try:
            value = _DECODER.decode(raw)
        except (ValueError, RecursionError) as error:
            yield context.reject(path, number, f"no JSON: {error}", raw)
            continue
        reason = unusable(value, raw)
        yield context.reject(path, number, reason, raw) if reason else Row(number, number, _with_names(value, raw))


def _objects(path: Path, context: Context) -> Iterator[Row | Reject]:
    encoding = context.encoding(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(
                f"{path}: {path.stat().st_size:,} bytes are too many for one JSON value.",
                "Write it as JSON Lines, one object a line, for instance with: jq -c '.[]' FILE.json > FILE.jsonl",
            )
        text = path.read_bytes()[encoding.bom :].decode(encoding.name, errors="replace")
    except OSError as error:
        raise cannot_read(path, error) from error
    if not text.strip():
        return
    try:
        start = _find(text, context.source.rows, path)
    except (JSONDecodeError, RecursionError) as error:
        line = error.lineno if isinstance(error, JSONDecodeError) else 1
        yield context.unfinished(path, line, f"no JSON: {error}", text[:EXCERPT])
        return
    yield from _Items(text, path, context).read(start)


class _Items:
    """The objects of a list, or of a file without one, from some place on."""

    def __init__(self, text: str, path: Path, context: Context) -> None:
        self.text, self.path, self.context = text, path, context
        self.report = context.report(path)
        self.limit = context.ingest.max_line_bytes
        self._line, self._counted = 1, 0
        self._searched = 0

    def read(self, position: int) -> Iterator[Row | Reject]:
        """The objects from ``position`` on: behind the bracket of a list, or at the first object."""
        text, number = self.text, 0
        in_list = text[position - 1 : position] == "["
        position = _skip(text, position)
        while position < len(text):
            if text[position] == "]":
                position = _skip(text, position + 1)
                if text[position : position + 1] != "[":
                    return
                position = _skip(text, position + 1)  # a second list: two files were put together
                continue
            number += 1
            line = self._line_of(position)
            try:
                value, end = _DECODER.raw_decode(text, position)
            except (ValueError, RecursionError) as error:
                resumed = self._next_object(position)
                if resumed is None:
                    reason = f"no JSON ({error}); the rest of the file is not read"
                    yield self.context.unfinished(self.path, line, reason, text[position : position + EXCERPT])
                    return
                yield self.context.reject(self.path, line, f"no JSON: {error}", text[position : position + EXCERPT])
                position = resumed
                continue
            refused = unusable(value, text[position:end])
            if refused is None and end - position > self.limit:
                refused = "the row is longer than max_line_bytes"
            if refused is not None:
                yield self.context.reject(self.path, line, refused, text[position : position + EXCERPT])
            else:
                yield Row(line, number, _with_names(value, text[position:end]))
            separator = _SEPARATOR.match(text, end)
            position = separator.end() if separator else end
            if in_list and separator and "," not in separator[0] and text[position : position + 1] == "{":
                self.report.note("objects without a comma before them", self._line_of(position))
        if in_list:
            reason = "the list breaks off here: a comma or a closing bracket is missing"
            yield self.context.unfinished(self.path, self._line_of(position), reason, text[-EXCERPT:])

    def _line_of(self, position: int) -> int:
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def _next_object(self, position: int) -> int | None:
        """Where reading goes on after the broken object at ``position``; None when that cannot be told."""
        text = self.text
        indent = text[text.rfind("\n", 0, position) + 1 : position]
        if indent.strip():
            border = _BORDER.search(text, position + 1)
            following = border.end() if border else None
        else:  # it begins a line, and so does the next
            found = text.find(f"\n{indent}{{", position)
            following = found + 1 + len(indent) if found >= 0 else None
        if self._searched < _PATIENCE:
            end = _closed(text, position, min(position + self.limit, following or len(text)))
            if end is not None:
                separator = _SEPARATOR.match(text, end)
                resumed = separator.end() if separator else end
                if text[resumed : resumed + 1] in {"{", "]", ""}:
                    return resumed
            self._searched += 1
        return following


def _closed(text: str, position: int, end: int) -> int | None:
    """Where the object or list at ``position`` is closed, whatever stands in it; None when it is not before ``end``."""
    waiting: list[str] = []
    counts = {"]": 0, "}": 0}
    for token in _TOKEN.finditer(text, position, end):
        sign = token[0]
        if not waiting and token.start() > position:
            return None
        if sign in "[{":
            waiting.append("]" if sign == "[" else "}")
            counts[waiting[-1]] += 1
        elif counts.get(sign):
            closed = ""
            while closed != sign:
                closed = waiting.pop()
                counts[closed] -= 1
            if not waiting:
                return token.end()
    return None


def unusable(value: Any, text: str) -> str | None:
    """Why a JSON value is no row, or None when it is one."""
    if not isinstance(value, dict):
        return "no object: a row is {…} with a key for each column"
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return "the row holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
    return None


def _with_names(value: dict[str, Any], text: str) -> dict[str, Any]:
    """The object with its keys in one Unicode form, in which the configuration names them, too."""
    return value if text.isascii() and "\\u" not in text else _renamed(value)


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {one_form(key): _renamed(one) for key, one in value.items()}
    return [_renamed(one) for one in value] if isinstance(value, list) else value


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _find(text: str, place: str | None, path: Path) -> int:
    """Where the wanted objects start: behind the bracket of their list, or at the first of them."""
    start = _skip(text, 0)
    opening = text[start : start + 1]
    if place is not None:
        return _descend(text, start, place.split("."), path)
    if opening == "[":
        return start + 1
    if opening != "{":
        raise DataError(f"{path}: neither a list nor an object.", "A table in JSON is a list of objects: [{…}, {…}].")
    lists = [(key, at) for key, at in _members(text, start) if _is_list_of_objects(text, at)]
    if len(lists) == 1:
        return lists[0][1] + 1
    if not lists:
        if _is_row(text, start):
            return start
        raise DataError(f"{path}: there is no list of objects.", "Say where the list stands with rows: key.key")
    names = ", ".join(key for key, _ in lists)
    raise DataError(f"{path}: there are several lists of objects: {names}.", f"Choose one: rows: {lists[0][0]}")


def _is_row(text: str, start: int) -> bool:
    """Whether an object is a row: another follows it, or it holds nothing but texts and numbers."""
    value, end = _DECODER.raw_decode(text, start)
    follows = text[_skip(text, end) :][:1] == "{"
    return follows or (bool(value) and not any(isinstance(one, list | dict) for one in value.values()))


def _descend(text: str, start: int, keys: list[str], path: Path) -> int:
    for key in keys:
        if text[start : start + 1] != "{":
            raise DataError(f"{path}: rows: {'.'.join(keys)} leads nowhere: '{key}' is looked for in no object.")
        members: dict[str, int] = {}
        for name, at in _members(text, start):
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


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Keys of the object at ``start`` and where their values start; a broken list is the last, and its reader tells."""
    position = _skip(text, start + 1)
    while text[position : position + 1] not in {"}", ""}:
        key, position = _key(text, position)
        at = _skip(text, position)
        yield key, at
        try:
            position = _skip(text, _DECODER.raw_decode(text, at)[1])
        except JSONDecodeError:
            if text[at : at + 1] == "[":
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
    return one_form(key), end + 1
