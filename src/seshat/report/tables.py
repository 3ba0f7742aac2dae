"""What language models do beside translation, as an evaluation holds it: bits per byte, tasks, hidden words."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from seshat.scores.table import Difference, Scored

Kind = Literal["model", "floor"]


class SurpriseResult(Scored):
    """What the texts cost one language model; its score is ``bits_per_byte``."""

    kind: Kind
    bits_per_byte: float
    perplexity: float
    """Per token."""
    bytes_per_token: float
    tokens: int
    unknown: int
    """Tokens that stand for something that the tokenizer does not know."""
    gain: Difference | None = None
    """From the untrained base, where there is one beside the model."""


class LikelihoodTable(BaseModel):
    """Language models on texts of one kind."""

    measure: str
    of: str
    """A language, or a direction."""
    texts: int
    documents: int | None = None
    """How many documents these are of, where whole documents were resampled for the intervals."""
    reference: str
    systems: list[SurpriseResult]


class TaskMeasure(BaseModel):
    """A way to judge the answers to a task."""

    name: str
    label: str


class TaskResult(Scored):
    """One system in one task."""

    kind: Kind


class TaskAnswer(BaseModel):
    """What a system answers."""

    name: str
    text: str
    same: bool
    """As the reference."""


class TaskSample(BaseModel):
    """A question and all answers."""

    id: str
    text: str
    answer: str
    systems: list[TaskAnswer]


class TaskTable(BaseModel):
    """All systems in one task."""

    task: str
    origin: str
    """Where the questions were taken from."""
    questions: int
    fair: bool
    """Not asked in training."""
    measures: list[TaskMeasure]
    reference: str
    systems: list[TaskResult]
    samples: list[TaskSample]


class Offer(BaseModel):
    """A word for a blank, and how likely the model finds it, 0 to 1."""

    word: str
    probability: float


class Offers(BaseModel):
    """What a system offers for a blank."""

    name: str
    offers: list[Offer]


class FillSample(BaseModel):
    """A sentence with a hidden word."""

    id: str
    before: str
    word: str
    after: str
    systems: list[Offers]


class ContinuedBy(BaseModel):
    """How a system goes on."""

    name: str
    text: str


class Continued(BaseModel):
    """The beginning of a text, and how causal models go on with it."""

    id: str
    before: str
    after: str
    """How the text itself goes on; empty where nobody has said it."""
    systems: list[ContinuedBy]


class FillTable(BaseModel):
    """Masked models on hidden words."""

    candidates: int
    blanks: int
    reference: str
    systems: list[Scored]
    samples: list[FillSample]
