"""The floor of the tasks: look everything up, and give what training gave most often.

Whoever glosses for a living starts with such a list. A model that does not beat it has learned no grammar.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from seshat.core.records import Segment, hyphenated
from seshat.evaluation.questions import Question, normalised

NAME = "look-up"
_JOINED_BY = {"gloss": " ", "segment": " ", "explain": "\n"}
"""Tasks whose answer goes word by word, and what stands between two words of it."""
_GUESSED = ("cloze", "examples")
"""Tasks whose answer is never the question: what is not known gets the most frequent answer."""


class LookUp:
    """The most frequent answer of the training data.

    A text that training never asked about is looked up word by word (glosses, segmentation; a word that is cut with
    hyphens also morpheme by morpheme), and a word that is not known stays as it is.
    """

    def __init__(self, examples: Iterable[Question], glossed: Iterable[Segment] = ()) -> None:
        """Learn.

        Args:
            examples: questions of training, with their answers.
            glossed: segments of training; their interlinear glosses are learned word by word.
        """
        self._whole: dict[tuple[str, str | None, str], Counter[str]] = defaultdict(Counter)
        self._words: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._answers: dict[str, Counter[str]] = defaultdict(Counter)
        for one in examples:
            self._whole[one.task, one.direction, normalised(one.text)][one.answer] += 1
            self._answers[one.task][one.answer] += 1
            if between := _JOINED_BY.get(one.task):
                self._align(one.task, _words(one.text, one.task), one.answer.split(between))
        for segment in glossed:
            for word in segment.gloss or ():
                if word.morphemes and len(word.morphemes) == len(word.glosses):
                    self._align("segment", [word.form], [hyphenated(word.morphemes)])
                    self._align("gloss", [word.form], [hyphenated(word.glosses)])
                    self._align("gloss", word.morphemes, word.glosses)

    def answers(self, questions: Sequence[Question]) -> list[str]:
        """An answer to each question."""
        return [self._answer(one) for one in questions]

    def _align(self, task: str, words: Sequence[str], said: Sequence[str]) -> None:
        if len(words) == len(said):
            for word, answer in zip(words, said, strict=True):
                self._words[task, normalised(word)][answer] += 1

    def _answer(self, one: Question) -> str:
        whole = self._whole.get((one.task, one.direction, normalised(one.text)))
        if whole:
            return _first(whole)
        if between := _JOINED_BY.get(one.task):
            return between.join(self._word(one.task, word) for word in _words(one.text, one.task))
        if one.task in _GUESSED and self._answers[one.task]:
            return _first(self._answers[one.task])
        return one.text

    def _word(self, task: str, word: str) -> str:
        known = self._words.get((task, normalised(word)))
        if known:
            return _first(known)
        parts = word.split("-")
        return "-".join(self._word(task, part) for part in parts) if len(parts) > 1 else word


def _words(text: str, task: str) -> list[str]:
    """The words that an answer is about; an explanation has none for marks alone."""
    return [word for word in text.split() if task != "explain" or any(map(str.isalnum, word))]


def _first(found: Counter[str]) -> str:
    """The most frequent; among equals the one that comes first in the alphabet."""
    return min(found, key=lambda text: (-found[text], text))
