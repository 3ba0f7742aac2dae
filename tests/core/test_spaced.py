from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from seshat.core.spaced import evenly


def test_evenly() -> None:
    assert evenly(range(10), 3) == [0, 3, 6]
    assert evenly("abc", 10) == ["a", "b", "c"]
    assert evenly("abc", 0) == evenly("", 3) == []


@given(st.integers(0, 200), st.integers(1, 200))
def test_gaps_differ_by_one_at_most(size: int, most: int) -> None:
    found = evenly(range(size), most)
    assert len(found) == min(size, most)
    gaps = {after - before for before, after in itertools.pairwise(found)}
    assert len(gaps) <= 2
    assert max(gaps, default=1) - min(gaps, default=1) <= 1
