"""Every test that ``docs/security.md`` names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_tests_that_hold_the_promises_exist() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    file, named = "", 0
    for quoted in re.findall(r"`(tests/[^`]*|…test_[a-z_]+)`", page):
        path, _, name = quoted.replace("…", "").rpartition("::") if "::" in quoted else ("", "", "")
        file = path or (quoted if quoted.startswith("tests/") else file)
        assert (ROOT / file).exists(), quoted
        name = name or (quoted.removeprefix("…") if quoted.startswith("…") else "")
        if name:
            named += 1
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), quoted
    assert named > 15
