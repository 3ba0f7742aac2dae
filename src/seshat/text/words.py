"""Words, tokens, sentences and graphemes of any script, through Unicode properties.

Never the word classes of the standard library: they cut words at combining marks. A word is a run of letters, marks
and digits, joined by an apostrophe, hyphen or joiner that has a letter on both sides. Newlines end words. Scripts
that write no spaces give one word per run.
"""

from __future__ import annotations

import regex

PLACEHOLDER = r"<[\p{L}_][\w-]*/?>|\{[A-Z_]+\}"
"""Placeholders such as ``<gap>`` stay one token."""

_WORD = (
    r"[\p{L}\p{M}\p{N}]+(?:[\u200c\u200d'’ʼʻ‘´`=·.-]*(?<=[\p{L}\p{M}\p{N}][\u200c\u200d'’ʼʻ‘´`=·-])[\p{L}\p{M}\p{N}]+)*"
)
_WORDS = regex.compile(_WORD)
_TOKENS = regex.compile(rf"{PLACEHOLDER}|\p{{N}}+(?:[.,:]\p{{N}}+)*(?![\p{{L}}\p{{M}}])|{_WORD}|[^\s]")


def words(text: str) -> list[str]:
    """The words of a text, without punctuation."""
    return _WORDS.findall(text)


def tokenize(text: str) -> list[str]:
    """Words, numbers, placeholders and single punctuation marks, in order; only white space is lost."""
    return _TOKENS.findall(text)


def graphemes(text: str) -> list[str]:
    """Characters as readers see them (extended grapheme clusters)."""
    return regex.findall(r"\X", text)
