"""The letters beyond ASCII of widely used languages: they tell the right reading of a file from a wrong one."""

from __future__ import annotations

LETTERS = {
    "es": "áéíóúüñ", "pt": "áâãàçéêíóôõúü", "fr": "àâæçéèêëîïôœùûüÿ", "it": "àèéìíîòóùú", "en": "éïö",
    "de": "äöüß", "nl": "áéëïíóöúü", "da": "æøåé", "no": "æøåéòô", "sv": "åäöé", "fi": "äöåšž", "is": "áðéíóúýþæö",
    "pl": "ąćęłńóśźż", "cs": "áčďéěíňóřšťúůýž", "sk": "áäčďéíĺľňóôŕšťúýž", "hu": "áéíóöőúüű", "sl": "čšž",
    "hr": "čćđšž", "bs": "čćđšž", "sq": "ëç", "ro": "ăâîșțşţ", "et": "äõöüšž", "lv": "āčēģīķļņšūž",
    "lt": "ąčęėįšųūž", "tr": "çğıöşüâîû", "az": "çəğıöşü",
    "vi": "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ",
    "id": "é", "ms": "é", "sw": "", "tl": "ñáéíóú", "ca": "àçéèíïóòúü", "gl": "áéíóúüñ", "eu": "ñü",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "be": "абвгдеёжзійклмнопрстуўфхцчшыьэюя", "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "sr": "абвгдђежзијклљмнњопрстћуфхцчџш", "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
    "el": "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ", "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيًٌٍَُِّْ", "fa": "آأؤئابپتثجچحخدذرزژسشصضطظعغفقکگلمنهوی",
    "th": "".join(map(chr, (*range(0x0E01, 0x0E3B), *range(0x0E40, 0x0E4F)))),
}  # fmt: skip
"""Language (ISO 639-1) -> its letters beyond ASCII, in lower case."""

_WESTERN = frozenset({"es", "pt", "fr", "it", "en", "de", "nl", "da", "no", "sv", "fi", "is", "sq", "id", "ms", "sw"})
_WESTERN |= {"tl", "ca", "gl", "eu"}
_CENTRAL = frozenset({"pl", "cs", "sk", "hu", "sl", "hr", "bs", "sq", "ro", "de"})
_CYRILLIC = frozenset({"ru", "uk", "be", "bg", "sr", "mk"})
CODE_PAGES = {
    "cp1252": _WESTERN, "cp1250": _CENTRAL, "cp1251": _CYRILLIC, "cp1253": {"el"}, "cp1254": {"tr", "az"},
    "cp1255": {"he"}, "cp1256": {"ar", "fa"}, "cp1257": {"et", "lv", "lt"}, "cp1258": {"vi"}, "cp874": {"th"},
    "iso8859-2": _CENTRAL, "iso8859-5": _CYRILLIC, "iso8859-9": {"tr", "az"}, "koi8-r": {"ru"}, "koi8-u": {"uk"},
    "cp866": _CYRILLIC, "cp852": _CENTRAL, "cp850": _WESTERN, "cp437": {"en"}, "mac-roman": _WESTERN,
    "mac-latin2": _CENTRAL, "mac-cyrillic": _CYRILLIC,
}  # fmt: skip
"""Encoding of one byte a character -> the languages that it was made for, the usual ones first."""

_SIGNS = frozenset("«»“”„‘’‚–—…¿¡ªº°€§©®·•´\u00a0×½¼¾²³¹№£")
_IN_WORDS = frozenset("’‘·´ªº\u00a0")
_NO_LETTERS = frozenset("ªºµƒ")


def known(tags: tuple[str, ...]) -> frozenset[str]:
    """The letters beyond ASCII of some languages; empty when none of them is listed."""
    return frozenset("".join(LETTERS.get(tag.split("-")[0].casefold(), "") for tag in tags))


def fit(text: str, letters: frozenset[str], home: bool) -> float:
    """How well a text reads: the mean over its characters beyond ASCII, at most 1.

    Args:
        text: one reading of a file.
        letters: those of its languages, as far as they are known.
        home: whether the encoding was made for one of them, which excuses letters of a language nobody has listed.
    """
    points = 0.0
    count = 0
    padded = f" {text} "
    for place, character in enumerate(padded):
        if character < "\x80":
            continue
        count += 1
        before, after = padded[place - 1], padded[place + 1]
        if character.isalpha() and character not in _NO_LETTERS:
            points += _letter(character, before, after, letters, home)
        elif character in _SIGNS:
            points += -1 if before.isalpha() and after.isalpha() and character not in _IN_WORDS else 0.5
        elif not character.isprintable() or character == "\ufffd":
            points -= 2
        else:
            points -= 1.5 if before.isalpha() and after.isalpha() else 0.5
    return points / count if count else 0.0


def _letter(character: str, before: str, after: str, letters: frozenset[str], home: bool) -> float:
    points = 1.0 if character.lower() in letters else 0.4 if home else 0.0
    if character.isupper() and before.islower():
        return points - 1.5
    if character.isupper() and before.isalpha():
        points /= 2
    if character.islower() and before.isupper() and after.isupper():
        points -= 0.5
    latin = ord(character) < 0x250 or 0x1E00 <= ord(character) < 0x1F00
    if any(("a" <= one.lower() <= "z") != latin for one in (before, after) if one.isalpha() and one < "\x80"):
        points -= 1
    return points
