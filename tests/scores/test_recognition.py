"""Error rates of recognition."""

from __future__ import annotations

from seshat.scores.recognition import confusions, edits, error_rates


def test_rates_are_edits_by_the_length_of_the_reference() -> None:
    rates = error_rates([("abcd efgh", "abxd efgh"), ("a", "a")])
    assert (rates.cer, rates.wer, rates.characters) == (10.0, 33.33, 10)


def test_a_lost_accent_is_one_error_in_either_form() -> None:
    assert edits("t\u00ed", "ti") == edits("ti\u0301", "ti") == 1
    assert edits("t\u00ed", "ti\u0301") == 0


def test_white_space_between_words_does_not_matter() -> None:
    assert edits("a  b\nc", "a b c") == 0


def test_confusions_are_of_whole_characters() -> None:
    assert confusions([("as\u0308ho", "a8ho"), ("as\u0308a", "a8a"), ("mina", "mina")]) == [("s\u0308", "8", 2)]


def test_nothing_to_compare_with() -> None:
    assert error_rates([]).cer == 0
