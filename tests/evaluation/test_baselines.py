"""The floors do what they say, on their own data and on real data."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config import Direction
from seshat.core.records import Entry, Sense
from seshat.evaluation.baselines import (
    CopyTranslator,
    Example,
    NearestTranslator,
    train_word_by_word,
)
from seshat.inference.engines.wordbyword import WordByWordTranslator
from seshat.prompt.request import requests
from seshat.scores.metrics import Scorer, corpus_scores
from seshat.text.similar import TrigramIndex

FORWARD = Direction("xx", "en")
PAIRS = [
    ("Nua kala", "The dog sleeps"),
    ("nua miri", "the dog runs"),
    ("Topo kala", "The woman sleeps"),
    ("topo miri", "the woman runs"),
    ("Topo nua kala", "The woman's dog sleeps"),
    ("suku miri", "the river runs"),
    ("suku", "river"),
]


def entry(headword: str, gloss: str, *, lang: str = "xx", type_: str = "word", forms: tuple[str, ...] = ()) -> Entry:
    other = "en" if lang == "xx" else "xx"
    sense = Sense(glosses={other: (gloss,)})
    return Entry(id=headword, lang=lang, headword=headword, forms=forms, type=type_, senses=(sense,))


def translate(translator: WordByWordTranslator, text: str) -> str:
    return translator.translate(requests([text]))[0].text


def test_copy_copies() -> None:
    assert [found.text for found in CopyTranslator(FORWARD).translate(requests(["a <gap> b", ""]))] == ["a <gap> b", ""]


def test_nearest_gives_the_translation_of_the_nearest_source() -> None:
    translator = NearestTranslator(FORWARD, [a for a, _ in PAIRS], [b for _, b in PAIRS])
    assert translator.translate(requests(["TOPO KALA"]))[0].text == "The woman sleeps"
    found = translator.nearest("topo nua kala pisi")
    assert found is not None
    assert (found.target, 0.5 < found.similarity < 1.0) == ("The woman's dog sleeps", True)
    same = translator.nearest("topo miri")
    assert same is not None
    assert same == Example("topo miri", "the woman runs", same.similarity)
    assert same.similarity == pytest.approx(1.0)


def test_nearest_of_nothing_is_empty() -> None:
    translator = NearestTranslator(FORWARD, [a for a, _ in PAIRS], [b for _, b in PAIRS])
    assert [found.text for found in translator.translate(requests(["", "ζζζζζ"]))] == ["", ""]
    assert NearestTranslator(FORWARD, [], []).translate(requests(["nua"]))[0].text == ""


@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=12))
@settings(deadline=None, max_examples=80)
def test_the_index_finds_what_is_in_it(texts: list[str], text: str) -> None:
    found = TrigramIndex([*texts, text]).nearest(text)
    folded = " ".join(text.casefold().split())
    if not folded:
        return
    assert found is not None
    assert found.similarity == pytest.approx(1.0)
    if "".join(texts).isascii() and text.isascii():
        tied = " ".join([*texts, text][found.place].casefold().split())
        assert set(tied) == set(folded)


def test_word_by_word_keeps_what_is_no_word() -> None:
    translator = train_word_by_word(FORWARD, PAIRS, [])
    assert translate(translator, "Topo (12,5) <gap>, Zorro!") == "Woman (12,5) <gap>, Zorro!"
    assert translate(translator, "NUA") == "DOG"
    assert translate(translator, "") == ""


def test_word_by_word_drops_repeats_but_not_punctuation() -> None:
    translator = train_word_by_word(FORWARD, PAIRS, [])
    assert translate(translator, "nua nua topo !! 7 7") == "dog woman !! 7 7"


def test_word_by_word_takes_what_it_has_not_seen_from_the_lexicon() -> None:
    entries = [entry("pana", "(wild) cat; puma", forms=("panaka",)), entry("moon", "huri", lang="en")]
    translator = train_word_by_word(FORWARD, PAIRS, entries)
    assert translate(translator, "Pana panaka") == "Cat"
    assert translate(translator, "huri suku") == "moon river"


@given(st.lists(st.text(alphabet="nuakltopsmi <>,.!1é", max_size=30), max_size=5))
@settings(deadline=None, max_examples=60)
def test_one_translation_per_text(texts: list[str]) -> None:
    assert len(train_word_by_word(FORWARD, PAIRS, []).translate(requests(texts))) == len(texts)


@pytest.mark.real_data
@pytest.mark.parametrize(("language", "floor"), [("shp", 26.5), ("cni", 17.4), ("bzd", 24.9)])
def test_word_by_word_reaches_the_measured_floor(real_data: Path, language: str, floor: float) -> None:
    def read(name: str) -> list[str]:
        return (real_data / "americasnlp" / language / name).read_text(encoding="utf-8").split("\n")[:-1]

    pairs = list(zip(read(f"train.{language}"), read("train.es"), strict=True))
    translator = train_word_by_word(Direction(language, "es"), pairs, [])
    found = [hypothesis.text for hypothesis in translator.translate(requests(read(f"dev.{language}")))]
    assert corpus_scores(Scorer(read("dev.es")).count(found)).chrf2 >= floor
