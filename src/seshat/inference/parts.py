"""A text in the parts that a model is asked about one by one, and their translations put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import regex

from seshat.inference.translator import EMPTY, Candidate, Hypothesis
from seshat.prompt.request import Request

_LINES = regex.compile(r"(\s*\R\s*)")


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


def lines(text: str) -> Layout:
    """The lines of a text; blank ones and indents belong to the white space."""
    before, bare, behind = _edges(text)
    parts = _LINES.split(bare) if bare else []
    return Layout(tuple(parts[::2]), (before, *parts[1::2], behind) if parts else (text,))


def _edges(text: str) -> tuple[str, str, str]:
    bare = text.strip()
    start = text.index(bare)
    return text[:start], bare, text[start + len(bare) :]
