from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.text.words import graphemes, sentences, tokenize, word_spans, words

SCRIPTS = {
    "Latin with stacked diacritics": "aéẽ̀ọ̀́ñãx̌ūŋɨʔÀẼBß",
    "Yoruba": "ẹ̀ọ́ṣàgbńm̀ẸỌ",
    "Tamil": "தமிழ்வாக்கியம்ொோௌஃ௧",
    "Devanagari": "हिन्दीवाक्यक्षत्रज़१।",
    "Thai": "ภาษาไทยน้ำก็ๆ๑",
    "Tibetan": "བོད་ཡིག།སྐྱོ",
    "Khmer": "ភាសាខ្មែរ។ៗ",
    "Burmese": "မြန်မာစာ။၊က္က",
    "Ge'ez": "ሰላምለዓለም፡።፩",
    "Arabic": "مَرْحَبًاالعربية،؟٣",
    "Hebrew": "שָׁלוֹם־עולם",
    "Korean": "한국어가각",
    "Greek": "άᾳᾼΐς·",
    "cuneiform transliteration": "aKÙšú.-{}d₄½/x<>",
    "punctuation": " \t\n\r'’‘ʼꞌ-‐–—.,:;!?()[]«»\"…·=_/|\u200b\u200c\u200d\u00ad\u0301\u0338",
}
ANY_SCRIPT = st.one_of(
    *(st.text(alphabet=st.sampled_from(letters + " '’-.\n"), max_size=20) for letters in SCRIPTS.values()),
    st.text(alphabet=st.sampled_from("".join(SCRIPTS.values())), max_size=30),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=20),
)
LOST = {"\u200b"}
anything = given(ANY_SCRIPT)
patient = settings(deadline=None, max_examples=300)


def visible(text: str) -> str:
    return "".join(c for c in text if not c.isspace() and c not in LOST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jakon riki, ¿jawe?", ["Jakon", "riki", ",", "¿", "jawe", "?"]),
        ("l'arbre d’aigua l·l", ["l'arbre", "d’aigua", "l·l"]),
        ("atʼa ꞌuru", ["atʼa", "ꞌuru"]),
        ("ye' tso' bua'.", ["ye'", "tso'", "bua'", "."]),
        ("he said 'good dogs' twice", ["he", "said", "'", "good", "dogs", "'", "twice"]),
        ("fin.Empezó p.ej. U.S.A", ["fin", ".", "Empezó", "p.ej", ".", "U.S.A"]),
        ("3.14 1,000 10:30 1/2 1990-1995", ["3.14", "1,000", "10:30", "1/2", "1990", "-", "1995"]),
        ("a-na LUGAL.GAL {d}UTU", ["a-na", "LUGAL.GAL", "{d}UTU"]),
        ("KÙ.BABBAR-pì-im bi₄-tim a-lim{ki}", ["KÙ.BABBAR-pì-im", "bi₄-tim", "a-lim{ki}"]),
        ("<gap> x-x Ú-<gap> {NAME}", ["<gap>", "x-x", "Ú", "-", "<gap>", "{NAME}"]),
        ("wait... -- so", ["wait", "...", "--", "so"]),
        ("हिन्दी है।", ["हिन्दी", "है", "।"]),
        ("ሰላም፡ለዓለም።", ["ሰላም", "፡", "ለዓለም", "።"]),
        ("བོད་སྐད།", ["བོད", "་", "སྐད", "།"]),
        ("ภาษาไทย ភាសា\u200bខ្មែរ", ["ภาษาไทย", "ភាសា", "ខ្មែរ"]),
        ("නි\u200dර می\u200cخواهم", ["නි\u200dර", "می\u200cخواهم"]),
    ],
)
def test_tokenize(text: str, expected: list[str]) -> None:
    assert tokenize(text) == expected


def test_words_leave_out_punctuation_and_placeholders() -> None:
    assert words("<gap> Ẹ kú, àárọ̀! {NAME} – 3") == ["Ẹ", "kú", "àárọ̀", "3"]
    assert words("") == []


@patient
@anything
def test_words_hold_no_white_space(text: str) -> None:
    assert not any(c.isspace() or c in LOST for word in words(text) for c in word)


@patient
@anything
def test_no_word_starts_with_a_mark(text: str) -> None:
    assert not any(unicodedata.category(word[0]).startswith("M") for word in words(text))


@patient
@anything
def test_words_are_in_the_text_in_order(text: str) -> None:
    place = 0
    for word in words(text):
        place = text.index(word, place) + len(word)


@patient
@anything
def test_graphemes_join_to_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text


@patient
@anything
def test_both_unicode_forms_have_as_many_words(text: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert len(words(composed)) == len(words(decomposed))
    assert len(tokenize(composed)) == len(tokenize(decomposed))


@patient
@anything
def test_tokenize_loses_only_white_space(text: str) -> None:
    assert visible("".join(tokenize(text))) == visible(text)


@patient
@anything
def test_tokens_can_be_written_with_spaces_between(text: str) -> None:
    tokens = tokenize(text)
    assert " ".join(tokens).split() == tokens


@patient
@given(ANY_SCRIPT, ANY_SCRIPT)
def test_a_newline_parts_words(a: str, b: str) -> None:
    assert words(a + "\n" + b) == words(a) + words(b)


@patient
@anything
def test_sentences_join_to_the_text(text: str) -> None:
    assert visible("".join(sentences(text))) == visible(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jara kai. ¿Jawe? Moa.", ["Jara kai.", "¿Jawe?", "Moa."]),
        ("Vale 3.14 soles. El Sr. Pérez vino.", ["Vale 3.14 soles.", "El Sr. Pérez vino."]),
        ("Am 3. Oktober kam J. Mayer. Er blieb.", ["Am 3. Oktober kam J. Mayer.", "Er blieb."]),
        ("¡Ay! dijo ella. «Sí.» Luego… nada.", ["¡Ay! dijo ella.", "«Sí.»", "Luego… nada."]),
        ("Nació en 1990. Vive aquí.", ["Nació en 1990.", "Vive aquí."]),
        ("uno dos. tres cuatro.", ["uno dos.", "tres cuatro."]),
        ("एक। दो॥ १ ॥ तीन", ["एक।", "दो॥ १ ॥", "तीन"]),
        ("ሰላም። ደህና፧ እሺ፡፡ አዎ", ["ሰላም።", "ደህና፧", "እሺ፡፡", "አዎ"]),
        ("မြန်မာ။စာ။", ["မြန်မာ။", "စာ။"]),
        ("བོད་སྐད། ཡིན།", ["བོད་སྐད།", "ཡིན།"]),
        ("نعم. هل؟ لا۔ ہاں", ["نعم.", "هل؟", "لا۔", "ہاں"]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("வா. போ! ஏன்?", ["வா.", "போ!", "ஏன்?"]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_sentences_take_the_abbreviations_of_a_language() -> None:
    text = "La Sra. Rojas llegó. Bien."
    assert sentences(text, abbreviations=["sra"]) == ["La Sra. Rojas llegó.", "Bien."]


@pytest.mark.parametrize("text", ["Ye' dör «ká».\n'dos' y 'tres'", "a-lim{ki} <gap> 3.14", "นี่คือบ้าน", "l’été – no"])
def test_spans_are_where_the_words_stand(text: str) -> None:
    assert [text[start:end] for start, end in word_spans(text)] == words(text)
