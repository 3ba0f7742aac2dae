"""What lies in a folder, and sources for ``seshat.yaml`` that read it.

Nothing is trusted: what is proposed is written down for people to look at, with the reason for each guess, and
``seshat ingest`` says what became of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import regex

from seshat.config.ingest import IngestSection, Source
from seshat.config.project import ProjectSection
from seshat.config.render import scalar
from seshat.core.errors import DataError
from seshat.data.archives import below, copy
from seshat.formats import reader_name
from seshat.formats.context import Context
from seshat.formats.inspection import inspect
from seshat.formats.rows import Row, one_form
from seshat.formats.tables import FORMATS, open_table
from seshat.text.tongues import detect
from seshat.text.words import words

SAMPLE = 200
"""Rows or lines that are looked at."""
_WORDS = 3
"""Median of words up to which a column holds headwords and not sentences."""
_TEXTS = frozenset({"text", "moses", "documents"})
_OTHER = {
    "id": "id", "pos": "pos", "part of speech": "pos", "class": "pos", "speaker": "speaker", "hablante": "speaker",
    "genre": "genre", "document": "doc_id", "doc": "doc_id", "doc_id": "doc_id", "order": "order", "split": "split",
    "source": "source", "licence": "licence", "license": "licence", "access": "access",
}  # fmt: skip
"""Names that columns have, and the fields they fill."""


@dataclass(frozen=True)
class Proposal:
    """A source to start from."""

    name: str
    files: tuple[str, ...]
    """Below the folder that was looked at."""
    settings: dict[str, Any]
    """As they stand under ``ingest.sources``, without name and path."""
    path: str
    """A file, or a pattern that names all of them."""
    why: str
    """What was seen."""


@dataclass
class Survey:
    """What was found in a folder."""

    proposals: list[Proposal] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    """File -> why no source reads it."""


class _Look(NamedTuple):
    """A file, how it could be read, and why."""

    file: str
    settings: dict[str, Any]
    why: str


def _alike(files: Sequence[_Look]) -> Iterator[tuple[tuple[str, str], list[_Look]]]:
    """Files of one folder and ending that one source reads: those with fewer tiers go with those that have more."""
    groups: dict[tuple[str, str, str], list[_Look]] = defaultdict(list)
    for one in sorted(files, key=lambda one: -len(one.settings.get("tiers", ()))):
        place = str(Path(one.file).parent), Path(one.file).suffix
        others = (key for key in groups if key[:2] == place and _reads(groups[key][0].settings, one.settings))
        groups[next(others, (*place, repr(one.settings)))].append(one)
    for (parent, suffix, _), group in groups.items():
        yield (parent, suffix), sorted(group)


def _reads(settings: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a source with these settings reads a file for which others were proposed."""
    tiers, fewer = settings.get("tiers", {}), wanted.get("tiers", {})
    return {**settings, "tiers": tiers} == {**wanted, "tiers": {**tiers, **fewer}}


def survey(folder: Path, project: ProjectSection) -> Survey:
    """Look into all files of a folder.

    Args:
        folder: with folders below it; hidden files are left out.
        project: the two languages, and how people call them.
    """
    files = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    found = Survey()
    found.proposals, rest = _pairs(folder, files, project)
    looked_at: list[_Look] = []
    for file in rest:
        try:
            settings, why = _settings(folder, file, project)
        except DataError as error:
            found.left[file] = error.message.replace(f"{folder}/", "")
            continue
        looked_at.append(_Look(file, settings, why))
    endings = Counter((str(Path(file).parent), Path(file).suffix) for file in files)
    for (parent, suffix), group in _alike(looked_at):
        together = len(group) > 1 and endings[parent, suffix] == len(group)
        for part in [group] if together else [[one] for one in group]:
            name = Path(parent).name if together and parent != "." else Path(part[0].file).stem
            path = (Path(parent) / f"*{suffix}").as_posix() if together else part[0].file
            found.proposals.append(_proposal(name, [one.file for one in part], part[0].settings, path, part[0].why))
    return _named(found)


def _proposal(name: str, files: Sequence[str], settings: Mapping[str, Any], path: str, why: str) -> Proposal:
    return Proposal(regex.sub(r"[^\p{L}\p{N}]+", "-", name).strip("-").lower(), tuple(files), dict(settings), path, why)


def _named(found: Survey) -> Survey:
    """Each source has a name of its own."""
    taken: Counter[str] = Counter()
    for place, one in enumerate(found.proposals):
        name = one.name or "source"
        taken[name] += 1
        if taken[name] > 1 or not one.name:
            name = f"{name}-{taken[name]}"
        found.proposals[place] = Proposal(name, one.files, one.settings, one.path, one.why)
    return found


def _pairs(folder: Path, files: Sequence[str], project: ProjectSection) -> tuple[list[Proposal], list[str]]:
    """Plain text in both languages under names that differ by the tag alone; and the other files."""
    tags = project.tags
    by_pattern: dict[str, dict[str, str]] = defaultdict(dict)
    for file in files:
        if Path(file).suffix.casefold() in set(FORMATS) - {".txt"}:
            continue
        name = Path(file).name
        for tag in tags:
            for spot in regex.finditer(rf"(?<![\p{{L}}\p{{N}}]){regex.escape(tag)}(?![\p{{L}}\p{{N}}])", name):
                pattern = (Path(file).parent / f"{name[: spot.start()]}{{lang}}{name[spot.end() :]}").as_posix()
                by_pattern[pattern][tag] = file
    found: list[Proposal] = []
    taken: set[str] = set()
    for pattern, pair in by_pattern.items():
        if len(pair) < 2 or taken & set(pair.values()):
            continue
        counts = {tag: _lines(folder / file) for tag, file in pair.items()}
        same = len(set(counts.values())) == 1
        shown = " and ".join(f"{count:,} ({tag})" for tag, count in counts.items())
        why = f"lines {shown}: {'line by line' if same else 'documents to be aligned'}"
        stem = Path(pattern.replace("{lang}", "")).stem
        found.append(_proposal(stem, tuple(pair.values()), {"reader": "moses" if same else "documents"}, pattern, why))
        taken |= set(pair.values())
    return found, [file for file in files if file not in taken]


def _lines(path: Path) -> int:
    """Lines of a text, blank ones at the end not counted."""
    return path.read_bytes().rstrip().count(b"\n") + 1


def _settings(folder: Path, file: str, project: ProjectSection) -> tuple[dict[str, Any], str]:
    """How a file could be read, and why.

    Raises:
        DataError: nothing is known about such files, or this one cannot be read.
    """
    path = folder / file
    reader = reader_name(file, Source(name="survey", path="any"), path)
    if path.suffix.casefold() in FORMATS and reader == "table":
        return _table(path, folder, project)
    if reader in _TEXTS:
        return _text(path, project)
    found = inspect(path, project)
    if not any(found.counts.get(kind) for kind in ("segments", "entries", "documents")):
        raise DataError(f"{file}: {'; '.join(found.problems) or 'nothing in it could be read'}")
    counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items())
    return _any_speaker(found.settings), f"{found.reader}: {counts}"


def _any_speaker(settings: dict[str, Any]) -> dict[str, Any]:
    """Tiers of whoever speaks (`tx@*`) instead of one speaker's (`tx@Ana`), so that all recordings are read alike."""
    if "tiers" not in settings:
        return settings
    tiers: dict[str, tuple[str, ...]] = {}
    for name, given in settings["tiers"].items():
        listed = (given,) if isinstance(given, str) else given
        tiers[name] = tuple(dict.fromkeys(regex.sub(r"(?<=.)@.+$", "@*", tier) for tier in listed))
    return {**settings, "tiers": {name: one[0] if len(one) == 1 else one for name, one in tiers.items()}}


def _text(path: Path, project: ProjectSection) -> tuple[dict[str, Any], str]:
    """Running text in one language: the pivot where it reads like it, else the project's own."""
    context = Context(path.parent, Source(name="survey", path="any"), IngestSection(), project)
    with path.open(encoding=context.encoding(path).name, errors="replace") as stream:
        sample = " ".join(islice(stream, SAMPLE))
    tongue = detect(sample)
    if tongue is not None and tongue.tag not in project.tags:
        raise DataError(f"{path}: it reads like {tongue.tag}, which is no language of the project")
    language = tongue.tag if tongue else project.language
    return {"reader": "text", "language": language}, f"text; it reads like {tongue.tag if tongue else 'no known pivot'}"


def _table(path: Path, folder: Path, project: ProjectSection) -> tuple[dict[str, Any], str]:
    """A table: the column that reads like the pivot, and the one beside it with most letters."""
    context = Context(folder, Source(name="survey", path="any"), IngestSection(), project)
    table = open_table(path, context, lambda names: sum(bool(name.strip()) for name in names))
    rows = [row for row in islice(table.rows, SAMPLE) if isinstance(row, Row)]
    names = list(table.columns or dict.fromkeys(name for row in rows for name in row.cells))
    columns = {name: [str(row.cells[name]) for row in rows if row.cells.get(name) not in (None, "")] for name in names}
    own, pivot = _languages(columns, project)
    if own is None or pivot is None:
        missing = project.language if own is None else project.pivot
        raise DataError(f"{path}: no column could be told to hold {missing}; its columns are {', '.join(names)}")
    others = {_OTHER[one_form(name).casefold()]: name for name in names if one_form(name).casefold() in _OTHER}
    length = median(len(words(text)) for text in columns[own] or [""])
    sheet = {"sheet": context.report(path).details["sheet"]} if "sheet" in context.report(path).details else {}
    why = f"{own} is {project.language}, {pivot} reads like {project.pivot}; {length:g} words in the median"
    if length < _WORDS:
        kept = {name: column for name, column in others.items() if name == "pos"}
        return {**sheet, "kind": "entries", "columns": {"headword": own, f"gloss.{project.pivot}": pivot, **kept}}, why
    kept = {name: column for name, column in others.items() if name not in {"pos"}}
    return {**sheet, "columns": {project.language: own, project.pivot: pivot, **kept}}, why


def _languages(columns: Mapping[str, Sequence[str]], project: ProjectSection) -> tuple[str | None, str | None]:
    """The columns of both languages, by their names, and by what stands in them."""
    called = {tag: {tag.casefold(), project.language_name(tag).casefold()} for tag in project.tags}
    by_name = {
        tag: next((name for name in columns if one_form(name).casefold() in known), None)
        for tag, known in called.items()
    }
    texts = {name: found for name, found in columns.items() if _is_text(found)}
    tongues = {name: detect(" ".join(found)) for name, found in texts.items()}
    pivot = by_name.get(project.pivot or "") or next(
        (name for name, tongue in tongues.items() if tongue is not None and tongue.tag == project.pivot), None
    )
    rest = [
        name for name in texts if name != pivot and one_form(name).casefold() not in _OTHER and tongues[name] is None
    ]
    own = by_name[project.language] or max(rest, key=lambda name: sum(map(len, texts[name])), default=None)
    return own, pivot


def _is_text(cells: Sequence[str]) -> bool:
    """Whether a column holds words, and not numbers, marks or one thing again and again."""
    lettered = sum(any(letter.isalpha() for letter in cell) for cell in cells)
    return len(cells) > 0 and lettered > 0.8 * len(cells) and len(set(cells)) > max(2, 0.05 * len(cells))


def bring(folder: Path, found: Survey, raw: Path) -> None:
    """Copy the files that the proposed sources read below ``data/raw``; a file that is there stays.

    Raises:
        DataError: one cannot be read or written.
    """
    for file in dict.fromkeys(file for one in found.proposals for file in one.files):
        target = below(raw, file)
        if not target.exists():
            copy(folder / file, target)


def as_yaml(found: Survey, access: str | None) -> str:
    """The sources as they stand in ``seshat.yaml``, each with the reason for it.

    Args:
        found: what was found.
        access: who may see all of it; None: it is left open, and nothing is trained on before somebody says it.
    """
    lines = ["  sources:"]
    for one in found.proposals:
        settings = {"name": one.name, "path": one.path, **one.settings, **({"access": access} if access else {})}
        lines.append(f"    # {' '.join(one.why.split())}")
        first, *rest = (f"{name}: {_flow(value)}" for name, value in settings.items())
        lines += [f"    - {first}", *(f"      {line}" for line in rest)]
    if not found.proposals:
        lines = ["  sources: []"]
    lines += [f"    # not read: {file}: {' '.join(why.split())}" for file, why in found.left.items()]
    return "\n".join(lines)


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(str(name))}: {_flow(one)}' for name, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return scalar(value)
