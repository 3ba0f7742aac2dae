"""Walking the schema: what may stand at a place of ``seshat.yaml``, and how to say it."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from seshat.config.base import Plain, Section


@dataclass(frozen=True)
class Slot:
    """A place in the schema: the type of what stands there and what constrains it."""

    annotation: Any
    metadata: tuple[Any, ...] = ()

    @classmethod
    def of(cls, annotation: Any) -> Slot:
        """The slot of a type, ``Annotated`` taken apart."""
        if get_origin(annotation) is Annotated:
            inner, *metadata = get_args(annotation)
            flat = [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
            return cls(inner, tuple(flat))
        return cls(annotation)

    @classmethod
    def of_field(cls, field: FieldInfo) -> Slot:
        """The slot of a field of a section."""
        inner = cls.of(field.annotation)
        return cls(inner.annotation, (*field.metadata, *inner.metadata))

    @property
    def members(self) -> tuple[Slot, ...]:
        """The alternatives of a union, without ``None``; the slot alone when it is none."""
        if get_origin(self.annotation) not in (Union, types.UnionType):
            return (self,)
        kept = [arg for arg in get_args(self.annotation) if arg is not type(None)]
        slots = tuple(Slot.of(arg) for arg in kept)
        return (Slot(slots[0].annotation, (*slots[0].metadata, *self.metadata)),) if len(slots) == 1 else slots

    @property
    def section(self) -> type[Section] | None:
        """The section that stands here, if one does."""
        only = self.members
        kind = only[0].annotation if len(only) == 1 else None
        return kind if isinstance(kind, type) and issubclass(kind, Section) else None

    @property
    def is_text(self) -> bool:
        """Whether only text may stand here."""
        only = self.members
        return len(only) == 1 and only[0].annotation is str

    @property
    def takes_text(self) -> bool:
        """Whether text is among what may stand here, and no number or truth value is."""
        kinds = {member.annotation for member in self.members}
        return str in kinds and not kinds & {int, float, bool}

    @property
    def allows_nothing(self) -> bool:
        """Whether ``null`` may stand here."""
        return type(None) in get_args(self.annotation)

    @property
    def has_parts(self) -> bool:
        """Whether a section, a mapping or a list stands here and nothing else."""
        only = self.members
        return bool(tagged(self) or self.section) or (
            len(only) == 1 and get_origin(only[0].annotation) in (dict, tuple, list)
        )

    def step(self, part: str | int) -> Slot | None:
        """The slot one key or index further down, or nothing where the schema ends."""
        only = self.members
        if len(only) != 1:
            return None
        here = only[0].annotation
        if isinstance(here, type) and issubclass(here, Section):
            field = fields(here).get(str(part))
            return Slot.of_field(field) if field else None
        if get_origin(here) is dict:
            return Slot.of(get_args(here)[1])
        if get_origin(here) in (tuple, list) and isinstance(part, int):
            return Slot.of(get_args(here)[0])
        return None


def fields(section: type[Section]) -> dict[str, FieldInfo]:
    """The fields of a section by the key that stands in the file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def choices(slot: Slot) -> list[str]:
    """The words that may stand in a slot; empty when it is not a choice."""
    found = list(tagged(slot))
    for member in slot.members:
        if get_origin(member.annotation) is Literal:
            found += [str(choice) for choice in get_args(member.annotation)]
        elif isinstance(member.annotation, type) and issubclass(member.annotation, Enum):
            found += [str(choice.value) for choice in member.annotation]
    return found


def tagged(slot: Slot) -> dict[str, type[Section]]:
    """The sections of a union that are told apart by a key such as ``type``, by its value."""
    kinds: dict[str, type[Section]] = {}
    for member in slot.members:
        kind = member.annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            return {}
        for field in kind.model_fields.values():
            if get_origin(field.annotation) is Literal and field.is_required():
                kinds.update({str(value): kind for value in get_args(field.annotation)})
    return kinds if len(slot.members) > 1 else {}


def listed(words: Iterable[str], joint: str = "or") -> str:
    """``'a', 'b' or 'c'``."""
    quoted = [f"'{word}'" for word in words]
    return f" {joint} ".join(([", ".join(quoted[:-1])] if quoted[1:] else []) + quoted[-1:])


def expected(slot: Slot) -> str:
    """What a slot takes, in plain words."""
    only = slot.members[0].metadata if len(slot.members) == 1 else ()
    for item in (*slot.metadata, *only):
        if isinstance(item, Plain):
            return item.words
    if kinds := tagged(slot):
        return f"a mapping with a line 'type:' ({listed(kinds)})"
    if words := choices(slot):
        return f"{'one of ' if len(words) > 2 else ''}{listed(words)}"
    members = slot.members
    if len(members) > 1:
        return " or ".join(expected(member) for member in members)
    kind = members[0].annotation
    limits = _limits((*slot.metadata, *members[0].metadata))
    if kind is bool:
        return "true or false"
    if kind is int:
        return f"a whole number{limits}"
    if kind is float:
        return f"a number{limits}"
    if kind is str:
        return _patterned((*slot.metadata, *members[0].metadata))
    if get_origin(kind) in (tuple, list):
        item = Slot.of(get_args(kind)[0])
        return "a list" if item.has_parts else f"a list (of {expected(item).removeprefix('a ')})"
    return "a mapping (lines of 'key: value')"


def _limits(metadata: tuple[Any, ...]) -> str:
    low = next((item.ge for item in metadata if hasattr(item, "ge")), None)
    above = next((item.gt for item in metadata if hasattr(item, "gt")), None)
    high = next((item.le for item in metadata if hasattr(item, "le")), None)
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if high is not None:
        return f" of at most {high:g}"
    return f" of at least {low:g}" if low is not None else f" above {above:g}" if above is not None else ""


def _patterned(metadata: tuple[Any, ...]) -> str:
    pattern = next((item.pattern for item in metadata if getattr(item, "pattern", None)), None)
    least = next((item.min_length for item in metadata if getattr(item, "min_length", None)), 0)
    most = next((item.max_length for item in metadata if getattr(item, "max_length", None)), None)
    if pattern:
        return f"text of the form {pattern}"
    if most is not None:
        return "one character" if least == most == 1 else f"text of at most {most} character{'s' if most > 1 else ''}"
    return "text that is not empty" if least else "text"


def schema_paths(section: type[Section], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key of the schema with its full name, sections first."""
    for name, field in fields(section).items():
        here = f"{prefix}.{name}" if prefix else name
        yield name, here
        slot = Slot.of_field(field)
        suffix = ""
        if get_origin(slot.annotation) in (tuple, list):
            slot, suffix = Slot.of(get_args(slot.annotation)[0]), "[]"
        elif get_origin(slot.annotation) is dict:
            slot, suffix = Slot.of(get_args(slot.annotation)[1]), ".<key>"
        kinds = list(tagged(slot).values()) or ([slot.section] if slot.section else [])
        for kind in kinds:
            yield from schema_paths(kind, here + suffix)
