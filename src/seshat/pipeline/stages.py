"""The table of stages: one name for the module, the command, the section of ``seshat.yaml`` and the DVC stage."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.core.errors import UsageError

if TYPE_CHECKING:
    from seshat.config import Config
    from seshat.project.folder import Project
    from seshat.review.queue import Queue

RECORDS = ("segments.jsonl", "entries.jsonl", "documents.jsonl")
SETS = ("train.jsonl", "validation.jsonl", "test.jsonl", "monolingual.jsonl", "lexicon.jsonl")
_LANGUAGES = ("project.language", "project.pivot", "project.languages", "project.seed")


@dataclass(frozen=True)
class SharedFile:
    """A file that people write and a stage reads, when its bytes change although people have written nothing.

    It cannot be an input or an output for DVC, which would see a change after every run. What counts is what people
    have written in it.
    """

    path: Callable[[Project], Path]
    decisions: Callable[[Project], str | None]
    """A digest of what people have written; ``None`` for nothing."""
    written: bool = True
    """Whether the stage writes it too. Such a stage is not restored from the cache: the file would hold what another
    run wrote."""


@dataclass(frozen=True)
class Stage:
    """One stage: what it is called, what it reads and writes, and which settings its result depends on."""

    name: str
    module: str
    """Module whose ``run(project)`` does the work."""
    version: int
    """Raised when the code changes so that the same input gives another result: the stage then runs again."""
    summary: str
    """One line for people."""
    settings: Callable[[Config], tuple[str, ...]]
    """Dotted keys of the configuration that the result depends on."""
    reads: Callable[[Project], tuple[Path, ...]]
    """Files and folders it reads."""
    writes: Callable[[Project], tuple[Path, ...]]
    """Files and folders it writes."""
    shared: SharedFile | None = None
    """A file that people write beside the raw files."""

    def run(self, project: Project) -> dict[str, Any]:
        """Do the work of the stage; returns its summary."""
        summary: dict[str, Any] = importlib.import_module(self.module).run(project)
        return summary


def _files(folder: Path, *names: str) -> tuple[Path, ...]:
    return tuple(folder / name for name in names)


def source_paths(project: Project) -> tuple[Path, ...]:
    """What ``ingest`` reads: the files of the sources, or the folder that holds them where a pattern stands.

    A folder is read as a whole, so a new file in it is noticed. Files that are not there yet are left out.
    """
    settings = project.config.project
    found: dict[Path, None] = {}
    for source in project.config.ingest.sources:
        for pattern in (source.path,) if isinstance(source.path, str) else source.path:
            for path in _expand(pattern, (settings.language, settings.pivot)):
                found[project.raw / path] = None
        if source.join:
            found[project.raw / source.join.path] = None
    paths = [path for path in found if path.exists()]
    return tuple(path for path in paths if not any(other in path.parents for other in paths))


def _expand(pattern: str, languages: tuple[str, ...]) -> Iterator[Path]:
    """The files a pattern can mean: each language for ``{lang}``, the fixed part of the path before a wild card."""
    for tag in languages if "{lang}" in pattern else ("",):
        fixed: list[str] = []
        for part in Path(pattern.replace("{lang}", tag)).parts:
            if any(character in part for character in "*?["):
                break
            fixed.append(part)
        yield Path(*fixed)


def _table(name: str) -> SharedFile:
    """The table of a review queue, which is not opened before it is asked about."""

    def queue() -> Queue:
        from seshat.review import queues

        return queues.queue(name)

    return SharedFile(lambda project: queue().path(project), lambda project: queue().digest(project))


def _corrections_file(project: Project) -> Path:
    from seshat.review import corrections

    return corrections.corrections_file(project)


def _people_wrote(project: Project) -> str | None:
    """A digest of the corrections of translations, and of the induced word pairs that people accepted."""
    from seshat.review.queues.corrections import digest
    from seshat.review.queues.lexicon import QUEUE

    found = digest(project), QUEUE.digest(project)
    return "-".join(filter(None, found)) or None


def _instructs(config: Config) -> bool:
    """Whether ``format`` writes messages too."""
    return config.train.kind.instructed


def _format_settings(config: Config) -> tuple[str, ...]:
    # What only the messages depend on; the prompt's decoding is not among it.
    asked = ("system", "templates", "context", "hints", "shots")
    messages = ("train.directions", *(f"prompt.{name}" for name in asked))
    return ("format", "split", "project", "train.family", *(messages if _instructs(config) else ()))


def _align_settings(config: Config) -> tuple[str, ...]:
    lists = (
        ("clean.profiles", "clean.placeholders") if config.align.starts else ()
    )  # their sentences are normalised too
    return ("align", *lists, "clean.filters.max_foreign_words", "project.max_access", *_LANGUAGES)


def _augment_settings(config: Config) -> tuple[str, ...]:
    if not config.augment.wanted:
        return ("augment", "project.language", "project.pivot")
    lists = ("clean.profiles", "clean.placeholders", "align.min_confidence")
    asked = ("prompt", "model.language_codes") if any(one.server for one in config.augment.translators) else ()
    return ("augment", *lists, *asked, "split.exclude_tags", "split.groups", "project.max_access", *_LANGUAGES)


def _augment_reads(project: Project) -> tuple[Path, ...]:
    """Nothing while it has nothing to do, so that it does not run with every change of the data."""
    section = project.config.augment
    if not section.wanted:
        return ()
    reads = [*_files(project.cleaned, "segments.jsonl", "entries.jsonl"), project.aligned / "segments.jsonl"]
    if section.pages is not None:
        reads += [project.raw / section.pages.path, project.raw / section.pages.texts.path]
    folders = (project.root / one.model for one in section.translators if one.server is None and one.model)
    return tuple(dict.fromkeys((*reads, *folders)))


def _train_settings(config: Config) -> tuple[str, ...]:
    if config.fine_tunes:
        keys = ("family", "name", "directions", *config.own_settings)
        clean = ("clean.profiles", "clean.placeholders")
        return (*_LANGUAGES, "project.max_access", "model", "prompt", *(f"train.{key}" for key in keys), *clean)
    # Only where it is wanted, so that models trained without it are up to date still.
    context = ("prompt.context",) if config.train.kind.reads_before and config.prompt.context else ()
    keys = (
        "model.base",
        "train.family",
        "train.name",
        "train.directions",
        *(f"train.{key}" for key in config.own_settings),
        "clean.profiles",
        "clean.placeholders",
    )
    return (*_LANGUAGES, "project.max_access", *keys, *context)


def _train_reads(project: Project) -> tuple[Path, ...]:
    train, settings = project.config.train, project.config.project
    if project.config.fine_tunes:
        return _pretrained_reads(project)
    reads = _files(project.training, "train.jsonl", "validation.jsonl", "monolingual.jsonl", "lexicon.jsonl")
    if train.kind.pieces:
        return (*reads, *_trained_tokenizer(project))
    extra = (
        project.raw / path
        for pattern in train.statistical.lm_extra
        for path in _expand(pattern, (settings.language, settings.pivot))
    )
    return (*reads, *(path for path in extra if path.exists()))


def _pretrained_reads(project: Project) -> tuple[Path, ...]:
    config = project.config
    reads = list(_files(project.training, "train.jsonl", "validation.jsonl"))
    reads += _files(project.training, *config.train.kind.reads)
    tuning = config.train.finetune
    base = project.root / (config.model.base or "")
    reads += [base] if config.model.base and base.is_dir() and base.is_relative_to(project.root) else []
    reads += [project.model(tuning.continue_from)] if tuning.continue_from else []
    named = (project.root / name for name in (tuning.distributed, config.prompt.chat_template) if name)
    return (*reads, *(path for path in named if path.exists()))


def _trained_tokenizer(project: Project) -> tuple[Path, ...]:
    wanted = project.config.tokenizer.train
    if wanted is None:
        wanted = project.config.train.kind.pieces and project.config.model.base is None
    return (project.models / "tokenizer",) if wanted else ()


def _tokenizer_reads(project: Project) -> tuple[Path, ...]:
    path = project.config.tokenizer.path
    named = [project.root / path] if path else []
    base = project.root / (project.config.model.base or "") / "tokenizer.json"
    named += [base] if project.config.model.base and base.is_relative_to(project.root) else []
    given = (one for one in named if one.exists())
    return (*_files(project.training, "train.jsonl", "monolingual.jsonl"), *given)


def _evaluate_settings(config: Config) -> tuple[str, ...]:
    several = config.fine_tunes or config.evaluate.compare
    asked = ("train.family", "model", "prompt", "clean.profiles", "clean.placeholders") if several else ()
    delivered = ("engine", "decoding", "server", "mbr", "postprocess")
    return ("evaluate", "project", "train.name", *(f"translate.{key}" for key in delivered), *asked)


def _evaluate_reads(project: Project) -> tuple[Path, ...]:
    config = project.config
    models = [project.model(name) for name in dict.fromkeys((config.train.name, *config.evaluate.compare))]
    if config.evaluate.zero_shot == "alone":  # a base can be measured before anything is trained
        models = [path for path in models if path.exists()]
    messages = _files(project.training, "messages") if _instructs(config) else ()
    return (*_files(project.training, *SETS), *messages, *models)


def _evaluate_writes(project: Project) -> tuple[Path, ...]:
    written = _files(project.reports, "evaluation.json", "evaluation.html", "translations")
    # How far translations may be trusted; beside the folder of the model, which is written by `train`.
    alone = project.config.evaluate.zero_shot == "alone"
    return written if alone else (*written, project.models / f"{project.config.train.name}.confidence.json")


STAGES: tuple[Stage, ...] = (
    Stage(
        name="ingest",
        module="seshat.data.ingest",
        version=2,
        summary="Read the raw files into typed records; what cannot be read goes to rejects.jsonl with the reason.",
        settings=lambda _config: ("ingest", "serve.database", *_LANGUAGES),
        reads=source_paths,
        writes=lambda project: _files(project.ingested, *RECORDS, "rejects.jsonl", "report.json"),
        shared=SharedFile(_corrections_file, _people_wrote, written=False),
    ),
    Stage(
        name="clean",
        module="seshat.data.clean",
        version=2,
        summary="Normalise the text and tag what looks wrong; nothing is deleted.",
        settings=lambda _config: ("clean", *_LANGUAGES),
        reads=lambda project: _files(project.ingested, *RECORDS),
        writes=lambda project: _files(project.cleaned, *RECORDS, "report.json"),
    ),
    Stage(
        name="align",
        module="seshat.data.align.stage",
        version=1,
        summary="Pair the sentences of parallel documents; doubtful pairs go to a review file.",
        settings=_align_settings,
        reads=lambda project: (
            *_files(project.cleaned, *RECORDS),
            *(project.raw / starts.path for starts in project.config.align.starts),
        ),
        writes=lambda project: _files(project.aligned, "segments.jsonl", "report.json"),
        shared=_table("alignment"),
    ),
    Stage(
        name="augment",
        module="seshat.augment.stage",
        version=2,
        summary="Find and make more training pairs; doubtful ones are tagged. Does nothing until it is asked to.",
        settings=_augment_settings,
        reads=_augment_reads,
        writes=lambda project: _files(
            project.augmented, "segments.jsonl", "decisions.jsonl", "rejects.jsonl", "report.json"
        ),
        shared=_table("audit"),
    ),
    Stage(
        name="split",
        module="seshat.data.split",
        version=1,
        summary="Find duplicates and part train, validation and test by document and near-duplicate cluster.",
        settings=lambda _config: ("split", *_LANGUAGES),
        reads=lambda project: (
            *_files(project.cleaned, "segments.jsonl", "entries.jsonl"),
            project.aligned / "segments.jsonl",
            *_files(project.augmented, "segments.jsonl", "decisions.jsonl"),
            *((project.raw / groups.path,) if (groups := project.config.split.groups) else ()),
        ),
        writes=lambda project: _files(project.processed, *SETS, "excluded.jsonl", "report.json"),
    ),
    Stage(
        name="format",
        module="seshat.data.format",
        version=2,
        summary="Keep what this run may use and write the training files and their data card.",
        settings=_format_settings,
        reads=lambda project: _files(project.processed, *SETS),
        writes=lambda project: _files(
            project.training, *SETS, "README.md", "report.json", *(["messages"] if _instructs(project.config) else [])
        ),
    ),
    Stage(
        name="tokenizer",
        module="seshat.data.tokenizer",
        version=1,
        summary="Report how well a tokenizer suits the language; train one for models from scratch.",
        settings=lambda _config: ("tokenizer", "train.family", "model.base", "project.max_access", *_LANGUAGES),
        reads=_tokenizer_reads,
        writes=lambda project: (project.reports / "tokenizer.json", *_trained_tokenizer(project)),
    ),
    Stage(
        name="train",
        module="seshat.models.train",
        version=6,
        summary="Train a translator.",
        settings=_train_settings,
        reads=_train_reads,
        writes=lambda project: (project.model(),),
    ),
    Stage(
        name="evaluate",
        module="seshat.evaluation.evaluate",
        version=5,
        summary="Score the model beside its floors, with intervals, and write the report.",
        settings=_evaluate_settings,
        reads=_evaluate_reads,
        writes=_evaluate_writes,
    ),
)


def stage(name: str) -> Stage:
    """The stage of that name.

    Raises:
        UsageError: there is none.
    """
    for candidate in STAGES:
        if candidate.name == name:
            return candidate
    raise UsageError(f"There is no stage '{name}'.", f"Stages: {', '.join(s.name for s in STAGES)}.")
