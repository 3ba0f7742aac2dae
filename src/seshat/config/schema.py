"""The whole of ``seshat.yaml``: one frozen model per stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import model_validator

from seshat.config.agreement import contradictions
from seshat.config.align import AlignSection
from seshat.config.augment import AugmentSection
from seshat.config.base import Mistake, Mistakes, Section
from seshat.config.clean import CleanSection
from seshat.config.crawl import CrawlSection
from seshat.config.download import DownloadSection
from seshat.config.evaluate import EvaluateSection
from seshat.config.export import ExportSection
from seshat.config.families import FINETUNING, SEQ2SEQ
from seshat.config.finetune import PhaseSection
from seshat.config.format import FormatSection
from seshat.config.ingest import IngestSection
from seshat.config.measure import DedupSection, MeasureSection, MixSection
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
from seshat.config.train import SCRATCH, SCRATCH_BEAMS, TrainSection
from seshat.config.transcribe import TranscribeSection
from seshat.config.translate import TranslateSection


class Config(Section):
    """The configuration of a project."""

    project: ProjectSection = ProjectSection()
    """What the language is, and what a run may use."""
    download: DownloadSection = DownloadSection()
    """The fetch recipe: run with `seshat download`, never by itself."""
    crawl: CrawlSection = CrawlSection()
    """Pages of the web: fetched with `seshat crawl`, never by itself."""
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
    measure: MeasureSection = MeasureSection()
    """What is measured of the documents of a language, and which are odd."""
    dedup: DedupSection = DedupSection()
    """Duplicates among documents."""
    mix: MixSection = MixSection()
    """Which documents make the corpus."""
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
    def neural(self) -> bool:
        """Whether a neural network is trained: a base, or one from scratch."""
        return self.train.kind.network is not None

    @property
    def from_scratch(self) -> bool:
        """Whether a neural network is trained that starts from nothing."""
        return self.neural and self.model.base is None

    @property
    def own_settings(self) -> tuple[str, ...]:
        """Parts of section ``train`` that the configured training reads, beside family, name and directions."""
        family = self.train.kind
        own = (family.settings,) if family.settings and self.model.base is None else ()
        return (*own, *FINETUNING, *family.finetuning) if self.neural else own

    @property
    def language_codes(self) -> dict[str, str]:
        """What the model calls the languages; one from scratch has marks as Marian's models of many languages do."""
        if self.from_scratch:
            return {tag: f">>{tag}<<" for tag in self.project.tags}
        return self.model.language_codes

    @model_validator(mode="before")
    @classmethod
    def _recipe_of_training_from_scratch(cls, data: Any) -> Any:
        """An encoder-decoder without a base is trained by :data:`SCRATCH`, where the project says nothing else."""
        if not isinstance(data, dict):
            return data
        train, model, prompt = (data.get(name) or {} for name in ("train", "model", "prompt"))
        if not all(isinstance(part, dict) for part in (train, model, prompt)):
            return data
        tuning = train.get("finetune") or {}
        if train.get("family") != SEQ2SEQ.name or model.get("base") is not None or not isinstance(tuning, dict):
            return data
        recipe = {**train, "finetune": {**SCRATCH, **tuning}}
        return {**data, "train": recipe, "prompt": {"beams": SCRATCH_BEAMS, **prompt}}

    def mistakes(self) -> Iterator[Mistake]:
        """What crosses sections."""
        return contradictions(self)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Config:
        if found := list(self.all_mistakes()):
            raise Mistakes(found)
        return self
