"""What all tests share."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.browser import browser
from tests.postgres import postgres, postgres_server

from seshat.core.logs import configure

__all__ = ["browser", "postgres", "postgres_server"]

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared"))

# How long an example takes depends on what else the machine does.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

gc.disable()  # while the tests are imported, which makes hardly any garbage


class _Imported:
    """What imports have made stays: it is taken out of the collector's sight.

    Every training begins with a full collection, and to go over all of torch takes longer than the training does.
    """

    modules = 0

    @classmethod
    def freeze(cls) -> None:
        """To be called between tests; does something after imports only."""
        if len(sys.modules) > cls.modules + 100:
            gc.collect()  # garbage would stay, too
            gc.freeze()
            cls.modules = len(sys.modules)


def pytest_collection_finish() -> None:
    _Imported.freeze()
    gc.set_threshold(10_000)  # as the program does
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _Imported.freeze()


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


@pytest.fixture(scope="session")
def whisper_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whisper base for CTranslate2; skips, saying so, where it or espeak-ng, which speaks, is missing."""
    from tests.weights import joined_whisper

    if shutil.which("espeak-ng") is None:
        pytest.skip("there is no espeak-ng to speak (make system)")
    folder = joined_whisper(tmp_path_factory.mktemp("weights") / "whisper")
    if folder is None:
        pytest.skip("the weights of Whisper base are not installed (make weights)")
    return folder


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct in the Hugging Face layout; skips, saying so, where ``make weights`` has not been."""
    from tests import weights

    file = weights.smollm2_file()
    if file is None:
        pytest.skip("the weights of SmolLM2 are not installed (make weights)")
    return weights.smollm2(file, tmp_path_factory.mktemp("smollm2"))
