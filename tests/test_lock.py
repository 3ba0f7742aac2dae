"""The lock file holds what the constraints pin, each with its hashes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def normal(pin: str) -> str:
    """A pin under the normalised name of its package (PEP 503)."""
    name, _, version = pin.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def test_the_lock_file_is_of_these_constraints() -> None:
    pinned = {normal(pin) for pin in (ROOT / "constraints.txt").read_text().split() if not pin.startswith("torch==")}
    lock = (ROOT / "constraints.lock").read_text()
    block = r"^(\S+==\S+)(?: ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
    assert {normal(name) for name, _ in re.findall(block, lock, re.MULTILINE)} == pinned
    assert "//" not in lock  # no address of an index
