"""What a prompt says beside the text: lexicon entries about its words, and similar pairs.

Stage ``format`` uses this to write the training prompts, the engines to ask the trained model in the same way. What is
looked up is a folder of two files (:data:`PAIRS`, :data:`LEXICON`) which ``format`` writes below
``data/training/messages/memory``, free of test sentences; it goes with the model that was trained on those prompts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import regex

from seshat.config.project import Direction
from seshat.core.gate import least_open, read_everything
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Entry, Segment
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import Request
from seshat.text.lookup import PhraseIndex, key
from seshat.text.similar import TrigramIndex

PAIRS, LEXICON = "pairs.jsonl", "lexicon.jsonl"
FOLDER = "memory"
"""The folder of the two files, beside the messages and inside a model."""
_REMARK = regex.compile(r"\s*[(\[][^)\]]*[)\]]\s*")
_ALTERNATIVES = regex.compile(r"[;,/]")
_MAX_GLOSS_WORDS = 3
"""A longer gloss explains a word rather than translate it."""


class Hints:
    """A lexicon in one direction, looked up by the words of running text as :class:`PhraseIndex` finds them.

    Args:
        pairs: words or phrases, and one meaning of each.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._meanings: dict[str, dict[str, None]] = {}
        self._written: dict[str, str] = {}
        for word, meaning in pairs:
            one = key(word)
            if one and meaning.strip() and one != key(meaning):
                self._meanings.setdefault(one, {})[meaning.strip()] = None
                self._written.setdefault(one, word.strip())
        self._index = PhraseIndex(self._meanings)

    def find(self, text: str, limit: int) -> list[tuple[str, str]]:
        """At most ``limit`` entries about the words of a text, in the order of the text.

        When there are more, those of longer words are kept: the shortest are mostly grammar.
        """
        keys = [one for found in self._index.find(text) for one in found.keys]
        found = {one: place for place, one in reversed(list(enumerate(keys)))}
        kept = sorted(sorted(found, key=lambda one: (-len(one), found[one]))[:limit], key=found.__getitem__)
        return [(self._written[one], "; ".join(self._meanings[one])) for one in kept]


class Retriever:
    """Finds hints and similar pairs, as many as a prompt asks for.

    Args:
        prompt: says how many, and in which languages.
        pairs: what may be shown as an example; only read when the prompt has ``shots``.
        entries: the lexicon; only read when the prompt has ``hints``.
    """

    def __init__(self, prompt: Prompt, pairs: Iterable[Segment] = (), entries: Iterable[Entry] = ()) -> None:
        self._prompt = prompt
        ways = ((prompt.language, prompt.pivot), (prompt.pivot, prompt.language))
        self._access: dict[str, Access] = {}
        known = []
        for entry in entries if prompt.hints else ():
            for pair in dictionary_pairs(entry, *ways[0]):
                known.append(pair)
                self._close(pair, entry.meta.access)
        self._hints = {ways[0]: Hints(known), ways[1]: Hints((meaning, word) for word, meaning in known)}
        self._texts = []
        for one in pairs if prompt.shots else ():
            if all(one.texts.get(tag, "").strip() for tag in ways[0]):
                self._texts.append(one.texts)
                self._close(one.texts.values(), one.meta.access)
        self._indexes: dict[str, TrigramIndex] = {}

    def _close(self, texts: Iterable[str], access: Access) -> None:
        if access is not Access.PUBLIC:
            for text in texts:
                self._access[key(text)] = least_open((access, self.access(text)))

    def access(self, *texts: str) -> Access:
        """The least open level that one of these words and texts, found here, was recorded under."""
        return least_open(self._access.get(key(text), Access.PUBLIC) for text in texts)

    @classmethod
    def load(cls, folder: Path, prompt: Prompt) -> Retriever:
        """Open what :func:`save` wrote; without the files there are no hints and no shots.

        They passed the gate before the model was trained on them, and are as closed as that model is.
        """
        return cls(prompt, read_everything(folder / PAIRS, Segment), read_everything(folder / LEXICON, Entry))

    def hints(self, text: str, source: str, target: str) -> list[tuple[str, str]]:
        """Words of a text with their meanings in the other language."""
        return self._hints[source, target].find(text, self._prompt.hints) if self._prompt.hints else []

    def beside(self, request: Request, direction: Direction) -> Request:
        """A request with what its question shows beside the text: hints and similar pairs."""
        hints, shots = (find(request.text, *direction) for find in (self.hints, self.shots))
        return replace(request, hints=tuple(hints), shots=tuple(shots))

    def shots(self, text: str, source: str, target: str, answer: str | None = None) -> list[tuple[str, str]]:
        """Pairs with a source like ``text``, the most similar last.

        Args:
            text: the text that is asked about.
            source: tag of its language.
            target: tag of the language of the answer.
            answer: in training, the right answer: pairs with this text or this answer are left out.
        """
        if not self._prompt.shots or not self._texts:
            return []
        if source not in self._indexes:
            self._indexes[source] = TrigramIndex([one[source] for one in self._texts])
        own = {key(text), key(answer)} if answer is not None else set()
        found: dict[str, tuple[str, str]] = {}
        count = self._prompt.shots if answer is None else 4 * self._prompt.shots + 8
        for place, _ in self._indexes[source].neighbours(text, count):
            pair = self._texts[place][source], self._texts[place][target]
            if key(pair[0]) not in own and key(pair[1]) not in own:
                found.setdefault(key(pair[0]), pair)
        return list(found.values())[: self._prompt.shots][::-1]


def save(folder: Path, pairs: Iterable[Segment], entries: Iterable[Entry]) -> None:
    """Write what a :class:`Retriever` looks things up in."""
    write_jsonl(folder / PAIRS, pairs)
    write_jsonl(folder / LEXICON, entries)


def dictionary_pairs(entry: Entry, language: str, pivot: str) -> Iterator[tuple[str, str]]:
    """Words of the low-resource language with one meaning each, whichever of the two languages the entry is of."""
    other = {language: pivot, pivot: language}.get(entry.lang)
    if other is None:
        return
    for sense in entry.senses:
        for gloss in sense.glosses.get(other, ()):
            if entry.headword.strip() and gloss.strip():
                pair = entry.headword.strip(), gloss.strip()
                yield pair if entry.lang == language else pair[::-1]


def short_glosses(entry: Entry, language: str) -> list[str]:
    """The short glosses of an entry, remarks in brackets removed, alternatives apart; no explanations."""
    raw = [gloss for sense in entry.senses for gloss in sense.glosses.get(language, ())]
    cut = [part.strip(" .") for gloss in raw for part in _ALTERNATIVES.split(_REMARK.sub(" ", gloss))]
    return [gloss for gloss in cut if gloss and len(gloss.split()) <= _MAX_GLOSS_WORDS]
