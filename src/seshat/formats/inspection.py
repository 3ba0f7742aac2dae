"""What is in a file, before anything is settled: its parts, languages and counts, and a mapping to start from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seshat.config import Config
from seshat.config.ingest import WORD_FIELD, IngestSection, Source, is_tag
from seshat.config.project import LanguageInfo, ProjectSection
from seshat.core.errors import DataError
from seshat.core.records import Document, Entry, Reject, Segment
from seshat.formats import reader, reader_name
from seshat.formats.context import Context
from seshat.formats.files import find
from seshat.text.tongues import ENGLISH_NAMES, detect

UNKNOWN = "und"
"""Language tag of texts whose language the file does not say (BCP 47)."""
_OWN_KINDS = ("lexical-unit", "citation", "word.txt", "phrase.txt", "morph.txt")
"""Kinds of parts that hold the language that a file is about."""
_SETTINGS = {"sfm": "markers", "cldf": "columns", "table": "columns"}
"""Reader -> the setting that maps its names; `tiers` for all others."""
_COUNTED = ("units", "words", "morphemes", "senses", "empty", "left_out", "open_suggestions")


@dataclass(frozen=True)
class Part:
    """One tier, marker, item or column of a file."""

    name: str
    count: int
    """Texts under this name."""
    field: str | None
    """The field that it fills, as configured or proposed; None: it is not known what it is."""
    kind: str = ""
    """What the file calls its kind: a linguistic type, the name of a marker."""
    label: str = ""
    """The language that the file says."""
    reads_like: str | None = None
    """The language that its texts seem to be written in, where that is one of a few that are recognised."""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What was found in one file."""

    file: str
    reader: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    """Segments, entries, documents and rejects that it gives, and what its units hold."""
    parts: tuple[Part, ...] = ()
    language: str | None = None
    """The language that the file says it is about."""
    pivot: str | None = None
    """The language that most is translated into, as labels and texts tell; another than English where there is one."""
    languages: dict[str, int] = field(default_factory=dict)
    """Labels of languages in the file, and how many texts bear them."""
    settings: dict[str, Any] = field(default_factory=dict)
    """A mapping to start from, as settings of a source."""
    problems: tuple[str, ...] = ()
    """Why it cannot be read, and what was noticed."""

    @property
    def not_understood(self) -> tuple[str, ...]:
        """Names of parts that fill no field."""
        return tuple(part.name for part in self.parts if part.field is None)


def inspect(path: Path, project: ProjectSection | None = None, source: Source | None = None) -> Inspection:
    """Look into a file.

    Args:
        path: the file.
        project: the languages of the project; None: they are taken from the labels in the file, and from what its
            texts are written in.
        source: how the file is configured; None: everything is proposed.

    Returns:
        What was found; a file that cannot be read has its reason among the ``problems``.
    """
    if project is not None:
        return _inspected(path, project, source)
    first = _inspected(path, _project(UNKNOWN, "en", ENGLISH_NAMES), source)
    labels = [label for label in first.languages if is_tag(label)]
    own = next((label for label in labels if label == first.language), UNKNOWN)
    said: Counter[str] = Counter()
    for part in first.parts:
        tongue = part.reads_like or part.label
        if tongue in labels or part.reads_like:
            said[tongue] += part.count if tongue != own else 0
    most = max((count for tongue, count in said.items() if tongue != own), default=0)
    national = [tongue for tongue, count in said.most_common() if tongue not in {own, "en"} and count > most / 5]
    pivot = next(iter(national), "en")
    found = _inspected(path, _project(own, pivot, (*said, *labels)), source)
    return replace(found, pivot=pivot if said[pivot] else None)


def inspect_all(raw: Path, config: Config) -> Iterator[Inspection]:
    """Look into all files below ``data/raw``, each as the source that names it says.

    Args:
        raw: the folder.
        config: the configuration of the project.
    """
    sources: dict[Path, Source] = {}
    for source in config.ingest.sources:
        for path in find(raw, source.patterns)[0]:
            sources.setdefault(path, source)
    for path in sorted(one for one in raw.rglob("*") if one.is_file() and not one.name.startswith(".")):
        yield _inspected(path, config.project, sources.get(path), raw)


def _project(language: str, pivot: str, tags: Sequence[str] | dict[str, str]) -> ProjectSection:
    names = {tag: LanguageInfo(name=ENGLISH_NAMES.get(tag, tag)) for tag in (language, pivot, *tags)}
    return ProjectSection(language=language, pivot=pivot, languages=names)


def _inspected(path: Path, project: ProjectSection, source: Source | None, raw: Path | None = None) -> Inspection:
    raw = raw or path.parent
    context = Context(raw, source or Source(name="inspected", path="any"), IngestSection(), project)
    file, name = context.relative(path), None
    counts: Counter[str] = Counter()
    problems: list[str] = []
    try:
        name = reader_name(file, context.source, path)
        for made in reader(name)([path], context):
            kinds = {Segment: "segments", Entry: "entries", Document: "documents", Reject: "rejects"}
            counts[kinds[type(made)]] += 1
            if isinstance(made, Reject) and len(problems) < 3:
                problems.append(f"line {made.line}: {made.reason}" if made.line else made.reason)
    except DataError as error:
        problems.append(error.message.replace(f"{raw}/", ""))
    parts: list[Part] = []
    for report in context.reports.values():
        counts.update({key: report.details[key] for key in _COUNTED if key in report.details})
        problems += [report.problem] if report.problem else []
        parts += _parts(report.names) if report.names else _columns(report.details.get("columns", {}))
    languages: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for part in parts:
        if part.label:
            languages[part.label] += part.count
            own[part.label] += part.count if part.kind in _OWN_KINDS else 0
    return Inspection(
        file=file,
        reader=name,
        counts=dict(counts),
        parts=tuple(parts),
        language=next((label for label, count in own.most_common(1) if count), None),
        languages=dict(languages.most_common()),
        settings=_settings(name, counts, parts),
        problems=tuple(dict.fromkeys(problems)),
    )


def _parts(names: Any) -> list[Part]:
    """The parts that a reader of linguists' files has met."""
    found = []
    for name, count in names.counts.items():
        samples, hint = names.samples[name], names.hints.get(name)
        tongue = detect(" ".join(samples))
        found.append(
            Part(
                name=name,
                count=count,
                field=names.fields.get(name),
                kind=hint.kind if hint else "",
                label=hint.language if hint else "",
                reads_like=tongue.tag if tongue else None,
                examples=tuple(samples[:2]),
            )
        )
    return found


def _columns(columns: dict[str, list[str]]) -> list[Part]:
    return [Part(name, 0, known) for known, names in columns.items() for name in names]


def _settings(name: str | None, counts: Counter[str], parts: Sequence[Part]) -> dict[str, Any]:
    """The settings of a source that reads the file as it was read here."""
    mapping: dict[str, list[str]] = {}
    for part in parts:
        if part.field and part.name != WORD_FIELD:
            mapping.setdefault(part.field, []).append(part.name)
    if not name or not mapping:
        return {"reader": name} if name else {}
    kind = {"kind": "entries"} if counts["entries"] else {}
    listed = {known: names[0] if len(names) == 1 else names for known, names in mapping.items()}
    return {"reader": name, **kind, _SETTINGS.get(name, "tiers"): listed}
