"""Measures: functions from a text to a number, in one registry.

What a number means for a text is decided elsewhere, by limits that can change without measuring again: those of
``clean`` for one segment, those fitted from trusted text for a document (:mod:`seshat.corpus.thresholds`).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import regex

from seshat.core.errors import UsageError
from seshat.text.scripts import is_script
from seshat.text.tongues import foreign_words
from seshat.text.words import graphemes, words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from seshat.text.charmodel import CharModel
    from seshat.text.identify import Identifier

FEW_WORDS = 5
"""Texts of fewer words are not tested for repetition: "no no" and reduplication are language."""
_RUN = 5
"""Words of a run that a text should not say twice."""
_MARK = regex.compile(r"<[^<>]{1,40}>|\[[^\[\]]{0,40}\.\.\.[^\[\]]{0,40}\]")
"""A mark in the place of a text, such as ``<range>`` for a verse that is translated with the one before."""
_SENTENCE_END = regex.compile(r"[\p{P}]$")
_BULLET = regex.compile(r"^\s*(?:[•‣◦▪●○*»>–—-]|\(?\p{N}{1,3}[.):])\s")
_BOILERPLATE = regex.compile(
    r"©|®|\bcookies?\b|javascript|lorem ipsum|\bclick here\b|\bread more\b|all rights reserved|privacy policy"
    r"|terms of (?:use|service)|\bsubscribe\b|\blog ?in\b|\bsign up\b|[{}]\s*$|(?:[^|]*\|){2}|»\s*$",
    regex.IGNORECASE,
)
"""What stands around the text of web pages, in English as on pages of all languages; lists add the language's own."""
_MAY_BE_BOILERPLATE = regex.compile(r"[A-Za-z©®|»{}]")
"""What each of these has: without one a line need not be searched, which saves a third of the time of all measures."""


@dataclass(frozen=True)
class Tools:
    """What measures of a language work with."""

    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Name -> words, case-folded; of ``boilerplate`` phrases."""
    model: CharModel | None = None
    """Learned from trusted text."""
    identifier: Identifier | None = None


NO_TOOLS = Tools()


@dataclass
class View:
    """A text as measures look at it: what several of them need is computed once."""

    lines: Sequence[str]
    language: str = ""
    script: str | None = None
    tools: Tools = NO_TOOLS
    placeholders: Sequence[str] = ()
    """What stands for words that cannot be read."""

    @cached_property
    def text(self) -> str:
        """All lines, with line breaks between them."""
        return "\n".join(self.lines)

    @cached_property
    def words(self) -> list[str]:
        """The words, case-folded. Line breaks end words, marks do not."""
        return words(self.text.casefold())

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """How many characters are of each class: other, letter or mark, digit, sign, space."""
        import numpy as np

        points = np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        return np.bincount(_class_table()[np.minimum(points, 0xFFFF)], minlength=5)

    @property
    def visible(self) -> int:
        """Characters but white space, at least 1."""
        return max(1, len(self.text) - int(self.classes[4]))


@lru_cache(maxsize=1)
def _class_table() -> npt.NDArray[np.uint8]:
    """Class of every character of the basic plane; the last place stands for all beyond, mostly letters."""
    import numpy as np

    kinds = {"L": 1, "M": 1, "N": 2, "P": 3, "S": 3, "Z": 4}
    table = np.array([kinds.get(unicodedata.category(chr(point))[0], 0) for point in range(0x10000)], dtype=np.uint8)
    table[[9, 10, 11, 12, 13]] = 4
    table[0xFFFF] = 1
    return table


Measure = Callable[[View], float | None]
MEASURES: dict[str, Measure] = {}
"""Name -> the function; ``None`` is what it gives where there is nothing to measure."""


def measure(function: Measure) -> Measure:
    """Enter a function in the registry under its name."""
    MEASURES[function.__name__.rstrip("_")] = function
    return function


def value(name: str, view: View) -> float | None:
    """What a measure says.

    ``list:NAME`` is the share of the words that stand in a list, ``count:NAME`` their number.
    """
    kind, _, wanted = name.partition(":")
    if not wanted:
        return MEASURES[name](view)
    listed = view.tools.lists.get(wanted, frozenset())
    found = sum(word in listed for word in view.words)
    return float(found) if kind == "count" else found / max(1, len(view.words))


def numbers(view: View, names: Sequence[str]) -> dict[str, float]:
    """What several measures say, those left out that have nothing to measure; to six digits."""
    found = ((name, value(name, view)) for name in names)
    return {name: round(number, 6) for name, number in found if number is not None}


@measure
def characters(view: View) -> float:
    """Code points."""
    return len(view.text)


@measure
def words_(view: View) -> float:
    """Words."""
    return len(view.words)


@measure
def graphemes_(view: View) -> float:
    """Characters as readers see them: akshara, letters with their marks."""
    return len(graphemes(view.text))


@measure
def wordless(view: View) -> float:
    """1 for a text without a letter or digit besides marks; placeholders of the project stand for words."""
    text = view.text
    if not text:
        return 0.0
    if any(one.isalnum() for one in text) and "<" not in text and "[" not in text:
        return 0.0
    if any(one in text for one in view.placeholders):
        return 0.0
    return float(not any(one.isalnum() for one in _MARK.sub("", text)))


@measure
def word_length(view: View) -> float | None:
    """Mean code points of a word."""
    return sum(map(len, view.words)) / len(view.words) if view.words else None


@measure
def lines(view: View) -> float:
    """Lines."""
    return len(view.lines)


@measure
def line_length(view: View) -> float | None:
    """Mean code points of a line."""
    return len(view.text) / len(view.lines) if view.lines else None


@measure
def lines_per_word(view: View) -> float | None:
    """Line breaks for each word."""
    return (len(view.lines) - 1) / len(view.words) if view.words else None


@measure
def line_ends(view: View) -> float | None:
    """Share of the lines that end with punctuation."""
    ended = sum(_SENTENCE_END.search(line) is not None for line in view.lines)
    return ended / len(view.lines) if view.lines else None


@measure
def bullets(view: View) -> float | None:
    """Share of the lines that begin with a bullet or number."""
    return sum(_BULLET.match(line) is not None for line in view.lines) / len(view.lines) if view.lines else None


@measure
def repeated_lines(view: View) -> float:
    """Share of the characters in lines that the text has said before."""
    seen: set[str] = set()
    again = 0
    for line in view.lines:
        again += len(line) if line in seen else 0
        seen.add(line)
    return again / max(1, len(view.text))


@lru_cache(maxsize=64)
def _letters_in_and_outside(script: str) -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    if not is_script(script):
        raise UsageError(
            f"'{script}' is not a script of Unicode.",
            "Write its Unicode name or code, such as Latin, Tamil, Devanagari or Ethi (project.languages).",
        )
    shared = r"\p{Script=Common}\p{Script=Inherited}"
    return (
        regex.compile(rf"(?V1)[[\p{{L}}\p{{M}}]&&\p{{Script={script}}}]+"),
        regex.compile(rf"(?V1)[[\p{{L}}\p{{M}}]--[\p{{Script={script}}}{shared}]]+"),
    )


@measure
def script_share(view: View) -> float | None:
    """Share of the letters and marks that belong to the script of the language, those left out that all scripts share.

    Raises:
        UsageError: Unicode has no such script.
    """
    if view.script is None:
        return None
    inside, outside = _letters_in_and_outside(view.script)
    if outside.search(view.text) is None:
        return 1.0 if inside.search(view.text) is not None else None
    own, foreign = (sum(map(len, pattern.findall(view.text))) for pattern in (inside, outside))
    return own / (own + foreign)


@measure
def letter_share(view: View) -> float:
    """Share of letters and marks among all characters but white space."""
    return float(view.classes[1]) / view.visible


@measure
def digit_share(view: View) -> float:
    """Share of digits among all characters but white space."""
    return float(view.classes[2]) / view.visible


@measure
def sign_share(view: View) -> float:
    """Share of punctuation and symbols among all characters but white space."""
    return float(view.classes[3]) / view.visible


@measure
def letter_words(view: View) -> float | None:
    """Share of the words that have a letter."""
    return sum(not word.isnumeric() for word in view.words) / len(view.words) if view.words else None


@measure
def repetition(view: View) -> float:
    """Share of the words that repeat the word before; 0 for a text of few words."""
    if len(view.words) < FEW_WORDS:
        return 0.0
    return sum(a == b for a, b in pairwise(view.words)) / len(view.words)


@measure
def repeated_runs(view: View) -> float:
    """Share of the words in runs of five that the text has said before (Rae et al. 2021, Gopher, table A1)."""
    found = view.words
    seen: set[int] = set()
    covered = end = 0
    for start, run in enumerate(zip(*(found[place:] for place in range(_RUN)), strict=False)):
        key = hash(run)
        if key in seen:
            covered += start + _RUN - max(end, start)
            end = start + _RUN
        seen.add(key)
    return covered / max(1, len(found))


@measure
def top_pair(view: View) -> float:
    """Share of the characters in the most frequent pair of words, where it stands more than once."""
    pairs = Counter(pairwise(view.words))
    best, count = max(
        pairs.items(), key=lambda one: (one[1], len(one[0][0] + one[0][1]), one[0]), default=(("", ""), 0)
    )
    return min(1.0, count * len(best[0] + best[1]) / view.visible) if count > 1 else 0.0


@measure
def top_word(view: View) -> float | None:
    """Share of the words that are the most frequent one."""
    return max(Counter(view.words).values()) / len(view.words) if view.words else None


@measure
def foreign_words_(view: View) -> float:
    """Function words of another European language than the text claims (:mod:`seshat.text.tongues`)."""
    return foreign_words(view.words, view.language)


@measure
def boilerplate(view: View) -> float | None:
    """Share of the lines with what stands around the text of web pages."""
    phrases = view.tools.lists.get("boilerplate", frozenset())
    hit = sum(
        (_MAY_BE_BOILERPLATE.search(line) is not None and _BOILERPLATE.search(line) is not None)
        or any(phrase in line.casefold() for phrase in phrases)
        for line in view.lines
    )
    return hit / len(view.lines) if view.lines else None


@measure
def bits(view: View) -> float | None:
    """Bits a character under a model of trusted text: the logarithm of the perplexity to base 2."""
    return view.tools.model.bits_per_character(view.text) if view.tools.model is not None else None


@measure
def language_share(view: View) -> float | None:
    """How sure it is that the text is in the language, 0 when it is in another."""
    if view.tools.identifier is None:
        return None
    found = view.tools.identifier.identify(view.text[:1_000])
    return found.confidence if found.tag == view.language else 0.0


_URL = regex.compile(r"(?:https?://|www\.)[^\s<>\"“”]+", regex.IGNORECASE)
_EMAIL = regex.compile(r"(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]++@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+")
_PHONE = regex.compile(r"(?<![\p{N}+])(?:\+|00)[1-9](?:[ ().-]?\p{N}){7,14}(?!\p{N})")
_NUMBER = regex.compile(r"(?<![\p{N}.,])\p{N}(?:[ -]?\p{N}){10,18}(?![\p{N}.,]\p{N})")
_IBAN = regex.compile(r"(?<![\p{L}\p{N}])[A-Z]{2}\p{N}{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\p{L}\p{N}])")


@measure
def urls(view: View) -> float:
    """Addresses on the web."""
    return len(_URL.findall(view.text)) if "://" in view.text or "www." in view.text.casefold() else 0


@measure
def emails(view: View) -> float:
    """Addresses of e-mail."""
    return len(_EMAIL.findall(view.text)) if "@" in view.text else 0


@measure
def phones(view: View) -> float:
    """Telephone numbers in international form (ITU-T E.164: a country code, at most 15 digits)."""
    return len(_PHONE.findall(view.text)) if view.classes[2] >= 8 else 0


@measure
def identity_numbers(view: View) -> float:
    """Numbers whose check digits are right: cards (Luhn), Aadhaar (Verhoeff, 12 digits), bank accounts (IBAN).

    Luhn: ISO/IEC 7812-1. Verhoeff 1969, "Error detecting decimal codes". IBAN: ISO 13616, modulus 97 of ISO 7064.
    """
    if view.classes[2] < 10:
        return 0
    found = sum(_is_iban(one) for one in _IBAN.findall(view.text))
    return found + sum(_is_identity(one) for one in _NUMBER.findall(view.text))


def _digits(text: str) -> list[int]:
    return [unicodedata.digit(one) for one in text if one.isdigit()]


def _is_identity(text: str) -> bool:
    number = _digits(text)
    if len(set(number)) < 3:
        return False
    return (len(number) == 12 and number[0] > 1 and verhoeff(number)) or (13 <= len(number) <= 19 and luhn(number))


def luhn(number: Sequence[int]) -> bool:
    """Whether the last digit is the check digit by Luhn."""
    doubled = (digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4) for place, digit in enumerate(reversed(number)))
    return sum(doubled) % 10 == 0


def verhoeff(number: Sequence[int]) -> bool:
    """Whether the last digit is the check digit by Verhoeff: products in the dihedral group of order 10."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        for _ in range(place % 8):
            digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
        check = _dihedral(check, digit)
    return check == 0


def _dihedral(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


PRIVATE = ("emails", "phones", "identity_numbers")
"""Measures of what belongs to a person: a document with any is tagged ``pii:NAME``."""


def documents_of(names: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """The measures of a document: all but those of pairs, and the share of each list of words."""
    yield from (name for name in MEASURES if name not in {"wordless", "foreign_words"})
    yield from (f"list:{name}" for name in sorted(names) if name != "boilerplate")
