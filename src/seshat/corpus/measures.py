"""The measures of a text; those of what belongs to a person stand in :mod:`seshat.corpus.private`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

import regex

from seshat.core.errors import UsageError
from seshat.corpus import private  # noqa: F401 - enters its measures in the registry
from seshat.corpus.registry import MEASURES, View, measure
from seshat.text.scripts import is_script
from seshat.text.tongues import foreign_words
from seshat.text.words import count_graphemes

FEW_WORDS = 5
"""Texts of fewer words are not tested for repetition: "no no" and reduplication are language."""
_RUN = 5
"""Words of a run that a text should not say twice."""
_ORDERED = 2
"""Words of a line, on average, from which their order says something."""
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
    return count_graphemes(view.text)


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
    count = max(pairs.values(), default=0)
    if count < 2:
        return 0.0
    longest = max(len(first) + len(second) for (first, second), found in pairs.items() if found == count)
    return min(1.0, count * longest / view.visible)


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
        or _has_any(line, phrases)
        for line in view.lines
    )
    return hit / len(view.lines) if view.lines else None


def _has_any(line: str, phrases: frozenset[str]) -> bool:
    folded = line.casefold() if phrases else ""
    return any(phrase in folded for phrase in phrases)


@measure
def bits(view: View) -> float | None:
    """Bits a character under a model of trusted text: the logarithm of the perplexity to base 2."""
    return view.tools.model.bits_per_character(view.text) if view.tools.model is not None else None


@measure
def word_order(view: View) -> float | None:
    """How much better than chance words follow each other as in trusted text, in bits a word.

    Nothing for lists: lines of one or two words have hardly an order.
    """
    if view.tools.order is None or len(view.words) < _ORDERED * len(view.lines):
        return None
    return view.tools.order.bits_per_word(view.lines)


@measure
def language_share(view: View) -> float | None:
    """How sure it is that the text is in the language, 0 when it is in another."""
    if view.tools.identifier is None:
        return None
    found = view.tools.identifier.identify(view.text[:1_000])
    return found.confidence if found.tag == view.language else 0.0


def documents_of(names: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """The measures of a document: all but those of pairs, and the share of each list of words."""
    yield from (name for name in MEASURES if name not in {"wordless", "foreign_words"})
    yield from (f"list:{name}" for name in sorted(names) if name != "boilerplate")
