"""Signs of translations that only look like one: invented words, copies, gaps, loops.

Every figure is taken on the human references too. A language that builds long words has many correct ones that no
corpus holds, so a rate means nothing without that floor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Sequence

import regex

from seshat.evaluation.testbed import folded
from seshat.report.results import Behaviour, InventedWord, Invention
from seshat.text.words import words

LISTED = 50
"""Most invented words that the report lists."""

_HAS_LETTER = regex.compile(r"\p{L}")
_LONGEST_LOOP = 4
_TIMES = 3
_SEARCHED = 200_000
"""In a larger vocabulary no look-alikes are searched for: it would take minutes."""
_NEAR = 75.0
"""How alike (rapidfuzz ratio, 0 to 100) a known word must be to be named as a possible original."""


def invented_words(text: str, source: str, known: Container[str]) -> list[str]:
    """The words of one translation that stand nowhere: not in a text or lexicon of its language, nor in its source.

    Args:
        text: a translation.
        source: what it translates; a word that stands there is copied, not invented.
        known: every known word of the target language, case-folded (:attr:`Material.attested`).

    Returns:
        The words as they are written, in their order, as often as they stand there.
    """
    own = set(folded(source))
    return [word for word in _lettered(text) if (said := word.casefold()) not in known and said not in own]


def invention(texts: Sequence[str], sources: Sequence[str], attested: Collection[str]) -> Invention:
    """How many words of a set of translations are invented, and which most often.

    Args:
        texts: translations (or references).
        sources: their sources.
        attested: every known word of the target language, case-folded.
    """
    total = 0
    found: Counter[str] = Counter()
    for text, source in zip(texts, sources, strict=True):
        total += len(_lettered(text))
        found.update(word.casefold() for word in invented_words(text, source, attested))
    number = found.total()
    listed = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:LISTED]
    known = sorted(attested) if len(attested) <= _SEARCHED else []
    return Invention(
        words=total,
        invented=number,
        per_100=round(100 * number / total, 2) if total else 0.0,
        listed=[InventedWord(word=word, count=count, near=_near(word, known)) for word, count in listed],
    )


def _lettered(text: str) -> list[str]:
    return [word for word in words(text) if _HAS_LETTER.search(word)]


def _near(word: str, known: Sequence[str]) -> str | None:
    from rapidfuzz import fuzz, process

    match = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=_NEAR)
    return str(match[0]) if match else None


def behaviour(texts: Sequence[str], sources: Sequence[str], references: Sequence[str]) -> Behaviour:
    """How a system behaves, whatever the quality of what it says."""
    copied = empty = looping = own = total = 0
    for text, source, reference in zip(texts, sources, references, strict=True):
        said, given = folded(text), folded(source)
        empty += not text.strip()
        copied += bool(said) and said == given and given != folded(reference)
        looping += loops(said)
        total += len(said)
        own += sum(word in set(given) for word in said)
    wanted = sum(map(len, references))
    return Behaviour(
        empty=empty,
        copied=copied,
        looping=looping,
        copied_words=round(own / total, 4) if total else 0.0,
        length_ratio=round(sum(map(len, texts)) / wanted, 4) if wanted else 0.0,
    )


def loops(said: Sequence[str]) -> bool:
    """Whether up to four words are said three times in a row."""
    for size in range(1, _LONGEST_LOOP + 1):
        for start in range(len(said) - size * _TIMES + 1):
            first = said[start : start + size]
            if all(said[start + n * size : start + (n + 1) * size] == first for n in range(1, _TIMES)):
                return True
    return False
