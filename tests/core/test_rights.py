"""Codes of archives, labels, embargoes and purposes, and the gate that acts on them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from seshat.core import rights
from seshat.core.gate import Gate, tombstone
from seshat.core.records import Access, Meta


@pytest.mark.parametrize(
    ("archive", "code", "meant"),
    [
        ("elar", "O", Access.PUBLIC),
        ("elar", "S", Access.RESTRICTED),
        ("paradisec", "C", Access.RESTRICTED),
        ("elar", "C", Access.COMMUNITY),  # the same letter, another archive
        ("ailla", "Level 4", Access.SEALED),
        ("tla", "level 2", Access.REGISTERED),
        ("ailca", "unspecified", Access.SEALED),
        (None, "Open", Access.PUBLIC),
        (None, "community", Access.COMMUNITY),
        (None, "O", None),
        ("elar", "zzz", None),
    ],
)
def test_codes_of_archives(archive: str | None, code: str, meant: Access | None) -> None:
    assert rights.level(code, archive) is meant


def test_labels_close_and_are_carried() -> None:
    assert rights.closed_by(["TK A", "tk  ss"]) is Access.SEALED
    assert rights.closed_by(["TK A", "BC P"]) is Access.PUBLIC


def test_the_strictest_wins() -> None:
    assert rights.common(("research", "education"), ("education", "art")) == ("education",)
    assert rights.common(("research",), ("art",)) == ("none",)
    assert rights.common((), ("art",)) == ("art",)
    assert rights.later("2030-01-01", "2031-01-01") == "2031-01-01"
    assert rights.later("2030-01-01", "when the elders say so") == "when the elders say so"


def test_what_the_gate_refuses() -> None:
    gate = Gate(Access.PUBLIC, "research", frozenset({tombstone("speaker", "Ana"), tombstone("record", "x:1")}))
    tomorrow = (date.today() + timedelta(1)).isoformat()
    open_to_all = Meta(access=Access.PUBLIC)
    assert gate.refusal(open_to_all, "x:2") is None
    assert gate.refusal(open_to_all, "x:1") == "withdrawn"
    closed: list[tuple[dict[str, Any], str]] = [
        ({"access": Access.COMMUNITY}, "access:community"),
        ({"embargo": tomorrow}, f"embargo:{tomorrow}"),
        ({"embargo": "unknown"}, "embargo:unknown"),
        ({"purposes": ("education",)}, "purpose:research"),
        ({"speaker": "Ana"}, "withdrawn"),
    ]
    for changed, reason in closed:
        assert gate.refusal(open_to_all.model_copy(update=changed), "x:2") == reason
    allowed: list[dict[str, Any]] = [
        {"embargo": date.today().isoformat()},
        {"purposes": ("research",)},
        {"speaker": "Rosa"},
    ]
    for changed in allowed:
        assert gate.refusal(open_to_all.model_copy(update=changed), "x:2") is None
