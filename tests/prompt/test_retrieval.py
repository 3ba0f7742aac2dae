from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config
from seshat.core.records import Entry, Segment, Sense
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt
from seshat.prompt.retrieval import Hints, Retriever, save
from seshat.text.similar import TrigramIndex


def prompt(**section: Any) -> Prompt:
    return Prompt.of(Project(Path("/nowhere"), Config.model_validate({"project": {"pivot": "es"}, "prompt": section})))


def entry(word: str, *meanings: str, lang: str = "xx") -> Entry:
    other = "es" if lang == "xx" else "xx"
    return Entry(id=word, lang=lang, headword=word, senses=(Sense(glosses={other: meanings}),))


def pair(number: int, text: str, other: str) -> Segment:
    return Segment(id=str(number), texts={"xx": text, "es": other})


WORDS = [("sesa", "ladrillo"), ("hogi", "adornar"), ("kuchi", "perro"), ("kuchi", "can"), ("noka pime", "salir")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Kuchi!", [("kuchi", "perro; can")]),
        ("Maye shupe sesata hoginũmun.", [("sesa", "ladrillo"), ("hogi", "adornar")]),
        ("ani noka pime", [("noka pime", "salir")]),
        ("se ses ku", []),
        ("kuchi sesa kuchi", [("kuchi", "perro; can"), ("sesa", "ladrillo")]),
        ("", []),
    ],
)
def test_hints_stand_in_the_order_of_the_text(text: str, found: list[tuple[str, str]]) -> None:
    assert Hints(WORDS).find(text, 5) == found


@pytest.mark.parametrize(
    ("word", "found"), [("caminó", "caminar"), ("caminaban", "caminar"), ("casas", "casa"), ("cama", None)]
)
def test_inflected_words_are_found_by_their_stem(word: str, found: str | None) -> None:
    hints = Hints([("caminar", "ganipi"), ("casa", "noma"), ("el", "na")]).find(word, 1)
    assert (hints[0][0] if hints else None) == found


def test_when_there_are_too_many_the_longer_words_stay() -> None:
    assert Hints([("el", "na"), ("perro", "kuchi"), ("come", "pi")]).find("el perro come", 2) == [
        ("perro", "kuchi"),
        ("come", "pi"),
    ]


def test_names_that_are_the_same_in_both_languages_are_no_hint() -> None:
    assert Hints([("Andrés", "andrés")]).find("Andrés", 3) == []


def test_a_lexicon_of_the_other_language_serves_both_ways() -> None:
    retriever = Retriever(prompt(hints=3), entries=[entry("perro", "kuchi", lang="es"), entry("sesa", "ladrillo")])
    assert retriever.hints("kuchi sesata", "xx", "es") == [("kuchi", "perro"), ("sesa", "ladrillo")]
    assert retriever.hints("Los perros.", "es", "xx") == [("perro", "kuchi")]


def test_shots_are_similar_and_never_the_text_itself() -> None:
    pairs = [
        pair(1, "mina palina basi", "la niña ve la casa"),
        pair(2, "Mina palina basi!", "¡La niña ve la casa!"),
        pair(3, "mina kumuna basi", "la niña ve el río"),
        pair(4, "tolo tekana gelu", "el perro quiere el pan"),
        pair(5, "mina palina dopa", "la niña ve la casa."),
    ]
    retriever = Retriever(prompt(shots=2), pairs)
    assert retriever.shots("mina palina basi", "xx", "es", "la niña ve la casa") == [
        ("tolo tekana gelu", "el perro quiere el pan"),
        ("mina kumuna basi", "la niña ve el río"),
    ]
    assert set(retriever.shots("la niña ve el pan", "es", "xx")) == {
        ("el perro quiere el pan", "tolo tekana gelu"),
        ("la niña ve el río", "mina kumuna basi"),
    }


def test_off_means_nothing() -> None:
    retriever = Retriever(prompt(), [pair(1, "mina", "niña")], [entry("mina", "niña")])
    assert retriever.hints("mina", "xx", "es") == []
    assert retriever.shots("mina", "xx", "es") == []


def test_saved_and_loaded(tmp_path: Path) -> None:
    asked = prompt(shots=1, hints=1)
    pairs, entries = [pair(1, "mina basi", "la niña ve")], [entry("mina", "niña")]
    save(tmp_path, pairs, entries)
    loaded = Retriever.load(tmp_path, asked)
    assert loaded.shots("mina", "xx", "es") == [("mina basi", "la niña ve")]
    assert loaded.hints("minana", "xx", "es") == [("mina", "niña")]
    assert Retriever.load(tmp_path / "none", asked).shots("mina", "xx", "es") == []


def test_neighbours_are_ordered_and_of_equals_the_first_come_first() -> None:
    index = TrigramIndex(["abcd", "xyzw", "abcd", "abce", "abcd"])
    assert [one.place for one in index.neighbours("abcd", 3)] == [0, 2, 4]
    assert [one.place for one in index.neighbours("abcd", 9)] == [0, 2, 4, 3]
    assert index.neighbours("qqqq", 2) == []
