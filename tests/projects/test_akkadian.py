"""The normalisation of Old Assyrian: its own tests, its properties, and what it does to the real files."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config.load import load_config
from seshat.data.filters import OTHER_LANGUAGE, Filters
from seshat.text.normalise import Normaliser, profile_failures

FOLDER = Path(__file__).resolve().parents[2] / "projects" / "akkadian"
INVENTORY = regex.compile(r"[!+\-.0-9:<>a-zA-Z{}¼½¾⅓⅔⅙⅚⅝àáèéìíùúÀÁÈÉÌÍÙÚšṣṭŠṢṬ ]*")
SIGNS = (
    "um",
    "ma",
    "kà",
    "ru",
    "szu",
    "s,a",
    "ṭup",
    "KÙ",
    "BABBAR",
    "DUMU",
    "bi₄",
    "pa2",
    "ṣé",
    "lim(ki)",
    "DU₁₀",
    "ḫa",
)
MARKS = (
    "[x]",
    "x",
    "…",
    "[... ...]",
    "<gap>",
    "˹ša˺",
    "[KÙ]",
    "!",
    "?",
    "/",
    "(break)",
    "<<a>>",
    "<im>",
    "2.5",
    "0.3333",
    "5''",
)


def normaliser(language: str, *profiles: str) -> Normaliser:
    clean = load_config(FOLDER, profiles).clean
    return Normaliser(clean.profiles[language], clean.placeholders)


@pytest.fixture(scope="module")
def transliteration() -> Normaliser:
    return normaliser("akk")


@pytest.mark.parametrize("profile", sorted(path.stem for path in (FOLDER / "profiles").glob("*.yaml")))
def test_every_profile_is_valid(profile: str) -> None:
    config = load_config(FOLDER, [profile])
    assert config.train.directions == "to-pivot"
    assert profile in ("published", "v1") or config.model.preset


@pytest.mark.parametrize("profiles", [(), ("v1",)])
def test_every_example_holds(profiles: tuple[str, ...]) -> None:
    clean = load_config(FOLDER, profiles).clean
    assert [str(f) for p in clean.profiles.values() for f in profile_failures(p, clean.placeholders)] == []


words = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=4).map("-".join)
texts = st.lists(st.one_of(words, st.sampled_from(MARKS)), min_size=1, max_size=12).map(" ".join)


@given(texts)
@settings(deadline=None, max_examples=300)
def test_twice_is_once_and_nothing_outside_the_inventory(transliteration: Normaliser, text: str) -> None:
    once = transliteration.apply(text)
    assert transliteration.apply(once) == once
    assert INVENTORY.fullmatch(once)
    assert regex.search(r"<(?!gap>)|(?<!<gap)>|<gap>[\s.-]*<gap>", once) is None


@given(st.lists(words, min_size=1, max_size=10))
@settings(deadline=None, max_examples=200)
def test_no_sign_is_lost(transliteration: Normaliser, found: list[str]) -> None:
    made = transliteration.apply(" ".join(found))
    assert [word.count("-") for word in made.split(" ")] == [word.count("-") for word in found]


MARKERS = {
    "<gap>": r"<gap>",
    "dots": r"\.\.\.|…",
    "lone x": r"(?<![\p{L}\p{M}\p{N}])x+(?![\p{L}\p{M}\p{N}])",
    "( ) determinatives": r"\((?:d|ki)\)",
    "{ } determinatives": r"\{(?:d|ki)\}",
    "ḫ": "[ḫḪ]",
    "subscripts": "[₀-₉ₓ]",
    "decimals": r"\d\.\d{2,}",
    "fractions": "[½¼¾⅓⅔⅙⅚⅝]",
    "[ ]": r"[\[\]]",
}


def rows_with(texts: list[str]) -> dict[str, int]:
    return {name: sum(bool(regex.search(marker, text)) for text in texts) for name, marker in MARKERS.items()}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("version", "before"),
    [
        ("kaggle_v1_dec2025", {"<gap>": 0, "dots": 300, "lone x": 300, "( ) determinatives": 400, "ḫ": 1000}),
        ("kaggle_v3_final_feb2026", {"<gap>": 500, "{ } determinatives": 400, "ḫ": 1000, "subscripts": 1000}),
    ],
)
def test_both_versions_of_the_files_end_in_one_form(
    real_data: Path, transliteration: Normaliser, version: str, before: dict[str, int]
) -> None:
    with (real_data / "akkadian" / version / "train.csv").open(encoding="utf-8", newline="") as stream:
        texts = [row["transliteration"] for row in csv.DictReader(stream)]
    raw = rows_with(texts)
    assert all(raw[name] >= least for name, least in before.items())
    clean = [transliteration.inspect(text) for text in texts]
    after = rows_with([one.text for one in clean])
    gone = ("dots", "lone x", "( ) determinatives", "ḫ", "subscripts", "[ ]")
    assert {name: after[name] for name in gone} == dict.fromkeys(gone, 0)
    assert after["<gap>"] > 500
    assert after["fractions"] > 400
    assert Counter("".join(one.outside for one in clean)) == Counter()
    assert all(transliteration.apply(one.text) == one.text for one in clean[::10])


@pytest.mark.real_data
def test_german_sentences_of_the_list_are_told_and_no_english_ones(real_data: Path) -> None:
    folder = real_data / "akkadian" / "kaggle_v3_final_feb2026"
    filters = Filters(load_config(FOLDER).clean.filters)
    tagged = {}
    for name in ("Sentences_Oare_FirstWord_LinNum.csv", "train.csv"):
        with (folder / name).open(encoding="utf-8-sig", newline="") as stream:
            texts = [row["translation"] or "" for row in csv.DictReader(stream)]
        tagged[name] = [text for text in texts if OTHER_LANGUAGE in filters.of_segment({"en": text})]
    german, whole_tablets = tagged.values()
    assert len(german) >= 190
    english = regex.compile(r"(?i)\b(the|of|to|you|owes?|son|shekels|witness(es)?|seals?)\b")
    assert [text for text in german if english.search(text)] == []
    assert whole_tablets == []
