"""The whole of ``seshat.yaml``: one frozen model per stage."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import model_validator

from seshat.config.agreement import contradictions
from seshat.config.align import AlignSection
from seshat.config.augment import AugmentSection
from seshat.config.base import Mistake, Mistakes, Section
from seshat.config.clean import CleanSection
from seshat.config.download import DownloadSection
from seshat.config.evaluate import EvaluateSection
from seshat.config.export import ExportSection
from seshat.config.families import FINETUNING
from seshat.config.finetune import PhaseSection
from seshat.config.format import FormatSection
from seshat.config.ingest import IngestSection
from seshat.config.model import ModelSection
from seshat.config.ocr import OcrSection
from seshat.config.project import Direction, ProjectSection
from seshat.config.prompt import PromptSection
from seshat.config.serve import ServeSection
from seshat.config.split import SplitSection
from seshat.config.submit import SubmitSection
from seshat.config.sweep import SweepSection
from seshat.config.tokenizer import TokenizerSection
from seshat.config.tracking import TrackingSection
from seshat.config.train import TrainSection
from seshat.config.transcribe import TranscribeSection
from seshat.config.translate import TranslateSection


class Config(Section):
    """The configuration of a project."""

    project: ProjectSection = ProjectSection()
    """What the language is, and what a run may use."""
    download: DownloadSection = DownloadSection()
    """The fetch recipe: run with `seshat download`, never by itself."""
    ocr: OcrSection = OcrSection()
    """Scanned pages to text."""
    transcribe: TranscribeSection = TranscribeSection()
    """Recordings to text that people check."""
    ingest: IngestSection = IngestSection()
    """Raw files to typed records."""
    clean: CleanSection = CleanSection()
    """Normalise text and tag what looks wrong."""
    align: AlignSection = AlignSection()
    """Parallel documents to sentence pairs."""
    augment: AugmentSection = AugmentSection()
    """More training pairs than were given."""
    split: SplitSection = SplitSection()
    """Train, validation and test by document and near-duplicate cluster."""
    format: FormatSection = FormatSection()
    """Processed records to the training files of a model."""
    tokenizer: TokenizerSection = TokenizerSection()
    """Report on a tokenizer; train one for models from scratch."""
    model: ModelSection = ModelSection()
    """Which model to start from."""
    prompt: PromptSection = PromptSection()
    """How a model is asked."""
    train: TrainSection = TrainSection()
    """Train a translator."""
    tracking: TrackingSection = TrackingSection()
    """Where the figures of a training go."""
    sweep: SweepSection = SweepSection()
    """A search over settings."""
    evaluate: EvaluateSection = EvaluateSection()
    """Score the model beside its floors."""
    translate: TranslateSection = TranslateSection()
    """How a trained model is used."""
    serve: ServeSection = ServeSection()
    """The API and the web page."""
    submit: SubmitSection = SubmitSection()
    """A table of translations for a competition."""
    export: ExportSection = ExportSection()
    """A trained model in the form that another program takes."""

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions to train: into the pivot first; none for a language alone."""
        ways = self.project.directions
        return {"both": ways, "to-pivot": ways[:1], "from-pivot": ways[1:]}[self.train.directions]

    @property
    def instructs(self) -> bool:
        """Whether instruction data are written: their tasks are about two languages."""
        return self.train.kind.instructed and self.project.pivot is not None

    @property
    def phases(self) -> tuple[PhaseSection, ...]:
        """Of a fine-tuning: those given, or one with all data; of running text where there are no instructions."""
        alone = self.train.kind.instructed and not self.instructs
        return self.train.phases or (PhaseSection(name="all", text=alone),)

    @property
    def fine_tunes(self) -> bool:
        """Whether a pretrained model is trained, not one from scratch."""
        return self.train.kind.settings is None or self.model.base is not None

    @property
    def own_settings(self) -> tuple[str, ...]:
        """Parts of section ``train`` that the configured training reads, beside family, name and directions."""
        family = self.train.kind
        if self.fine_tunes:
            return (*FINETUNING, *family.finetuning)
        return (family.settings,) if family.settings else ()

    def mistakes(self) -> Iterator[Mistake]:
        """What crosses sections."""
        return contradictions(self)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Config:
        if found := list(self.all_mistakes()):
            raise Mistakes(found)
        return self
