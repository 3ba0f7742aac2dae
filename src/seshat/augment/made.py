"""Back-translation and pseudo-labels: texts in one language, the other side made by a model.

What has been translated is kept on disk batch by batch, under the identity of the model, so a killed run goes on where
it was and another model starts afresh. With a model for the way back, a pair's score is how much of the text comes back
(chrF2): round-trip filtering, as in Lample et al. 2018 turned into a filter.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from seshat.augment.drills import drawn_by
from seshat.augment.gate import Gate
from seshat.augment.models import translate
from seshat.config import Direction
from seshat.config.augment import MadeSection
from seshat.core.journal import Journal
from seshat.core.records import Method, Segment
from seshat.project.folder import Project

LOW = "augment:low-confidence"


@dataclass
class Job:
    """One kind of made pairs."""

    section: MadeSection
    direction: Direction
    """From the texts that there are into what is made."""
    method: Method
    tag: str
    figures: dict[str, Any] = field(default_factory=dict)
    """What came of it, for the report."""


def candidates(
    segments: Iterable[Segment],
    section: MadeSection,
    tag: str,
    seed: int,
    known: Collection[str],
    without: Collection[str] = (),
) -> list[Segment]:
    """The texts to translate, in their order; each different text once.

    Args:
        segments: everything there is, what this run may not use left out.
        section: settings.
        tag: language of the texts.
        seed: draws the texts where ``section.most`` limits them.
        known: digests of texts that have a translation already.
        without: documents that have a translation already, whose texts are left out.
    """
    seen: set[str] = set(known)
    found: list[tuple[str, int, Segment]] = []
    for number, segment in enumerate(segments):
        text = segment.texts.get(tag, "").strip()
        if not text or len([one for one in segment.texts.values() if one.strip()]) > 1:
            continue
        if section.sources and segment.meta.source not in section.sources:
            continue
        key = digest(text)
        if key in seen or (segment.meta.doc_id is not None and segment.meta.doc_id in without):
            continue
        seen.add(key)
        found.append((drawn_by(seed, key), number, segment))
    kept = found if section.most is None else heapq.nsmallest(section.most, found, key=lambda item: item[0])
    return [segment for _, _, segment in sorted(kept, key=lambda item: item[1])]


def digest(text: str) -> str:
    """What a text is known by."""
    return drawn_by(0, " ".join(text.split()))


def make(project: Project, texts: Sequence[Segment], job: Job, answers: Journal, gate: Gate) -> Iterator[Segment]:
    """Pairs with one side made; fills in the figures of the job.

    Args:
        project: the project.
        texts: what :func:`candidates` found.
        job: what to make.
        answers: where translations are kept.
        gate: tags what is doubtful.
    """
    section, way = job.section, job.direction
    there = [segment.texts[way.source].strip() for segment in texts]
    made = translate(project, there, section, way, answers, section.batch)
    scores: Sequence[float | None] = [None] * len(made)
    if section.back is not None:
        returned = translate(project, made, section.back, way.reverse, answers, section.batch)
        scores = similarities(returned, there)
    counts: Counter[str] = Counter()
    for segment, text, score in zip(texts, made, scores, strict=True):
        counts["texts"] += 1
        if not text.strip() or text.strip() == segment.texts[way.source].strip():
            counts["not translated"] += 1
            continue
        pair = _pair(segment, text.strip(), score, job, gate)
        counts["pairs"] += 1
        counts["low score"] += LOW in pair.meta.tags
        yield pair
    job.figures.update(counts)


def _pair(segment: Segment, text: str, score: float | None, job: Job, gate: Gate) -> Segment:
    section, way = job.section, job.direction
    texts = {way.source: segment.texts[way.source].strip(), way.target: text}
    tags = [job.tag, *gate.tags(texts)]
    if score is not None and score < section.min_score:
        tags.append(LOW)
    texts[way.target] = f"{section.prefix}{text}"
    known = {"source": section.name, "method": job.method, "score": score, "split": None}
    extra = {**segment.meta.extra, "made_from": segment.meta.source or "", "made_by": section.model or ""}
    meta = segment.meta.model_copy(update={**known, "extra": extra}).tagged(*tags)
    return Segment(id=f"{section.name}:{segment.id}", texts=texts, meta=meta)


def similarities(texts: Sequence[str], references: Sequence[str]) -> list[float]:
    """chrF2 of each text against its reference, 0 to 1."""
    from seshat.scores.metrics import Scorer, sentence_chrf2

    return [round(float(score) / 100, 4) for score in sentence_chrf2(Scorer(references).count(texts))]
