"""What reviewed lines teach."""

from __future__ import annotations

import math
import random

from seshat.media.lessons import Lessons, Piece, aligned, characters

WORDS = ("pas̈ha", "kas̈ho", "tos̈hi", "mina", "loro", "nes̈he", "rabi", "shipa", "kasa", "pona", "mesho", "tika")


def _lines(seed: int, count: int) -> list[tuple[str, str]]:
    """Lines in which a recogniser takes every s̈ for one of several signs."""
    rng = random.Random(seed)
    lines = []
    for _ in range(count):
        text = " ".join(rng.choice(WORDS) for _ in range(5)) + "."
        read = "".join(rng.choice("8#3B") if one == "s̈" else one for one in characters(text))
        lines.append((read, text))
    return lines


def test_characters_are_those_that_readers_see() -> None:
    assert characters("Cas̈ho  tí") == ["C", "a", "s̈", "h", "o", " ", "tí"[0], "í"]


def test_alignment_takes_two_signs_for_one_character() -> None:
    pieces = aligned(list("kaS8ho"), characters("kas̈ho"))
    assert "".join(piece.read for piece in pieces) == "kaS8ho"
    assert Piece("s̈", "S8") in pieces or Piece("s̈", "8") in pieces


def test_what_was_misread_is_proposed() -> None:
    lessons = Lessons(_lines(1, 40), margin=1.0)
    proposed = lessons.propose("pa8ha mina ka#ho.")
    assert proposed.text == "pas̈ha mina kas̈ho."
    assert 0.7 < proposed.confidence < 1


def test_a_sign_never_seen_is_taken_for_the_letter_that_no_model_knows() -> None:
    assert Lessons(_lines(1, 40), margin=1.0).propose("pa@ha mina").text == "pas̈ha mina"


def test_what_is_right_stays() -> None:
    lessons = Lessons(_lines(1, 40), margin=1.0)
    for line in ("shipa mesho kasa.", "rabi tika pona."):
        assert lessons.propose(line).text == line
        assert lessons.propose(line).confidence == 1


def test_with_an_infinite_margin_nothing_is_proposed() -> None:
    assert Lessons(_lines(1, 40), margin=math.inf).propose("pa8ha").text == "pa8ha"


def test_each_change_is_weighed_by_itself() -> None:
    pieces, changes = Lessons(_lines(1, 40)).weighed("pa8ha mina ka#ho.")
    assert "".join(piece.read for piece in pieces) == "pa8ha mina ka#ho."
    assert len(changes) == 2
    assert all(change.gain > 0 for change in changes)
