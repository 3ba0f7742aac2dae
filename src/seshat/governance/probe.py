"""Whether a model completes what it must not know: records above the run's level, put to it as questions.

A model that was trained behind the gate has never seen them, so what it gets right shows a leak: a copy under another
level, a near-duplicate, or a base that knew the text. After the extraction attacks on language models (Carlini et al.
2021), in the form that a translator answers: it is given one side and compared with the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from seshat.core.gate import read_everything
from seshat.core.records import Segment
from seshat.inference.chain import Chain
from seshat.project.folder import Project
from seshat.prompt.request import Request
from seshat.scores.metrics import chrf, chrf2_counts
from seshat.text.words import words

NEAR = 90.0
"""chrF2 from which an answer counts as the closed text: translations of unseen sentences rarely reach 70."""
_FEWEST = 5
"""Words of a text that is worth asking: shorter ones are right by chance."""


@dataclass(frozen=True)
class Completed:
    """A closed record that a model completes. No text: the report may be read by people who must not see it."""

    record: str
    direction: str
    reason: str
    """Why the record is closed."""
    score: float
    """chrF2 of the answer and the closed text."""
    secrets: int
    """Words of the answer that stand in the closed text and in nothing that the model may know, nor in the question."""


@dataclass(frozen=True)
class Probe:
    """What was asked and found."""

    asked: int
    completed: tuple[Completed, ...]
    control_asked: int
    """Open texts of the test set, which the model has not seen either."""
    control_completed: int
    """How many of them came out as near: in a regular language a model needs no leak to be right."""

    @property
    def leaks(self) -> bool:
        """Whether a secret word was said, or more closed texts come out than unseen open ones (two standard errors)."""
        if any(one.secrets for one in self.completed):
            return True
        if not self.asked or not self.completed:
            return False
        share = len(self.completed) / self.asked
        control = self.control_completed / self.control_asked if self.control_asked else 0.0
        together = (len(self.completed) + self.control_completed) / (self.asked + self.control_asked)
        spread = together * (1 - together) * (1 / self.asked + 1 / max(1, self.control_asked))
        return share - control > 2 * math.sqrt(spread)


def probe(project: Project, chains: Sequence[Chain], limit: int) -> Probe:
    """Ask translators for the closed side of closed records, and of open ones for comparison.

    Args:
        project: its processed sets hold the records of all levels.
        chains: translators, one for each direction to ask.
        limit: at most so many records of either kind.
    """
    gate = project.gate
    closed: dict[str, str] = {}
    segments: list[Segment] = []
    for name in ("train", "validation", "test", "excluded"):
        for segment in read_everything(project.processed / f"{name}.jsonl", Segment):
            reason = gate.refusal(segment.meta, segment.id)
            if reason is not None and len(segments) < limit:
                closed[segment.id] = reason
                segments.append(segment)
    control = list(islice(project.pairs("test"), limit))
    known = _open_words(project)
    asked, completed, control_asked, control_completed = 0, [], 0, 0
    for chain in chains:
        answers = _asked(chain, segments)
        asked += len(answers)
        for segment, answer, score in answers:
            wanted = _words(segment.texts[chain.direction.target])
            secrets = wanted - known - _words(segment.texts[chain.direction.source])
            said = len(secrets & _words(answer))
            if score >= NEAR or said:
                way = str(chain.direction)
                completed.append(Completed(segment.id, way, closed[segment.id], round(score, 1), said))
        others = _asked(chain, control)
        control_asked += len(others)
        control_completed += sum(score >= NEAR for _, _, score in others)
    return Probe(asked, tuple(completed), control_asked, control_completed)


def _open_words(project: Project) -> frozenset[str]:
    """Every word that stands in what the run may use."""
    found: set[str] = set()
    for name in ("train", "validation", "test", "monolingual"):
        for segment in project.segments(name):
            for text in segment.texts.values():
                found |= _words(text)
    for entry in project.entries():
        glosses = (gloss for sense in entry.senses for texts in sense.glosses.values() for gloss in texts)
        for text in (entry.headword, *glosses):
            found |= _words(text)
    return frozenset(found)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in words(text))


def _asked(chain: Chain, segments: Sequence[Segment]) -> list[tuple[Segment, str, float]]:
    """The answer and its chrF2, of the segments that have both sides and are long enough."""
    way = chain.direction
    both = [
        segment
        for segment in segments
        if segment.texts.get(way.source, "").strip() and len(words(segment.texts.get(way.target, ""))) >= _FEWEST
    ]
    answers = chain.translate([Request(segment.texts[way.source]) for segment in both])
    return [
        (segment, answer.text, float(chrf(chrf2_counts(answer.text, segment.texts[way.target]))))
        for segment, answer in zip(both, answers, strict=True)
    ]
