"""A text in the parts that a model is asked about one by one, and their translations put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from seshat.inference.translator import EMPTY, Candidate, Hypothesis
from seshat.prompt.request import Request
from seshat.text.words import sentences

_LINE = regex.compile(r"\S(?:[^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]*\S)?")
_CLAUSE = regex.compile(r"[;:,،؛፣፤–—]\s+|[；：，、]\s*")
_SPACE = regex.compile(r"\s+")
_ANYWHERE = regex.compile(r"\X")
Span = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """The parts of a text, and the white space around them, which comes back as it was."""

    parts: tuple[str, ...]
    """None of them blank."""
    gaps: tuple[str, ...]
    """What stands before the first part, between two, and behind the last: one more than there are parts."""

    def requests(self, whole: Request) -> list[Request]:
        """What is asked about the parts of a text, each with those before it."""
        return [
            replace(whole, text=part, before=(*whole.before, *self.parts[:number]))
            for number, part in enumerate(self.parts)
        ]

    def joined(self, said: Sequence[Hypothesis], *, summed: bool) -> Hypothesis:
        """The translation of the whole: of alternatives the k-th of each part, or its last where there are fewer.

        Args:
            said: translations of the parts.
            summed: whether the scores of parts add up, or else are means.
        """
        if not said:
            return EMPTY
        ranked = [one.alternatives or (Candidate(one.text, one.score),) for one in said]
        several = max(map(len, ranked)) if any(one.alternatives for one in said) else 0
        alternatives = [
            self._candidate([one[min(rank, len(one) - 1)] for one in ranked], summed) for rank in range(several)
        ]
        best = self._candidate([Candidate(one.text, one.score) for one in said], summed)
        agreed = [one.agreement for one in said if one.agreement is not None]
        return Hypothesis(
            best.text,
            best.score,
            tuple(alternatives),
            tuple(dict.fromkeys(change for one in said for change in one.changes)),
            min(agreed, default=None),
        )

    def _candidate(self, parts: Sequence[Candidate], summed: bool) -> Candidate:
        pairs = zip(self.gaps, (*(one.text for one in parts), ""), strict=True)
        score = sum(one.score for one in parts)
        return Candidate("".join(gap + text for gap, text in pairs), score if summed else score / len(parts))


class Parts:
    """How a text is parted: into lines, sentences, and what the model can take.

    Args:
        sentences: whether the lines are cut into sentences, for models that were trained on sentences.
    """

    def __init__(self, *, sentences: bool = True) -> None:
        self._sentences = sentences

    def of(self, text: str, fits: Callable[[str], bool]) -> Layout:
        """The parts of a text.

        Args:
            text: as people write it.
            fits: whether a part is short enough for the model; what is not is cut where a clause ends, else between
                words, else anywhere, as near to the middle as can be.
        """
        pieces = [piece for line in _LINE.finditer(text) for piece in self._pieces(text, *line.span())]
        spans = [span for piece in pieces for span in _fitting(text, *piece, fits)]
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        gaps = tuple(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
        return Layout(tuple(text[start:end] for start, end in spans), gaps)

    def _pieces(self, text: str, start: int, end: int) -> Iterator[Span]:
        if not self._sentences:
            yield start, end
            return
        for sentence in sentences(text[start:end]):
            begin = text.index(sentence, start, end)
            start = begin + len(sentence)
            yield begin, start


def _fitting(text: str, start: int, end: int, fits: Callable[[str], bool]) -> Iterator[Span]:
    if fits(text[start:end]) or (cut := _cut(text[start:end])) is None:
        yield start, end
        return
    for begin, stop in ((start, start + cut), (start + cut, end)):
        part = text[begin:stop]
        begin += len(part) - len(part.lstrip())
        yield from _fitting(text, begin, begin + len(part.strip()), fits)


def _cut(part: str) -> int | None:
    """Where to cut a part in two; None where it is one character."""
    middle = len(part) / 2
    for places, reach in ((_CLAUSE, middle / 2), (_SPACE, middle), (_ANYWHERE, middle)):
        distances = {match.end(): abs(match.end() - middle) for match in places.finditer(part)}
        found = [place for place, distance in distances.items() if distance <= reach and place < len(part)]
        if found:
            return min(found, key=distances.__getitem__)
    return None
