"""What people corrected is the translation from then on."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from seshat.inference.translator import Candidate, Hypothesis
from seshat.prompt.request import Request

REMEMBERED = "remembered"
"""Stands among the ``changes`` of a translation that a person gave."""


class Corrections:
    """A translation memory of corrections.

    A text that was corrected is answered with its newest correction; what the engine would have said stands among the
    alternatives. It is for use by one thread at a time, as an engine is.
    """

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}

    def add(self, source: str, target: str) -> bool:
        """Remember a text and its translation, in place of what was remembered before; whether that is new."""
        known = self._newest.get(correction_key(source))
        self._newest[correction_key(source)] = target
        return known != target

    def answer(
        self, requests: Sequence[Request], translate: Callable[[Sequence[Request]], Sequence[Hypothesis]]
    ) -> list[Hypothesis]:
        """Answer a batch; what is remembered costs nothing, unless alternatives are asked for.

        Args:
            requests: what to translate.
            translate: translates the rest.
        """
        remembered = [self._newest.get(correction_key(one.text)) for one in requests]
        left = [n for n, one in enumerate(requests) if one.n_best > 1 or remembered[n] is None]
        said = dict(zip(left, translate([requests[n] for n in left]), strict=True)) if left else {}
        return [
            said[n] if right is None else _remembered(right, said.get(n), requests[n].n_best)
            for n, right in enumerate(remembered)
        ]


def correction_key(text: str) -> str:
    """A text as it is compared: composed, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _remembered(right: str, said: Hypothesis | None, n_best: int) -> Hypothesis:
    best = Candidate(right, 0.0)
    others = said.alternatives or (Candidate(said.text, said.score),) if said else ()
    rest = [one for one in others if one.text != right]
    return Hypothesis(right, 0.0, (best, *rest)[:n_best] if n_best > 1 else (), (REMEMBERED,))
