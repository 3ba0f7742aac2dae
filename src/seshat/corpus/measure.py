"""Stage ``measure``: numbers for every document of a language. Which of them are odd is decided by ``mix``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from seshat.core.cluster import cluster, in_order
from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read, write_json, write_jsonl
from seshat.core.progress import Pulse, track
from seshat.corpus.documents import Doc, Measured, documents
from seshat.corpus.measures import documents_of
from seshat.corpus.registry import Tools, View, numbers
from seshat.corpus.thresholds import DEFAULT, SIDES, Limit, Thresholds, fit
from seshat.project.folder import Project
from seshat.project.stage import LANGUAGES, Stage, files
from seshat.text.charmodel import CharModel, load, save
from seshat.text.identify import Identifier
from seshat.text.wordorder import WordOrder, load_order

FEWEST = 20
"""Trusted documents of a genre from which it has limits of its own."""
_PIECE = 600
"""Characters of a piece of a trusted document: limits hold for documents of about this length and more."""
_STRETCHES = 10
_TASK = 500
"""Documents that go to a process of Ray at a time."""
_MODEL = "trusted"


def thresholds_path(project: Project) -> Path:
    """The file of limits."""
    return project.root / project.config.measure.thresholds


def model_path(project: Project) -> Path:
    """The model of trusted text, beside the limits."""
    return thresholds_path(project).with_suffix(".npz")


def tools_of(project: Project) -> Tools:
    """The lists, the model and the identifier of a project, as far as it has them.

    Raises:
        DataError: one of the files cannot be read.
    """
    section, model = project.config.measure, model_path(project)
    return Tools(
        lists_of(project),
        load(model).get(_MODEL) if model.exists() else None,
        load_order(model) if model.exists() else None,
        Identifier.load(project.raw / section.identifier) if section.identifier else None,
    )


def lists_of(project: Project) -> dict[str, frozenset[str]]:
    """The lists of words: those beside the limits, and those that the configuration names.

    Raises:
        DataError: one of the files cannot be read.
    """
    lists = {name: frozenset(words) for name, words in _lists_of(thresholds_path(project)).items()}
    for name, path in project.config.measure.lists.items():
        lists[name] = frozenset(line.strip().casefold() for line in _lines(project.raw / path) if line.strip())
    return lists


def _lists_of(thresholds: Path) -> dict[str, tuple[str, ...]]:
    return Thresholds.load(thresholds).lists if thresholds.exists() else {}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise cannot_read(path, error) from error


def _views(project: Project, texts: Iterable[Sequence[str]], tools: Tools) -> Iterator[View]:
    language = project.config.project.language
    info = project.config.project.languages.get(language)
    for lines in texts:
        yield View(lines, language, info.script if info else None, tools)


def run(project: Project) -> dict[str, Any]:
    """Measure all documents; writes ``documents.jsonl`` and ``report.json`` to :attr:`Project.measured`."""
    tools = tools_of(project)
    names = tuple(documents_of(tools.lists))
    by_source: Counter[str] = Counter()
    totals: Counter[str] = Counter()

    told = Pulse(project.state / "measure.json")

    def measured() -> Iterator[Measured]:
        for doc, found in _numbers(project, track(documents(project), "measuring"), tools, names):
            told.tell(lambda: {"documents": by_source.total(), "sources": dict(sorted(by_source.items())), **totals})
            meta = doc.segments[0].meta
            by_source[meta.source or "?"] += 1
            totals.update({name: found.get(name, 0.0) for name in ("characters", "words", "graphemes")})
            yield Measured(
                id=doc.id,
                source=meta.source or "?",
                genre=meta.genre,
                segments=len(doc.segments),
                fixed=doc.fixed,
                numbers=found,
            )

    count = write_jsonl(project.measured / "documents.jsonl", measured())
    report = {"documents": count, "sources": dict(sorted(by_source.items())), **{k: int(v) for k, v in totals.items()}}
    write_json(project.measured / "report.json", report)
    missing = tools.model is None
    warnings = ["No limits have been fitted: nothing is odd. Name measure.trusted and run `seshat fit`."] * missing
    return {**report, "warnings": warnings}


def _numbers(
    project: Project, docs: Iterable[Doc], tools: Tools, names: Sequence[str]
) -> Iterator[tuple[Doc, dict[str, float]]]:
    """Every document with its numbers, here or with Ray."""
    if project.config.measure.engine == "local":
        for doc in docs:
            (view,) = _views(project, [doc.lines], tools)
            yield doc, numbers(view, names)
        return
    where = project.config.translate.ray
    with cluster(where.address, where.workers, "measure.engine=ray") as ray:
        yield from in_order(ray, _many, (project, tools, names), docs, _TASK)


def _many(shared: tuple[Project, Tools, Sequence[str]], docs: list[Doc]) -> list[dict[str, float]]:
    project, tools, names = shared
    return [numbers(view, names) for view in _views(project, [doc.lines for doc in docs], tools)]


def pieces(lines: Sequence[str]) -> Iterator[list[str]]:
    """A document in pieces of whole lines, so that limits are those of texts of like length; without a short rest."""
    piece: list[str] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= _PIECE:
            yield piece
            piece, size = [], 0
    if size >= _PIECE / 2 or (piece and size and sum(map(len, lines)) == size):
        yield piece


def fitted(project: Project) -> tuple[Thresholds, CharModel, WordOrder]:
    """Limits and models from the trusted sources of a project.

    The numbers that limits are fitted from come from models of the other half of the text: a text that a model has
    learned is no surprise to it.

    Raises:
        DataError: no trusted sources, or no text in them.
    """
    trusted = project.config.measure.trusted
    found: dict[str, list[list[str]]] = {}
    for doc in track(documents(project), "reading trusted text"):
        if doc.segments[0].meta.source in trusted and not doc.held_out:
            found.setdefault(doc.segments[0].meta.genre or DEFAULT, []).extend(pieces(doc.lines))
    if not found:
        raise DataError(
            "there is no trusted text to fit limits from.",
            "Name sources of good text in measure.trusted, and run `seshat clean` before.",
        )
    profiles, count = fit_profiles(project, found)
    language = project.config.project.language
    said = f"{count:,} pieces of {', '.join(trusted)}"
    lists = {name: tuple(words) for name, words in _lists_of(thresholds_path(project)).items()}
    everything = [piece for group in found.values() for piece in group]
    limits = Thresholds(language=language, fitted_from=said, lists=lists, profiles=profiles)
    return limits, CharModel.learn(map("\n".join, everything)), WordOrder.learn(everything)


def fit_profiles(project: Project, found: dict[str, list[list[str]]]) -> tuple[dict[str, dict[str, Limit]], int]:
    """Limits for every genre with enough pieces, and for all together; and how many pieces there were."""
    tools = tools_of(project)
    measured: dict[str, list[dict[str, float]]] = {genre: [] for genre in found}
    for half in (0, 1):
        other = [piece for group in found.values() for piece in _stretches(group, 1 - half)]
        own = Tools(tools.lists, CharModel.learn(map("\n".join, other)), WordOrder.learn(other), tools.identifier)
        for genre, group in found.items():
            measured[genre] += [numbers(view, tuple(SIDES)) for view in _views(project, _stretches(group, half), own)]
    everything = [one for group in measured.values() for one in group]
    profiles = {DEFAULT: fit(everything)}
    profiles |= {
        genre: fit(group) for genre, group in sorted(measured.items()) if genre != DEFAULT and len(group) >= FEWEST
    }
    return profiles, len(everything)


def _stretches(group: list[list[str]], half: int) -> list[list[str]]:
    """Every other of ten stretches: pieces of one work rarely stand in both halves, as new works stand in none."""
    length = -(-len(group) // _STRETCHES)
    return [piece for place, piece in enumerate(group) if place // length % 2 == half]


def fit_and_save(project: Project) -> dict[str, Any]:
    """Fit limits, and write them and the model; returns what was written."""
    thresholds, model, order = fitted(project)
    save(model_path(project), {_MODEL: model}, order)
    thresholds.save(thresholds_path(project))
    return {
        "thresholds": thresholds_path(project).relative_to(project.root).as_posix(),
        "model": model_path(project).relative_to(project.root).as_posix(),
        "fitted_from": thresholds.fitted_from,
        "profiles": {name: len(limits) for name, limits in thresholds.profiles.items()},
    }


def _reads(project: Project) -> tuple[Path, ...]:
    section = project.config.measure
    raw = (*section.lists.values(), *filter(None, [section.identifier]))
    mine = (thresholds_path(project), model_path(project))
    return (
        *files(project.cleaned, "segments.jsonl"),
        project.aligned / "segments.jsonl",
        *(project.raw / path for path in raw),
        *(path for path in mine if path.exists()),
    )


STAGE = Stage(
    name="measure",
    module=__name__,
    version=2,
    settings=lambda _config: ("measure", "split.exclude_tags", *LANGUAGES),
    reads=_reads,
    writes=lambda project: files(project.measured, "documents.jsonl", "report.json"),
    switched_on=lambda config: config.mix.strategy is not None,
)
"""What the pipeline needs to know."""
