"""Translations that only give their source back: people chose the wrong direction, most often."""

from __future__ import annotations

from collections import Counter

from seshat.text.words import words

_FEWEST = 3
"""With fewer words, names and loan words come back rightly."""
_SHARE = 0.8


def is_echo(source: str, translation: str) -> bool:
    """Whether a translation repeats its source, so that this may be in the target language already.

    Names and numbers come back rightly: words with a capital inside the text, and those without letters, do not count.
    """
    said = words(source)
    counted = Counter(
        word.casefold()
        for place, word in enumerate(said)
        if any(map(str.isalpha, word)) and (place == 0 or word[:1] == word[:1].lower())
    )
    repeated = counted & Counter(word.casefold() for word in words(translation))
    return counted.total() >= _FEWEST and repeated.total() >= _SHARE * counted.total()
