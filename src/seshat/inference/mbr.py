"""Consensus decoding: of many candidates the one that is most like all the others.

Minimum Bayes risk decoding (Kumar and Byrne 2004, https://aclanthology.org/N04-1022): candidates are drawn from the
model, or from several; each is taken for the truth in turn, and the one that would then be best on average is the
translation. A sampled candidate counts as often as it comes up. Those of a beam come up once each, however likely they
are, and so count by their scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from seshat.config import Direction
from seshat.config.mbr import MbrSection
from seshat.core.errors import UsageError
from seshat.inference.batch import batch_size
from seshat.inference.budget import Budget
from seshat.inference.translator import EMPTY, Candidate, Hypothesis, Translator
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.scores.utility import Utility


class Vote(NamedTuple):
    """A candidate, and how much it counts."""

    candidate: Candidate
    weight: float


def rank(
    texts: Sequence[str], utility: Utility | None = None, weights: Sequence[float] | None = None
) -> tuple[list[int], list[float]]:
    """The different candidates of one text, the most agreed on first.

    Args:
        texts: the candidates.
        utility: how alike two are; default: chrF++.
        weights: how much each counts; default: all the same.

    Returns:
        Where each stands first in ``texts``, and its mean utility over all of ``texts``, 0 to 1.

    Raises:
        ValueError: there are no candidates.
    """
    import numpy as np

    from seshat.scores.utility import Utility

    if not texts:
        raise ValueError("no candidates to choose from")
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(text, place)
    number = {text: place for place, text in enumerate(first)}
    table = (utility or Utility({"chrf": 1.0})).pairwise(list(first))
    total = np.zeros(len(first))
    for place, text in enumerate(texts):  # in the order of a plain loop, so that ties fall the same way
        total += table[:, number[text]] * (weights[place] if weights else 1.0)
    whole = math.fsum(weights) if weights else len(texts)
    order = np.argsort(-total, kind="stable")
    places = list(first.values())
    return [places[place] for place in order], [float(total[place]) / whole / 100 for place in order]


def utility_of(settings: MbrSection) -> Utility:
    """How alike two candidates are, as the configuration says."""
    from seshat.scores.utility import WEIGHTS, Utility

    return Utility(WEIGHTS[settings.utility], settings.bleu_tokenizer)


def sources(settings: MbrSection, direction: Direction) -> list[tuple[str, Direction]]:
    """The further models of the configuration, and what each is asked to translate from and into.

    Raises:
        UsageError: one would give another language.
    """
    found = []
    for name in settings.models:
        model, _, way = name.partition("@")
        asked = direction
        if way:
            source, _, target = way.rpartition("-")
            asked = Direction(source, target)
        if asked.target != direction.target or not asked.source:
            raise UsageError(
                f"translate.mbr.models: {name} does not translate into {direction.target}, as {direction} does.",
                f"Write it as NAME, or as NAME@xx-{direction.target}.",
            )
        found.append((model, asked))
    return found


class Consensus(Translator):
    """Translates by consensus of the candidates of one or several translators.

    The hypotheses say how much the candidates agree (:attr:`Hypothesis.agreement`); their alternatives are the other
    candidates, the most agreed on first, each with the score that its own engine gave it.

    Args:
        translators: where candidates come from, the main one first; all into the same language.
        settings: section ``translate.mbr``.
        seed: start of the random numbers that candidates are sampled with.
        budget: the time there is; without, as many candidates as the settings say.
    """

    def __init__(
        self,
        translators: Sequence[Translator],
        settings: MbrSection,
        *,
        seed: int = 0,
        budget: Budget | None = None,
    ) -> None:
        main = translators[0]
        self.name = main.name
        self.direction = main.direction
        self.budget = budget
        self.translators = list(translators)
        self.context = max(one.context for one in translators)
        self.batch_size = min(map(batch_size, translators))
        self._settings = settings
        self._seed = seed
        self._utility = utility_of(settings)

    def fits(self, text: str) -> bool:
        """Whether all can take a text as a whole."""
        return all(one.fits(text) for one in self.translators)

    def expect(self, requests: Sequence[Request]) -> None:
        """Hear what all is to be translated within the budget."""
        if self.budget:
            self.budget.expect(requests)

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch with as many candidates as the settings and the budget allow."""
        out = [EMPTY] * len(requests)
        places = [place for place, one in enumerate(requests) if one.text.strip()]
        wanted = [replace(requests[place], n_best=1) for place in places]
        for place, candidates in zip(places, self._within_budget(wanted), strict=True):
            out[place] = self._consensus(candidates, requests[place].n_best)
        return out

    def learn(self, source: str, target: str) -> None:
        """Teach those that translate from the same language."""
        for translator in self.translators:
            if translator.direction == self.direction:
                translator.learn(source, target)

    def close(self) -> None:
        """Let go of what the translators hold."""
        for translator in self.translators:
            translator.close()

    def _within_budget(self, requests: Sequence[Request]) -> list[list[Vote]]:
        most = self._settings.candidates
        budget = self.budget
        if budget is None or not requests:
            return self._gather(requests, most)
        found: list[list[Vote]] = []
        if not budget.begun:
            self._pilot(requests, budget)
        for part in budget.parts(requests, most):
            count = budget.candidates(most)
            with budget.measured(part, count):
                found += self._gather(part, count)
        return found

    def _pilot(self, requests: Sequence[Request], budget: Budget) -> None:
        """Learn on a few texts what the first candidate costs, and what further ones do."""
        few = budget.pilot(requests)
        self._gather(few, 1)  # engines take longer the first time
        with budget.measured(few, 1, done=False):
            self._gather(few, 1)
        several = budget.pilot_candidates(few, self._settings.candidates)
        if several > 1:
            with budget.measured(few, several, done=False):
                self._gather(few, several)

    def _gather(self, requests: Sequence[Request], count: int) -> list[list[Vote]]:
        """Candidates of each text: of every translator its share, from the beam and by sampling."""
        found: list[list[Vote]] = [[] for _ in requests]
        if not requests:
            return found
        models = self.translators[:count]
        for number, translator in enumerate(models):
            share = count // len(models) + (number < count % len(models))
            samples = translator.samples and self._settings.temperatures
            beams = min(self._settings.n_best, share) if samples else share
            searched = translator.translate([replace(one, n_best=beams) for one in requests])
            for own, hypothesis in zip(found, searched, strict=True):
                own += _votes(hypothesis, beams, self._settings.scale)
            if samples:
                self._sample(translator, requests, share - beams, found)
        return found

    def _sample(self, translator: Translator, requests: Sequence[Request], count: int, found: list[list[Vote]]) -> None:
        temperatures = self._settings.temperatures
        for number, temperature in enumerate(temperatures):
            share = count // len(temperatures) + (number < count % len(temperatures))
            if not share:
                continue
            seed = self._seed + number
            drawn = translator.sample(requests, share, temperature=temperature, top_p=self._settings.top_p, seed=seed)
            for own, candidates in zip(found, drawn, strict=True):
                own += [Vote(one, 1.0) for one in candidates]

    def _consensus(self, votes: Sequence[Vote], n_best: int) -> Hypothesis:
        candidates = [vote.candidate for vote in votes]
        weights = [vote.weight for vote in votes]
        if math.fsum(weights) <= 1:  # only one was asked for
            return Hypothesis(candidates[0].text, candidates[0].score)
        places, means = rank([one.text for one in candidates], self._utility, weights)
        ordered = [candidates[place] for place in places]
        alternatives = tuple(ordered[:n_best]) if n_best > 1 else ()
        return Hypothesis(ordered[0].text, ordered[0].score, alternatives, agreement=round(means[0], 6))


def _votes(hypothesis: Hypothesis, count: int, scale: float) -> Iterator[Vote]:
    """The candidates of a beam, weighted by their scores; together they count as many as were asked for."""
    best = Candidate(hypothesis.text, hypothesis.score)
    # Engines differ in whether the best stands among the alternatives too.
    found = [best, *(other for other in hypothesis.alternatives if other.text != hypothesis.text)]
    highest = max(one.score for one in found)
    shares = [math.exp(scale * (one.score - highest)) for one in found]
    for one, share in zip(found, shares, strict=True):
        yield Vote(one, count * share / sum(shares))
