"""What is wrong with a configuration, in words for the person who wrote it.

The validator's own messages speak of models, tuples and discriminators. Here each of its errors is followed through
the schema and the tree, and becomes a place and a sentence: what was expected, what stands there, what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from seshat.config.base import Mistake, Mistakes, Section
from seshat.config.slots import Slot, choices, expected, fields, listed, schema_paths, tagged
from seshat.config.tree import Node
from seshat.core.errors import Problem

Path = tuple[str | int, ...]
_TYPE_ERRORS = frozenset({"string_type", "tuple_type", "list_type", "dict_type"})


@dataclass(frozen=True)
class Finding:
    """A problem, where it stands in the schema, and which top-level sections it makes doubtful."""

    problem: Problem
    path: Path
    sections: frozenset[str]
    contradiction: bool = False
    """Single settings are fine, together they are not."""


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was probably meant to be."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(word, list(known), scorer=fuzz.ratio, processor=_folded, score_cutoff=60)
    return str(found[0]) if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` when something known is near, else nothing."""
    near = nearest(word, known)
    return f"; did you mean '{near}'?" if near else ""


def shown(value: Any) -> str:
    """What stands in the file, in plain words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    text = str(value)
    return f"'{text if len(text) <= 60 else text[:57] + '…'}'"


def dotted(path: Path) -> str:
    """``clean.profiles.es.rules[2]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Explainer:
    """Explains what a validator found in one tree."""

    def __init__(self, schema: type[Section], tree: Node) -> None:
        self._schema = schema
        self._tree = tree

    def explain(self, error: ValidationError) -> list[Finding]:
        """All problems, in the order of the schema, each once."""
        details = [(detail, self._one(detail)) for detail in error.errors(include_url=False)]
        # Of the alternatives of a union, the one that objects to what the value says has read it as it was meant.
        judged = {found.path for detail, ones in details for found in ones if detail["type"] == "value_error"}
        findings: dict[tuple[Path, str], Finding] = {}
        for detail, ones in details:
            for found in ones:
                if found.path not in judged or detail["type"] not in _TYPE_ERRORS:
                    findings.setdefault((found.path, found.problem.message), found)
        return list(findings.values())

    def _one(self, detail: Any) -> list[Finding]:
        place = self._follow(detail["loc"])
        if place is None:
            return []
        path, slot, owner, on_key = place
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Mistakes):
            return [self._contradiction((*path, *item.path), item) for item in cause.items]
        sections = frozenset(str(part) for part in path[:1])
        if detail["type"] == "extra_forbidden":
            message, near = self._unknown_key(path, owner)
            if len(path) == 1 and near:
                sections |= {near}
        else:
            message = f"{dotted(path)}: {self._wrong_value(detail, path, slot, on_key)}"
        return [Finding(self._problem(path, message), path, sections)]

    def _contradiction(self, path: Path, mistake: Mistake) -> Finding:
        problem = self._problem(path, f"{dotted(path)}: {mistake.message}")
        return Finding(problem, path, mistake.reads, contradiction=True)

    def _problem(self, path: Path, message: str) -> Problem:
        return Problem(self._tree.at(path).where, message)

    def _follow(self, loc: tuple[str | int, ...]) -> tuple[Path, Slot, type[Section], bool] | None:
        """From the validator's location to a path, the slot there, the section around it, and "is it the key?"."""
        path: list[str | int] = []
        slot, owner = Slot(self._schema), self._schema
        for index, part in enumerate(loc):
            if part == "[key]":
                return tuple(path), slot, owner, True
            if kinds := tagged(slot):
                slot = Slot(kinds.get(str(part), owner))
                continue
            if len(slot.members) > 1:
                if isinstance(self._tree.at(tuple(path)).value, list):
                    item = next((deeper for deeper in loc[index:] if isinstance(deeper, int)), None)
                    if item is None:
                        return None  # the alternative "not a list" complains too: the items say it better
                    inner = next(m for m in slot.members if get_origin(m.annotation) in (tuple, list))
                    return (*path, item), Slot.of(get_args(inner.annotation)[0]), owner, False
                break
            owner = slot.section or owner
            path.append(part)
            slot = slot.step(part) or Slot(Any)
        return tuple(path), slot, owner, False

    def _unknown_key(self, path: Path, owner: type[Section]) -> tuple[str, str | None]:
        key = str(path[-1])
        if key in owner.removed:
            return f"{dotted(path)}: there is no such setting any more: {owner.removed[key]}; take the line out", None
        known = list(fields(owner))
        near = nearest(key, known)
        at = f"unknown key '{key}' in {dotted(path[:-1])}" if path[1:] else f"unknown section '{key}'"
        if near:
            return f"{at}; did you mean '{near}'?", near
        elsewhere = [full for name, full in schema_paths(self._schema) if _folded(name) == _folded(key)]
        if elsewhere:
            return f"{at}; it belongs elsewhere: {listed(dict.fromkeys(elsewhere))}", None
        return f"{at}; known are {listed(known, 'and')}", None

    def _wrong_value(self, detail: Any, path: Path, slot: Slot, on_key: bool) -> str:
        node = self._tree.at(path)
        kind = detail["type"]
        if kind == "missing":
            return f"is missing; expected {expected(slot)}"
        if on_key:
            return f"the key '{path[-1]}' is not {self._key_words(path)}"
        if kind == "union_tag_invalid":
            given = str(detail["ctx"]["tag"])
            known = choices(slot)
            meant = did_you_mean(given, known) or f"; known are {listed(known, 'and')}"
            return f"unknown type '{given}'{meant}"
        if kind == "union_tag_not_found":
            return f"needs a line 'type:' with one of {listed(choices(slot))}"
        if kind == "value_error" and "error" in detail["ctx"] and not _is_number(slot):
            return str(detail["ctx"]["error"])
        message = f"expected {expected(slot)}, found {shown(node.plain())}"
        if isinstance(node.value, str) and choices(slot):
            return message + did_you_mean(node.value, choices(slot))
        return message + _advice(node, slot)

    def _key_words(self, path: Path) -> str:
        slot = Slot(self._schema)
        for part in path[:-1]:
            slot = slot.step(part) or slot
        return expected(Slot.of(get_args(slot.members[0].annotation)[0]))


def _is_number(slot: Slot) -> bool:
    return any(member.annotation in (int, float) for member in slot.members)


def _advice(node: Node, slot: Slot) -> str:
    if node.value is None:
        return "; without the line the default holds"
    if slot.takes_text and isinstance(node.value, int | float):
        return "; put it in quotes"
    if slot.takes_text and isinstance(node.value, dict | list):
        return "; text that starts with { or [ must stand in quotes"
    return ""
