"""Stage ``augment``: more training pairs than were given.

Each part is switched on by its section and makes a source of its own, with a tag and a method, so that phases of the
training and ablations can choose it. Nothing that is made here can be drawn into validation or test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from seshat.augment.drills import drills
from seshat.augment.extractor import extracted
from seshat.augment.gate import Gate
from seshat.augment.made import Job, candidates, digest, make
from seshat.augment.material import Material, Tally
from seshat.augment.models import answers_of
from seshat.augment.pages import in_pivot, read_all, reader_of, selected
from seshat.augment.sentences import pairs_of
from seshat.config import Config, Direction
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.records import Method, Segment
from seshat.project.folder import Project
from seshat.project.stage import GATE, LANGUAGES, SharedFile, Stage, files
from seshat.review.queues.audit import QUEUE
from seshat.review.segments import decided


def _published(material: Material, gate: Gate, figures: dict[str, Any]) -> Iterator[Segment]:
    """Pairs out of the pages that section ``augment.pages`` names; fills in what was found."""
    project = material.project
    section = project.config.augment.pages
    assert section is not None
    tally = Tally()
    if not project.gate.admits(section.access):
        figures[section.name] = {
            "warnings": [
                f"The pages are {section.access}, above the access level of this run (project.max_access): they are "
                "left out."
            ]
        }
        return
    reader = reader_of(material, section)
    publications = selected(reader, project.raw / section.path)
    if section.rules:
        found = in_pivot(read_all(reader, publications, tally), material, tally)
        yield from pairs_of(found, material, section, section.name, gate, tally)
    figures[section.name] = {**tally.as_dict(), "warnings": tally.warnings}
    if project.config.augment.extractor is not None:
        told = Tally()
        found = in_pivot(extracted(reader, publications, material, told), material, told)
        name = project.config.augment.extractor.name
        yield from pairs_of(found, material, section, name, gate, told)
        figures[name] = {**told.as_dict(), "warnings": told.warnings, "rejects": told.rejects}


def _made(material: Material, gate: Gate, figures: dict[str, Any]) -> Iterator[Segment]:
    """Back-translation and pseudo-labels."""
    project, (language, pivot) = material.project, material.languages
    section, seed = project.config.augment, project.config.project.seed
    jobs = []
    if section.back_translation is not None:
        way = Direction(pivot, language)
        jobs.append(Job(section.back_translation, way, Method.SYNTHETIC, "augment:back-translated"))
    if section.pseudo_labels is not None:
        way = Direction(language, pivot)
        jobs.append(Job(section.pseudo_labels, way, Method.MACHINE, "augment:pseudo-label"))
    shared = project.config.split.groups is not None  # then all sources share the names of documents
    for job in jobs:
        tag = job.direction.source
        known = {digest(pair.texts[tag]) for pair in material.pairs()}
        done = {pair.meta.doc_id or "" for pair in material.pairs()} if shared else set()
        found = candidates(material.segments(), job.section, tag, seed, known, done)
        with answers_of(project, job.section.name) as answers:
            yield from make(project, found, job, answers, gate)
        figures[job.section.name] = dict(job.figures)


def _decisions(project: Project) -> int:
    """Turn what people have decided in the review file into ``decisions.jsonl``; returns how many."""
    settings = project.config.project
    rows, _ = QUEUE.read(QUEUE.path(project))
    columns = dict(zip(("source_text", "target_text"), settings.tags, strict=False))
    found = decided(QUEUE, rows, columns)
    return write_jsonl(project.augmented / "decisions.jsonl", found)


def _counted(segments: Iterable[Segment], counts: dict[str, Counter[str]]) -> Iterator[Segment]:
    for segment in segments:
        mine = counts.setdefault(segment.meta.source or "unknown", Counter())
        mine["pairs"] += 1
        mine.update(segment.meta.tags)
        yield segment


def run(project: Project) -> dict[str, Any]:
    """Make what section ``augment`` asks for; writes the files of :attr:`Project.augmented`.

    Args:
        project: the project, cleaned and aligned.

    Returns:
        For each source how many pairs it gave and how many have which tag, what each part reports, and warnings.
    """
    section = project.config.augment
    figures: dict[str, Any] = {}
    counts: dict[str, Counter[str]] = {}
    decided = _decisions(project)
    parts = _parts(project, figures) if section.wanted else iter(())
    total = write_jsonl(project.augmented / "segments.jsonl", _counted(parts, counts))
    rejects = [one for part in figures.values() for one in part.pop("rejects", [])]
    write_jsonl(project.augmented / "rejects.jsonl", rejects)
    warnings = [text for part in figures.values() for text in part.pop("warnings", [])]
    report = {
        "pairs": total,
        "decisions": decided,
        "sources": {name: dict(sorted(found.items())) for name, found in counts.items()},
        **figures,
        "warnings": warnings,
    }
    write_json(project.augmented / "report.json", report)
    return report


def _parts(project: Project, figures: dict[str, Any]) -> Iterator[Segment]:
    section, material = project.config.augment, Material(project)
    if section.drills is not None:
        yield from drills(material.entries(), section.drills, material.languages, project.config.project.seed)
    if not (section.pages or section.back_translation or section.pseudo_labels):
        return
    gate = material.gate()
    if section.pages is not None:
        yield from _published(material, gate, figures)
    yield from _made(material, gate, figures)


def _augment_settings(config: Config) -> tuple[str, ...]:
    if not config.augment.wanted:
        return ("augment", "project.language", "project.pivot")
    lists = ("clean.profiles", "clean.placeholders", "align.min_confidence")
    asked = ("prompt", "model.language_codes") if any(one.server for one in config.augment.translators) else ()
    return ("augment", *lists, *asked, "split.exclude_tags", "split.groups", *GATE, *LANGUAGES)


def _augment_reads(project: Project) -> tuple[Path, ...]:
    """Nothing while it has nothing to do, so that it does not run with every change of the data."""
    section = project.config.augment
    if not section.wanted:
        return ()
    reads = [*files(project.cleaned, "segments.jsonl", "entries.jsonl"), project.aligned / "segments.jsonl"]
    if section.pages is not None:
        reads += [project.raw / section.pages.path, project.raw / section.pages.texts.path]
    folders = (project.root / one.model for one in section.translators if one.server is None and one.model)
    return tuple(dict.fromkeys((*reads, *folders)))


STAGE = Stage(
    name="augment",
    module=__name__,
    version=2,
    settings=_augment_settings,
    reads=_augment_reads,
    writes=lambda project: files(
        project.augmented, "segments.jsonl", "decisions.jsonl", "rejects.jsonl", "report.json"
    ),
    shared=SharedFile(QUEUE.path, QUEUE.digest),
)
"""What the pipeline needs to know."""
