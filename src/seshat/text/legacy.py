"""Encodings from before Unicode that put the letters of a script into the places of Latin ones: told, and repaired.

Of Tamil: TSCII 1.7 (tscii.org), TAB (Government of Tamil Nadu, 1999) and the typewriter font Bamini, which is ASCII.
They store what is seen: the signs ெ ே ை stand before their consonant, ொ in two halves around it. Repair reads glyphs,
moves these signs, and composes (NFC). On the web such bytes have mostly been stored again as UTF-8, so that repair
takes text; :func:`register` adds the encodings to Python's, for files of the bytes themselves.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

_PLACES = {
    character: chr(byte) for byte in range(0x80, 0xA0) if (character := bytes([byte]).decode("cp1252", "ignore"))
}
"""What Windows shows in the places 80 to 9F -> the place."""
_BEFORE = regex.compile(r"([ெேை]+)(க்ஷ|[க-ஹ])")
_TWICE = {"ுா": "ூ", "ுூ": "ூ"}
_LETTER = regex.compile(r"[\p{L}\p{M}]")
_FEWEST = 8
"""Characters of the script below which nothing is said about a text."""
_ORPHANS = 0.02
"""Share of signs that stand on no consonant, up to which a reading is taken for text: Unicode text has none."""
_PULLI = 0.04
"""Share of ``;`` inside and at the end of words from which ASCII may be Bamini: a tenth in Tamil, none in others."""
_INSIDE = regex.compile(r"(?<=[A-Za-z\[\]\\`]);")
_ORPHAN = regex.compile(r"(?<![க-ஹ])[\u0bbe-\u0bcd\u0bd7]|[\u0bbe-\u0bcd\u0bd7]{2}")


def _run(first: int, glyphs: str) -> dict[str, str]:
    return {chr(first + place): glyph for place, glyph in enumerate(glyphs.split())}


def _pairs(keys: str, glyphs: str) -> dict[str, str]:
    return dict(zip(keys.split(), glyphs.split(), strict=True))


_VOWELS = "அ ஆ இ ஈ உ ஊ எ ஏ ஐ ஒ ஓ"
_CONSONANTS = "க ங ச ஞ ட ண த ந ப ம ய ர ல வ ழ ள ற ன"
_TSCII = {
    **_run(0x81, "௧ ஸ்ரீ ஜ ஷ ஸ ஹ க்ஷ ஜ் ஷ் ஸ் ஹ் க்ஷ் ௨ ௩ ௪ ௫ ‘ ’ “ ” ௬ ௭ ௮ ௯ ஙு ஞு ஙூ ஞூ ௰ ௱ ௲"),
    **_run(0xA1, "ா ி ீ ு ூ ெ ே ை © ௗ"), **_run(0xAB, f"{_VOWELS} ஔ ஃ {_CONSONANTS} டி டீ"), "þ": "இ", "\xad": "இ",
    **_run(0xCC, "கு சு டு ணு து நு பு மு யு ரு லு வு ழு ளு று னு"),
    **_run(0xDC, "கூ சூ டூ ணூ தூ நூ பூ மூ யூ ரூ லூ வூ ழூ ளூ றூ னூ"),
    **_run(0xEC, "க் ங் ச் ஞ் ட் ண் த் ந் ப் ம் ய் ர் ல் வ் ழ் ள் ற் ன்"),
}  # fmt: skip
_TAB = {
    **_run(0x91, "‘ ’ “ ”"), "¢": "்", "£": "ா", "¤": "ி", "¦": "ீ", "§": "ு", "¨": "ூ", "ª": "ெ", "«": "ே", "¬": "ை",
    "®": "டி", "¯": "டீ", **_run(0xB0, "கு ஙு சு ஞு டு ணு து"), **_run(0xB8, "நு பு மு யு ரு லு வு ழு ளு று னு"),
    **_run(0xC3, "கூ ஙூ சூ ஞூ டூ ணூ தூ"), **_run(0xCB, "நூ பூ மூ யூ ரூ"), **_run(0xD6, "லூ வூ ழூ ளூ றூ னூ"),
    **_run(0xDC, f"{_VOWELS} ஃ {_CONSONANTS} ஸ ஷ ஜ ஹ க்ஷ ஸ்ரீ"), "å÷": "ஔ",
}  # fmt: skip
_BAMINI = {
    **_pairs("m M , < c C v V I x X / f q r Q l z j e g k a u y t o s w d", f"{_VOWELS} ஃ {_CONSONANTS}"),
    **_pairs("F R L Z J E G K A U Y T O S W D", "கு சு டு ணு து நு பு மு யு ரு லு வு ழு ளு று னு"),
    **_pairs("b B $ # ^ % & * [ \\ ] ` = H", "டி டீ கூ சூ டூ மூ ரூ ழூ ஜ ஷ ஸ ஹ ஸ்ரீ ர்"),
    **_pairs("h p P { + } n N i ; > @", "ா ி ீ ு ூ ூ ெ ே ை ் , ;"), "xs": "ஔ",
}  # fmt: skip


@dataclass(frozen=True)
class Legacy:
    """One encoding: its name, the language and script that it writes, and what its characters stand for."""

    name: str
    language: str
    script: str
    table: dict[str, str]
    ascii: bool = False
    """Whether the letters stand in the places of ASCII."""

    def repair(self, text: str) -> str:
        """Unicode for a text in this encoding, whose bytes are read as Latin-1 or Windows-1252."""
        placed = text if self.ascii else "".join(_PLACES.get(one, one) for one in text)
        seen = _glyphs(self.name).sub(lambda match: self.table[match[0]], placed)
        moved = _BEFORE.sub(r"\2\1", seen)
        for two, one in _TWICE.items():
            moved = moved.replace(two, one)
        return unicodedata.normalize("NFC", moved)


ENCODINGS = {
    one.name: one
    for one in (
        Legacy("tscii", "ta", "Tamil", _TSCII), Legacy("tab", "ta", "Tamil", _TAB),
        Legacy("bamini", "ta", "Tamil", _BAMINI, ascii=True),
    )
}  # fmt: skip
"""The encodings by name."""


@lru_cache(maxsize=8)
def _glyphs(name: str) -> regex.Pattern[str]:
    keys = sorted(ENCODINGS[name].table, key=len, reverse=True)
    # ஔ is written as ஒ and ள: a sign or a pulli behind says that they are two letters.
    return regex.compile("|".join(regex.escape(key) + ("(?![¢-¨;hpP])" if len(key) > 1 else "") for key in keys))


def recognise(text: str, languages: Iterable[str]) -> Legacy | None:
    """The encoding that a text is in, if it is in one of some languages.

    Args:
        text: the text, its bytes read as Latin-1, Windows-1252 or ASCII.
        languages: tags of the languages that it may be in; text with letters of their script is in Unicode already.
    """
    stems = {tag.split("-")[0].casefold() for tag in languages}
    known = [one for one in ENCODINGS.values() if one.language in stems]
    if not known or any(regex.search(rf"\p{{Script={one.script}}}", text) for one in known):
        return None
    best: tuple[float, Legacy] | None = None
    for one in known:
        if one.ascii:
            letters = _LETTER.findall(text)
            fits = all(map(str.isascii, letters)) and len(_INSIDE.findall(text)) >= _PULLI * len(letters)
        else:
            fits = sum("\xa0" < letter <= "\xff" for letter in text) > len(text) / 4
        found = _orphans(one.repair(text), one.script) if fits else None
        if found is not None and found <= _ORPHANS and (best is None or found < best[0]):
            best = found, one
    return best[1] if best is not None else None


def _orphans(text: str, script: str) -> float | None:
    """Share of signs without a consonant among the characters of a script; None where there are too few of them."""
    own = len(regex.findall(rf"\p{{Script={script}}}", text))
    return len(_ORPHAN.findall(text)) / own if own >= _FEWEST else None


def _codec(codec: str) -> codecs.CodecInfo | None:
    name, _, within = codec.partition("_")
    one = ENCODINGS.get(name)
    if one is None or within not in {"", "utf8"}:
        return None

    def decode(data: Any, errors: str = "strict") -> tuple[str, int]:
        return one.repair(bytes(data).decode(within or "latin-1", errors)), len(data)

    def encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
        return text.encode("ascii", errors), len(text)

    return codecs.CodecInfo(encode, decode, name=codec.replace("_", "-"))


@lru_cache(maxsize=1)
def register() -> None:
    """Let Python read these encodings by their names, as it does its own; writing takes ASCII alone.

    ``tscii`` reads the bytes themselves, ``tscii-utf8`` what they became when somebody stored them as UTF-8.
    """
    codecs.register(_codec)
