from __future__ import annotations

import pytest

from seshat.core.records import Entry, Sense
from seshat.inference.lexicon import Lexicon
from seshat.text.lookup import PhraseIndex, fold, key


def entry(word: str, *meanings: str, lang: str = "xx", kind: str = "word", forms: tuple[str, ...] = ()) -> Entry:
    other = "es" if lang == "xx" else "xx"
    senses = (Sense(glosses={other: meanings}),)
    return Entry(id=f"{word}/{meanings[0]}", lang=lang, headword=word, forms=forms, type=kind, senses=senses)


ENTRIES = [
    entry("kuchi", "perro; can"),
    entry("kuchi", "sucio"),
    entry("kuchi noi", "nutria (perro de río)"),
    entry("rabé", "dos"),
    entry("yeʼ", "yo", forms=("yeʼr",)),
    entry("-kan", "en", kind="affix"),
    entry("perra", "kuchi ãĩbo", lang="es"),
    entry("jone", "esconder lo que otra persona busca desde hace tiempo"),
    entry("tamukari", "garza"),
    entry("บ้าน", "casa"),
    entry("บ้านใหม่", "casa nueva"),
    entry("ไป", "ir"),
    entry("word", "x", lang="xx").model_copy(update={"lang": "de"}),
]
LEXICON = Lexicon(ENTRIES, "xx", "es", lambda _word, _language: False)


def found(text: str, source: str = "xx") -> list[tuple[str, str, tuple[str, ...], str]]:
    matches = LEXICON.find(text, source)
    for match in matches:
        assert text[match.start : match.end] == match.surface
        assert match.exact == (match.how == "exact")
    return [(match.surface, match.found, match.meanings, match.how) for match in matches]


def test_the_longest_entry_wins_and_homonyms_stand_side_by_side() -> None:
    assert found("Kuchi noi, ¡KUCHI!") == [
        ("Kuchi noi", "kuchi noi", ("nutria",), "exact"),
        ("KUCHI", "kuchi", ("perro", "can"), "exact"),
        ("KUCHI", "kuchi", ("sucio",), "exact"),
    ]


@pytest.mark.parametrize(
    ("text", "surface", "word", "how"),
    [
        ("rabe riki", "rabe", "rabé", "folded"),
        ("rabe\u0301", "rabe\u0301", "rabé", "exact"),
        ("ye’r shka", "ye’r", "yeʼr", "folded"),
        ("Kuchikan", "Kuchikan", "kuchi", "stem"),
        ("escondre jone", "jone", "jone", "exact"),
        ("tamkuari", "tamkuari", "tamukari", "near"),
    ],
)
def test_spellings_and_forms(text: str, surface: str, word: str, how: str) -> None:
    assert (surface, word, how) in [(one[0], one[1], one[3]) for one in found(text)]


def test_what_is_not_there_is_not_found() -> None:
    assert found("kan se 123 <gap>") == []
    assert LEXICON.find("tamkuari", "xx", near=False) == []
    assert Lexicon(ENTRIES, "xx", "es").find("tamkuari", "xx") == []
    assert found("kuhci") == found("damukari") == found("tomikari") == []
    assert found("") == []


def test_a_word_of_the_language_is_no_misspelling() -> None:
    index = PhraseIndex(["tamukari"], near=True, attested={"tamkuari"}.__contains__)
    assert [one.how for one in index.find("tamkuari tamuakri")] == ["near"]


def test_words_without_spaces_between_them() -> None:
    assert [(one[0], one[2]) for one in found("ไปบ้านใหม่ไปบ้าน")] == [
        ("ไป", ("ir",)),
        ("บ้านใหม่", ("casa nueva",)),
        ("ไป", ("ir",)),
        ("บ้าน", ("casa",)),
    ]


def test_the_other_way_headwords_are_the_meanings() -> None:
    assert found("Dos perros y una perra.", "es") == [
        ("Dos", "dos", ("rabé",), "exact"),
        ("perros", "perro", ("kuchi",), "stem"),
        ("perra", "perra", ("kuchi ãĩbo",), "exact"),
    ]


def test_long_explanations_are_no_words_of_a_text_but_meanings_and_searched() -> None:
    assert found("esconder lo que otra persona busca desde hace tiempo", "es") == []
    assert found("jone") == [("jone", "jone", ("esconder lo que otra persona busca desde hace tiempo",), "exact")]
    assert LEXICON.search("esconder")[0].entry.headword == "jone"


def test_look_ups_are_ranked_in_both_languages() -> None:
    hits = LEXICON.search("perro")
    assert [hit.entry.headword for hit in hits] == ["kuchi", "kuchi noi", "perra"]
    assert (hits[0].found, hits[0].language) == ("perro", "es")
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert [hit.found for hit in LEXICON.search("KUCHI")][:2] == ["kuchi", "kuchi"]
    assert LEXICON.search("-kan")[0].entry.type == "affix"
    assert LEXICON.search("rabe")[0].found == "rabé"
    assert LEXICON.search("kuhci", limit=1)[0].found == "kuchi"
    assert LEXICON.search("บ้าน")[0].found == "บ้าน"
    assert LEXICON.search("xyzzy") == LEXICON.search(" ") == Lexicon([], "xx", "es").search("kuchi") == []


def test_only_some_types() -> None:
    assert [one.headword for one in LEXICON.of_types(["Affix"]).entries] == ["-kan"]
    assert len(LEXICON) == len(ENTRIES) - 1, "an entry of a third language is left out"


@pytest.mark.parametrize(
    ("text", "folded"),
    [("ãĩbó", "aibo"), ("yeʼ", "ye'"), ("कमल", "कमल"), ("กำ", "กำ"), ("שָׁלוֹם", "שָׁלוֹם"), ("año", "ano")],
)
def test_folding_takes_diacritics_and_leaves_letters(text: str, folded: str) -> None:
    assert fold(key(text)) == key(folded)


def test_keys_that_differ_in_diacritics_only_are_found_together_unless_one_is_meant() -> None:
    index = PhraseIndex([key("año"), key("ano")])
    assert [one.keys for one in index.find("Año ano añó")] == [("año",), ("ano",), ("año", "ano")]
