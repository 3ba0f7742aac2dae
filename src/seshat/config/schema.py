"""The whole of ``seshat.yaml``: one frozen model per stage."""

from __future__ import annotations

from pydantic import model_validator

from seshat.config.align import AlignSection
from seshat.config.augment import AugmentSection
from seshat.config.base import Mistakes, Section
from seshat.config.clean import CleanSection
from seshat.config.combinations import contradictions
from seshat.config.ingest import DownloadSection, IngestSection
from seshat.config.model import EvaluateSection, FormatSection, TokenizerSection, TrainSection
from seshat.config.neural import ExportSection, ModelSection, PromptSection, SweepSection, TrackingSection
from seshat.config.project import ProjectSection
from seshat.config.serve import ServeSection
from seshat.config.split import SplitSection
from seshat.config.submit import SubmitSection
from seshat.config.translate import TranslateSection


class Config(Section):
    """The configuration of a project."""

    project: ProjectSection = ProjectSection()
    """What the language is, and what a run may use."""
    download: DownloadSection = DownloadSection()
    """The fetch recipe: run with `seshat download`, never by itself."""
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

    @model_validator(mode="after")
    def _sections_agree(self) -> Config:
        if found := contradictions(self):
            raise Mistakes(found)
        return self
