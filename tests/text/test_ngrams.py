"""The language model of runs of bytes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.text.ngrams import ByteNgrams


def test_who_has_read_nothing_needs_eight_bits() -> None:
    assert ByteNgrams([]).bits("ñandú") == pytest.approx(8 * 7)
    assert ByteNgrams([]).bits_per_byte("ñandú") == ByteNgrams([]).bits_per_byte("") == 8


def test_what_was_read_is_expected() -> None:
    model = ByteNgrams(["el perro duerme."] * 20)
    assert model.bits_per_byte("el perro duerme.") < 0.3
    assert model.bits_per_byte("zk wq!") > 6


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=12), max_size=5), st.text(max_size=6))
def test_the_chances_of_all_bytes_make_one(texts: list[str], before: str) -> None:
    model = ByteNgrams(texts)
    start = b"\n" + before.encode()
    total = math.fsum(model._chance(start + bytes([byte]), len(start)) for byte in range(256))
    assert total == pytest.approx(1.0)


def test_no_more_is_read_than_is_allowed() -> None:
    assert ByteNgrams(["abcdefgh", "abc"], 4).bits("abcdef") == ByteNgrams(["abcd"]).bits("abcdef")
