"""Fixtures of the reader tests."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.reading import Read, read_files


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes files below data/raw and reads them as one source: ``read({"a.csv": "…"}, path="a.csv")``."""
    return partial(read_files, tmp_path / "raw")
