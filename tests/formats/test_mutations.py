"""Damaged files of every format: a thousand of what ``python -m benchmarks run mutations`` tries twenty thousand of."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from benchmarks.mutations import fault, samples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seshat.config.ingest import ReaderName

SAMPLES = samples()


def test_every_reader_has_a_sample() -> None:
    assert {sample.reader for sample in SAMPLES.values()} == set(get_args(ReaderName)) - {"auto"}


@settings(deadline=None, max_examples=1_000, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2**32))
def test_no_damage_is_a_crash_or_a_silent_loss(tmp_path: Path, name: str, seed: int) -> None:
    folder = tmp_path / "raw"
    folder.mkdir(exist_ok=True)
    assert fault(SAMPLES[name], seed, folder) is None
