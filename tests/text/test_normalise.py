from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seshat.config.clean import CleanSection, Profile
from seshat.text.normalise import Normaliser, carry_case, profile_failures

PLACEHOLDERS = CleanSection().placeholders
SPELLING = {"type": "map", "name": "spelling", "map": {"ch": "ch", "qu": "k", "c": "k", "hu": "w"}}
WHITESPACE = {"type": "whitespace", "name": "spaces"}

TEXT = st.text(
    alphabet=st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aAqQuUcChH éñ\u0301\u0308 \u200b\u200c\u200d\u00ad\ufeff\u00a0\n\tกขកမកা()[]<>‘’1२٣"),
    ),
    max_size=40,
)


def profile(*rules: dict[str, Any], **more: Any) -> Profile:
    return Profile.model_validate({"rules": rules, **more})


def normaliser(*rules: dict[str, Any]) -> Normaliser:
    return Normaliser(profile(*rules), PLACEHOLDERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quiquin", "kikin"),
        ("Quiquin", "Kikin"),
        ("QUIQUIN", "KIKIN"),
        ("chopa cachio", "chopa kachio"),
        ("CHOPA Chopa", "CHOPA Chopa"),
        ("huetsa HUETSA Huetsa", "wetsa WETSA Wetsa"),
        ("aquí nenqué", "akí nenké"),
    ],
)
def test_map_takes_the_longest_key_and_carries_case(text: str, expected: str) -> None:
    assert normaliser(SPELLING).apply(text) == expected


def test_map_replaces_each_place_once() -> None:
    swap = {"type": "map", "name": "swap", "map": {"a": "b", "b": "a"}}
    assert normaliser(swap).apply("abba AB") == "baab BA"


def test_map_without_keep_case_is_literal() -> None:
    rule = {"type": "map", "name": "exact", "map": {"SZ": "Š", "sz": "š"}, "keep_case": False}
    assert normaliser(rule).apply("SZA sza Sza") == "ŠA ša Sza"


def test_map_leaves_a_letter_under_a_diacritic_alone() -> None:
    rule = {"type": "map", "name": "n", "map": {"n": "m"}}
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, "nñn̂n")
        expected = unicodedata.normalize(form, "mñn̂m")
        assert normaliser(rule).apply(text) == expected


def test_map_replaces_a_consonant_that_carries_a_vowel_sign() -> None:
    assert normaliser({"type": "map", "name": "n", "map": {"ன": "ந"}}).apply("னி") == "நி"


def test_map_finds_a_key_written_in_the_other_unicode_form() -> None:
    decomposed = {"type": "map", "name": "ñ", "map": {"n\u0303": "ny"}}
    assert normaliser(decomposed).apply("año AÑO") == "anyo ANYO"


def test_map_does_not_confuse_the_turkish_letters() -> None:
    assert normaliser({"type": "map", "name": "i", "map": {"i": "y"}}).apply("iIıİ") == "yYıİ"


@pytest.mark.parametrize(
    ("model", "replacement", "neighbour", "expected"),
    [
        ("qu", "k", "", "k"),
        ("X", "sh", "a", "Sh"),
        ("X", "sh", "A", "SH"),
        ("Hu", "ʼw", "", "ʼW"),
        ("क", "kh", "", "kh"),
    ],
)
def test_carry_case(model: str, replacement: str, neighbour: str, expected: str) -> None:
    assert carry_case(model, replacement, neighbour) == expected


def test_regex_rule_with_groups_and_case() -> None:
    rule = {"type": "regex", "name": "ny", "pattern": "n(y)", "replacement": r"ñ", "keep_case": True}
    assert normaliser(rule).apply("nyo NYO Nyo") == "ño ÑO Ño"
    swap = {"type": "regex", "name": "swap", "pattern": r"(\p{L}+) (\p{L}+)", "replacement": r"\2 \1"}
    assert normaliser(swap).apply("uno dos") == "dos uno"


def test_brackets() -> None:
    unwrap = {"type": "brackets", "name": "b", "brackets": ["[]", "<<>>"], "action": "unwrap"}
    assert normaliser(unwrap).apply("[a]-na <<um>>-ma a] [b") == "a-na um-ma a b"
    remove = {"type": "brackets", "name": "b", "brackets": ["()"], "action": "remove"}
    assert normaliser(remove).apply("a (b (c) d) e) f") == "a  e) f"


def test_digits_of_all_scripts() -> None:
    assert normaliser({"type": "digits", "name": "d"}).apply("२०२६ ٣ ௧ ๙ 7 ½") == "2026 3 1 9 7 ½"


def test_whitespace_keeps_what_scripts_need() -> None:
    spaces = normaliser(WHITESPACE)
    assert spaces.apply("  a\u00a0b\n\tc\u3000d\u200b\ufeff\u00ade ") == "a b c de"
    assert spaces.apply("නි\u200dර ක\u200cම") == "නි\u200dර ක\u200cම"
    assert spaces.apply("ភាសា\u200b\u200bខ្មែរ") == "ភាសា\u200bខ្មែរ"
    strict = normaliser({**WHITESPACE, "keep_joiners": False})
    assert strict.apply("a\u200db\u200cc") == "abc"


def test_sources_limit_a_rule() -> None:
    limited = normaliser({**SPELLING, "sources": ["dictionary"]})
    assert limited.apply("quiquin", "dictionary") == "kikin"
    assert limited.apply("quiquin", "lessons") == "quiquin"
    assert limited.apply("quiquin") == "quiquin"


def test_placeholders_are_never_touched() -> None:
    rules = normaliser(
        SPELLING,
        {"type": "brackets", "name": "b", "brackets": ["()", "<>"], "action": "remove"},
        {"type": "regex", "name": "only letters", "pattern": r"[^\p{L}]+", "replacement": " "},
        {"type": "whitelist", "name": "w", "characters": r"\p{L}", "action": "remove"},
        WHITESPACE,
    )
    assert rules.apply("<cque> ac (qui {NAME} que) <x> \t <gap>-A") == "<cque> ak {NAME} <x> <gap> A"


def test_a_text_that_holds_the_stand_in_itself_survives() -> None:
    assert normaliser(SPELLING, WHITESPACE).apply("qui\ufdd0 <cqu>  c") == "ki\ufdd0 <cqu> k"


def test_a_rule_sees_that_a_placeholder_is_not_the_start() -> None:
    line_numbers = {"type": "regex", "name": "line numbers", "pattern": r"^\d+ "}
    assert normaliser(line_numbers).apply("3 <gap> 4 ma-na") == "<gap> 4 ma-na"


GAPS = {"type": "placeholder", "name": "gaps", "text": "<gap>", "patterns": [r"<big_gap>", r"\[[x\s]*\]", r"\.{3}"]}


def test_everything_that_means_a_placeholder_becomes_it_and_runs_become_one() -> None:
    rules = normaliser(GAPS)
    assert rules.apply("a [x x] b <big_gap> ... <gap>-<gap> c") == "a <gap> b <gap> c"
    assert rules.apply("a-<gap> u <gap>-b") == "a-<gap> u <gap>-b"
    assert normaliser({**GAPS, "between": None}).apply("[x] <gap>") == "<gap> <gap>"


def test_no_later_rule_touches_what_a_placeholder_rule_wrote() -> None:
    unwrap = {"type": "brackets", "name": "insertions", "brackets": ["<>"]}
    letters = {"type": "map", "name": "letters", "map": {"g": "k"}}
    rules = normaliser(GAPS, unwrap, letters)
    assert rules.apply("<[x]>ga [x]") == "<gap>ka <gap>"
    assert rules.inspect("[x]").changed == ("gaps",)
    assert rules.inspect("<gap>").changed == ()


def test_inspect_names_rules_and_characters() -> None:
    rules = normaliser(
        SPELLING,
        {"type": "whitelist", "name": "letters", "characters": r"\p{Latin}'-", "action": "tag"},
        WHITESPACE,
    )
    result = rules.inspect("Quiquin 3%  <gap>")
    assert (result.text, result.changed, result.outside, result.tagged) == (
        "Kikin 3% <gap>",
        ("spelling", "spaces"),
        "3%",
        True,
    )
    assert rules.outside("kikin 3%<gap>") == "3%"


def test_profile_failures_say_what_came_out() -> None:
    tests = [{"in": "quiquin", "out": "kikin"}, {"in": "chaqui", "out": "chaqui"}]
    failures = profile_failures(profile(SPELLING, tests=tests), PLACEHOLDERS)
    assert [str(failure) for failure in failures] == ["'chaqui' should become 'chaqui', but becomes 'chaki'"]


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "regex", "name": "r", "pattern": "("},
        {"type": "regex", "name": "r", "pattern": "(a)", "replacement": r"\2"},
        {"type": "map", "name": "m", "map": {"": "x"}},
        {"type": "brackets", "name": "b", "brackets": ["("]},
        {"type": "whitelist", "name": "w", "characters": r"z-a"},
    ],
)
def test_a_wrong_rule_is_refused_with_the_configuration(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        profile(rule)


@settings(deadline=None)
@given(TEXT, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]), st.booleans())
def test_unicode_and_whitespace_are_idempotent(text: str, form: str, joiners: bool) -> None:
    rules = normaliser({"type": "unicode", "name": "u", "form": form}, {**WHITESPACE, "keep_joiners": joiners})
    once = rules.apply(text)
    assert rules.apply(once) == once


@settings(deadline=None)
@given(TEXT)
def test_digits_and_unwrapping_are_idempotent(text: str) -> None:
    rules = normaliser({"type": "digits", "name": "d"}, {"type": "brackets", "name": "b"})
    once = rules.apply(text)
    assert rules.apply(once) == once


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_any_text_keeps_its_placeholders(pieces: list[str]) -> None:
    pieces = [piece.replace("<", "").replace(">", "").replace("{", "") for piece in pieces]
    rules = normaliser(
        {"type": "unicode", "name": "u", "form": "NFKC"},
        SPELLING,
        {"type": "regex", "name": "r", "pattern": r"[^\p{L}\s]+", "replacement": ""},
        {"type": "brackets", "name": "b", "action": "remove"},
        {"type": "whitelist", "name": "w", "characters": "a-z", "action": "remove"},
        WHITESPACE,
    )
    result = rules.apply("<cqu>".join(pieces))
    assert result.count("<cqu>") == len(pieces) - 1


@settings(deadline=None)
@given(TEXT)
def test_apply_and_inspect_agree(text: str) -> None:
    rules = normaliser(SPELLING, {"type": "brackets", "name": "b", "action": "remove"}, WHITESPACE)
    assert rules.apply(text) == rules.inspect(text).text
