"""Proper names as the lexicon writes them."""

from __future__ import annotations

from seshat.inference.lexicon import Lexicon, Match
from seshat.text.lookup import fold, key
from seshat.text.words import word_spans


class Names:
    """Sets misspelt names right: of names that stand in the source, and nothing else.

    Args:
        names: the entries of the lexicon that are names.
        lexicon: the whole of it: a word that it knows is no misspelling.
        threshold: how alike (0 to 100) a misspelling is to the name.
        source: the language of the source.
    """

    def __init__(self, names: Lexicon, lexicon: Lexicon, threshold: float, source: str) -> None:
        self._names = names
        self._lexicon = lexicon
        self._threshold = threshold
        self._source = source
        self._target = lexicon.other(source)

    def mend(self, text: str, source: str) -> tuple[str, list[str]]:
        """The text with its names as the lexicon writes them, and what was changed, in words."""
        reasons: list[str] = []
        if not len(self._names):
            return text, reasons
        for match in self._names.find(source, self._source, near=False):
            wanted = _written(match)
            if not wanted or any(_says(text, one) for one in wanted):
                continue
            best = max((found for one in wanted if (found := self._misspelt(text, one))), default=None)
            if best is not None:
                _, start, end, name = best
                reasons.append(f"{text[start:end]} → {name}")
                text = text[:start] + name + text[end:]
        return text, reasons

    def _misspelt(self, text: str, name: str) -> tuple[float, int, int, str] | None:
        """Where the name stands, misspelt: (likeness, start, end, name)."""
        from rapidfuzz import fuzz

        spans = word_spans(text)
        size = len(word_spans(name)) or 1
        found = None
        for place in range(len(spans) - size + 1):
            start, end = spans[place][0], spans[place + size - 1][1]
            there = text[start:end]
            alike = fuzz.ratio(key(there), key(name))
            if key(there) != key(name) and name[:1].isupper() and not there[:1].isupper():
                continue  # a word, not a name: mina, the weight, is not Minā
            if fold(key(there)) == fold(key(name)):
                alike = 100.0
            if alike >= self._threshold and (found is None or alike > found[0]) and not self._is_other(there, name):
                found = (alike, start, end, name)
        return found

    def _is_other(self, there: str, name: str) -> bool:
        """Whether what stands there is a word or name of its own, not this one."""
        return key(there) != key(name) and self._lexicon.knows(there, self._target)


def _written(match: Match) -> list[str]:
    """How a name is written in the other language; as in its own where the lexicon does not say."""
    return [one.strip() for one in match.meanings or (match.entry.headword,) if one.strip()]


def _says(text: str, name: str) -> bool:
    """Whether a text has the name, perhaps with an ending: letter by letter, capitals and accents too.

    A name in small letters may begin a sentence, and any may stand in a line of capitals.
    """
    wanted = name, name[:1].upper() + name[1:], name.upper()
    spans = word_spans(text)
    size = len(word_spans(name)) or 1
    places = ((spans[n][0], spans[n + size - 1][1]) for n in range(len(spans) - size + 1))
    return any(text[start:end].startswith(wanted) for start, end in places)
