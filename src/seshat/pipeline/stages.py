"""The stages in the order in which they run: one name for the command, the section of ``seshat.yaml``, the DVC stage.

What a stage reads, writes and depends on stands beside its ``run``, as ``STAGE``. The modules are imported when
somebody asks, so that ``seshat --help`` is quick.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from seshat.core.errors import UsageError
from seshat.project.stage import Stage

if TYPE_CHECKING:
    from seshat.config import Config

_MODULES = {
    "ingest": (
        "seshat.data.ingest",
        "Read the raw files into typed records; what cannot be read goes to rejects.jsonl with the reason.",
        "From data/raw, as `ingest.sources` says, to data/interim/ingest. `seshat init --from FOLDER` proposes "
        "sources.",
    ),
    "clean": (
        "seshat.data.clean",
        "Normalise the text and tag what looks wrong; nothing is deleted.",
        "From data/interim/ingest to data/interim/clean. A tag leaves a record out where `split.exclude_tags` "
        "names it.",
    ),
    "align": (
        "seshat.data.align.stage",
        "Pair the sentences of parallel documents; doubtful pairs go to a review file.",
        "From data/interim/clean to data/interim/align. Decisions in reports/alignment_review.csv are read back "
        "by the next run.",
    ),
    "augment": (
        "seshat.augment.stage",
        "Find and make more training pairs; doubtful ones are tagged. Does nothing until it is asked to.",
        "To data/interim/augment. What it makes is learned from and never measured on.",
    ),
    "measure": (
        "seshat.corpus.measure",
        "Measure the documents of a language: script, length, repetition, boilerplate, how usual they are.",
        "To data/interim/measure; part of a run when `mix.strategy` is set. `seshat fit` makes limits from good text.",
    ),
    "dedup": (
        "seshat.corpus.dedup",
        "Find documents that are the same or nearly, lines that stand everywhere, and text of evaluation sets.",
        "To data/interim/dedup; part of a run when `mix.strategy` is set. Of each cluster the first document stays.",
    ),
    "mix": (
        "seshat.corpus.mix",
        "Tag odd documents by limits fitted from good text, and draw those that make the corpus.",
        "From what measure and dedup found to data/interim/mix; `split` leaves out what it tags.",
    ),
    "split": (
        "seshat.data.split",
        "Find duplicates and part train, validation and test by document and near-duplicate cluster.",
        "To data/processed. Shares are of the distinct pairs that the run may use; `split: test` in a source "
        "fixes a test set.",
    ),
    "format": (
        "seshat.data.format",
        "Keep what this run may use and write the training files and their data card.",
        "From data/processed to data/training, by `project.max_access`: what is less open stays out.",
    ),
    "tokenizer": (
        "seshat.data.tokenizer",
        "Report how well a tokenizer suits the language; train one for models from scratch.",
        "To reports/tokenizer.json.",
    ),
    "train": (
        "seshat.models.train",
        "Train a translator.",
        "From data/training to models/NAME. The statistical family needs no download and no GPU; "
        "`model.preset=NAME` fine-tunes a base (`seshat presets` lists them, `seshat plan` says what fits). An "
        "interrupted training goes on where it was.",
    ),
    "evaluate": (
        "seshat.evaluation.evaluate",
        "Score the model beside its floors, with intervals, and write the report.",
        "From data/training/test.jsonl and the model to reports/evaluation.html and evaluation.json.",
    ),
}
"""Name -> the module with ``run`` and ``STAGE``, one line for people, and what else they have to know."""
_ON_DEMAND = {
    "ocr": (
        "seshat.media.ocr",
        "Read scanned pages; what was read goes to review and stays out of training until people have seen it.",
        "From the files of ocr.sources to data/interim/ocr and reports/ocr_review.csv. A page is read once.",
    ),
    "transcribe": (
        "seshat.media.transcribe",
        "Write down recordings; what was heard goes to review and stays out of training until people have checked it.",
        "From data/raw/audio to data/interim/transcribe, reports/transcription_review.csv and reports/transcribed.",
    ),
}
"""The same of stages that read scans and recordings: `run` does them, before all others, only when switched on."""
SUMMARIES = {name: summary for name, (_, summary, _) in (_ON_DEMAND | _MODULES).items()}
"""What each stage does, in one line."""
DETAILS = {name: f"{summary}\n\n{more}" for name, (_, summary, more) in (_ON_DEMAND | _MODULES).items()}
"""The same with from where to where it works, and what to know first."""


@functools.cache
def _collected() -> tuple[Stage, ...]:
    return tuple(importlib.import_module(module).STAGE for module, *_ in _MODULES.values())


def on_demand() -> tuple[Stage, ...]:
    """The stages that `run` does only when they are switched on."""
    return tuple(importlib.import_module(module).STAGE for module, *_ in _ON_DEMAND.values())


def stages_of(config: Config) -> tuple[Stage, ...]:
    """What `run` does in a project, in order: the stages that are switched on."""
    return tuple(stage for stage in (*on_demand(), *STAGES) if stage.switched_on(config))


class _Table(Sequence[Stage]):
    @overload
    def __getitem__(self, place: int) -> Stage: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Stage, ...]: ...
    def __getitem__(self, place: Any) -> Any:
        return _collected()[place]

    def __len__(self) -> int:
        return len(_MODULES)


STAGES: Sequence[Stage] = _Table()
"""The stages of every run, in their order; collected from their modules when it is first looked at."""


def stage(name: str) -> Stage:
    """The stage of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in SUMMARIES:
        raise UsageError(f"There is no stage '{name}'.", f"Stages: {', '.join(SUMMARIES)}.")
    return next(one for one in (*on_demand(), *STAGES) if one.name == name)
