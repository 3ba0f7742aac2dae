"""Text to tokens and back: case, accents, spacing, and the tokens that must survive as they are.

The source side is lower-cased (and, if asked, stripped of accents); the target side is truecased, so that names keep
their capitals and nothing has to guess them afterwards. Where spaces belong is learned from the target texts.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import regex

from seshat.text.lookup import is_spaceless
from seshat.text.words import MARK, PLACEHOLDER, graphemes, tokenize

_MARK = regex.compile(MARK)
_VERBATIM = regex.compile(rf"\P{{L}}*\p{{N}}.*|{PLACEHOLDER}|{MARK}")
GLUE = "@@"
"""Begins a token that follows the one before it without a space, and is a part of it; the tokeniser never makes it."""
_WORD = regex.compile(r".*[\p{L}\p{N}].*")
_ENDS = frozenset(".!?:…")
_RESERVED = {"<s>": "<s/>", "</s>": "<s/>", "<unk>": "<unk/>", "NULL": "Null"}
"""Tokens that mean something else to Thot, and what stands for them."""


def is_verbatim(token: str) -> bool:
    """Whether a token is copied: a placeholder, address, slot, tag, date, or a number, with letters behind it or not.

    A digit behind letters is a part of the word: a tone, or the index of a cuneiform sign (``u4-mu``).
    """
    return _VERBATIM.fullmatch(token) is not None


def is_word(token: str) -> bool:
    """Whether a token has a letter or a digit."""
    return _WORD.fullmatch(token) is not None


def tokens_of(text: str) -> list[str]:
    """The tokens of a text, as they are written.

    Addresses and the like are one token each. What is written without spaces between words is a token for every
    character: sequences of them are learned as phrases.
    """
    found: list[str] = []
    end = 0
    for mark in _MARK.finditer(text):
        found += [*_cut(text[end : mark.start()]), mark[0]]
        end = mark.end()
    return [_RESERVED.get(token, token) for token in (*found, *_cut(text[end:]))]


def _cut(text: str) -> Iterator[str]:
    for token in tokenize(text):
        if is_word(token) and is_spaceless(token):
            first, *others = graphemes(token)
            yield from (first, *(GLUE + one for one in others))
        else:
            yield token


def fold(token: str) -> str:
    """A token in small letters without its diacritics."""
    decomposed = unicodedata.normalize("NFD", token.lower())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if unicodedata.category(c) != "Mn"))


def key_of(token: str, *, fold_accents: bool) -> str:
    """What a source token is looked up as."""
    if is_verbatim(token):
        return token
    return fold(token) if fold_accents else token.lower()


def is_name(tokens: Sequence[str], place: int) -> bool:
    """Whether a token has a capital that does not come from the start of a sentence."""
    token = tokens[place]
    if token[:1] == token[:1].lower():
        return False
    return any(is_word(before) for before in tokens[:place]) and tokens[place - 1] not in _ENDS


def first_is_capital(text: str) -> bool:
    """Whether the first letter of a text is a capital."""
    letter = next((c for c in text if c.isalpha()), "")
    return bool(letter) and letter != letter.lower()


def first_is_caseless(text: str) -> bool:
    """Whether the first letter of a text is of a script without capitals, so that it says nothing."""
    letter = next((c for c in text if c.isalpha()), "")
    return bool(letter) and letter.lower() == letter.upper()


def capitalised(text: str) -> str:
    """The text with its first letter as a capital, past opening punctuation."""
    for place, character in enumerate(text):
        if character.isalnum():
            return text[:place] + character.upper() + text[place + 1 :]
    return text


@dataclass
class Truecaser:
    """The usual case of each word, counted where a capital says something: not at the start of a sentence."""

    forms: dict[str, str] = field(default_factory=dict)
    """Small letters -> the usual form, where that is another one."""

    @classmethod
    def train(cls, texts: Iterable[Sequence[str]]) -> Truecaser:
        """Learn from tokenised texts."""
        inside: dict[str, Counter[str]] = {}
        initial: dict[str, Counter[str]] = {}
        for tokens in texts:
            start = True
            for token in tokens:
                if not is_word(token):
                    start = start or token in _ENDS
                    continue
                table = initial if start else inside
                table.setdefault(token.lower(), Counter())[token] += 1
                start = False
        forms = {}
        for lower in sorted(inside.keys() | initial.keys()):
            seen = inside.get(lower)
            if seen is None:  # only ever first: a capital there says nothing
                continue
            best = min(seen, key=lambda form: (-seen[form], form))
            if best != lower:
                forms[lower] = best
        return cls(forms)

    def apply(self, tokens: Sequence[str]) -> list[str]:
        """Tokens with the first word of each sentence in its usual case; the others stay as they are."""
        result = []
        start = True
        for token in tokens:
            if not is_word(token):
                start = start or token in _ENDS
            elif start:
                lower = token.lower()
                token = self.forms.get(lower, lower if token[1:] == lower[1:] else token)
                start = False
            result.append(token)
        return result


def _glued(text: str) -> Iterator[tuple[str, bool, bool]]:
    """The tokens of a text that are tags or no words, and whether something stands right before and behind each."""
    end = 0
    for token in tokens_of(text):
        place = text.find(token, end)
        if place < 0:  # a reserved one, written otherwise
            continue
        end = place + len(token)
        left = place > 0 and not text[place - 1].isspace()
        right = end < len(text) and not text[end].isspace()
        is_end = token.startswith("</")
        if token.startswith("<") and (f"<{token[2:]}" if is_end else f"</{token[1:]}") in text:  # <b>word</b>
            yield token, left and is_end, right and not is_end
        elif not is_word(token):
            yield token, left, right


@dataclass
class Spacing:
    """Where no space stands beside a punctuation mark, learned from text."""

    before: frozenset[str] = frozenset()
    """Tokens that stick to what stands before them."""
    after: frozenset[str] = frozenset()
    """Tokens that what stands after them sticks to."""
    pairing: frozenset[str] = frozenset()
    """Tokens that open and close by turns, such as straight quotation marks."""

    @classmethod
    def train(cls, texts: Iterable[str]) -> Spacing:
        """Count spaces around the tokens of texts that are not words."""
        total: Counter[str] = Counter()
        glued_before: Counter[str] = Counter()
        glued_after: Counter[str] = Counter()
        for text in texts:
            for token, before_it, behind_it in _glued(text):
                if is_word(token):
                    continue
                total[token] += 1
                glued_before[token] += before_it
                glued_after[token] += behind_it
        before, after, pairing = set(), set(), set()
        for token, count in total.items():
            left, right = glued_before[token] / count, glued_after[token] / count
            if 0.25 < left < 0.75 and 0.25 < right < 0.75:
                pairing.add(token)
                continue
            if left >= 0.5:
                before.add(token)
            if right >= 0.5:
                after.add(token)
        return cls(frozenset(before), frozenset(after), frozenset(pairing))

    def join(self, tokens: Sequence[str], source: str = "") -> str:
        """Tokens as a text.

        Args:
            tokens: what to join.
            source: the text that they translate: marks that the training texts do not have are spaced as there.
        """
        known = self.before | self.after | self.pairing
        as_there: dict[str, list[tuple[bool, bool]]] = {}
        for token, left, right in _glued(source):
            if token not in known:
                as_there.setdefault(token, []).append((left, right))
        pieces: list[str] = []
        opened: set[str] = set()
        glue = True
        for token in tokens:
            if beside := as_there.get(token):
                left, right = beside.pop(0)
                pieces += [token] if glue or left else [" ", token]
                glue = right
                continue
            closing = token in opened
            if not (glue or token in self.before or closing):
                pieces.append(" ")
            pieces.append(token)
            glue = token in self.after
            if token in self.pairing:
                glue = not closing
                opened ^= {token}
        return "".join(pieces)

    def to_json(self) -> dict[str, Any]:
        """As JSON-able lists."""
        return {"before": sorted(self.before), "after": sorted(self.after), "pairing": sorted(self.pairing)}

    @classmethod
    def from_json(cls, value: dict[str, list[str]]) -> Spacing:
        """The inverse of :meth:`to_json`."""
        return cls(*(frozenset(value[name]) for name in ("before", "after", "pairing")))
