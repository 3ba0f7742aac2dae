"""Settings of several sections that contradict each other.

Each check reads some top-level sections and yields what does not fit. Which ones it reads is declared, so that a
section that is already known to be wrong does not set off a second, false alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from seshat.config import augmented, pretrained
from seshat.config.base import Mistake
from seshat.config.families import FAMILIES
from seshat.config.ingest import FIELD_READERS, column_language
from seshat.config.known import known_sources, project_languages, unknown_language, unknown_source
from seshat.config.model import ZERO_SHOT

if TYPE_CHECKING:
    from seshat.config.schema import Config

Found = Iterator[tuple[tuple[str | int, ...], str]]


def contradictions(config: Config) -> list[Mistake]:
    """Everything in a configuration that cannot be meant together."""
    return [
        Mistake(path, message, frozenset(sections)) for sections, check in _CHECKS for path, message in check(config)
    ]


def _sources(config: Config) -> Found:
    seen: dict[str, int] = {}
    for index, source in enumerate(config.ingest.sources):
        at = ("ingest", "sources", index)
        if source.name in seen:
            first = f"ingest.sources[{seen[source.name]}]"
            yield (*at, "name"), f"'{source.name}' is also the name of {first}; every source needs its own"
        seen.setdefault(source.name, index)
        patterns = (source.path,) if isinstance(source.path, str) else source.path
        if source.reader in {"moses", "documents"} and not all("{lang}" in pattern for pattern in patterns):
            bad = next(pattern for pattern in patterns if "{lang}" not in pattern)
            yield (
                (*at, "path"),
                f"the reader '{source.reader}' needs {{lang}} where the language stands in the name, "
                f"such as train.{{lang}}; found '{bad}'",
            )
        if source.columns and source.reader not in {"auto", "table", "cldf"}:
            yield (*at, "columns"), f"the reader '{source.reader}' knows no columns; they are for tables"
        for setting, given in (("tiers", source.tiers), ("markers", source.markers)):
            if given and source.reader not in {"auto", *FIELD_READERS}:
                yield (*at, setting), f"the reader '{source.reader}' knows no {setting}"


def _source_languages(config: Config) -> Found:
    known = project_languages(config)
    for index, source in enumerate(config.ingest.sources):
        at = ("ingest", "sources", index)
        if source.language and source.language not in known:
            yield (*at, "language"), unknown_language(source.language, config)
        for code, tag in source.languages.items():
            if tag not in known:
                yield (*at, "languages", code), unknown_language(tag, config)
        for setting, given in (("columns", source.columns), ("tiers", source.tiers), ("markers", source.markers)):
            kind = source.kind if setting == "columns" else "entries" if "headword" in given else "segments"
            for field in given:
                own = column_language(field, kind)
                if setting != "columns" and own is not None:
                    own = own.removesuffix("-fonipa")  # another writing of a language
                if own is not None and own not in known:
                    yield (*at, setting, field), unknown_language(own, config)


def _profiles(config: Config) -> Found:
    for tag in config.clean.profiles:
        if tag not in project_languages(config):
            yield ("clean", "profiles", tag), unknown_language(tag, config)


def _profile_sources(config: Config) -> Found:
    known = {source.name for source in config.ingest.sources}
    for tag, profile in config.clean.profiles.items():
        for index, rule in enumerate(profile.rules):
            for name in rule.sources:
                if name not in known:
                    yield ("clean", "profiles", tag, "rules", index, "sources"), unknown_source(name, config)
        for index, test in enumerate(profile.tests):
            if test.source is not None and test.source not in known:
                yield ("clean", "profiles", tag, "tests", index, "source"), unknown_source(test.source, config)


def _filters(config: Config) -> Found:
    filters = config.clean.filters
    if filters.min_characters > filters.max_characters:
        yield (
            ("clean", "filters", "min_characters"),
            f"{filters.min_characters} is more than max_characters ({filters.max_characters}): nothing would be left",
        )


def _upsampling(config: Config) -> Found:
    known = known_sources(config)
    for name in config.split.upsample:
        if name not in known:
            yield ("split", "upsample", name), unknown_source(name, config)


def _downloads(config: Config) -> Found:
    counts = Counter(file.path for file in config.download.files)
    seen: set[str] = set()
    for index, file in enumerate(config.download.files):
        if counts[file.path] > 1 and file.path in seen:
            yield ("download", "files", index, "path"), f"two files would be written to data/raw/{file.path}"
        seen.add(file.path)


def _model(config: Config) -> Found:
    train = config.train
    other = [family for family in FAMILIES if family != train.family]
    if train.name in other:
        yield (
            ("train", "name"),
            f"a model of the family '{train.family}' cannot be called '{train.name}': it would overwrite that "
            f"family's model; write name: {train.family}, or leave the line out",
        )
    if train.seq2seq.dim % train.seq2seq.heads:
        yield (
            ("train", "seq2seq", "heads"),
            f"dim ({train.seq2seq.dim}) cannot be shared out among {train.seq2seq.heads} heads; "
            "dim must be a multiple of heads",
        )


def _evaluation(config: Config) -> Found:
    from seshat.config.explain import did_you_mean
    from seshat.config.slots import listed

    evaluate = config.evaluate
    if config.train.name in evaluate.baselines:
        yield ("train", "name"), f"'{config.train.name}' is the name of a baseline; call the model otherwise"
    for index, name in enumerate(evaluate.compare):
        at = ("evaluate", "compare", index)
        if name == config.train.name:
            yield at, f"'{name}' is the model itself (train.name); it is in the table already"
        elif name in evaluate.baselines:
            yield at, f"'{name}' is the name of a baseline"
        elif name in evaluate.compare[:index]:
            yield at, f"'{name}' stands here twice"
    base = [ZERO_SHOT] if evaluate.zero_shot == "beside" else []
    systems = [*evaluate.baselines, *evaluate.compare, *base]
    if systems and evaluate.reference not in systems:
        meant = did_you_mean(evaluate.reference, systems)
        yield (
            ("evaluate", "reference"),
            f"'{evaluate.reference}' is neither among the baselines nor among the compared models; "
            f"it can be {listed(systems)}{meant}",
        )


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Config], Found]], ...] = (
    (("ingest",), _sources),
    (("project", "ingest"), _source_languages),
    (("project", "clean"), _profiles),
    (("ingest", "clean"), _profile_sources),
    (("clean",), _filters),
    (("ingest", "align", "augment", "split"), _upsampling),
    (("download",), _downloads),
    (("train",), _model),
    (("train", "evaluate"), _evaluation),
    (("model", "train"), pretrained.base_of_family),
    (("model", "train"), pretrained.base),
    (("train",), pretrained.fine_tuning),
    (("ingest", "align", "augment", "train"), pretrained.phases),
    (("project", "model", "prompt", "train"), pretrained.languages),
    (("ingest", "augment"), augmented.names),
    (("train", "augment"), augmented.circles),
    (("project", "augment"), augmented.languages),
)
