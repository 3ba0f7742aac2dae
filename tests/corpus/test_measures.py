"""Measures: what each says of texts of which one knows it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.core.errors import UsageError
from seshat.corpus.duplicates import normalise
from seshat.corpus.measures import documents_of
from seshat.corpus.private import luhn, verhoeff
from seshat.corpus.registry import MEASURES, Tools, View, numbers, value
from seshat.text.charmodel import CharModel
from seshat.text.words import count_graphemes, graphemes


def said(name: str, *lines: str, **more: Any) -> float | None:
    return value(name, View(lines, **more))


def test_share_of_one_script_counts_letters_and_marks() -> None:
    assert said("script_share", "abcde", script="Latin") == 1.0
    assert said("script_share", "abc жжж", script="Latin") == 0.5
    assert said("script_share", "atʼa", script="Latn") == 1.0
    assert said("script_share", "கீ a", script="Tamil") == pytest.approx(2 / 3)
    assert said("script_share", "12 ?", script="Latin") is None
    assert said("script_share", "abc") is None
    with pytest.raises(UsageError, match="not a script of Unicode"):
        said("script_share", "abc", script="Klingon")


def test_size_in_code_points_words_and_akshara() -> None:
    view = View(("காலை வந்தான்", "நிலை நின்றான்"))
    assert numbers(view, ("words", "graphemes", "lines")) == {"words": 4, "graphemes": 15, "lines": 2}
    assert said("characters", "ab", "c") == 4
    assert said("lines_per_word", "a b", "c d") == 0.25


@pytest.mark.parametrize(
    ("name", "odd", "plain"),
    [
        ("repeated_lines", ("kuno mira", "kuno mira", "kuno mira"), ("kuno mira", "talo pesi")),
        ("repetition", ("ku ku ku ku ku ku ku",), ("ku mi ta pe lo si",)),
        ("repeated_runs", ("a b c d e f " * 5,), ("a b c d e f g h i j",)),
        ("top_pair", ("kuno mira " * 8,), ("kuno mira talo pesi veta",)),
        ("top_word", ("kuno a kuno b kuno",), ("a b c d e f g h i j",)),
        ("boilerplate", ("© 2020 Kuno", "Home | News | Sport | About"), ("kuno mira talo",)),
        ("bullets", ("• kuno", "2) mira"), ("kuno 2", "mira")),
        ("digit_share", ("12 34 56",), ("kuno mira talo",)),
        ("sign_share", ("!!! ??? ---",), ("kuno mira talo.",)),
        ("wordless", ("<gap> [...] --",), ("kuno",)),
    ],
)
def test_odd_texts_stand_out(name: str, odd: tuple[str, ...], plain: tuple[str, ...]) -> None:
    assert (value(name, View(odd)) or 0.0) > 0.5 > (value(name, View(plain)) or 0.0)


def test_what_belongs_to_persons_is_counted() -> None:
    assert said("emails", "write to kuno@mira.example or a.b@c.example") == 2
    assert said("phones", "+91 44 1234 5678, not 1234 5678") == 1
    assert said("urls", "see https://kuno.example/a and www.mira.example") == 2
    assert said("identity_numbers", "card 4012 8888 8888 1881, not 4012 8888 8888 1882") == 1
    assert said("identity_numbers", "GB82 WEST 1234 5698 7654 32") == 1
    assert said("identity_numbers", "GB82 WEST 1234 5698 7654 33") == 0
    assert said("identity_numbers", "1234 5678 9012 and 2000000000000") == 0


def test_check_digits() -> None:
    assert verhoeff([2, 3, 6, 3])  # the example of Verhoeff's article: 236, check digit 3
    assert not any(verhoeff([2, 3, 6, digit]) for digit in (0, 1, 2, 4, 5, 6, 7, 8, 9))
    assert luhn([int(one) for one in "79927398713"])
    assert not luhn([int(one) for one in "79927398710"])


def test_lists_count_whole_words_in_scripts_with_marks() -> None:
    tools = Tools({"modern": frozenset({"நீ"}), "boilerplate": frozenset({"முகப்பு"})})
    view = View(("நீலம் நீ நீர்", "முகப்பு செய்திகள்"), tools=tools)
    assert value("count:modern", view) == 1
    assert value("list:modern", view) == pytest.approx(1 / 5)
    assert value("boilerplate", view) == 0.5
    assert "list:modern" in tuple(documents_of(tools.lists))
    assert "list:boilerplate" not in tuple(documents_of(tools.lists))


def test_every_measure_takes_an_empty_text_and_one_line() -> None:
    tools = Tools(model=CharModel.learn(["kuno mira talo pesi"] * 9, bits=12))
    for lines in ((), ("",), ("kuno",), ("\ud800 \U0001f600",)):
        for name in MEASURES:
            number = value(name, View(lines, "qlm", "Latin", tools))
            assert number is None or number >= 0.0, name


@given(st.text(alphabet=st.sampled_from("aé\u0301கொ்ாेकि\u200d\u200cกำ\n\r한ᄒ👍🏽😀🇩\u0600"), max_size=12))
def test_graphemes_are_counted_as_they_are_found(text: str) -> None:
    assert count_graphemes(text) == len(graphemes(text))


@given(st.text(alphabet=st.sampled_from("aéE\u0301\u0323'’-\u00adகெொாஔᄒ가ᅡᆨ ,ẞſ"), max_size=12))
def test_normalising_composes_whatever_stands_between(text: str) -> None:
    found = normalise(text)
    assert unicodedata.is_normalized("NFC", found)
    assert normalise(found) == found or not found.strip(" -'’\u00ad,")
