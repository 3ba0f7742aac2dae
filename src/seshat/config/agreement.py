"""What crosses the sections of a configuration: names that must exist, settings that contradict each other.

A section looks after itself (:meth:`seshat.config.base.Section.mistakes`). Here each check reads several top-level
sections and yields what does not fit. Which ones it reads is declared, so that a section that is already known to be
wrong does not set off a second, false alarm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from seshat.config import presets
from seshat.config.base import Mistake
from seshat.config.explain import did_you_mean
from seshat.config.ingest import column_language

if TYPE_CHECKING:
    from seshat.config.schema import Config

Found = Iterator[tuple[tuple[str | int, ...], str]]

DECIDED = ("corrections", "induced")
"""Sources that `ingest` reads without being told: corrected translations, accepted word pairs."""
_MADE = ("back_translation", "pseudo_labels")
_ADAPTER_RATE = 1e-4
"""A learning rate from here on is for adapters, not for all weights of a causal or masked model."""


def contradictions(config: Config) -> Iterator[Mistake]:
    """Everything in a configuration that cannot be meant together."""
    for sections, check in _CHECKS:
        for path, message in check(config):
            yield Mistake(path, message, frozenset(sections))


def _languages(config: Config) -> list[str]:
    """Tags of the languages that the project names."""
    project = config.project
    return list(dict.fromkeys((*project.tags, *project.languages)))


def _no_language(tag: str, config: Config) -> str:
    known = _languages(config)
    return (
        f"'{tag}' is no language of this project ({', '.join(known)})"
        f"{did_you_mean(tag, known) or '; add it to project.languages if it is meant'}"
    )


def _sources(config: Config) -> list[str]:
    """Names of the sources: those that are read, what people wrote since, and those that `align` and `augment` make."""
    read = [source.name for source in config.ingest.sources]
    return [*read, *DECIDED, *(starts.name for starts in config.align.starts), *config.augment.names]


def _no_source(name: str, config: Config) -> str:
    return f"there is no source '{name}' in ingest.sources{did_you_mean(name, _sources(config))}"


def _source_languages(config: Config) -> Found:
    known = _languages(config)
    for index, source in enumerate(config.ingest.sources):
        at = ("ingest", "sources", index)
        if source.language and source.language not in known:
            yield (*at, "language"), _no_language(source.language, config)
        for code, tag in source.languages.items():
            if tag not in known:
                yield (*at, "languages", code), _no_language(tag, config)
        given = (("columns", source.columns), ("tiers", source.tiers), ("markers", source.markers))
        for setting, fields in given:
            kind = source.kind if setting == "columns" else "entries" if "headword" in fields else "segments"
            for field in fields:
                own = column_language(field, kind)
                if setting != "columns" and own is not None:
                    own = own.removesuffix("-fonipa")  # another writing of a language
                if own is not None and own not in known:
                    yield (*at, setting, field), _no_language(own, config)


def _crawled_sources(config: Config) -> Found:
    known = {source.name: source for source in config.ingest.sources}
    for index, site in enumerate(config.crawl.sources):
        at = ("crawl", "sources", index, "source")
        source = known.get(site.source)
        if source is None:
            yield at, _no_source(site.source, config)
        elif source.licence is None or "access" not in source.model_fields_set:
            missing = "access" if source.licence else "licence"
            yield at, f"the rights have to be stated before a site is fetched: give '{site.source}' its {missing}"
        elif len(source.patterns) != 1 or not re.fullmatch(r"[^*?{}\[\]]+\.warc\.gz", source.patterns[0]):
            yield (
                at,
                f"'{site.source}' has to have one path, the WARC file that is written: crawl/{site.source}.warc.gz",
            )


def _profiles(config: Config) -> Found:
    for tag in config.clean.profiles:
        if tag not in _languages(config):
            yield ("clean", "profiles", tag), _no_language(tag, config)


def _profile_sources(config: Config) -> Found:
    known = {source.name for source in config.ingest.sources}
    for tag, profile in config.clean.profiles.items():
        for index, rule in enumerate(profile.rules):
            for name in rule.sources:
                if name not in known:
                    yield ("clean", "profiles", tag, "rules", index, "sources"), _no_source(name, config)
        for index, test in enumerate(profile.tests):
            if test.source is not None and test.source not in known:
                yield ("clean", "profiles", tag, "tests", index, "source"), _no_source(test.source, config)


def _chosen_sources(config: Config) -> Found:
    known = _sources(config)
    for name in config.split.upsample:
        if name not in known:
            yield ("split", "upsample", name), _no_source(name, config)
    for index, phase in enumerate(config.train.phases):
        for name in phase.where.sources:
            if name not in known:
                yield ("train", "phases", index, "where", "sources"), _no_source(name, config)


def _compared(config: Config) -> Found:
    name = config.train.name
    if name in config.evaluate.baselines:
        yield ("train", "name"), f"'{name}' is the name of a baseline; call the model otherwise"
    elif name in config.evaluate.compare:
        at = ("evaluate", "compare", config.evaluate.compare.index(name))
        yield at, f"'{name}' is the model itself (train.name); it is in the table already"


def _family(config: Config) -> Found:
    base, family = config.model.base, config.train.kind
    if family.settings is None and base is None:
        yield (
            ("train", "family"),
            f"the family '{family.name}' fine-tunes a base model: give model.base (a Hugging Face id or a folder), or "
            "take a preset (seshat presets)",
        )
    if family.network is None and base is not None:
        yield (
            ("model", "base"),
            f"the {family.name} family learns from the data alone: leave model.base out (model.base= on the command "
            "line), or choose another train.family",
        )
    if base is None and config.model.extend_vocabulary:
        yield ("model", "extend_vocabulary"), "there is no model.base whose vocabulary could be extended"
    if family.network is None and config.train.phases:
        yield ("train", "phases"), f"phases are for neural models, not for '{family.name}'"
    for index, phase in enumerate(config.train.phases):
        if family.instructed and not config.instructs and not phase.text:
            message = "there are no instructions about a language alone: write text: true, or name a project.pivot"
            yield ("train", "phases", index, "text"), message


def _base(config: Config) -> Found:
    train, model = config.train, config.model
    if model.base is not None and model.quantization != "none" and not train.adapters:
        yield (
            ("model", "quantization"),
            f"a base in {model.quantization} is frozen and cannot be trained itself: train adapters "
            "(train.lora.enabled: true), or write quantization: none",
        )
    if model.attention == "flash_attention_2" and train.finetune.device in ("cpu", "mps"):
        yield (
            ("model", "attention"),
            f"flash_attention_2 needs a CUDA device, and train.finetune.device is '{train.finetune.device}'; "
            "write attention: sdpa",
        )


def _told_directions(config: Config) -> Found:
    """An encoder-decoder must be told the direction."""
    model, codes = config.model, config.model.language_codes
    for tag in codes:
        if tag not in _languages(config):
            yield ("model", "language_codes", tag), _no_language(tag, config)
    if not config.train.kind.encodes or model.base is None:
        return
    missing = [tag for tag in config.project.tags if tag not in codes]
    said = any(slot in config.prompt.prefix for slot in ("{source}", "{target}", "{target_code}"))
    if presets.architecture(model.base) in presets.NEEDS_CODES and missing:
        wanted = ", ".join(f"{tag}: …" for tag in missing)
        yield (
            ("model", "language_codes"),
            f"{model.base} must be told what it calls your languages: language_codes: {{{wanted}}}, such as "
            "spa_Latn for Spanish; for a language that it does not know, make a code of that form",
        )
    elif missing and config.train.directions == "both" and not said:
        yield (
            ("prompt", "prefix"),
            "one model learns both directions, and nothing tells it which is wanted: write a prefix such as "
            "'translate {source} into {target}: ', give model.language_codes, or train one of train.directions",
        )


def _made_sources(config: Config) -> Found:
    """What `augment` makes is a source too: its names are its own, and it reads sources that there are."""
    known = {source.name for source in config.ingest.sources}
    for part in ("pages", "extractor", "drills", *_MADE):
        value = getattr(config.augment, part)
        if value is not None and value.name in known:
            yield ("augment", part, "name"), f"'{value.name}' is the name of a source; call it otherwise"
    for part in _MADE:
        value = getattr(config.augment, part)
        for name in value.sources if value else ():
            if name not in known:
                yield ("augment", part, "sources"), _no_source(name, config)


def _circles(config: Config) -> Found:
    """A model cannot learn from what it makes itself: the data would change with every training."""
    trained = PurePosixPath("models", config.train.name)
    for part in _MADE:
        value = getattr(config.augment, part)
        for key, endpoint in (("model", value), ("back", value and value.back)):
            if endpoint and endpoint.server is None and PurePosixPath(endpoint.model or "") == trained:
                yield (
                    ("augment", part, key),
                    f"{trained} is the model that `train` writes, from data that would depend on it; keep the model "
                    "that translates under another name (train.name)",
                )


def _template_languages(config: Config) -> Found:
    drills = config.augment.drills
    for index, template in enumerate(drills.templates if drills else ()):
        for tag in template.texts:
            if tag not in _languages(config):
                yield ("augment", "drills", "templates", index, "texts", tag), _no_language(tag, config)


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Config], Found]], ...] = (
    (("project", "ingest"), _source_languages),
    (("crawl", "ingest"), _crawled_sources),
    (("project", "clean"), _profiles),
    (("ingest", "clean"), _profile_sources),
    (("ingest", "align", "augment", "split", "train"), _chosen_sources),
    (("train", "evaluate"), _compared),
    (("model", "train"), _family),
    (("model", "train"), _base),
    (("project", "model", "prompt", "train"), _told_directions),
    (("ingest", "augment"), _made_sources),
    (("train", "augment"), _circles),
    (("project", "augment"), _template_languages),
)


def cautions(config: Config) -> Iterator[Mistake]:
    """What is allowed and seldom wise, for `seshat plan` and the reports of a training."""
    train, adapters = config.train, config.train.adapters
    if train.kind.encodes and config.model.base is not None and adapters:
        yield Mistake(
            ("train", "lora", "enabled"),
            "adapters do badly on encoder-decoders (ByT5-large stops at 18 where full training reaches 32; SIL found "
            "no use for them on NLLB): train all weights unless memory forbids it",
        )
    if train.kind.is_language_model and not adapters and train.finetune.learning_rate >= _ADAPTER_RATE:
        yield Mistake(
            ("train", "finetune", "learning_rate"),
            f"{train.finetune.learning_rate:g} is a learning rate for adapters; all weights of a model take about "
            "1e-5 to 5e-5",
        )
    if train.finetune.precision == "float16" and presets.architecture(config.model.base) in presets.OVERFLOWING:
        yield Mistake(
            ("train", "finetune", "precision"),
            f"{config.model.base} overflows in float16 and loses everything: write auto, bfloat16 or float32",
        )
