"""The word-by-word model: a table of word translations and the words of the lexicon.

It is the floor that every evaluation prints, and stands in for the statistical family where Thot is not installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.config import Direction
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.progress import task
from seshat.core.records import Entry
from seshat.project.folder import Project
from seshat.prompt.retrieval import short_glosses
from seshat.text.words import words

if TYPE_CHECKING:
    from seshat.text.wordtable import WordTable

TABLE, LEXICON = "table.npz", "lexicon.json"


@dataclass(frozen=True)
class WordByWord:
    """What the translation of single words is looked up in."""

    table: WordTable
    """Learned from the training pairs; case-folded words."""
    lexicon: Mapping[str, str]
    """Of the dictionary, case-folded; for words that the table does not know."""

    @classmethod
    def train(
        cls, direction: Direction, pairs: Iterable[tuple[str, str]], entries: Iterable[Entry], iterations: int = 5
    ) -> WordByWord:
        """Learn from training texts (source, target) and the lexicon, in so many passes over the pairs."""
        from seshat.text.wordtable import WordTable

        lexicon = lexicon_words(entries, direction)
        cut = [(_folded(source), _folded(target)) for source, target in pairs]
        cut += [([source], _folded(target)) for source, target in sorted(lexicon.items())]
        return cls(WordTable.train(cut, iterations), lexicon)

    def save(self, folder: Path) -> None:
        """Write the two parts into a folder."""
        self.table.save(folder / TABLE)
        write_json(folder / LEXICON, dict(sorted(self.lexicon.items())))

    @classmethod
    def load(cls, folder: Path) -> WordByWord:
        """Read what :meth:`save` wrote."""
        from seshat.text.wordtable import WordTable

        return cls(WordTable.load(folder / TABLE), json.loads((folder / LEXICON).read_text(encoding="utf-8")))


def train(project: Project, direction: Direction, folder: Path) -> dict[str, Any]:
    """Train one direction into ``folder``.

    Raises:
        DataError: there is nothing to train on.
    """
    pairs, entries = _training(project, direction)
    with task("learn word translations"):
        model = WordByWord.train(direction, pairs, entries)
    model.save(folder)
    return {"pairs": len(pairs), "words": len(model.table.source_words), "stands_in": "word-by-word"}


def read(project: Project, direction: Direction) -> WordByWord:
    """A model of the training data of a project, learned now.

    Raises:
        DataError: there is nothing to learn from.
    """
    return WordByWord.train(direction, *_training(project, direction))


def _training(project: Project, direction: Direction) -> tuple[list[tuple[str, str]], list[Entry]]:
    found = project.segments("train")
    texts = ((segment.texts.get(direction.source), segment.texts.get(direction.target)) for segment in found)
    pairs = [(source, target) for source, target in texts if source and target]
    entries = list(project.entries())
    if not pairs and not entries:
        raise DataError(
            f"{project.training / 'train.jsonl'}: no pairs for {direction}.",
            "Run `seshat check` to see where the data went.",
        )
    return pairs, entries


def lexicon_words(entries: Iterable[Entry], direction: Direction) -> dict[str, str]:
    """Word translations in a lexicon, either way round: case-folded word -> its first short gloss.

    An entry of the source language gives its headword and forms with their gloss; one of the target language gives
    its glosses with the headword.
    """
    found: dict[str, str] = {}
    for entry in entries:
        if entry.type == "affix":
            continue
        if entry.lang == direction.source:
            gloss = next(iter(short_glosses(entry, direction.target)), None)
            for form in (entry.headword, *entry.forms) if gloss else ():
                found.setdefault(form.casefold(), gloss or "")
        elif entry.lang == direction.target:
            for gloss in short_glosses(entry, direction.source):
                found.setdefault(gloss.casefold(), entry.headword)
    return found


def _folded(text: str) -> list[str]:
    return [word.casefold() for word in words(text)]
