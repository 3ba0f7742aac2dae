from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.text.scripts import (
    CONFUSABLE_GROUPS,
    describe,
    dominant_script,
    invisible_characters,
    mixed_script_words,
    script_of,
    script_shares,
    unicode_form,
)


@pytest.mark.parametrize(
    ("character", "script"),
    [
        ("a", "Latin"),
        ("ñ", "Latin"),
        ("ꞌ", "Latin"),
        ("த", "Tamil"),
        ("क", "Devanagari"),
        ("ก", "Thai"),
        ("བ", "Tibetan"),
        ("ខ", "Khmer"),
        ("မ", "Myanmar"),
        ("ሰ", "Ethiopic"),
        ("ع", "Arabic"),
        ("ж", "Cyrillic"),
        ("𒀀", "Cuneiform"),
        ("ʼ", None),
        ("7", None),
        ("।", None),
    ],
)
def test_script_of(character: str, script: str | None) -> None:
    assert script_of(character) == script


def test_shares_count_letters_only() -> None:
    assert script_shares("abc தமிழ் 123 !!") == {"Latin": 0.5, "Tamil": 0.5}
    assert script_shares("123 – !") == {}
    assert dominant_script("Tamil தமிழ் தமிழ்") == "Tamil"
    assert dominant_script("…") is None


def test_look_alikes_inside_words() -> None:
    found = mixed_script_words("jаkon riki оро дом joнi 日本のアニメ")
    assert [(word.word, word.scripts) for word in found] == [
        ("jаkon", ("Latin", "Cyrillic")),
        ("joнi", ("Latin", "Cyrillic")),
    ]
    assert [word.suggestion for word in found] == ["jakon", None]
    assert mixed_script_words("дoм")[0].suggestion == "дом"


def test_no_character_is_in_two_groups_of_look_alikes() -> None:
    members = "".join(CONFUSABLE_GROUPS)
    assert len(set(members)) == len(members)


@pytest.mark.parametrize(
    ("text", "form"),
    [("abc", "ASCII"), ("ñ", "NFC"), ("n\u0303", "NFD"), ("ñn\u0303", "mixed"), ("தமி", "either")],
)
def test_unicode_form(text: str, form: str) -> None:
    assert unicode_form(text) == form


def test_invisible_characters_and_their_names() -> None:
    found = invisible_characters("a\u200bb\u00adc\u200b\t\n\x00 d")
    assert found == {"\u200b": 2, "\u00ad": 1, "\x00": 1}
    assert describe("\u200b") == "U+200B ZERO WIDTH SPACE"
    assert describe("\x00") == "U+0000 without a name"


@settings(deadline=None)
@given(st.text(max_size=40))
def test_shares_are_a_distribution(text: str) -> None:
    shares = script_shares(text)
    assert not shares or abs(sum(shares.values()) - 1.0) < 1e-9


@settings(deadline=None)
@given(st.text(max_size=40))
def test_unicode_form_says_what_normalising_would_do(text: str) -> None:
    form = unicode_form(text)
    assert (unicodedata.normalize("NFC", text) == text) == (form in ("ASCII", "NFC", "either"))
    assert (unicodedata.normalize("NFD", text) == text) == (form in ("ASCII", "NFD", "either"))
