"""``withdrawn.jsonl``: what people have taken back. It names records and holds none of their words.

A line per withdrawal: ``{"kind": "record", "value": "stories:17", "at": "2026-05-01", "by": "…", "reason": "…"}``. The
file belongs into the project's repository: everything that reads records honours it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from seshat.core.gate import tombstone
from seshat.core.jsonl import read_jsonl, write_jsonl

FILE = "withdrawn.jsonl"
Kind = Literal["record", "document", "source", "speaker"]


class Withdrawal(BaseModel):
    """One decision to take something back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "record"
    value: str
    at: str = ""
    """The day (ISO 8601)."""
    by: str = ""
    reason: str = ""


def there(root: Path) -> tuple[Path, ...]:
    """The file, where there is one."""
    return (root / FILE,) if (root / FILE).exists() else ()


def read(root: Path) -> list[Withdrawal]:
    """All withdrawals of a project, oldest first.

    Raises:
        DataError: a line is no withdrawal; names ``file:line``.
    """
    return list(read_jsonl(root / FILE, Withdrawal))


def add(root: Path, withdrawal: Withdrawal) -> None:
    """Write one more."""
    write_jsonl(root / FILE, [*read(root), withdrawal])


def tombstones(root: Path) -> frozenset[str]:
    """What the gate refuses for them."""
    return frozenset(tombstone(one.kind, one.value) for one in read(root))
