"""The whole way from a text to its translation, as an object with named parts.

The command line, the evaluation, the server, the page, the notebook and the submission all ask a chain, so that what is
measured is what people get. :func:`seshat.inference.opening.open_chain` makes the one that a project configures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seshat.inference.batch import in_order, translate_all
from seshat.inference.corrections import Corrections
from seshat.inference.parts import Parts
from seshat.inference.postprocess import Postprocessor, is_empty
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.prompt.request import Request
from seshat.prompt.retrieval import Retriever
from seshat.text.normalise import Normaliser

if TYPE_CHECKING:
    from seshat.inference.dialogue import Dialogue

Translate = Callable[[Sequence[Request]], list[Hypothesis]]
CANDIDATES = 4
"""How many candidates an engine is asked for where its best is empty."""


@dataclass
class Chain(Translator):
    """A translator and what stands before and behind it, in the order in which a text passes."""

    engine: Translator
    """A model, or the consensus of several, each of which is a chain of its own."""
    corrections: Corrections | None = None
    """What people corrected: answered without the engine."""
    parts: Parts | None = None
    """How a text is parted; without, it is translated as a whole."""
    normalise: Normaliser | None = None
    """Brings texts to the orthography that the model was trained on."""
    retrieve: Retriever | None = None
    """Looks up words and similar pairs, for models that are asked in words."""
    mend: Postprocessor | None = None
    """The steps of post-processing."""
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or self.engine.name
        self.direction = self.engine.direction
        self.context, self.batch_size = self.engine.context, self.engine.batch_size
        self.samples, self.sums_scores = self.engine.samples, self.engine.sums_scores

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch; ``changes`` of each hypothesis says what was mended, and why."""
        return self._remembered(requests, self._by_parts if self.parts else self._whole)

    def _remembered(self, requests: Sequence[Request], translate: Translate) -> list[Hypothesis]:
        return translate(requests) if self.corrections is None else self.corrections.answer(requests, translate)

    def _by_parts(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Every part of the texts is translated by itself, in batches of the size of texts."""
        assert self.parts is not None
        layouts = [self.parts.of(one.text, self.fits) for one in requests]
        asked = [layout.requests(one) for layout, one in zip(layouts, requests, strict=True)]
        parts = [part for group in asked for part in group]
        if len(parts) > len(requests):
            found = in_order(translate_all(replace(self, parts=None), parts), len(parts))
        else:
            found = self._remembered(parts, self._whole)
        rest = iter(found)
        return [layout.joined([next(rest) for _ in layout.parts], summed=self.sums_scores) for layout in layouts]

    def _whole(self, requests: Sequence[Request]) -> list[Hypothesis]:
        return self.mended(requests, self.engine.translate(self.prepared(requests)))

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch, not mended."""
        prepared = self.prepared(requests)
        return self.engine.sample(prepared, count, temperature=temperature, top_p=top_p, seed=seed)

    def prepared(self, requests: Sequence[Request]) -> list[Request]:
        """The requests as the engine gets them: normalised, with what is looked up."""
        return [self._prepared(one.trimmed(self.context)) for one in requests]

    def _prepared(self, request: Request) -> Request:
        if self.normalise is not None:
            before = tuple(map(self.normalise.apply, request.before))
            request = replace(request, text=self.normalise.apply(request.text), before=before)
        return request if self.retrieve is None else self.retrieve.beside(request, self.direction)

    def unmended(self) -> Chain:
        """The same without post-processing."""
        return replace(self, mend=None)

    def mended(self, requests: Sequence[Request], said: Sequence[Hypothesis]) -> list[Hypothesis]:
        """What the engine said, mended."""
        if self.mend is None:
            return list(said)
        found = []
        for request, before, one in zip(requests, said, self.with_candidates(requests, said), strict=True):
            filled = self.mend.hypothesis(one, request.text)
            # What was asked for to replace an empty translation is no answer to give beside it.
            found.append(filled if one is before else replace(filled, alternatives=()))
        return found

    def with_candidates(self, requests: Sequence[Request], said: Sequence[Hypothesis]) -> list[Hypothesis]:
        """What the engine said, with more candidates where its best says nothing and there are no others.

        It is asked for them here, if there is a step that wants them.
        """
        if self.mend is None or not any(step.name == "empty" for step in self.mend.steps):
            return list(said)
        left = {n: self.mend.alternative(one.text, requests[n].text) for n, one in enumerate(said)}
        empty = [n for n, text in left.items() if not said[n].alternatives and is_empty(text, requests[n].text)]
        again = self.prepared([replace(requests[n], n_best=CANDIDATES) for n in empty])
        more = dict(zip(empty, self.engine.translate(again), strict=True)) if empty else {}
        return [
            replace(one, alternatives=(Candidate(more[n].text, more[n].score), *more[n].alternatives))
            if n in more
            else one
            for n, one in enumerate(said)
        ]

    def fits(self, text: str) -> bool:
        """Whether the engine can take a text as a whole."""
        return self.engine.fits(text)

    def expect(self, requests: Sequence[Request]) -> None:
        """Hear what all is to be translated."""
        self.engine.expect(requests)

    def for_server(self) -> None:
        """Get the engine ready."""
        self.engine.for_server()

    def learn(self, source: str, target: str) -> None:
        """Remember a correction, where corrections are remembered, and teach it to the engine."""
        if self.corrections is None or self.corrections.add(source, target):
            self.engine.learn(self.normalise.apply(source) if self.normalise else source, target)

    def dialogue(self) -> Dialogue | None:
        """The model to talk to."""
        return self.engine.dialogue()

    def close(self) -> None:
        """Let go of what the engine holds."""
        self.engine.close()
