"""Samples: chosen evenly, differences marked, nothing lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.evaluation.measure import choose
from seshat.report.differences import compare


def test_chosen_evenly_from_best_to_worst() -> None:
    quality = np.array([10.0, 90.0, 50.0, 70.0, 30.0])
    assert choose(quality, 3) == [1, 2, 0]
    assert choose(quality, 99) == [1, 3, 2, 4, 0]
    assert choose(quality, 0) == []


def test_words_are_marked() -> None:
    pieces = compare("The dogs slept, again!", "Again the dog sleeps.")
    assert [(piece.text, piece.kind) for piece in pieces] == [
        ("The", "same"),
        (" ", "plain"),
        ("dogs", "near"),
        (" ", "plain"),
        ("slept", "near"),
        (", ", "plain"),
        ("again", "same"),
        ("!", "plain"),
    ]


def test_short_words_are_not_near() -> None:
    assert [piece.kind for piece in compare("ab", "abc")] == ["other"]
    assert [piece.kind for piece in compare("abcd", "abc")] == ["near"]


def test_a_word_of_the_other_text_is_used_once() -> None:
    assert [piece.kind for piece in compare("dog dog", "a dog")] == ["same", "plain", "other"]


@given(st.text(max_size=60), st.text(max_size=40))
@settings(deadline=None)
def test_the_pieces_are_the_text(text: str, other: str) -> None:
    assert "".join(piece.text for piece in compare(text, other)) == text
