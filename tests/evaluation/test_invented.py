"""Translations that only look like one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.evaluation.invented import behaviour, invented_words, invention, loops
from seshat.report.results import Invention


def test_what_is_known_or_copied_is_not_invented() -> None:
    known = {"the", "dog", "sleeps", "river"}
    found = invention(["The dog sleepz at Topo 12 <gap>.", "Sleepz dogg"], ["nua Topo kala", "x"], known)
    assert found.words == 7
    assert found.invented == 4
    assert found.per_100 == 57.14
    assert [one.model_dump() for one in found.listed] == [
        {"word": "sleepz", "count": 2, "near": "sleeps"},
        {"word": "at", "count": 1, "near": None},
        {"word": "dogg", "count": 1, "near": "dog"},
    ]


def test_invented_words_of_one_text_can_be_marked_in_it() -> None:
    known = {"the", "dog", "ye'"}
    assert invented_words("The Dogg's Ye' topo, {NAME} 12 dogg!", "Topo", known) == ["Dogg's", "dogg"]
    assert invented_words("", "Topo", known) == []


def test_no_words_no_rate() -> None:
    assert invention(["", "12 !"], ["", ""], set()) == Invention(words=0, invented=0, per_100=0.0, listed=[])


def test_behaviour_counts_what_it_says() -> None:
    sources = ["Nua kala.", "Topo", "suku miri", "suku wey"]
    references = ["The dog sleeps.", "Topo", "the river runs", "a white river"]
    texts = ["nua kala", "Topo", "", "la la la"]
    found = behaviour(texts, sources, references)
    assert (found.copied, found.empty, found.looping) == (1, 1, 1)
    assert found.copied_words == 0.5
    assert found.length_ratio == round(20 / 46, 4)
    assert behaviour(references, sources, references).copied == 0, "a name alone is no copy"


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
@settings(deadline=None)
def test_three_times_in_a_row_is_a_loop(before: list[str], said: list[str]) -> None:
    assert loops([*before, *said * 3])


def test_twice_is_not() -> None:
    assert not loops(["very", "very", "good", "and", "very", "very", "good"])
    assert not loops([])
