"""A text beside another, with what differs marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seshat.text.words import tokenize, words

NEAR = 70.0
"""How alike (rapidfuzz ratio, 0 to 100) two words must be to count as forms of one another."""
_SHORTEST = 3
"""Shorter words resemble one another by chance."""


class Piece(NamedTuple):
    """A stretch of a text: white space and punctuation are ``plain``, a word is ``same``, ``near`` or ``other``."""

    text: str
    kind: str


def compare(text: str, other: str) -> list[Piece]:
    """``text`` in pieces, each word marked by whether ``other`` has it.

    Places do not matter, and every word of ``other`` is used once: word order differs between good translations.
    """
    from rapidfuzz import fuzz, process

    left = [token.casefold() for token in tokenize(other) if words(token)]
    tokens = tokenize(text)
    kinds: list[str] = []
    for token in tokens:
        key = token.casefold()
        if not words(token):
            kinds.append("plain")
        elif key in left:
            left.remove(key)
            kinds.append("same")
        else:
            kinds.append("other")
    left = [key for key in left if len(key) >= _SHORTEST]
    for place, kind in enumerate(kinds):
        key = tokens[place].casefold()
        if kind != "other" or len(key) < _SHORTEST:
            continue
        match = process.extractOne(key, left, scorer=fuzz.ratio, score_cutoff=NEAR)
        if match:
            left.remove(match[0])
            kinds[place] = "near"
    return _pieces(text, tokens, kinds)


def _pieces(text: str, tokens: Sequence[str], kinds: Sequence[str]) -> list[Piece]:
    """Tokens with the white space before them put back; plain stretches in one piece."""
    pieces: list[Piece] = []
    position = 0
    for token, kind in zip(tokens, kinds, strict=True):
        start = text.index(token, position)
        for part, name in ((text[position:start], "plain"), (token, kind)):
            if part and name == "plain" and pieces and pieces[-1].kind == "plain":
                pieces[-1] = Piece(pieces[-1].text + part, "plain")
            elif part:
                pieces.append(Piece(part, name))
        position = start + len(token)
    if text[position:]:
        pieces.append(Piece(text[position:], "plain"))
    return pieces
