"""What each part of a sentence may become: phrase pairs from the table, and ways out for unknown words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from seshat.models.statistical.features import FEATURES, PHRASE_FEATURES
from seshat.models.statistical.phrases import Phrase, PhraseTable, Scores
from seshat.models.statistical.tokens import is_verbatim, is_word, key_of, tokens_of
from seshat.models.statistical.unknown import Cognates, Relatives, log_cost

Values = tuple[float, ...]
_PLACE = {name: place - 2 for place, name in enumerate(FEATURES)}
STEM_TRANSLATIONS = 5
UNSEEN: Scores = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Source:
    """A text to translate, as the decoder sees it."""

    text: str
    surface: tuple[str, ...]
    keys: tuple[str, ...]

    @classmethod
    def of(cls, text: str, *, fold_accents: bool) -> Source:
        """Tokenise a text."""
        surface = tuple(tokens_of(text))
        return cls(text, surface, tuple(key_of(token, fold_accents=fold_accents) for token in surface))


def values(scores: Scores, target: Phrase, **more: float) -> Values:
    """The features of one phrase pair, without the two that the decoder brings."""
    result = [0.0] * PHRASE_FEATURES
    result[:4] = scores
    result[_PLACE["phrases"]] = 1.0
    result[_PLACE["words"]] = float(len(target))
    for name, value in more.items():
        result[_PLACE[name]] = value
    return tuple(result)


class Options:
    """Collects translation options for sentences."""

    def __init__(
        self,
        table: PhraseTable,
        max_phrase: int,
        relatives: Callable[[], Relatives | None],
        cognates: Callable[[], Cognates | None],
    ) -> None:
        self._table = table
        self._max_phrase = max_phrase
        self._make_relatives = relatives
        self._make_cognates = cognates

    @cached_property
    def _relatives(self) -> Relatives | None:
        return self._make_relatives()

    @cached_property
    def _cognates(self) -> Cognates | None:
        return self._make_cognates()

    def collect(self, sources: Sequence[Source]) -> dict[Phrase, dict[Phrase, Values]]:
        """Options of every phrase in the sentences: source phrase -> target phrase -> features."""
        options: dict[Phrase, dict[Phrase, Values]] = {}
        for source in sources:
            for start in range(len(source.keys)):
                for end in range(start + 1, min(len(source.keys), start + self._max_phrase) + 1):
                    phrase = source.keys[start:end]
                    if phrase in options:
                        continue
                    found = {target: values(scores, target) for target, scores in self._table.lookup(" ".join(phrase))}
                    if end == start + 1 and (not found or is_verbatim(phrase[0])):
                        found = self._single(source, start, found)
                    if found:
                        options[phrase] = found
        return options

    def _single(self, source: Source, place: int, found: dict[Phrase, Values]) -> dict[Phrase, Values]:
        key, surface = source.keys[place], source.surface[place]
        if is_verbatim(key):
            return {(surface,): values(UNSEEN, (surface,))}
        if not is_word(key):
            return {(surface,): values(UNSEEN, (surface,), copies=0.5), **found}
        return self._ways_out(key, surface, inside=place > 0)

    def _ways_out(self, key: str, surface: str, *, inside: bool) -> dict[Phrase, Values]:
        name = inside and surface[:1] != surface[:1].lower()
        copied = surface if name or surface[1:] != surface[1:].lower() else surface.lower()
        result: dict[Phrase, Values] = {
            (copied,): values(UNSEEN, (copied,), copies=1.0, copied_names=1.0 if name else 0.0)
        }
        if self._cognates is not None:
            for one in self._cognates.find(surface):
                word: Phrase = (one.word,)
                result.setdefault(word, values(UNSEEN, word, cognates=1.0, cognate_cost=log_cost(one.cost)))
        if self._relatives is not None:
            for one in self._relatives.find(key):
                for target, scores in self._table.lookup(one.word)[:STEM_TRANSLATIONS]:
                    result.setdefault(target, values(scores, target, stems=1.0, stem_cost=log_cost(one.cost)))
        return result
