from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import ocr_pages

from seshat.config.clean import FilterSection
from seshat.text.tongues import FUNCTION_WORDS, NAME_WORDS, SURE, detect, foreign_words
from seshat.text.words import words

SENTENCES = {
    "en": "The boat that we saw yesterday was not from our village, so they gave it back to him.",
    "de": "Das Boot, das wir gestern gesehen haben, war nicht aus unserem Dorf, also gaben sie es ihm zurück.",
    "fr": "Le bateau que nous avons vu hier n'est pas de notre village, donc ils ont voulu le lui rendre.",
    "es": "La canoa que vimos ayer no era de nuestro pueblo, por eso se la devolvieron cuando ya era de noche.",
    "it": "La barca che abbiamo visto ieri non era del nostro villaggio, perché è stata portata qui da loro.",
    "pt": "A canoa que vimos ontem não era da nossa aldeia, por isso ela foi levada até o rio com os remos.",
    "nl": "De boot die wij gisteren zagen was niet uit ons dorp, dus hebben zij hem aan die man teruggegeven.",
    "da": "Båden som vi så i går var ikke fra vores landsby, og derfor har de givet den til ham igen.",
    "tr": "Dün gördüğümüz kayık bizim köyden değil, bu yüzden onu ona geri verdiler ve sonra çok kaldılar.",
    "ru": "Лодка, которую мы видели вчера, была не из нашей деревни, так что они её вернули, когда он пришёл.",
}


def points(text: str, tag: str) -> float:
    return foreign_words([word.casefold() for word in words(text)], tag)


@pytest.mark.parametrize("tag", ocr_pages.LANGUAGES)
def test_a_passage_is_told(tag: str) -> None:
    found = detect(ocr_pages.WORDS[tag][2])
    assert found is not None and found.tag == tag and found.confidence > 0.8
    assert detect("to-ra-ni le-ku-ma she-da 14 mo-ri") is None


def test_the_default_of_the_filter_is_what_was_measured() -> None:
    assert FilterSection().max_foreign_words == SURE
    assert set(NAME_WORDS.split()) <= {word for listed in FUNCTION_WORDS.values() for word in listed.split()}


@pytest.mark.parametrize("claimed", SENTENCES)
@pytest.mark.parametrize("tag", SENTENCES)
def test_a_sentence_in_another_language_than_it_claims(tag: str, claimed: str) -> None:
    assert (points(SENTENCES[tag], claimed) > SURE) == (tag != claimed)


@pytest.mark.parametrize(
    "text",
    [
        "Mit dem Silber wird er gehalten.",
        "Ich habe je 11 Minen dir geschickt!",
        "IST DER HIRTE NICHT HIER?",
        "d’où l’eau qu’il a n’est pas venue",
    ],
)
def test_short_sentences_are_enough(text: str) -> None:
    assert points(text, "en") > SURE


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("", "en"),
        ("… 12 ½ …", "en"),
        ("Ja", "en"),
        ("Vor Talia, vor Peruwa, vor Kunuwan.", "en"),
        ("C'est la vie", "en"),
        ("Hasta la vista", "en"),
        ("He has it.", "es"),
        ("Has terminado? No he terminado.", "es"),
        ("dos sogas, dos cañadas, dos", "es"),
        ("where three men, where four men, where five men", "en"),
        ("a jar, a box, a sack, a jar, a thigh", "en"),
        ("usage: ls [-a] [-e] [-i] [-o FILE] [-u] [-y]", "de"),
        ("%(from)s-%(to)s", "es"),
    ],
)
def test_too_little_is_left_alone(text: str, tag: str) -> None:
    assert points(text, tag) <= SURE


@pytest.mark.parametrize(
    "names",
    [
        "María de los Ángeles de la Cruz y del Río",
        "Juan y Pedro de las Casas, Ana del Valle, El Salvador, Los Andes, La Paz",
        "Otto von der Heide und Anna zu der Tann",
        "Jan van den Berg, Piet van der Meer en Kees de Vries",
        "Leonardo da Vinci, Lucca della Robbia, Giovanni dei Medici e il Pinturicchio",
        "João da Silva e Maria dos Santos, Rio das Ostras",
        "Puzur-Aššur, Ištar-lamassī, Idī-Suen u Šū-Ištar",
    ],
)
@pytest.mark.parametrize("tag", SENTENCES)
def test_names_are_in_no_language(names: str, tag: str) -> None:
    assert points(names, tag) <= SURE


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("García Márquez wrote El amor en los tiempos del cólera.", "en"),
        ("The word was spelled 'der Sohn des Königs und seine Frau' in the old edition.", "en"),
        ("Cada noche ella cantaba We Will Rock You con sus hermanos en la plaza.", "es"),
        ("Er sagte: The boat is not here, und ging mit seinem Bruder nach Hause.", "de"),
        ("Ayer leí The Lord of the Rings y también The Hobbit.", "es"),
        ("O professor disse: los niños están en la casa, mas ninguém o ouviu naquela tarde.", "pt"),
    ],
)
def test_a_quotation_makes_no_sentence_foreign(text: str, tag: str) -> None:
    assert points(text, tag) <= SURE


@pytest.mark.parametrize(
    "text",
    [
        "Ñuqaqa wasiymanta llaqtaman purini, chaymanta wawaykunawan kutimuni.",
        "Mtoto alikwenda sokoni na mama yake kununua samaki.",
        "Poika käveli rannalla ja löysi vanhan veneen.",
        "Y bachgen oedd yn canu yn yr ysgol bob bore.",
        "um-ma šu-ma a-na a-lim{ki} i-li-ik",
    ],
)
@pytest.mark.parametrize("tag", SENTENCES)
def test_languages_that_are_not_listed_are_not_guessed(text: str, tag: str) -> None:
    assert points(text, tag) <= SURE


@pytest.mark.parametrize("tag", ["shp", "akk", "ca", "gl", "und", "eng"])
def test_nothing_is_said_about_a_claim_that_is_not_listed(tag: str) -> None:
    assert points(SENTENCES["de"], tag) == 0.0


def test_regions_and_case_of_a_tag_do_not_matter() -> None:
    assert points(SENTENCES["pt"], "pt-BR") == 0.0
    assert points(SENTENCES["de"], "PT-br") == points(SENTENCES["de"], "pt") > SURE


LISTED = sorted({word for listed in FUNCTION_WORDS.values() for word in listed.split()})
ALONE = {
    tag: sorted(
        set(listed.split()) - {word for other, o in FUNCTION_WORDS.items() if other != tag for word in o.split()}
    )
    for tag, listed in FUNCTION_WORDS.items()
}
"""Language -> the words that no other list has."""


@given(st.lists(st.sampled_from(LISTED), max_size=20), st.sampled_from(sorted(FUNCTION_WORDS)), st.integers(2, 5))
def test_only_different_words_count(found: list[str], tag: str, times: int) -> None:
    assert foreign_words(found * times, tag) == foreign_words(found, tag)


@given(st.lists(st.sampled_from(LISTED), max_size=20), st.sampled_from(sorted(FUNCTION_WORDS)), st.data())
def test_a_word_that_only_the_claimed_language_has_never_speaks_against_it(
    found: list[str], tag: str, data: st.DataObject
) -> None:
    own = data.draw(st.sampled_from(ALONE[tag]))
    assert foreign_words([*found, own], tag) <= foreign_words(found, tag)
