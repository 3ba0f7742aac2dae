"""Stage ``augment``: more training pairs than were given.

Each part is switched on by its section and makes a source of its own, with a tag and a method, so that phases of the
training and ablations can choose it. Nothing that is made here can be drawn into validation or test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from seshat.augment.drills import drills
from seshat.augment.gate import Gate
from seshat.augment.made import Job, candidates, digest, make
from seshat.augment.tools import Tools, answers_of
from seshat.config import Direction
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.records import Entry, Method, Segment
from seshat.project.folder import Project
from seshat.review.queues.audit import QUEUE
from seshat.review.segments import decided

_KNOWN_BYTES = 500_000
"""Of each language, the text that the gate learns from."""


class Material:
    """What the project has so far, as often as it is needed: always read from the files.

    Args:
        project: the project; what this run may not use is left out.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.languages = (project.config.project.language, project.config.project.pivot)
        self._excluded = frozenset(project.config.split.exclude_tags)

    def segments(self) -> Iterator[Segment]:
        """Everything that is neither excluded by a tag, nor above the access level, nor fixed as test."""
        for folder in (self.project.cleaned, self.project.aligned):
            for segment in self.project.gate.read(folder / "segments.jsonl", Segment):
                if segment.meta.split != "test" and not self._excluded & set(segment.meta.tags):
                    yield segment

    def entries(self) -> Iterator[Entry]:
        """The lexicon, as far as this run may use it."""
        for entry in self.project.gate.read(self.project.cleaned / "entries.jsonl", Entry):
            if not self._excluded & set(entry.meta.tags):
                yield entry

    def pairs(self) -> Iterator[Segment]:
        """Segments in both languages."""
        for segment in self.segments():
            if all(segment.texts.get(tag, "").strip() for tag in self.languages):
                yield segment

    def texts(self, tag: str, most: int = _KNOWN_BYTES) -> list[str]:
        """Texts in one language, about so many bytes of them, drawn from all sources alike."""
        total = sum(len(segment.texts.get(tag, "").encode()) for segment in self.segments())
        share = min(1.0, most / max(1, total))
        found: dict[str, None] = {}
        for segment in self.segments():
            text = segment.texts.get(tag, "").strip()
            if text and int(digest(text)[:8], 16) / 16**8 < share:
                found[text] = None
        return list(found)

    def gate(self) -> Gate:
        """The gate, taught by what there is."""
        texts = {tag: self.texts(tag) for tag in self.languages}
        return Gate(self.project.config.augment.filters, (pair.texts for pair in self.pairs()), texts)


def _made(material: Material, tools: Tools, gate: Gate, figures: dict[str, Any]) -> Iterator[Segment]:
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
            yield from make(found, job, tools, answers, gate)
        figures[job.section.name] = dict(job.figures)


def _decisions(project: Project) -> int:
    """Turn what people have decided in the review file into ``decisions.jsonl``; returns how many."""
    settings = project.config.project
    rows, _ = QUEUE.read(QUEUE.path(project))
    columns = {"source_text": settings.language, "target_text": settings.pivot}
    found = decided(QUEUE, rows, columns)
    return write_jsonl(project.augmented / "decisions.jsonl", found)


def _counted(segments: Iterable[Segment], counts: dict[str, Counter[str]]) -> Iterator[Segment]:
    for segment in segments:
        mine = counts.setdefault(segment.meta.source or "unknown", Counter())
        mine["pairs"] += 1
        mine.update(segment.meta.tags)
        yield segment


def run(project: Project, tools: Tools | None = None) -> dict[str, Any]:
    """Make what section ``augment`` asks for; writes the files of :attr:`Project.augmented`.

    Args:
        project: the project, cleaned and aligned.
        tools: how to open the models that the section names.

    Returns:
        For each source how many pairs it gave and how many have which tag, what each part reports, and warnings.
    """
    tools, section = tools or Tools(), project.config.augment
    figures: dict[str, Any] = {}
    counts: dict[str, Counter[str]] = {}
    decided = _decisions(project)
    parts = _parts(project, tools, figures) if section.wanted else iter(())
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


def _parts(project: Project, tools: Tools, figures: dict[str, Any]) -> Iterator[Segment]:
    section, material = project.config.augment, Material(project)
    if section.drills is not None:
        yield from drills(material.entries(), section.drills, material.languages, project.config.project.seed)
    if not (section.pages or section.back_translation or section.pseudo_labels):
        return
    gate = material.gate()
    if section.pages is not None:
        from seshat.augment.pages import found_pairs

        yield from found_pairs(material, tools, gate, figures)
    yield from _made(material, tools, gate, figures)
