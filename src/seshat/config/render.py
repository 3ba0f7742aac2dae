"""Writing configurations: the commented file, the resolved one, the JSON schema for editors.

All three are made from the schema, so they cannot say anything that is not so.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from seshat.config.base import Section
from seshat.config.schema import Config
from seshat.config.slots import Slot, expected, fields, tagged

WIDTH = 110
_PLAIN = re.compile(r"[^\W\d_](?:[\w./+()-]|:(?=\w)| (?=[\w(]))*")
_SHORT = 24
"""Most characters of a default in a help."""
_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
_NOT_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def show_yaml(config: Config, places: Mapping[str, str] | None = None) -> str:
    """The resolved configuration, complete.

    Args:
        config: what to show.
        places: full name of a setting to where it was written
            (:attr:`seshat.config.load.Loaded.places`), shown at the end of its line.
    """
    return "".join(_Writer(places=places or {}).section(config, 0, ""))


def commented_yaml(config: Config | None = None) -> str:
    """A commented ``seshat.yaml`` with every setting; without ``config``, with every default.

    It loads back to the same configuration.
    """
    head = (
        "The configuration of a Seshat project. A line that holds its default can be left out. "
        "`extends: other.yaml` (a path, or a list of them) at the top lays this file on others; profiles/NAME.yaml "
        "is laid on it by `--profile NAME`; `section.key=value` on the command line comes last."
    )
    lines = [*_comment(head, 0), "\n"]
    return "".join([*lines, *_Writer(comments=True).section(config or Config(), 0, "")])


def main_settings(name: str) -> list[tuple[str, str, str]]:
    """The settings of a section: key, default, and what it is, in one sentence.

    The default is ``…`` where more settings stand below, ``[…]`` where it is long.
    """
    section = Config.model_fields[name].annotation
    assert isinstance(section, type)
    assert issubclass(section, Section)
    found = []
    for key, field in fields(section).items():
        slot = Slot.of_field(field)
        default = "…" if slot.section or tagged(slot) else _default(field)
        default = default if len(default) <= _SHORT else "[…]"
        about = " ".join((field.description or "").replace("``", "`").split())
        found.append((key, default, _SENTENCE.split(about, maxsplit=1)[0].rstrip(".")))
    return found


def json_schema() -> dict[str, Any]:
    """A JSON schema (draft 2020-12) of ``seshat.yaml``, with titles and descriptions, for editors."""
    schema = Config.model_json_schema(by_alias=True)
    path = {"type": "string"}
    extends = {
        "title": "Extends",
        "description": "Files that this one is laid on: a path relative to this file, or a list of them.",
        "anyOf": [path, {"type": "array", "items": path}],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "seshat.yaml",
        "properties": {"extends": extends, **schema["properties"]},
    }


def scalar(value: Any) -> str:
    """A scalar as it stands in YAML; text in quotes wherever YAML 1.1 or 1.2 could read something else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.casefold() not in _NOT_TEXT:
        return text
    if text.isprintable() and "\ufeff" not in text:
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() and character != "\ufeff":
        return character
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _comment(text: str, indent: int, first: str = "", rest: str = "") -> Iterator[str]:
    start = " " * indent + "# "
    words = " ".join(text.replace("``", "`").split())
    for line in textwrap.wrap(words, WIDTH, initial_indent=start + first, subsequent_indent=start + rest):
        yield line + "\n"


@dataclass(frozen=True)
class _Writer:
    comments: bool = False
    places: Mapping[str, str] | None = None

    def section(self, section: Section, indent: int, name: str) -> Iterator[str]:
        """The lines of a section, each with its line end."""
        kind = type(section)
        values = section.model_dump(mode="json", by_alias=True)
        for index, (key, field) in enumerate(fields(kind).items()):
            below = Slot.of_field(field)
            value = getattr(section, _attribute(kind, key))
            if self.comments:
                if indent == 0 and index:
                    yield "\n"
                yield from _comment(_about(field.description, below), indent)
            yield from self.entry(key, value, values[key], below, indent, f"{name}.{key}" if name else key)
            if self.comments and not value:
                yield from _template(below, indent)

    def entry(self, key: str, value: Any, plain: Any, slot: Slot, indent: int, name: str) -> Iterator[str]:
        """One ``key: value``, over as many lines as it takes."""
        head = f"{' ' * indent}{scalar(key)}:"
        where = self.places.get(name) if self.places else None
        note = f"  # {where}" if where else ""
        short = _short(plain)
        if short is not None and (not isinstance(plain, list) or len(head) + len(short) < WIDTH):
            yield f"{head} {short}{note}\n"
            return
        yield f"{head}{note}\n"
        yield from self.inside(value, plain, slot, indent + 2, name)

    def inside(self, value: Any, plain: Any, slot: Slot, indent: int, name: str) -> Iterator[str]:
        """What stands below a key."""
        if isinstance(value, Section):
            yield from self.section(value, indent, name)
        elif isinstance(plain, dict):
            for key, item in plain.items():
                below = slot.step(key) or Slot(Any)
                yield from self.entry(key, value[key], item, below, indent, f"{name}.{key}")
        else:
            for index, item in enumerate(plain):
                yield from self.item(value[index], item, indent, f"{name}[{index}]")

    def item(self, value: Any, plain: Any, indent: int, name: str) -> Iterator[str]:
        """One item of a list. Its settings are explained once, above, not at every item."""
        if not isinstance(value, Section):
            yield f"{' ' * indent}- {scalar(plain)}\n"
            return
        lines = list(_Writer(places=self.places).section(value, indent + 2, name))
        yield f"{' ' * indent}- {lines[0].lstrip(' ')}"
        yield from lines[1:]


def _attribute(kind: type[Section], key: str) -> str:
    return next(name for name, field in kind.model_fields.items() if (field.alias or name) == key)


def _short(plain: Any) -> str | None:
    """A value that fits on the line of its key, or nothing."""
    if isinstance(plain, dict):
        return None if plain else "{}"
    if not isinstance(plain, list):
        return scalar(plain)
    if any(isinstance(item, dict | list) for item in plain):
        return None
    return f"[{', '.join(scalar(item) for item in plain)}]"


def _about(description: str | None, slot: Slot) -> str:
    text = inspect.cleandoc(description or "").rstrip(".")
    if slot.section is not None or get_origin(slot.annotation) in (dict, tuple):
        return f"{text}."
    return f"{text}. ({expected(slot).removeprefix('one of ')}{', or null' if slot.allows_nothing else ''})"


def _template(slot: Slot, indent: int, deeper: str = "") -> Iterator[str]:
    """What the items of an empty list or mapping of sections would hold, as comments."""
    if get_origin(slot.annotation) not in (dict, tuple):
        return
    is_list = get_origin(slot.annotation) is tuple
    item = Slot.of(get_args(slot.annotation)[0 if is_list else 1])
    for kind in tagged(item).values() or ([item.section] if item.section else []):
        about = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
        yield from _comment(about, indent, deeper + ("- " if is_list else "KEY: "), deeper + "  ")
        for key, field in fields(kind).items():
            below = Slot.of_field(field)
            standing = "required" if field.is_required() else f"default {_default(field)}"
            about = f"{key}: {expected(below)}; {standing}. {inspect.cleandoc(field.description or '')}"
            yield from _comment(about, indent, deeper + "    ", deeper + "        ")
            yield from _template(below, indent, deeper + "      ")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, tuple):
        return f"[{', '.join(scalar(item) for item in value)}]"
    return "{}" if isinstance(value, dict) else scalar(value)
