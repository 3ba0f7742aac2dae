"""Regular expressions of strangers: they end, and they leave memory."""

from __future__ import annotations

import time

import pytest

from seshat.core import patterns
from seshat.core.patterns import Pattern, TooSlow, compiled


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(?:(?:a{999}){999}){999}", "repeats something more than"),
        ("(?:[(](?:a{999}[)]){999}){999}", "repeats something more than"),
        ("(?x)(?:(?:a{99}) #\n{99}) #\n{999}", "repeats something more than"),
        ("(?:a{1,999}){1,999}", "repeats something more than"),
        ("a(?R)?b", "calls itself"),
        ("(a)(?1)", "calls itself"),
        ("(" * 2000 + ")" * 2000, "nested too deeply"),
        ("a" * 20_000, "20,000 characters"),
        ("(", "is not a regular expression"),
    ],
)
def test_what_would_fill_the_memory_is_refused(expression: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        compiled(expression)


def test_ordinary_counts_are_not_refused() -> None:
    for expression in (
        r"\d{1,4}([.:]\d{2}){0,3}",
        r"(?:kt\.? ?){1,2}[a-z]{1,3}/k,? ?\d{1,4}",
        r"\p{L}{3,}",
    ):
        assert compiled(expression)


def test_every_search_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    evil, text = Pattern(r"^(a|aa)+$", name="rule 'r'"), "a" * 60 + "!"
    began = time.monotonic()
    for search in (evil.search, evil.findall, evil.finditer, evil.split, lambda text: evil.sub("x", text)):
        with pytest.raises(TooSlow, match=r"rule 'r' takes too long .* on the text 'aaaa"):
            search(text)
    assert time.monotonic() - began < 5


def test_a_replacement_does_not_fill_the_memory() -> None:
    with pytest.raises(TooSlow, match="makes a text of more than"):
        Pattern("").sub("x" * 5_000, "a" * 100_000)
    assert len(Pattern("").sub("-" * 300, "a" * 66_000)) == 66_000 + 300 * 66_001
    assert Pattern("(k)(a)").sub(r"\2\1", "ka ka") == "ak ak"
    assert Pattern("a").split("kala") == ["k", "l", ""]
