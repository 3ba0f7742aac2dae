"""A trained direction on disk: what stands in its folder, and how it is opened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError
from seshat.core.jsonl import write_json, write_text
from seshat.models.statistical.decoder import Decoder
from seshat.models.statistical.learning import LearnedTable, Table
from seshat.models.statistical.options import Options, Source
from seshat.models.statistical.phrases import Phrase, PhraseTable, Scores
from seshat.models.statistical.segmentation import Segmenter, join_pieces
from seshat.models.statistical.tokens import (
    Spacing,
    Truecaser,
    capitalised,
    first_is_capital,
    first_is_caseless,
    tokens_of,
)
from seshat.models.statistical.unknown import Guesser

PHRASES, LANGUAGE_MODEL, KNOWN, VOCABULARY, PIECES, SETTINGS = (
    "phrases.tsv",
    "lm",
    "known.txt",
    "vocabulary.txt",
    "pieces.tsv",
    "model.json",
)


@dataclass(frozen=True)
class Settings:
    """What decoding needs to know besides the tables."""

    fold_accents: bool
    max_phrase: int
    reordering: int
    """Places that the decoder may jump over."""
    guesses: tuple[float, ...]
    """Weights of the clues about unknown words."""
    spacing: Spacing
    weights: tuple[float, ...] = ()
    capital: bool = False
    """Whether texts of the target begin with a capital, where the source does not say: its script has none."""

    def write(self, folder: Path) -> None:
        """Write ``model.json`` of a direction."""
        value = {
            "fold_accents": self.fold_accents,
            "max_phrase": self.max_phrase,
            "reordering": self.reordering,
            "guesses": list(self.guesses),
            "weights": list(self.weights),
            "spacing": self.spacing.to_json(),
            "capital": self.capital,
        }
        write_json(folder / SETTINGS, value)

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """Read ``model.json`` of a direction.

        Raises:
            DataError: there is none, or one of another version.
        """
        path = folder / SETTINGS
        if not path.exists():
            raise DataError(f"{path}: there is no model for this direction.", "Train it with: seshat train")
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        try:
            return cls(
                value["fold_accents"],
                value["max_phrase"],
                value["reordering"],
                tuple(value["guesses"]),
                Spacing.from_json(value["spacing"]),
                tuple(value["weights"]),
                value.get("capital", False),
            )
        except KeyError as error:
            raise DataError(
                f"{path}: a model of an older version of Seshat: it does not say {error}.",
                "Train it again with: seshat train",
            ) from error


class Direction:
    """One direction, opened: makes sources, decodes them, and writes target tokens as text.

    Args:
        folder: the folder of the direction.
        reverse: that of the other direction, which knows how to cut target words; only asked when learning.
    """

    def __init__(self, folder: Path, reverse: Path | None = None) -> None:
        self.folder = folder
        self.settings = Settings.read(folder)
        self.segmenter = Segmenter.read(folder / PIECES)
        self.lessons: list[tuple[Sequence[str], Sequence[str]]] = []
        """What was learned since the model was trained: source keys and target tokens, in order."""
        self._reverse = reverse

    @cached_property
    def _table(self) -> LearnedTable:
        return LearnedTable(PhraseTable(self.folder / PHRASES), self.settings.max_phrase)

    @cached_property
    def _options(self) -> Options:
        return Options(
            self._table,
            self.settings.max_phrase,
            lambda: open_guesser(self.folder, self._table, self.segmenter),
            self.settings.guesses,
        )

    @cached_property
    def decoder(self) -> Decoder:
        """The decoder, made when it is first needed."""
        return Decoder(self.folder / LANGUAGE_MODEL, self._options, reordering=self.settings.reordering)

    def learn(self, source: str, target: str) -> int:
        """Learn from one sentence and its translation; returns how many phrase pairs that gave."""
        words = self._truecaser.apply(tokens_of(target))
        return self.take(self.source(source).keys, self._target_segmenter.cut_all(words))

    def take(self, source: Sequence[str], target: Sequence[str]) -> int:
        """As :meth:`learn`, from source keys and target tokens."""
        self.lessons.append((tuple(source), tuple(target)))
        self._options.learned.update(join_pieces(source))
        return self._table.learn(source, target)

    @cached_property
    def _truecaser(self) -> Truecaser:
        """The usual case of target words, from the list of them: most frequent spelling first."""
        usual: dict[str, str] = {}
        for word in _lines(self.folder / VOCABULARY):
            usual.setdefault(word.lower(), word)
        return Truecaser({lower: word for lower, word in usual.items() if word != lower})

    @cached_property
    def _target_segmenter(self) -> Segmenter:
        return Segmenter.read(self._reverse / PIECES) if self._reverse else Segmenter()

    def source(self, text: str) -> Source:
        """A text as the decoder sees it."""
        return Source.of(text, self.segmenter, fold_accents=self.settings.fold_accents)

    def render(self, source: Source, tokens: Sequence[str]) -> str:
        """Target tokens as people write them; begins with a capital when the source does, or as is usual."""
        text = self.settings.spacing.join(join_pieces(tokens), source.text)
        wanted = self.settings.capital if first_is_caseless(source.text) else first_is_capital(source.text)
        return capitalised(text) if wanted else text


def open_guesser(folder: Path, table: Table, segmenter: Segmenter) -> Guesser:
    """The guesser of a folder that has its word lists."""

    def lookup(word: str) -> list[tuple[Phrase, Scores]]:
        return table.lookup(" ".join(segmenter.cut(word)))

    return Guesser(lookup, _lines(folder / KNOWN), _lines(folder / VOCABULARY))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def write_words(path: Path, words: Sequence[str]) -> None:
    """Write words, one a line."""
    write_text(path, "".join(f"{word}\n" for word in words))
