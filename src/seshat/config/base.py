"""What every section of ``seshat.yaml`` is built from."""

from __future__ import annotations

import types
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from seshat.core.patterns import compiled


@dataclass(frozen=True)
class Plain:
    """What a type is called in messages: ``expected a language tag, found the number 3``."""

    words: str


def _compiles(expression: str) -> str:
    compiled(expression)
    return expression


def one_form(text: str) -> str:
    """Text in the Unicode form that everything inside a project has (NFC)."""
    return unicodedata.normalize("NFC", text)


def _inside_raw(path: str) -> str:
    """A path below ``data/raw``, with forward slashes on every system."""
    if not path.strip():
        raise ValueError("the path is empty")
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or "\\" in path:
        raise ValueError(f"'{path}' must be relative to data/raw, with forward slashes")
    if ".." in PurePosixPath(path).parts:
        raise ValueError(f"'{path}' leads out of data/raw; put the file (or a link to it) below data/raw")
    return path


Language = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"),
    Plain("a language tag, such as shp, es or pt-BR"),
]
"""A language tag (BCP 47), such as ``shp``, ``es`` or ``pt-BR``."""

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$"),
    Plain("a name of letters, digits, '.', '_' and '-'"),
]
"""A name that can be that of a file or folder on any system."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole, 0 to 1."""

Regex = Annotated[str, AfterValidator(_compiles), Plain("a regular expression")]
"""A regular expression of the ``regex`` package."""


RawPath = Annotated[str, AfterValidator(one_form), AfterValidator(_inside_raw)]
"""A path below ``data/raw``: relative, forward slashes, no way out."""


@dataclass(frozen=True)
class Mistake:
    """Settings that contradict each other.

    Args:
        path: the setting to change, from the section that is validated.
        message: what contradicts what, and what to do.
        reads: the top-level sections that the judgement rests on, where it crosses several.
    """

    path: tuple[str | int, ...]
    message: str
    reads: frozenset[str] = frozenset()


class Mistakes(ValueError):
    """All contradictions of a configuration."""

    def __init__(self, items: Sequence[Mistake]) -> None:
        super().__init__("; ".join(item.message for item in items))
        self.items = tuple(items)


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types that a field accepts: the members of a union, or the type alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _may_be_left_empty(annotation: Any) -> bool:
    """Whether ``key:`` without a value means the default: sections, lists and mappings, not scalars."""
    members = _members(annotation)
    return type(None) not in members and any(
        get_origin(member) in (tuple, list, dict) or (isinstance(member, type) and issubclass(member, Section))
        for member in members
    )


def _is_number(annotation: Any) -> bool:
    members = _members(annotation)
    return bool not in members and (int in members or float in members)


class Section(BaseModel):
    """A section of the configuration: frozen, unknown keys refused, every field described.

    The description of a field becomes the comment that ``seshat config init`` writes and the help that editors
    show, so it is written for the person who edits the file.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True, allow_inf_nan=False
    )

    removed: ClassVar[dict[str, str]] = {}
    """Settings that were here once, and what holds now: an old file is told so."""

    @model_validator(mode="before")
    @classmethod
    def _as_people_mean_it(cls, data: Any) -> Any:
        """Two readings that differ from Python's.

        A section whose keys are all commented out (``train:``) holds its defaults. ``layers: true`` is a mistake,
        although Python counts ``True`` as 1: as a word, the number's own check refuses it.
        """
        if not isinstance(data, dict):
            return data
        kept = dict(data)
        for key, field in cls.model_fields.items():
            if key in data and data[key] is None and _may_be_left_empty(field.annotation):
                del kept[key]
            elif isinstance(data.get(key), bool) and _is_number(field.annotation):
                kept[key] = str(data[key])
        return kept

    def mistakes(self) -> Iterator[Mistake]:
        """What in this section contradicts itself; each kind of section says what it looks at."""
        yield from ()

    def all_mistakes(self, path: tuple[str | int, ...] = ()) -> Iterator[Mistake]:
        """Those of this section and of every section inside it, with full paths.

        The whole configuration asks for them at once: a validator of each section would hide those of the sections
        around it.
        """
        for name, field in type(self).model_fields.items():
            yield from _inside(getattr(self, name), (*path, field.alias or name))
        for one in self.mistakes():
            full = (*path, *one.path)
            yield Mistake(full, one.message, one.reads or frozenset(map(str, full[:1])))


def _inside(value: Any, path: tuple[str | int, ...]) -> Iterator[Mistake]:
    if isinstance(value, Section):
        yield from value.all_mistakes(path)
    elif isinstance(value, dict | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _inside(item, (*path, key))
