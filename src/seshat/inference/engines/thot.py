"""Translates with a model of the statistical family."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seshat.config import Direction
from seshat.inference.translator import Candidate, Hypothesis, Translator, searched
from seshat.models.statistical.model import Direction as Opened
from seshat.models.statistical.parallel import Workers
from seshat.prompt.request import Request
from seshat.text.words import sentences, tokenize

LONG = 60
"""Texts with more tokens are translated sentence by sentence."""


class ThotTranslator(Translator):
    """Phrase-based translation through Thot.

    Args:
        folder: the folder of one direction, as :mod:`seshat.models.statistical.train` writes it.
        direction: what it translates.
        workers: processes for large batches; default: one per processor.

    Raises:
        DataError: there is no such model.
    """

    sums_scores = True

    def __init__(self, folder: Path, direction: Direction, workers: int | None = None) -> None:
        self.name = folder.parent.name
        self.direction = direction
        self._opened = Opened(folder, folder.with_name(str(direction.reverse)))
        self._workers = Workers(self._opened, workers)

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch; a long text sentence by sentence."""
        return searched(requests, self._searched)

    def _searched(self, requests: Sequence[Request], count: int) -> list[list[Candidate]]:
        pieces = [_pieces(one.text) for one in requests]
        found = iter(self._candidates([piece for group in pieces for piece in group], count))
        return [_joined([next(found) for _ in group], count) for group in pieces]

    def learn(self, source: str, target: str) -> None:
        """Learn from a text and its translation at once; it lasts as long as this object does."""
        self._opened.learn(source, target)

    def _candidates(self, texts: Sequence[str], n_best: int) -> list[list[Candidate]]:
        weights = self._opened.settings.weights
        sources = [self._opened.source(text) for text in texts]
        lists = self._workers.translate(sources, weights, n_best)
        result = []
        for source, translations in zip(sources, lists, strict=True):
            unique: dict[str, Candidate] = {}
            for one in translations:
                text = self._opened.render(source, one.tokens)
                total = sum(value * weight for value, weight in zip(one.features, weights, strict=True))
                unique.setdefault(text, Candidate(text, total))
            result.append(sorted(unique.values(), key=lambda candidate: -candidate.score))
        return result

    def close(self) -> None:
        """Let the worker processes go."""
        self._workers.close()


def _pieces(text: str) -> list[str]:
    return sentences(text) if len(tokenize(text)) > LONG else [text]


def _joined(lists: Sequence[Sequence[Candidate]], count: int) -> list[Candidate]:
    """The candidates of a text from those of its pieces: the k-th of each, or its last where there are fewer."""
    candidates = []
    for rank in range(min(count, max(len(one) for one in lists))):
        chosen = [one[min(rank, len(one) - 1)] for one in lists]
        candidates.append(Candidate(" ".join(one.text for one in chosen), sum(one.score for one in chosen)))
    return candidates
