"""What an evaluation found: the typed form of ``reports/evaluation.json`` and ``reports/comparison.json``."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.records import Access
from seshat.report.tables import Continued, FillTable, Kind, LikelihoodTable, TaskTable
from seshat.scores import Metric
from seshat.scores.table import Score, Scored

History = list[dict[str, float]]
"""What a trainer wrote down: the numbers of each row of its log."""


class Share(Score):
    """Of what was asked for, how much came out, in per cent with its interval."""

    said: int
    asked: int


class Behaviour(BaseModel):
    """How a system behaves, whatever the quality of what it says."""

    empty: int
    """Texts."""
    copied: int
    """Texts that give the source back although the reference does not."""
    looping: int
    """Texts that say up to four words three times in a row."""
    copied_words: float
    """Share of the words that stand in the source, 0 to 1."""
    length_ratio: float
    """Characters of all texts over those of all references."""


class InventedWord(BaseModel):
    """A word that stands nowhere."""

    word: str
    count: int
    near: str | None
    """A known word that looks alike."""


class Invention(BaseModel):
    """How many words of a set of translations are invented."""

    words: int
    """All of them."""
    invented: int
    per_100: float
    listed: list[InventedWord]
    """The most frequent."""


class Floor(BaseModel):
    """The best of what costs nothing, and what a model has more."""

    name: str
    score: float
    difference: float
    p: float


class SystemResult(Scored):
    """One system in one direction."""

    kind: Kind
    behaviour: Behaviour
    invented: Invention
    terms: Share | None = None
    """Terms of the lexicon."""
    marks: Share | None = None
    """Addresses, numbers, placeholders, tags."""
    best_floor: Floor | None = None


class References(BaseModel):
    """The human references, judged like a system where that can be."""

    behaviour: Behaviour
    invented: Invention


class MissedTerm(BaseModel):
    """A word of the lexicon whose meanings were not said."""

    word: str
    meanings: list[str]
    asked: int
    missed: int


class TermsResult(BaseModel):
    """The terms of a test set."""

    asked: int
    missed: list[MissedTerm]
    """By the main model, most often first."""


class SliceResult(BaseModel):
    """A part of the test set."""

    group: str
    name: str
    segments: int
    small: bool
    systems: dict[str, Score]


class Lengths(BaseModel):
    """How long texts are, in characters."""

    edges: list[int]
    """Of the bins, one more than bins."""
    shares: dict[str, list[float]]
    """Per system, the part of its texts in each bin, 0 to 1."""


class Nearest(BaseModel):
    """The training example that is most like a sample."""

    source: str
    target: str
    similarity: float
    """0 to 1."""


class SampleText(BaseModel):
    """What a system says of a sample."""

    name: str
    text: str
    chrf2: float


class Sample(BaseModel):
    """A test sentence and what all systems make of it."""

    id: str
    origin: str | None
    source: str
    reference: str
    nearest: Nearest | None
    systems: list[SampleText]


class Level(BaseModel):
    """A level of confidence: the mean chrF2 that it promises and the one that was reached."""

    level: str
    segments: int
    expected: float | None
    measured: float | None


class Confidence(BaseModel):
    """What the confidence of a model is worth on the test set."""

    learnt_from: int
    """Validation sentences."""
    correlation: float | None
    """Pearson's, with the chrF2 of the sentence; none when one of them never changes."""
    levels: list[Level]


class Step(BaseModel):
    """A step of post-processing, left out."""

    name: str
    changed: int
    """Translations of validation."""
    without: dict[Metric, float]
    difference: float
    """What the step brings in the headline."""
    p: float
    verdict: str


class Postprocessing(BaseModel):
    """Whether each step of post-processing helps on validation."""

    segments: int
    all: dict[Metric, float]
    none: dict[Metric, float]
    difference: float
    steps: list[Step]
    test: dict[str, int] = {}
    """Step -> translations of the test set that it changed."""

    @property
    def working(self) -> list[Step]:
        """The steps that changed anything."""
        return [step for step in self.steps if step.changed or step.name in self.test]

    @property
    def idle(self) -> list[str]:
        """The names of the others."""
        return [step.name for step in self.steps if step not in self.working]


class Against(BaseModel):
    """A system less another, in the headline."""

    score: float
    p: float


class DirectionResult(BaseModel):
    """Everything that was measured of one direction."""

    direction: str
    source: str
    target: str
    signatures: dict[str, str]
    systems: list[SystemResult]
    references: References
    terms: TermsResult | None = None
    slices: list[SliceResult] = []
    lengths: Lengths | None = None
    samples: list[Sample] = []
    history: dict[str, History] = {}
    postprocess: Postprocessing | None = None
    confidence: Confidence | None = None
    pairs: dict[str, dict[str, Against]] = {}
    """Of a comparison: each against each."""

    def system(self, name: str) -> SystemResult | None:
        """The system of that name."""
        return next((one for one in self.systems if one.name == name), None)


class TestFacts(BaseModel):
    """The test set."""

    segments: int
    access: dict[str, int]
    licences: dict[str, int]
    in_train: dict[str, int]
    """Language, or ``pair`` -> test sentences that stand in train."""


class TrainingFacts(BaseModel):
    """What was learnt from."""

    pairs: int
    entries: int
    words: dict[str, int]


class Settings(BaseModel):
    """How it was measured."""

    headline: Metric = "chrf2"
    """The score that everything goes by; an evaluation that does not say so is of when there was only chrF2."""
    reference: str
    bootstrap: int
    seed: int
    test: str


class SystemFacts(BaseModel):
    """A system that was measured."""

    name: str
    family: str
    kind: str


class Evaluation(BaseModel):
    """One evaluation, or one comparison."""

    project: str
    languages: dict[str, str]
    """Tag -> name."""
    purpose: str
    test: TestFacts
    quoted: list[Access] = Field(default_factory=lambda: [Access.SEALED])
    """The access levels of what is quoted."""
    training: TrainingFacts
    settings: Settings
    systems: list[SystemFacts]
    warnings: list[str]
    directions: list[DirectionResult]
    history: dict[str, History] = {}
    likelihood: list[LikelihoodTable] = []
    tasks: list[TaskTable] = []
    fill: FillTable | None = None
    continued: list[Continued] = []

    @property
    def headline(self) -> Metric:
        """The score that it goes by."""
        return self.settings.headline

    @classmethod
    def read(cls, path: Path) -> Evaluation:
        """What an evaluation wrote.

        Raises:
            DataError: it is not there, or cannot be read.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(f"{path}: there is no evaluation.", "Run: seshat evaluate") from error
        except ValidationError as error:
            raise DataError(
                f"{path}: no evaluation that this version reads ({error.error_count()} faults, the first in "
                f"{'.'.join(map(str, error.errors()[0]['loc'])) or 'the whole file'}).",
                "Evaluate again: seshat evaluate",
            ) from error

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, self.model_dump(mode="json"))
