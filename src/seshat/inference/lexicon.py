"""The lexicon as people use it: its entries in a text, with their places, and look-ups in both languages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from seshat.core.records import Entry
from seshat.prompt.retrieval import short_glosses
from seshat.text.lookup import How, PhraseIndex, fold, key

UNLOOKED = frozenset({"affix"})
"""Types of entries that are no words of running text."""
_SUREST: dict[How, float] = {"exact": 1.0, "folded": 0.95, "stem": 0.85, "near": 0.7}
_STARTS, _HOLDS, _INSIDE, _ALIKE = 0.8, 0.75, 0.6, 0.6
"""What a look-up is worth that is the beginning of a key, a word of it, a part of it, or like it."""
_LEAST_ALIKE = 70.0
_LEAST_INSIDE = 3
"""Letters of a look-up that is searched for inside words."""


@dataclass(frozen=True)
class Match:
    """An entry of the lexicon that stands in a text."""

    start: int
    """Where it begins, in characters of the text."""
    end: int
    surface: str
    """What stands there: ``text[start:end]``."""
    entry: Entry
    found: str
    """The word or phrase of the entry that was found there, as the lexicon writes it."""
    meanings: tuple[str, ...]
    """What it means in the other language: short glosses where there are any; for an entry of the other language,
    its headword."""
    how: How

    @property
    def exact(self) -> bool:
        """Whether it stands there letter by letter, but for case."""
        return self.how == "exact"


@dataclass(frozen=True)
class Hit:
    """An entry that a look-up found."""

    entry: Entry
    score: float
    """1 for the word itself, less for what is only like it; above 0."""
    found: str
    """The headword, form or gloss that was found."""
    language: str
    """The language of it."""


@dataclass(frozen=True)
class _Word:
    """A headword, form or gloss of an entry."""

    entry: Entry
    written: str
    own: bool
    """In the language of the entry: a headword or form, no gloss."""


class Lexicon:
    """A lexicon, looked up in both languages.

    Args:
        entries: the entries, of either language; others are left out.
        language: tag of the low-resource language.
        pivot: tag of the language it is translated into and from.
        attests: whether a word (case-folded) stands in texts of a language (its tag): such a word is no misspelling.
            Without it, :meth:`find` looks for no misspelt words.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        language: str,
        pivot: str,
        attests: Callable[[str, str], bool] | None = None,
    ) -> None:
        self.languages = language, pivot
        self._attests = attests
        self.entries = tuple(entry for entry in entries if entry.lang in self.languages)

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self.entries)

    def other(self, language: str) -> str:
        """The other of the two languages."""
        return self.languages[1] if language == self.languages[0] else self.languages[0]

    def of_types(self, types: Collection[str]) -> Lexicon:
        """The part of the lexicon with entries of some types, such as names; upper and lower case are the same."""
        wanted = {one.casefold() for one in types}
        kept = (entry for entry in self.entries if entry.type.casefold() in wanted)
        return Lexicon(kept, *self.languages, self._attests)

    def knows(self, text: str, language: str) -> bool:
        """Whether a word or phrase of a language stands in the lexicon, letter by letter but for case."""
        return key(text) in self._words(language)

    def find(self, text: str, source: str, *, near: bool | None = None) -> list[Match]:
        """The entries that stand in a text, in its order; several at one place where the lexicon has homonyms.

        Args:
            text: a text in one of the two languages.
            source: the tag of that language.
            near: find misspelt words too, a letter or two away from one that the lexicon has; default: when it is
                known which words are attested.
        """
        known = self._words(source)
        matches = []
        near = self._attests is not None if near is None else near
        for found in self._index(source, near).find(text):
            at: dict[str, _Word] = {}
            for word in (word for one in found.keys for word in known[one]):
                at.setdefault(word.entry.id, word)
            for word in at.values():
                place = found.start, found.end, text[found.start : found.end]
                matches.append(Match(*place, word.entry, word.written, self._meanings(word, source), found.how))
        return matches

    def _meanings(self, word: _Word, source: str) -> tuple[str, ...]:
        if not word.own:
            return (word.entry.headword.strip(),)
        other = self.other(source)
        full = [gloss.strip() for sense in word.entry.senses for gloss in sense.glosses.get(other, ())]
        return tuple(dict.fromkeys(short_glosses(word.entry, other) or [one for one in full if one]))

    def search(self, query: str, limit: int = 20) -> list[Hit]:
        """Look a word up in both languages: headwords, forms and glosses.

        Args:
            query: a word, a part of one, or a phrase.
            limit: most entries to give.

        Returns:
            The entries, each once, best first: the word itself, other spellings of it, words that begin with it or
            hold it, and words that are like it.
        """
        wanted = key(query)
        if not wanted:
            return []
        best: dict[str, Hit] = {}
        for language in self.languages:
            for one, score in self._scores(wanted, language).items():
                for word in self._all(language)[one]:
                    # Of equals a headword first, then the shorter one: `perro` before `perro de monte`.
                    worth = score - (0 if word.own else 0.01)
                    if word.entry.id not in best or worth > best[word.entry.id].score:
                        best[word.entry.id] = Hit(word.entry, worth, word.written, language)
        ranked = sorted(best.values(), key=lambda hit: (-hit.score, len(hit.found), hit.found, hit.entry.id))
        return [replace(hit, score=round(hit.score, 3)) for hit in ranked[:limit]]

    def _scores(self, wanted: str, language: str) -> dict[str, float]:
        """How well each key of a language answers a look-up; only those that do."""
        from rapidfuzz import fuzz, process

        keys = self._keys[language]
        bare = fold(wanted)
        found: dict[str, float] = {}
        for one, folded in keys.items():
            if one == wanted:
                found[one] = _SUREST["exact"]
            elif folded == bare:
                found[one] = _SUREST["folded"]
            elif f" {bare} " in f" {folded} ":
                found[one] = _HOLDS
            elif folded.startswith(bare):
                found[one] = _STARTS
            elif len(bare) >= _LEAST_INSIDE and bare in folded:
                found[one] = _INSIDE
        for match in self._index(language, near=True).find(wanted):
            if match.start == 0 and match.end == len(wanted):
                for one in match.keys:
                    found[one] = max(found.get(one, 0.0), _SUREST[match.how])
        names = list(keys)
        alike = process.extract(bare, list(keys.values()), scorer=fuzz.ratio, score_cutoff=_LEAST_ALIKE, limit=20)
        for _, score, place in alike:
            found.setdefault(names[place], _ALIKE * score / 100)
        return found

    @cached_property
    def _keys(self) -> dict[str, dict[str, str]]:
        return {language: {one: fold(one) for one in self._all(language)} for language in self.languages}

    def _words(self, language: str) -> dict[str, list[_Word]]:
        """What stands in running text, by key: headwords, forms and short glosses."""
        return self._tables[language][0]

    def _all(self, language: str) -> dict[str, list[_Word]]:
        """The same with affixes and long glosses."""
        return self._tables[language][1]

    @cached_property
    def _tables(self) -> dict[str, tuple[dict[str, list[_Word]], dict[str, list[_Word]]]]:
        return {language: self._table(language) for language in self.languages}

    def _table(self, language: str) -> tuple[dict[str, list[_Word]], dict[str, list[_Word]]]:
        text: dict[str, list[_Word]] = {}
        every: dict[str, list[_Word]] = {}
        for entry in self.entries:
            own = entry.lang == language
            short = [entry.headword, *entry.forms] if own else short_glosses(entry, language)
            long = [] if own else [gloss for sense in entry.senses for gloss in sense.glosses.get(language, ())]
            for written in dict.fromkeys(one.strip() for one in (*short, *long) if one.strip()):
                word = _Word(entry, written, own)
                every.setdefault(key(written), []).append(word)
                if entry.type not in UNLOOKED and written in short:
                    text.setdefault(key(written), []).append(word)
        return text, every

    def _index(self, language: str, near: bool) -> PhraseIndex:
        return self._indexes[language, near]

    @cached_property
    def _indexes(self) -> dict[tuple[str, bool], PhraseIndex]:
        ways = [(language, near) for language in self.languages for near in (False, True)]
        return {
            (language, near): PhraseIndex(self._words(language), near=near, attested=self._attested(language))
            for language, near in ways
        }

    def _attested(self, language: str) -> Callable[[str], bool] | None:
        attests = self._attests
        return None if attests is None else lambda word: attests(word, language)
