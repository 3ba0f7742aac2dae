"""Marks that a target language writes in its own way, whatever model wrote the rest.

Spanish opens questions and exclamations (Real Academia Española, *Ortografía* 2010, III.3.4.9); French parts high marks
and quotation marks from the words by a space that does not break (Imprimerie nationale, *Lexique des règles
typographiques*, 2002). A quotation mark without its partner that the source has none of is a slip of the model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import regex

Mend = Callable[[str], str]

_PAIRS = {"“": "”", "«": "»"}
_QUOTES = '"“”«»„'
_OPENERS = {"?": "¿", "!": "¡"}
_END = r"[.?!…]+[\"”»)\]]*(?=\s|$)"
_SENTENCE = regex.compile(rf"(?s:.+?)(?:{_END}\s*|\Z)")
_CLOSES = {mark: regex.compile(rf"\{mark}[.?!…]*[\"”»)\]]*\s*\Z") for mark in _OPENERS}
"""A mark that ends a sentence; one inside of an address does not."""
_LEADING = regex.compile(r"[\s\"“«(\[—–-]*")
_HIGH = regex.compile(r"(?<=[\p{L}\p{N}»)%])(?=[;!?](?:[\s»!?]|$))")
_COLON = regex.compile(r"(?<=[\p{L}»)])(?=:(?:\s|$))")
_GUILLEMETS = regex.compile(r"«(?=\S)|(?<=\S)»")
_NARROW, _NO_BREAK = "\u202f", "\u00a0"


def mend_marks(text: str, source: str, target: str) -> tuple[str, list[str]]:
    """A translation with its marks as its language writes them.

    Args:
        text: what a model said.
        source: what it translated; what stands there just so is meant.
        target: tag of the language of ``text``.

    Returns:
        The text, and what was changed, in words.
    """
    rules: list[tuple[str, Mend]] = [("a quotation mark without its partner", partial(_paired, source=source))]
    language = target.partition("-")[0].casefold()
    if language == "es":
        rules.append(("marks that open questions and exclamations", _opened))
    if language == "fr":
        rules.append(("spaces of marks", _parted))
    reasons = []
    for reason, mend in rules:
        mended = mend(text)
        if mended != text:
            text = mended
            reasons.append(reason)
    return text, reasons


def _paired(text: str, source: str) -> str:
    """Take out the only quotation mark of its kind where the source has none at all."""
    if any(mark in source for mark in _QUOTES) or not any(mark in text for mark in _QUOTES):
        return text
    stray = {'"'} if text.count('"') % 2 else set()
    for start, end in _PAIRS.items():
        if text.count(start) != text.count(end):
            stray |= {start, end}
    if not stray:
        return text
    return _without(text, stray)


def _without(text: str, marks: set[str]) -> str:
    kept = "".join(one for one in text if one not in marks)
    return regex.sub(r"\s+(?=[.,;:?!])", "", regex.sub(r"[^\S\n]{2,}", " ", kept)).strip() or text


def _opened(text: str) -> str:
    """Every question has one mark that opens it; where that is wrong, it opens the sentence."""
    return "".join(_sentence(one) for one in _SENTENCE.findall(text))


def _sentence(sentence: str) -> str:
    ends = [mark for mark, closes in _CLOSES.items() if closes.search(sentence)]
    begins = [mark for mark in _OPENERS.values() if mark in sentence]
    if begins and not any(mark in sentence for mark in _OPENERS):
        return _respaced(regex.sub("[¿¡]", "", sentence))
    if not ends or begins or not any(map(str.isalpha, sentence)):
        return sentence
    lead = _LEADING.match(sentence)
    place = lead.end() if lead else 0
    return f"{sentence[:place]}{_OPENERS[ends[0]]}{sentence[place:]}"


def _respaced(text: str) -> str:
    return regex.sub(r"(?<=\S)[^\S\n]{2,}(?=\S)", " ", text)


def _parted(text: str) -> str:
    text = _COLON.sub(_NO_BREAK, _HIGH.sub(_NARROW, text))
    return _GUILLEMETS.sub(lambda found: f"«{_NO_BREAK}" if found[0] == "«" else f"{_NO_BREAK}»", text)
