"""How well something was recognised: character and word error rates, and what was taken for what.

Rates are edits (insertions, deletions, substitutions) by the length of the reference, summed over all texts before
they are divided. Texts are compared in Unicode form NFD, so that a lost accent is one error and not a wrong letter,
with single spaces between words.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seshat.text.words import graphemes


@dataclass(frozen=True)
class ErrorRates:
    """Errors of recognition, in per cent of the reference."""

    cer: float
    """Of characters."""
    wer: float
    """Of words."""
    characters: int
    """In the reference."""


def plain(text: str) -> str:
    """A text as it is compared."""
    return " ".join(unicodedata.normalize("NFD", text).split())


def edits(reference: str, read: str) -> int:
    """Characters by which a reading differs from its reference."""
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(plain(reference), plain(read))


def error_rates(pairs: Iterable[tuple[str, str]]) -> ErrorRates:
    """The error rates of pairs of a reference and what was read; 0 where the references are empty."""
    from rapidfuzz.distance import Levenshtein

    characters = words = wrong_characters = wrong_words = 0
    for reference, read in pairs:
        characters += len(plain(reference))
        words += len(reference.split())
        wrong_characters += edits(reference, read)
        wrong_words += Levenshtein.distance(plain(reference).split(), plain(read).split())
    cer, wer = 100 * wrong_characters / max(1, characters), 100 * wrong_words / max(1, words)
    return ErrorRates(round(cer, 2), round(wer, 2), characters)


def confusions(pairs: Sequence[tuple[str, str]], most: int = 20) -> list[tuple[str, str, int]]:
    """What was taken for what and how often, the most frequent first: (in the reference, read, times)."""
    from rapidfuzz.distance import Levenshtein

    found: Counter[tuple[str, str]] = Counter()
    for reference, read in ((graphemes(plain(one)), graphemes(plain(other))) for one, other in pairs):
        for step in Levenshtein.opcodes(reference, read):
            if step.tag != "equal":
                text = "".join(reference[step.src_start : step.src_end])
                found[text, "".join(read[step.dest_start : step.dest_end])] += 1
    return [
        (unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", read), times)
        for (text, read), times in found.most_common(most)
    ]
