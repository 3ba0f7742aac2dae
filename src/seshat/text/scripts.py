"""Which scripts a text is written in, and which of its characters could surprise.

Look-alikes of another script inside a word, several Unicode forms in one corpus, invisible characters.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import regex

from seshat.text.words import words

# Every script of Unicode 18 but Common and Inherited (digits, punctuation, most marks), by its Unicode name.
_SCRIPT_NAMES = """
Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Beria_Erfe Bhaiksuki
Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian
Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs
Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema
Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inscriptional_Pahlavi
Inscriptional_Parthian Javanese Jurchen Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer
Khojki Khudawadi Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam
Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs
Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu
Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian
Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa
Phoenician Proto_Cuneiform Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Seal Sharada Shavian Siddham Sidetic
SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le
Tai_Tham Tai_Viet Tai_Yo Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Tolong_Siki Toto
Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square
"""

_MIXED_BY_CUSTOM = frozenset({"Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"})
"""Scripts of East Asia that one word may mix."""

_LOOKS_LATIN = dict(
    zip(
        "асеһіјорѕхуԁԛԝАВСЕНІЈКМОРЅТХҮԚԜονΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "acehijopsxydqwABCEHIJKMOPSTXYQWovABEZHIKMNOPTYX",
        strict=True,
    )
)
"""Cyrillic and Greek letters that no reader tells from a Latin one."""

CONFUSABLE_GROUPS = (
    "'’ʼꞌ‘ʻ`´′ʹ",
    "-‐‑‒–−",
    ":ː꞉",
    "!ǃ",
    "|ǀ",
    "gɡ",
    "əǝә",
    "ɛε",
    "ɣγ",
    "ɩι",
    "ʋυ",
    "ɑα",
    "βꞵ",
    "χꭓ",
    "ÐĐƉ",
    "ʔɂ",
)
"""Characters that look alike and are typed for one another. An orthography uses one of a group inside words."""

_LETTER = regex.compile(r"\p{L}")
_INVISIBLE = regex.compile(r"(?V1)[\p{Default_Ignorable_Code_Point}\p{Cc}\ufff9-\ufffb--[\t\n\r]]")

UnicodeForm = Literal["ASCII", "NFC", "NFD", "either", "mixed"]


@dataclass(frozen=True)
class MixedWord:
    """A word with letters of more than one script."""

    word: str
    scripts: tuple[str, ...]
    """The scripts, the one with most letters first."""
    suggestion: str | None
    """The word in one script, when every foreign letter is a look-alike of a Latin one (or the reverse)."""


@lru_cache(maxsize=1)
def _scripts() -> regex.Pattern[str]:
    """One named group per script that the installed `regex` knows, and one for letters of newer scripts."""
    known = (rf"(?P<{name}>\p{{Script={name}}})" for name in _SCRIPT_NAMES.split() if is_script(name))
    return regex.compile("|".join([*known, r"(?P<Unknown>(?![\p{Script=Common}\p{Script=Inherited}])\p{L})"]))


@lru_cache(maxsize=512)
def is_script(script: str) -> bool:
    """Whether Unicode has a script of that name or four-letter code, as the installed `regex` knows it."""
    try:
        regex.compile(rf"\p{{Script={script}}}")
    except regex.error:
        return False
    return True


@lru_cache(maxsize=16_384)
def script_of(character: str) -> str | None:
    """The script of one character; ``None`` for what all scripts share, such as digits and punctuation."""
    match = _scripts().match(character)
    return match.lastgroup if match is not None else None


def _script_counts(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for letter, count in Counter(_LETTER.findall(text)).items():
        script = script_of(letter)
        if script is not None:
            counts[script] += count
    return counts


def script_shares(text: str) -> dict[str, float]:
    """Script -> share of the letters, the largest first. Letters that all scripts share (ʼ, ː) do not count."""
    counts = _script_counts(text)
    total = sum(counts.values())
    return {script: count / total for script, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}


def dominant_script(text: str) -> str | None:
    """The script with most letters; ``None`` without letters."""
    return next(iter(script_shares(text)), None)


def mixed_script_words(text: str) -> list[MixedWord]:
    """The words whose letters come from more than one script, such as a Latin word with a Cyrillic а."""
    if text.isascii():
        return []
    found = []
    for word in words(text):
        scripts = tuple(script_shares(word))
        if len(scripts) > 1 and not _MIXED_BY_CUSTOM.issuperset(scripts):
            found.append(MixedWord(word, scripts, _in_one_script(word, scripts[0])))
    return found


def _in_one_script(word: str, main: str) -> str | None:
    """The word with its foreign letters replaced by their look-alikes, when that leaves one script."""
    if main == "Latin":
        table = _LOOKS_LATIN
    else:
        table = {latin: other for other, latin in _LOOKS_LATIN.items() if script_of(other) == main}
    mended = "".join(letter if script_of(letter) in (main, None) else table.get(letter, letter) for letter in word)
    return mended if len(script_shares(mended)) == 1 else None


def unicode_form(text: str) -> UnicodeForm:
    """The Unicode form of a text: ``either`` when both forms are the same, ``mixed`` when it is in neither."""
    if text.isascii():
        return "ASCII"
    composed = unicodedata.is_normalized("NFC", text)
    decomposed = unicodedata.is_normalized("NFD", text)
    if composed and decomposed:
        return "either"
    if composed:
        return "NFC"
    return "NFD" if decomposed else "mixed"


def invisible_characters(text: str) -> Counter[str]:
    """The characters that nobody sees, with how often they occur: joiners, marks of direction, controls."""
    return Counter(_INVISIBLE.findall(text))


def describe(character: str) -> str:
    """A character for people: ``U+00F1 LATIN SMALL LETTER N WITH TILDE``."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"
