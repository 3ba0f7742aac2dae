"""What people corrected is the translation from then on, and the engine learns from it where it can."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from seshat.inference.load import NormalisingTranslator
from seshat.inference.translator import Candidate, Hypothesis, Translator, close

REMEMBERED = "remembered"
"""Stands among the ``changes`` of a translation that a person gave."""


@runtime_checkable
class Learner(Protocol):
    """A translator that learns from one sentence at once."""

    def learn(self, source: str, target: str) -> None:
        """Learn from a text and its translation."""
        ...


class RememberingTranslator:
    """A translation memory of corrections around a translator.

    A text that was corrected is answered with its newest correction; what the engine would have said stands among the
    alternatives. It is for use by one thread at a time, as its engine is.

    Args:
        inner: what translates everything else; it is taught the newest translation of each text where it can learn.
        pairs: texts and their translations, the oldest first.
        trained: those of them that stand in the training data of ``inner``: remembered, but not taught once more.
    """

    def __init__(
        self, inner: Translator, pairs: Iterable[tuple[str, str]] = (), trained: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.name = inner.name
        self.direction = inner.direction
        self.inner = inner
        newest = {_key(text): (text, translation) for text, translation in pairs}
        learned = {(_key(text), translation) for text, translation in trained}
        self._known = {key: translation for key, (_, translation) in newest.items()}
        for key, (text, translation) in newest.items():
            if (key, translation) not in learned:
                teach(inner, text, translation)

    def learn(self, source: str, target: str) -> None:
        """Remember a text and its translation, in place of what was remembered before; teach it to the engine."""
        key = _key(source)
        if self._known.get(key) != target:
            self._known[key] = target
            teach(self.inner, source, target)

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Translate a batch; what is remembered costs nothing, unless alternatives are asked for."""
        asked = [n for n, text in enumerate(texts) if n_best > 1 or _key(text) not in self._known]
        found = dict(zip(asked, self.inner.translate([texts[n] for n in asked], n_best), strict=True)) if asked else {}
        result = []
        for number, text in enumerate(texts):
            known, said = self._known.get(_key(text)), found.get(number)
            if known is None:
                assert said is not None
                result.append(said)
            else:
                result.append(_remembered(known, said, n_best))
        return result

    def close(self) -> None:
        """Let go of what the engine holds."""
        close(self.inner)


def teach(translator: Translator, source: str, target: str) -> None:
    """Let the engines inside a chain learn from a pair, those that can."""
    if isinstance(translator, Learner):
        translator.learn(source, target)
        return
    if isinstance(translator, NormalisingTranslator):
        source = translator.normalised([source])[0]
    inside = [getattr(translator, "inner", None), *getattr(translator, "translators", ())]
    for one in inside:
        if one is not None and one.direction == translator.direction:
            teach(one, source, target)


def _key(text: str) -> str:
    """A text as it is compared: composed, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _remembered(known: str, said: Hypothesis | None, n_best: int) -> Hypothesis:
    best = Candidate(known, 0.0)
    others = said.alternatives or (Candidate(said.text, said.score),) if said else ()
    rest = [one for one in others if one.text != known]
    return Hypothesis(known, 0.0, (best, *rest)[:n_best] if n_best > 1 else (), (REMEMBERED,))
