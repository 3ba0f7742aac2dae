"""What each part of a sentence may become: phrase pairs from the table, and ways out for unknown words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from seshat.models.statistical.features import FEATURES, PHRASE_FEATURES
from seshat.models.statistical.guesses import log_probability
from seshat.models.statistical.learning import Table
from seshat.models.statistical.phrases import Phrase, Scores
from seshat.models.statistical.segmentation import Segmenter
from seshat.models.statistical.tokens import is_name, is_verbatim, is_word, key_of, tokens_of
from seshat.models.statistical.unknown import Guesser

Values = tuple[float, ...]
_PLACE = {name: place - 2 for place, name in enumerate(FEATURES)}
DROPPING = 6
"""Translations of the beginning of a word that are offered for more of it."""
GOOD_GUESS = -0.9
"""Log probability from which a guess is offered beside the pieces of a word."""
UNSEEN: Scores = (0.0, 0.0, 0.0, 0.0, 2.0)


@dataclass(frozen=True)
class Word:
    """A word of a text to translate, and where its pieces stand among the keys."""

    surface: str
    key: str
    name: bool
    start: int
    end: int


@dataclass(frozen=True)
class Source:
    """A text to translate, as the decoder sees it."""

    text: str
    words: tuple[Word, ...]
    keys: tuple[str, ...]
    """Pieces of all words, in order."""

    @classmethod
    def of(cls, text: str, segmenter: Segmenter, *, fold_accents: bool) -> Source:
        """Tokenise and cut a text."""
        surface = tokens_of(text)
        words: list[Word] = []
        keys: list[str] = []
        for place, token in enumerate(surface):
            key = key_of(token, fold_accents=fold_accents)
            start = len(keys)
            keys += segmenter.cut(key)
            words.append(Word(token, key, is_name(surface, place), start, len(keys)))
        return cls(text, tuple(words), tuple(keys))


def values(scores: Scores, target: Phrase, **more: float) -> Values:
    """The features of one phrase pair, without the two that the decoder brings."""
    result = [0.0] * PHRASE_FEATURES
    result[:4] = scores[:4]
    result[_PLACE["rare"]] = float(scores[4] < 2)
    result[_PLACE["phrases"]] = 1.0
    result[_PLACE["words"]] = float(len(target))
    for name, value in more.items():
        result[_PLACE[name]] = value
    return tuple(result)


class Options:
    """Collects translation options for sentences."""

    def __init__(
        self, table: Table, max_phrase: int, guesser: Callable[[], Guesser], guess_weights: Sequence[float]
    ) -> None:
        self._table = table
        self._max_phrase = max_phrase
        self._make_guesser = guesser
        self._guess_weights = guess_weights
        self._guessed: dict[tuple[str, str, bool], dict[Phrase, Values]] = {}
        self.learned: set[str] = set()
        """Words (keys) learned since the training: there is no need to guess what they mean."""

    @cached_property
    def _guesser(self) -> Guesser:
        return self._make_guesser()

    def collect(self, sources: Sequence[Source]) -> dict[Phrase, dict[Phrase, Values]]:
        """Options of every phrase in the sentences: source phrase -> target phrase -> features."""
        options: dict[Phrase, dict[Phrase, Values]] = {}
        for source in sources:
            for start in range(len(source.keys)):
                for end in range(start + 1, min(len(source.keys), start + self._max_phrase) + 1):
                    phrase = source.keys[start:end]
                    if phrase not in options and (rows := self._table.lookup(" ".join(phrase))):
                        options[phrase] = {target: values(scores, target) for target, scores in rows}
            for word in source.words:
                self._complete(options, word, source.keys[word.start : word.end])
        return options

    def _complete(self, options: dict[Phrase, dict[Phrase, Values]], word: Word, pieces: Phrase) -> None:
        """Ways out for a word that the training texts lack, and for single pieces without a translation."""
        if is_verbatim(word.key) or not is_word(word.key):
            options[pieces] = {(word.surface,): values(UNSEEN, (word.surface,)), **options.get(pieces, {})}
            return
        if word.key not in self.learned and word.key not in self._guesser.known:
            guesses = self._guesses(word)
            if len(pieces) > 1:  # the pieces translate it too; only a good guess competes with them
                guesses = {target: row for target, row in guesses.items() if row[_PLACE["guess"]] >= GOOD_GUESS}
            if found := {**guesses, **options.get(pieces, {})}:
                options[pieces] = found
        for piece in pieces:
            if (piece,) not in options:
                options[piece,] = {(piece,): values(UNSEEN, (piece,), unknown=2.0)}
        self._drop_endings(options, pieces)

    @staticmethod
    def _drop_endings(options: dict[Phrase, dict[Phrase, Values]], pieces: Phrase) -> None:
        """A beginning of a word that was never seen with its next piece may become what it becomes without it."""
        for end in range(2, len(pieces) + 1):
            shorter = options.get(pieces[: end - 1], {})
            if pieces[:end] not in options and shorter:
                kept = sorted(shorter.items(), key=lambda one: (-sum(one[1][:4]), one[0]))[:DROPPING]
                place = _PLACE["drops"]
                options[pieces[:end]] = {
                    target: (*row[:place], row[place] + 1.0, *row[place + 1 :]) for target, row in kept
                }

    def _guesses(self, word: Word) -> dict[Phrase, Values]:
        mark = (word.key, word.surface, word.name)
        found = self._guessed.get(mark)
        if found is None:
            found = self._guessed[mark] = {
                guess.target: values(
                    UNSEEN,
                    guess.target,
                    unknown=1.0,
                    guess=log_probability(guess, self._guess_weights),
                    copy=float(guess.way == "copy"),
                )
                for guess in self._guesser.guess(word.key, word.surface, name=word.name)
            }
        return found
