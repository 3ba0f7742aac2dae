"""Translates with a model of the statistical family."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seshat.config import Direction
from seshat.inference.translator import Candidate, Hypothesis, Translator, searched
from seshat.models.statistical.model import Direction as Opened
from seshat.models.statistical.parallel import Workers
from seshat.prompt.request import Request

DERIVATIONS = 10
"""For each candidate that is asked for, how many the search gives: most are other ways to cut the same translation."""
LONG = 100
"""Most tokens of a text: the time of the search grows with its length, a quarter of a second for so many."""


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
        """Translate a batch."""
        return searched(requests, self._searched)

    def fits(self, text: str) -> bool:
        """Whether a text has no more tokens than are decoded in a moment; Thot takes no more than 200."""
        return len(self._opened.source(text).keys) <= LONG

    def learn(self, source: str, target: str) -> None:
        """Learn from a text and its translation at once; it lasts as long as this object does."""
        self._opened.learn(source, target)

    def _searched(self, requests: Sequence[Request], count: int) -> list[list[Candidate]]:
        weights = self._opened.settings.weights
        sources = [self._opened.source(one.text) for one in requests]
        lists = self._workers.translate(sources, weights, count if count == 1 else count * DERIVATIONS)
        result = []
        for source, translations in zip(sources, lists, strict=True):
            unique: dict[str, Candidate] = {}
            for one in translations:
                text = self._opened.render(source, one.tokens)
                total = sum(value * weight for value, weight in zip(one.features, weights, strict=True))
                unique.setdefault(text, Candidate(text, total))
            ranked = sorted(unique.values(), key=lambda candidate: -candidate.score)
            result.append(ranked[:count])
        return result

    def for_server(self) -> None:
        """Decode in processes of their own: Thot holds Python's lock, and a server has to answer others meanwhile."""
        self._workers.apart = True

    def close(self) -> None:
        """Let the worker processes go."""
        self._workers.close()
