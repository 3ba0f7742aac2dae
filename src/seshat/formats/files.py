"""The files of a source: patterns below ``data/raw``, and the language in a name."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import regex
from pydantic import BaseModel

from seshat.config.ingest import Source
from seshat.config.project import ProjectSection

_PARTS = regex.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]]+\]|\{lang\}|.", flags=regex.DOTALL)
_BEYOND_ASCII = regex.compile(r"[^\x00-\x7f]+")
_ABOUT = ("README", "LICENSE", "LICENCE", "CITATION", "NOTICE", "COPYING", "CHANGELOG")
_WHOLE = frozenset({"scans", "audio"})
_CODE = r"(?P<lang>[A-Za-z][A-Za-z0-9_-]{0,30})"


class Place(NamedTuple):
    """What a path says besides its name: the language code in it, and the group it belongs to."""

    code: str
    key: str


def find(raw: Path, patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The files that patterns match, each once, sorted within its pattern; hidden files are left out.

    Args:
        raw: the folder that the patterns start from.
        patterns: paths with ``*``, ``**``, ``?``, ``[…]`` and ``{lang}``.

    Returns:
        The files, and the patterns that match nothing.
    """
    found: dict[Path, None] = {}
    empty = []
    for pattern in patterns:
        matches = sorted(
            path
            for path in _candidates(raw, pattern)
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(raw).parts)
        )
        if not matches:
            empty.append(pattern)
        found.update(dict.fromkeys(matches))
    return list(found), empty


def _candidates(raw: Path, pattern: str) -> Iterable[Path]:
    """Paths that may be meant. Letters beyond ASCII stand in names in either Unicode form, so these are compared."""
    is_name = not any(character in pattern for character in "*?[") and "{lang}" not in pattern
    if is_name and (pattern.isascii() or (raw / pattern).exists()):
        yield raw / pattern
        return
    matcher = _matcher(pattern)
    paths = raw.glob(_BEYOND_ASCII.sub("*", pattern.replace("{lang}", "*")))
    while True:
        try:
            path = next(paths)
        except (StopIteration, OSError):  # a link that leads to itself
            return
        if matcher.fullmatch(_one_form(path.relative_to(raw).as_posix())):
            yield path


def _one_form(name: str) -> str:
    return unicodedata.normalize("NFC", name)


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> regex.Pattern[str]:
    """The pattern as a regular expression; the second and later ``{lang}`` repeat the first."""
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts: list[str] = []
    for part in _PARTS.findall(pattern):
        if part == "{lang}":
            parts.append(_CODE if _CODE not in parts else f"(?P<again{len(parts)}>(?P=lang))")
        elif part in wild:
            parts.append(wild[part])
        elif part.startswith("[") and len(part) > 2:
            parts.append(part.replace("[!", "[^", 1))
        else:
            parts.append(regex.escape(part))
    return regex.compile("".join(parts))


def place(relative: str, patterns: Sequence[str], codes: Iterable[str]) -> Place | None:
    """The language code in a path, and the path with ``{lang}`` in its place.

    Args:
        relative: the path below ``data/raw``.
        patterns: those of the source; the first with ``{lang}`` that fits counts.
        codes: the codes that are languages; a code outside is given only when no known one fits.
    """
    relative = _one_form(relative)
    for pattern in patterns:
        if "{lang}" not in pattern:
            continue
        for code in (*codes, None):
            matcher = _matcher(pattern) if code is None else _with_code(pattern, code)
            match = matcher.fullmatch(relative)
            if match is not None:
                key = relative
                for start, end in sorted((match.span(name) for name in matcher.groupindex), reverse=True):
                    key = f"{key[:start]}{{lang}}{key[end:]}"
                return Place(match["lang"], key)
    return None


@lru_cache(maxsize=256)
def _with_code(pattern: str, code: str) -> regex.Pattern[str]:
    return regex.compile(_matcher(pattern).pattern.replace(_CODE, f"(?P<lang>{regex.escape(code)})", 1))


def language_codes(source: Source, project: ProjectSection) -> dict[str, str]:
    """Codes that may stand in files of the source -> language tags of the project."""
    tags: dict[str, str] = {tag: tag for tag in (*project.tags, *project.languages)}
    return {**tags, **source.languages}


def language_of(code: str, codes: dict[str, str]) -> str | None:
    """The project's tag for a code found in a file: as given, in another case, or without its region.

    ``es-ES`` and ``es_ES`` read as ``es`` when only ``es`` is a language of the project.
    """
    wanted = code.replace("_", "-").casefold()
    folded = {known.replace("_", "-").casefold(): tag for known, tag in codes.items()}
    while wanted:
        if wanted in folded:
            return folded[wanted]
        wanted = wanted.rpartition("-")[0]
    return None


def unnamed(raw: Path, config: BaseModel) -> list[str]:
    """Files below ``data/raw`` that no setting of a configuration names, sorted.

    Left out are hidden files, those that tell about the others (README, LICENCE …), and the folders of scans and
    recordings, which are read as a whole.
    """
    names = {_one_form(text) for text in _texts(config.model_dump()) if text and len(text) < 300 and "\\" not in text}
    patterns = [name for name in names if any(sign in name for sign in "*?[{")]
    found = []
    for folder, folders, files in os.walk(raw):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _WHOLE)
        for file in sorted(files):
            relative = (Path(folder) / file).relative_to(raw).as_posix()
            form = _one_form(relative)
            if file.startswith(".") or file.endswith(".dvc") or file.upper().startswith(_ABOUT) or form in names:
                continue
            if not any(_fits(pattern, form) for pattern in patterns):
                found.append(relative)
    return found


def _fits(pattern: str, path: str) -> bool:
    try:
        return _matcher(pattern).fullmatch(path) is not None
    except regex.error:  # a text of another kind, such as a regular expression
        return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
