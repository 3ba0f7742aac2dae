"""Stage ``train``: a translator in every direction that the configuration asks for.

The statistical family trains a model for each direction, the neural families one model for all of them. Every model is
made in ``models/.NAME.partial`` and gets its name when it is whole; unfinished work is kept below ``.seshat/``, so that
a training that was killed goes on.
"""

from __future__ import annotations

import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog

from seshat import tracking
from seshat.config import Config
from seshat.config.families import CAUSAL, MASKED, SEQ2SEQ
from seshat.core.errors import UsageError
from seshat.core.jsonl import sha256
from seshat.core.paths import fresh, remove
from seshat.core.processes import alone, is_main_process
from seshat.core.spaced import evenly
from seshat.project import members
from seshat.project.folder import Project
from seshat.project.manifest import Manifest, claim, publish
from seshat.project.stage import GATE, LANGUAGES, Stage, expand, files, trained_tokenizer
from seshat.text.words import sentences

INPUTS = ("train.jsonl", "validation.jsonl", "monolingual.jsonl", "lexicon.jsonl")
NEURAL = {
    SEQ2SEQ: ("neural.encoder_decoder", "EncoderDecoder"),
    CAUSAL: ("neural.causal", "Causal"),
    MASKED: ("neural.masked", "Masked"),
}
"""Module and class that train one model for all directions: see :class:`seshat.models.neural.training.Training`."""
_KNOWN = ("base", "vocabulary")
"""What the training of a neural model returns for its manifest beside its results."""
_COUNTED = 2_000
"""Training texts whose sentences are counted."""
log = structlog.get_logger(__name__)


def run(project: Project) -> dict[str, Any]:
    """Train, and write ``models/NAME``: its manifest, and a folder per direction or one for all.

    Returns:
        The name and family of the model, its folder, and what the family reports (pairs, phrase pairs, chrF2 on
        validation …) with the seconds it took, per direction for the families that train each.

    Raises:
        DataError: ``models/NAME`` holds something that Seshat did not write, or there is nothing to train on.
    """
    section, folder = project.config.train, project.model()
    if project.config.prompt.context and not section.kind.reads_before:
        log.warning("prompt.context is left out: this family reads each sentence by itself", family=section.family)
    if section.kind.settings and project.config.model.base is None and not project.config.directions:
        raise UsageError(
            f"train.family: {section.family} without model.base learns to translate, and project.pivot is not set.",
            "For a language alone take train.family masked or causal, with the model to start from in model.base.",
        )
    neural = project.config.neural
    if not neural:
        alone("Training a statistical translator")
    staging = folder.with_name(f".{folder.name}.partial")
    if is_main_process():
        claim(folder)
        fresh(staging)
    with tracking.tracked(project):
        shown = (_neural if neural else _statistical)(project, staging, folder)
    return {"model": section.name, "family": section.family, "folder": str(folder), **shown}


def _statistical(project: Project, staging: Path, folder: Path) -> dict[str, Any]:
    """Train a model for each direction."""
    trainer = _statistical_trainer()
    results: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    ways = project.config.directions
    for direction in ways:
        began = time.perf_counter()
        results[str(direction)] = trainer.train(project, direction, staging / str(direction))
        seconds[str(direction)] = round(time.perf_counter() - began, 1)
        log.info("trained", direction=str(direction), seconds=seconds[str(direction)])
    members.write(staging, _train_reads(project), project.gate)
    _described(project, results).seal(staging)
    publish(staging, folder)
    tracking.finish(project, results)
    return {"directions": {name: {**result, "seconds": seconds[name]} for name, result in results.items()}}


def _neural(project: Project, staging: Path, folder: Path) -> dict[str, Any]:
    """Train one model for all directions."""
    from seshat.models.neural import loop

    began = time.perf_counter()
    module, name = NEURAL[project.config.train.kind]
    result: dict[str, Any] = getattr(_module(module), name)(project).fit(staging)
    if is_main_process():
        members.write(staging, _train_reads(project), project.gate)
        _described_neural(project, staging, result).seal(staging)
        publish(staging, folder)
        remove(loop.works(project))
        tracking.finish(project, result)
    seconds = round(time.perf_counter() - began, 1)
    log.info("trained", model=project.config.train.name, seconds=seconds)
    return {**{name: value for name, value in result.items() if name not in _KNOWN}, "seconds": seconds}


def _statistical_trainer() -> Any:
    """The module with ``train(project, direction, folder)``, which writes the folder and gives results."""
    if find_spec("thot") is None:  # Linux on Arm, for which Thot has no package
        log.warning("Thot is not installed; the word-by-word model stands in for the statistical one")
        return _module("wordbyword")
    return _module("statistical.train")


def _module(name: str) -> Any:
    """A trainer, imported when it is needed: the neural ones bring torch."""
    return import_module(f"seshat.models.{name}")


def _described(project: Project, results: dict[str, dict[str, Any]]) -> Manifest:
    settings = project.config.train.statistical.model_dump(mode="json")
    lasting = {
        name: {key: value for key, value in result.items() if "seconds" not in key} for name, result in results.items()
    }
    return _manifest(project, tuple(results), settings, lasting)


def _described_neural(project: Project, folder: Path, result: dict[str, Any]) -> Manifest:
    """The same of a neural model, with what it stands on and how it is asked."""
    from seshat.prompt.prompt import Prompt

    config = project.config
    settings = {name: config.train.model_dump(mode="json")[name] for name in config.own_settings}
    lasting = {name: value for name, value in result.items() if name not in _KNOWN and "seconds" not in name}
    ways = tuple(str(direction) for direction in config.directions)
    more = {
        "base": result.get("base"),
        "vocabulary": result.get("vocabulary"),
        "adapter": (folder / "adapter").is_dir(),
        "quantization": config.model.quantization,
        "prompt": Prompt.load(folder).hash,
    }
    return _manifest(project, ways, settings, lasting).model_copy(update=more)


def _manifest(project: Project, ways: tuple[str, ...], settings: dict[str, Any], results: dict[str, Any]) -> Manifest:
    config = project.config
    clean = config.clean.model_dump(mode="json", by_alias=True)
    languages = config.project.tags
    return Manifest(
        family=config.train.family,
        name=config.train.name,
        directions=ways,
        languages={tag: config.project.language_name(tag) for tag in languages},
        normalisation={
            "profiles": {tag: profile for tag, profile in clean["profiles"].items() if tag in languages},
            "placeholders": clean["placeholders"],
        },
        settings=settings,
        seed=config.project.seed,
        data={name: sha256(project.training / name) for name in INPUTS if (project.training / name).exists()},
        results=results,
        sentences=_sentences(project),
    )


def _sentences(project: Project) -> float:
    """Mean number of sentences in a training text, of the language that has more: some write no full stops."""
    some = evenly(list(project.segments("train")), _COUNTED)
    counted: dict[str, list[int]] = {}
    for segment in some:
        for language, text in segment.texts.items():
            counted.setdefault(language, []).append(len(sentences(text)))
    return round(max((sum(found) / len(found) for found in counted.values()), default=1.0), 2)


def _train_settings(config: Config) -> tuple[str, ...]:
    keys = ("family", "name", "directions", *config.own_settings)
    asked = ("model", "prompt") if config.neural else ("model.base",)
    clean = ("clean.profiles", "clean.placeholders")
    return (*LANGUAGES, *GATE, *asked, *(f"train.{key}" for key in keys), *clean)


def _train_reads(project: Project) -> tuple[Path, ...]:
    train, settings = project.config.train, project.config.project
    if project.config.neural:
        return _neural_reads(project)
    reads = files(project.training, "train.jsonl", "validation.jsonl", "monolingual.jsonl", "lexicon.jsonl")
    extra = (project.raw / path for pattern in train.statistical.lm_extra for path in expand(pattern, settings.tags))
    return (*reads, *(path for path in extra if path.exists()))


def _neural_reads(project: Project) -> tuple[Path, ...]:
    config = project.config
    reads = list(files(project.training, "train.jsonl", "validation.jsonl"))
    reads += files(
        project.training, *(name for name in config.train.kind.reads if config.instructs or name != "messages")
    )
    if any(phase.text for phase in config.phases):
        reads += files(project.training, "monolingual.jsonl")
    reads += trained_tokenizer(project) if config.from_scratch else ()
    tuning = config.train.finetune
    base = project.root / (config.model.base or "")
    reads += [base] if config.model.base and base.is_dir() and base.is_relative_to(project.root) else []
    reads += [project.model(tuning.continue_from)] if tuning.continue_from else []
    named = (project.root / name for name in (tuning.distributed, config.prompt.chat_template) if name)
    return (*reads, *(path for path in named if path.exists()))


STAGE = Stage(
    name="train",
    module=__name__,
    version=7,
    settings=_train_settings,
    reads=_train_reads,
    writes=lambda project: (project.model(),),
)
"""What the pipeline needs to know."""
