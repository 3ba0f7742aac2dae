"""What markers of Toolbox usually mean, and what its ``.typ`` files say about them."""

from __future__ import annotations

from pathlib import Path

import regex

from seshat.formats.units import Hint, Names

_LEXICON = {
    "lx": "headword", "lc": "forms", "a": "forms", "va": "forms", "ps": "pos", "hm": None, "id": None,
    "ge": "gloss.en", "de": "gloss.en", "gn": "gloss.", "dn": "gloss.", "g": "gloss.?", "d": "gloss.?",
    "xv": "example.own", "xe": "example.en", "xn": "example.", "x": "example.?",
}  # fmt: skip
"""Multi-Dictionary Formatter (Coward and Grimes 2000), and its kin with a language after ``_``. ``gloss.`` is the
national language, which is taken to be the pivot; ``?`` a language that the rest of the marker names."""
_TEXTS = {
    **dict.fromkeys(("tx", "t", "txt"), "own"),
    **dict.fromkeys(("mb", "m", "mr", "mph"), "gloss.morphemes"),
    **dict.fromkeys(("g", "gl", "mg", "gls"), "gloss.glosses"),
    **dict.fromkeys(("f", "ft", "tr", "fr"), ""),
    "ref": "id",
    "sp": "speaker",
    "spk": "speaker",
    "genre": "genre",
}
_LETTERS = {"e": "en", "n": "", "f": "fr", "r": "ru", "s": "es", "p": "pt", "g": "de", "i": "id"}
"""Last letter of a marker (``ge``, ``ftr``) -> the language that it usually stands for; ``n`` is the national one."""
_TYPE = regex.compile(r"^\\\+mkr[ \t]+(\S+)(.{0,5000}?)^\\-mkr", regex.MULTILINE | regex.DOTALL)
_LANGUAGE = regex.compile(r"^\\lng[ \t]+(.+?)\s*$", regex.MULTILINE)
_MEANING = regex.compile(r"^\\nam[ \t]+(.+?)\s*$", regex.MULTILINE)
_LARGEST = 2_000_000


def read_types(path: Path, names: Names) -> None:
    """Take the names and languages of markers from the ``.typ`` file in the folder, where there is exactly one."""
    found = sorted(one for one in path.parent.iterdir() if one.suffix.casefold() == ".typ")
    if len(found) != 1 or found[0].stat().st_size > _LARGEST:
        return
    text = found[0].read_text(encoding="utf-8", errors="replace")
    for match in _TYPE.finditer(text):
        language, meaning = _LANGUAGE.search(match[2]), _MEANING.search(match[2])
        names.hint(match[1], meaning[1] if meaning else "", language[1] if language else "")


def lexicon(name: str, hint: Hint, names: Names) -> str | None:
    """The field of a marker of a lexicon."""
    base, _, code = name.partition("_")
    known = _LEXICON.get(name) or (_LEXICON.get(base) if code else None)
    if known is None or not known.startswith(("gloss.", "example.")):
        return None if known is None or (code and known == "headword") else known
    stem, _, tongue = known.partition(".")
    if tongue == "own":
        return f"{stem}.{names.own}"
    tag = names.language(code or hint.language)
    if tag is None and not code and tongue != "?":
        tag = names.language(tongue) if tongue else names.pivot if names.pivot != "en" else None
    return f"{stem}.{tag}" if tag else None


def interlinear(name: str, hint: Hint, names: Names) -> str | None:
    """The field of a marker of an interlinear text."""
    base, _, code = name.partition("_")
    known = _TEXTS.get(name) if not code else _TEXTS.get(base)
    letter = name[-1:]
    if known is None and not code and letter in _LETTERS and len(name) > 1:
        known, code = _TEXTS.get(name[:-1]), _LETTERS[letter] or names.pivot
        known = known if known in {"", "gloss.glosses"} else None
    if known == "own":
        return names.own if not code else names.language(code)
    if known == "gloss.glosses":
        names.rename(name, code)
    if known == "":
        tag = names.language(code or hint.language)
        return tag if code else tag or names.pivot
    return known
