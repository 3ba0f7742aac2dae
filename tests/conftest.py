"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.postgres import postgres, postgres_server

from seshat.logs import configure

__all__ = ["postgres", "postgres_server"]

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(autouse=True)
def _logs() -> None:
    """Logs as the program sets them up, whatever the test before did to them."""
    configure()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real data kept outside the repository; skips, saying so, where it is absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set SESHAT_SHARED to the folder that holds data/)")
    return folder
