"""Presets: named sets of values that come with Seshat, weaker than everything a project writes.

A preset is a commented overlay of ``seshat.yaml`` in ``seshat/models/presets/NAME.yaml``. Its first line says what it
is; the comments give the reason of its values.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from seshat.config.tree import Node, merge, parse_yaml
from seshat.core.errors import Problem

FOLDER = Path(__file__).parents[1] / "models" / "presets"
BASES = FOLDER / "bases.json"
"""What the ``config.json`` of the presets' bases say: enough to count and measure a model before it is downloaded."""

NEEDS_CODES = frozenset({"m2m_100", "mbart"})
"""Architectures (``model_type`` of ``config.json``) that must be told the languages by code: NLLB, M2M-100, mBART."""
OVERFLOWING = frozenset({"t5", "mt5", "umt5", "gemma3", "gemma3_text"})
"""Architectures that were pretrained in bfloat16 and whose activations exceed what float16 can hold: the loss becomes
NaN (T5: https://github.com/huggingface/transformers/issues/5651; Gemma 3: https://github.com/unslothai/unsloth/pull/4014).
"""


def names() -> list[str]:
    """The names of all presets."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text(name: str) -> str:
    """The file of a preset."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def summary(name: str) -> str:
    """What a preset is, in one line."""
    return text(name).splitlines()[0].removeprefix("#").strip()


def read(name: str) -> Node:
    """The settings of a preset; places are ``preset NAME:line``.

    The model is called after the preset unless somebody gives it a name.
    """
    problems: list[Problem] = []
    where = f"preset {name}"
    tree = parse_yaml(text(name), where, problems)
    assert not problems, problems
    if tree.at(("train", "family")).value == name:
        return tree
    called = Node({"train": Node({"name": Node(name, where)}, where)}, where)
    return merge(called, tree)


@functools.cache
def bases() -> dict[str, dict[str, Any]]:
    """The facts of each known base: the keys and values of its ``config.json`` that decide shape and memory."""
    known: dict[str, dict[str, Any]] = json.loads(BASES.read_text(encoding="utf-8"))
    return known


def architecture(base: str | None) -> str | None:
    """``model_type`` of a base, where it is one that Seshat knows without its files."""
    return bases().get(base or "", {}).get("model_type")
