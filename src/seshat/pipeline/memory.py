"""What Seshat itself remembers of a run of a stage, beside what DVC does: its settings and its summary.

DVC knows *that* something changed; these notes know what it was before, and what a stage that need not run said when it
did. They can be lost without harm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seshat.core.jsonl import write_json

_WORDS = {"modified": "changed", "deleted": "is missing", "new": "is new", "not in cache": "is not in the cache"}


@dataclass(frozen=True)
class Memory:
    """What one run of a stage leaves to be remembered."""

    settings: dict[str, Any] = field(default_factory=dict)
    """What it ran with, by dotted name."""
    summary: dict[str, Any] = field(default_factory=dict)
    """What it gave."""
    shared: str = ""
    """The file that it shares with people, below the project, when there is one."""


def write(state: Path, stage: str, key: str, memory: Memory) -> None:
    """Remember a run. ``key`` names the state of its input and output."""
    write_json(_file(state, stage, key), asdict(memory))


def read(state: Path, stage: str, key: str) -> Memory:
    """What is remembered of a run; empty when nothing is."""
    try:
        return Memory(**json.loads(_file(state, stage, key).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Memory()


def explain(changes: Iterable[tuple[str, str]], before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Why a stage has to run, in words a person uses.

    Args:
        changes: what DVC found: a file or setting, and what is with it.
        before: the settings of the last run.
        now: the settings of this one.
    """
    reasons: list[str] = []
    for name, what in changes:
        if name.startswith("versions."):
            reasons.append(f"its code changed (version {before.get(name, '?')} -> {now.get(name)})")
        elif name == "decisions.ingest":
            reasons.append("people have corrected translations or transcriptions, or accepted word pairs")
        elif name.startswith("decisions."):
            reasons.append("what people have written in its review file changed")
        elif name in now and name in before:
            reasons += [f"{place}: {old} -> {new}" for place, old, new in _differences(name, before, now)]
        else:
            reasons.append(f"{name} {_WORDS.get(what, what)}")
    return reasons


def _differences(key: str, before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The leaves in which two values differ, as (dotted name, old, new)."""
    old, new = before.get(key), now.get(key)
    if isinstance(old, dict) and isinstance(new, dict):
        for inner in dict.fromkeys((*old, *new)):
            if old.get(inner) != new.get(inner):
                for place, was, becomes in _differences(inner, old, new):
                    yield f"{key}.{place}", was, becomes
        return
    yield key, _short(old, key in before), _short(new, key in now)


def _short(value: Any, given: bool) -> str:
    text = json.dumps(value, ensure_ascii=False) if given else "nothing"
    return text if len(text) <= 60 else text[:57] + "…"


def _file(state: Path, stage: str, key: str) -> Path:
    return state / "ran" / f"{stage}-{key}.json"
