"""Finds texts by what publications call them: catalogue and museum numbers, labels, aliases.

A name is compared by its runs of letters and digits: ``Kt. 94/k, 1263``, ``kt 94 k 1263`` and ``KT94k1263`` are one.
Where nothing fits exactly, signs that recognition takes for one another in numbers (O and 0, l, I and 1) count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex

from seshat.core.patterns import Pattern

_PART = regex.compile(r"\p{L}+|\p{N}+")
_LIKE_DIGITS = str.maketrans("oOlI|SB", "0011158")
_MIXED = regex.compile(r"(?<![\p{L}\p{N}])[\p{N}oOlI|SB]*\p{N}[\p{N}oOlI|SB]*(?![\p{L}\p{N}])")
_BARE = regex.compile(r"^\s*(?:[Nn][or]\.?|№|\#)?\s*(\d{1,4}[a-z]?)\s*[.):]?(?=\s|$)")
Key = tuple[str, ...]


@dataclass(frozen=True)
class Mention:
    """A name found in a line."""

    id: str
    confidence: float
    """1 for an exact match, less where signs had to be taken for others."""
    share: float
    """Share of the line's runs of letters and digits that belong to the name."""
    first: bool
    """Whether it stands at the beginning of the line."""


class NameIndex:
    """Names of texts.

    Args:
        names: (id, name) of each; a name that several ids share finds none of them.
        series: regular expression for the name of a publication -> what its bare numbers stand for.
    """

    def __init__(self, names: Iterable[tuple[str, str]], series: Sequence[tuple[str, str]] = ()) -> None:
        self._ids: dict[Key, str | None] = {}
        self._longest = 1
        for found, name in names:
            key = parts(name)
            if not key or not any(part.isdigit() for part in key):
                continue
            self._longest = max(self._longest, len(key))
            known = self._ids.setdefault(key, found)
            if known != found:
                self._ids[key] = None
        self._series = [(Pattern(pattern), parts(prefix)) for pattern, prefix in series]

    @property
    def ambiguous(self) -> int:
        """How many names several texts share."""
        return sum(found is None for found in self._ids.values())

    def find(self, line: str, publication: str = "") -> Mention | None:
        """The longest name in a line, or the text that a bare number means in this publication."""
        alike = _MIXED.sub(lambda match: match[0].translate(_LIKE_DIGITS), line)
        tried = [self._longest_name(parts(line), 1.0), self._longest_name(parts(alike), 0.9) if alike != line else None]
        found = [mention for mention in tried if mention is not None]
        if found:
            return max(found, key=lambda mention: mention.share * mention.confidence)
        return self._bare(line, publication)

    def _longest_name(self, found: Key, confidence: float) -> Mention | None:
        for size in range(min(self._longest, len(found)), 1, -1):
            for start in range(len(found) - size + 1):
                name = self._ids.get(found[start : start + size])
                if name is not None:
                    return Mention(name, confidence, size / len(found), start == 0)
        return None

    def _bare(self, line: str, publication: str) -> Mention | None:
        match = _BARE.match(line)
        if match is None:
            return None
        for pattern, prefix in self._series:
            if pattern.search(publication):
                name = self._ids.get((*prefix, *parts(match[1])))
                if name is not None:
                    return Mention(name, 0.95, 1 / max(1, len(parts(line))), True)
        return None


def parts(name: str) -> Key:
    """Runs of letters and of digits, case-folded; numbers without leading noughts."""
    return tuple(part.lstrip("0") or "0" if part.isdigit() else part.casefold() for part in _PART.findall(name))
