"""Words, tokens, sentences and graphemes of any script, through Unicode properties.

Never the word classes of the standard library: they cut words at combining marks. A word begins with a letter or a
digit; marks and joiners (ZWJ, ZWNJ) stay with it; an apostrophe, a hyphen or the like joins what stands on both sides.
Line breaks and zero-width spaces end words. Scripts that write no spaces (Thai, Khmer, Burmese) give one word per
run, Tibetan one per syllable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PLACEHOLDER = r"<[\p{L}_][\p{L}\p{M}\p{N}_-]*/?>(?!\p{M})|\{[A-Z_]+\}(?!\p{M})"
"""Placeholders such as ``<gap>`` stay one token and are not words."""

MARK = (
    r"(?:https?|ftp)://[^\s<>\"“”«»]*[^\s<>\"“”«».,;:!?)\]}]"  # an address on the web
    r"|(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]++@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+"  # of e-mail
    r"|%(?:\(\w+\))?[-+0#]*\d*(?:\.\d+)?[sdifgxXr](?!\p{L})"  # slots of programs: %s, {0}, {name}
    r"|\{\p{N}*\}|(?<![\p{L}\p{N}])\{[\p{L}_]\w*\}(?![\p{L}\p{N}])"
    r"|</?\p{L}[^<>\s]*>"  # tags
    r"|(?<![\p{L}\p{N}])\p{N}{1,4}(?P<dash>[-./])\p{N}{1,2}(?P=dash)\p{N}{1,4}(?![\p{L}\p{N}])"  # dates
)
"""Strings that mean the same in every language and are never translated."""

_CORE = r"[\p{L}\p{N}][\p{L}\p{M}\p{N}\u200c\u200d]*+"
# The last two of the first group are what Unicode turns into ` and ´.
_APOSTROPHE = "['’‘`´′\u1fef\u1ffd]"
# A determinative of cuneiform transliteration, as in {d}UTU and a-lim{ki}; not a placeholder such as {NAME}.
_DETERMINATIVE = r"\{(?![A-Z_]+\})\p{L}[\p{L}\p{M}\p{N}]*\}"
# What joins two parts of a word (after Unicode Standard Annex 29, plus the hyphen). Full stop and colon join only
# letters of one case (LUGAL.GAL, p.ej, ko:ni), so that a space forgotten after a sentence does not glue two words. A
# hyphen does not join two numbers; comma and slash join nothing else.
_JOINER = (
    r"(?:"
    rf"{_APOSTROPHE}[-=]?"
    r"|[-\u2010\u2011](?!(?<=\p{N}.)\p{N})"
    rf"|[-=]{_APOSTROPHE}"
    r"|[=·\u0387\u2027_\u00ad\u2060]"
    r"|[.:](?=\p{Ll})(?<=\p{Ll}\p{M}*.)"
    r"|[.:](?=[\p{Lu}\p{Lt}])(?<=[\p{Lu}\p{Lt}][\p{M}\p{N}]*.)"
    r"|[.,:/⁄](?=\p{N})(?<=\p{N}.)"
    r")"
)
_BEFORE_JOINER = r"(?=['’‘`´′\u1fef\u1ffd\-\u2010\u2011=·\u0387\u2027_\u00ad\u2060.:,/⁄{])"  # only for speed
_WORD = rf"{_CORE}(?:{_BEFORE_JOINER}(?:{_JOINER}(?:{_DETERMINATIVE})?|{_DETERMINATIVE}){_CORE})*+(?:{_DETERMINATIVE})?"
# An apostrophe at the edge of a word that belongs to it: the glottal stop of Bribri ye'.
_EDGED_WORD = rf"(?:{_APOSTROPHE}(?=\p{{L}}))?{_WORD}(?:{_APOSTROPHE}(?![\p{{L}}\p{{M}}\p{{N}}]))?"
_OTHER = r"\.{2,}|-{2,}|(?![\s\u200b\x1c-\x1f])\X"  # Python counts the four as white space, Unicode does not


def _words_of(word: str) -> regex.Pattern[str]:
    return regex.compile(rf"{word}|{_DETERMINATIVE}{word}|(?:{PLACEHOLDER})(*SKIP)(*FAIL)")


def _tokens_of(word: str) -> regex.Pattern[str]:
    return regex.compile(rf"{word}|{_DETERMINATIVE}{word}|{PLACEHOLDER}|{_OTHER}")


_WORDS, _EDGED_WORDS = _words_of(_WORD), _words_of(_EDGED_WORD)
_TOKENS, _EDGED_TOKENS = _tokens_of(_WORD), _tokens_of(_EDGED_WORD)
_ANY_APOSTROPHE = regex.compile(_APOSTROPHE)
_OPENING = regex.compile(rf"(?<![\p{{L}}\p{{M}}\p{{N}}]){_APOSTROPHE}(?=\p{{L}})")
_CLOSING = regex.compile(rf"(?<=[\p{{L}}\p{{M}}\p{{N}}]){_APOSTROPHE}(?![\p{{L}}\p{{M}}\p{{N}}])")


def words(text: str) -> list[str]:
    """The words of a text, without punctuation and placeholders."""
    return _find(text, _WORDS, _EDGED_WORDS)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the :func:`words` of a text stand in it: (start, end) of each."""
    if _ANY_APOSTROPHE.search(text) is None:
        return [match.span() for match in _WORDS.finditer(text)]
    found: list[tuple[int, int]] = []
    begin = 0
    for line in text.splitlines(keepends=True):
        matches = (_WORDS if _quotes(line) else _EDGED_WORDS).finditer(line)
        found += [(begin + match.start(), begin + match.end()) for match in matches]
        begin += len(line)
    return found


def tokenize(text: str) -> list[str]:
    """Words, placeholders and punctuation marks, in order; only white space and zero-width spaces are lost."""
    return _find(text, _TOKENS, _EDGED_TOKENS)


def graphemes(text: str) -> list[str]:
    """Characters as readers see them (extended grapheme clusters)."""
    return regex.findall(r"\X", text)


def count_graphemes(text: str) -> int:
    """How many :func:`graphemes` a text has: five times as quick where each is one character with what follows it."""
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = _grapheme_kinds()[np.minimum(points, 0xFFFF)]
    follows = kinds == 1
    if (kinds == 2).any() or follows[:1].any() or (follows[1:] & (points[:-1] == 10)).any():
        return len(graphemes(text))
    return len(text) - int(follows.sum())


@lru_cache(maxsize=1)
def _grapheme_kinds() -> NDArray[np.uint8]:
    """Of every character of the basic plane: 0 begins a grapheme, 1 goes on with it, 2 it depends; of others, 2."""
    import numpy as np

    # Surrogates stand for themselves; a line break is 0, and what follows it is looked at apart.
    every = "".join(map(chr, range(0x10000)))
    kinds = np.full(0x10000, 2, dtype=np.uint8)
    for kind, pattern in (
        (0, r"[\p{GCB=Other}--\p{Extended_Pictographic}]|\n"),
        (1, r"[\p{GCB=Extend}\p{GCB=SpacingMark}]"),
    ):
        kinds[[match.start() for match in regex.finditer(rf"(?V1){pattern}", every)]] = kind
    kinds[0xFFFF] = 2
    return kinds


def _find(text: str, plain: regex.Pattern[str], edged: regex.Pattern[str]) -> list[str]:
    """All matches. In a line with quotations in single quotes, no apostrophe at the edge of a word belongs to it."""
    if _ANY_APOSTROPHE.search(text) is None:
        return plain.findall(text)
    found: list[str] = []
    for line in text.splitlines():
        found += (plain if _quotes(line) else edged).findall(line)
    return found


def _quotes(line: str) -> bool:
    """Whether a line has a quotation in single quotes."""
    return _OPENING.search(line) is not None and _CLOSING.search(line) is not None


# Full stop, question and exclamation mark of the European scripts need a space behind them to end a sentence; danda,
# Ethiopic, Burmese, Khmer, Chinese … full stops do not. The Tibetan shad is no sentence terminal in Unicode.
_NEEDS_SPACE = ".!?…‼⁇⁈⁉"
_END = regex.compile(
    rf"(?P<marks>(?:[\p{{Sentence_Terminal}}{_NEEDS_SPACE}\u0f0d-\u0f11\u2016]|፡፡)+)"
    r"(?P<closing>[\p{Pe}\p{Pf}\"'”’»]*)(?P<space>\s*)"
)
_LAST_WORD = regex.compile(r"[\p{L}\p{M}\p{N}.'’-]*$")
_NEXT_LETTER = regex.compile(r"[\p{P}\p{S}\s]*(\p{L})?")
_LETTER = regex.compile(r"\p{L}")
_CAPITAL = regex.compile(r"[\p{Lu}\p{Lt}]")
_TITLE = regex.compile(r"[BCDFGHJKLMNPQRSTVWXZ][bcdfghjklmnpqrstvwxz]{1,2}")
"""A capitalised word without a vowel: Dr, Sr, Mrs, St."""


def sentences(text: str, abbreviations: Collection[str] = ()) -> list[str]:
    """Split a text into sentences by rules that hold for many scripts; line breaks end sentences too.

    Not cut: decimals (3.14), one- to three-digit ordinals (3. Oktober), initials (J. Pérez), words with a full stop
    inside (p.ej.), titles without a vowel (Dr.), and before a small letter (in a text that has capitals at all).

    Args:
        text: running text.
        abbreviations: words that a full stop follows inside a sentence, without it: ``Sra``, ``Prof``.

    Returns:
        The sentences without white space around them; joined, they are the text but for white space.
    """
    known = frozenset(word.casefold() for word in abbreviations)
    has_capitals = _CAPITAL.search(text) is not None
    return [piece for line in text.splitlines() for piece in _sentences_of_line(line, known, has_capitals)]


def _sentences_of_line(line: str, abbreviations: frozenset[str], has_capitals: bool) -> list[str]:
    pieces: list[str] = []
    for piece in _pieces(line, abbreviations, has_capitals):
        if pieces and _LETTER.search(piece) is None:  # a verse number behind a danda, a lone quotation mark
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return [piece.strip() for piece in pieces if piece.strip()]


def _pieces(line: str, abbreviations: frozenset[str], has_capitals: bool) -> Iterator[str]:
    start = 0
    for match in _END.finditer(line):
        if match.end() < len(line) and _ends_sentence(line, match, abbreviations, has_capitals):
            yield line[start : match.end()]
            start = match.end()
    yield line[start:]


def _ends_sentence(line: str, match: regex.Match[str], abbreviations: frozenset[str], has_capitals: bool) -> bool:
    marks = match["marks"]
    if all(mark in _NEEDS_SPACE for mark in marks):
        if not match["space"]:
            return False
        following = _NEXT_LETTER.match(line, match.end())
        if has_capitals and following is not None and following[1] and following[1].islower():
            return False
    return marks != "." or not _is_abbreviation(_word_before(line, match.start()), abbreviations)


def _word_before(line: str, end: int) -> str:
    found = _LAST_WORD.search(line[max(0, end - 40) : end])
    return found[0] if found is not None else ""


def _is_abbreviation(word: str, abbreviations: frozenset[str]) -> bool:
    if word.isdecimal():
        return len(word) <= 3
    return (
        len(word) == 1
        or "." in word.strip(".")
        or word.casefold() in abbreviations
        or _TITLE.fullmatch(word) is not None
    )
