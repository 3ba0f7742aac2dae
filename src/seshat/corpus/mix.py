"""Stage ``mix``: which documents make the corpus.

First the documents that are odd, private or the same as others are tagged, from numbers that ``measure`` and ``dedup``
have written: another threshold costs seconds. Of the rest documents are drawn, whole and without replacement, in the
order of hashes of the seed and their names: weighted by Efraimidis and Spirakis (2006, "Weighted random sampling with a
reservoir": the largest ``u ** (1 / weight)``), so that the same documents come out however they are ordered. Of a
cluster of duplicates one document is left, so that no draw can part a cluster.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seshat.config.measure import MixSection
from seshat.core.errors import DataError, UsageError
from seshat.core.jsonl import read_jsonl, write_json, write_jsonl, write_text
from seshat.corpus import audit
from seshat.corpus.audit import Agreement
from seshat.corpus.documents import Cluster, Measured, Verdict
from seshat.corpus.duplicates import fingerprint
from seshat.corpus.measure import lists_of, thresholds_path
from seshat.corpus.private import PRIVATE
from seshat.corpus.thresholds import Thresholds
from seshat.project.folder import Project
from seshat.project.stage import GATE, LANGUAGES, SharedFile, Stage, files
from seshat.report.corpus import CorpusFacts, Reason, Source, corpus_page
from seshat.review.queues.documents import QUEUE

NOT_DRAWN = "mix:not-drawn"
_REGISTERS = ("modern", "classical")
_LEAST = 0.01
"""Weight of a document without a word of the register (1: it has no others): it is drawn last, not never."""


@dataclass(frozen=True)
class Candidate:
    """A document that may be drawn."""

    id: str
    source: str
    size: int
    """Its segments."""
    weight: float = 1.0
    """How much the strategy prefers it."""


def draw(candidates: Iterable[Candidate], section: MixSection, seed: int) -> set[str]:
    """The documents of a corpus.

    Args:
        candidates: what may be drawn.
        section: the strategy.
        seed: seed of the order.
    """
    by_source: dict[str, list[Candidate]] = {}
    for one in sorted(candidates, key=lambda one: _order(one, seed)):
        by_source.setdefault(one.source, []).append(one)
    if section.strategy not in ("balanced", "weights"):
        everything = sorted((one for group in by_source.values() for one in group), key=lambda one: _order(one, seed))
        return _take(everything, section.max_records or math.inf)
    sizes = {source: sum(one.size for one in group) for source, group in by_source.items()}
    shares = {source: section.weights.get(source, 1.0) for source in sizes}
    allowed = quotas(sizes, shares, section.max_records)
    return {taken for source, group in by_source.items() for taken in _take(group, allowed[source])}


def _order(one: Candidate, seed: int) -> tuple[float, str]:
    chance = (fingerprint(f"mix\t{seed}\t{one.id}") + 1) / (2**64 + 1)
    return -math.log(chance) / one.weight, one.id


def _take(ordered: Iterable[Candidate], quota: float) -> set[str]:
    """The first documents that fit; a large one that does not leaves room for smaller ones behind it."""
    taken: set[str] = set()
    left = quota
    for one in ordered:
        if one.size <= left:
            taken.add(one.id)
            left -= one.size
    return taken


def quotas(sizes: Mapping[str, int], shares: Mapping[str, float], most: int | None) -> dict[str, int]:
    """How much of each source is taken.

    Without ``most`` as much as the shares allow exactly. With it, what a source has not got goes to the others.

    Args:
        sizes: source -> what it has.
        shares: source -> its share relative to the others.
        most: the total, at most.
    """
    wanted = {source: share for source, share in shares.items() if share > 0 and sizes[source]}
    found = dict.fromkeys(sizes, 0)
    if not wanted:
        return found
    if most is None:
        unit = min(sizes[source] / share for source, share in wanted.items())
        return found | {source: min(sizes[source], round(unit * share)) for source, share in wanted.items()}
    left = float(min(most, sum(sizes[source] for source in wanted)))
    while wanted and left >= 1:
        unit = left / sum(wanted.values())
        full = [source for source, share in wanted.items() if sizes[source] <= unit * share]
        if not full:
            return found | {source: int(unit * share + 1e-9) for source, share in wanted.items()}
        for source in full:
            found[source] = sizes[source]
            left -= sizes[source]
            del wanted[source]
    return found


def _pairs(project: Project) -> Iterator[tuple[Measured, Cluster]]:
    measured = read_jsonl(project.measured / "documents.jsonl", Measured)
    clusters = read_jsonl(project.deduplicated / "clusters.jsonl", Cluster)
    for one, cluster in zip(measured, clusters, strict=True):
        if one.id != cluster.id:
            raise DataError(
                f"measure and dedup have seen different documents ({one.id.split(chr(9))[-1]}).",
                "Run both again: seshat measure, seshat dedup.",
            )
        yield one, cluster


def _thresholds(project: Project) -> Thresholds:
    path = thresholds_path(project)
    return Thresholds.load(path) if path.exists() else Thresholds(language=project.config.project.language)


def _judged(project: Project) -> Iterator[tuple[Measured, Verdict]]:
    thresholds, split = _thresholds(project), project.config.split
    for one, cluster in _pairs(project):
        odd = [] if one.fixed else thresholds.odd(one.numbers, one.genre)
        private = tuple(f"pii:{name}" for name in PRIVATE if one.numbers.get(name))
        tags = (*(each.tag for each in odd), *cluster.tags, *private)
        reasons = tuple(each.reason for each in odd)
        if cluster.size > 1 and cluster.id != cluster.cluster:
            reasons += (f"the same as {cluster.cluster.split(chr(9))[-1]}, one of {cluster.size}",)
        yield (
            one,
            Verdict(id=one.id, tags=tags, reasons=reasons, lines=cluster.lines if split.excludes("dedup") else ()),
        )


def run(project: Project) -> dict[str, Any]:
    """Judge and draw documents; writes ``verdicts.jsonl`` and ``report.json`` to :attr:`Project.mixed`.

    Beside them the page ``reports/corpus.html``, and for native readers the table of ``seshat review documents``.

    Raises:
        UsageError: the strategy asks for a list of words that the project has not got.
        DataError: ``measure`` and ``dedup`` have seen different documents.
    """
    section, split = project.config.mix, project.config.split
    register = section.strategy if section.strategy in _REGISTERS else None
    if register and register not in lists_of(project):
        raise UsageError(
            f"mix.strategy: {register} needs a list of {register} words.",
            f"Give one in seshat.yaml: measure: {{lists: {{{register}: {register}.txt}}}}, a file below data/raw; "
            f"or under lists in {project.config.measure.thresholds}.",
        )
    judged = list(_judged(project))
    free = [(one, verdict) for one, verdict in judged if not one.fixed and not any(map(split.excludes, verdict.tags))]
    candidates = [
        Candidate(
            one.id,
            one.source,
            max(1, one.segments - len(verdict.lines)),
            max(_LEAST, one.numbers.get(f"list:{register}", 0.0)) if register else 1.0,
        )
        for one, verdict in free
    ]
    drawn = draw(candidates, section, project.config.project.seed)
    out = {one.id for one in candidates} - drawn
    verdicts = [
        verdict.model_copy(update={"tags": (*verdict.tags, NOT_DRAWN)}) if verdict.id in out else verdict
        for _, verdict in judged
    ]
    write_jsonl(project.mixed / "verdicts.jsonl", verdicts)
    wanted = audit.chosen(verdicts, NOT_DRAWN, section.audit, project.config.project.seed)
    judgements = audit.ask(project, wanted)
    report = {
        "documents": len(judged),
        "drawn": len(drawn),
        "segments": sum(one.size for one in candidates if one.id in drawn),
        "sources": _by_source((one for one in candidates), drawn),
        "tags": dict(sorted(Counter(tag for verdict in verdicts for tag in verdict.tags).items())),
        "agreement": {tag: found._asdict() for tag, found in sorted(judgements.items())},
    }
    write_json(project.mixed / "report.json", report)
    write_text(project.reports / "corpus.html", corpus_page(_facts(project, [one for one, _ in judged], drawn, report)))
    return report


def _by_source(candidates: Iterable[Candidate], drawn: set[str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in candidates:
        found[one.source] += one.size if one.id in drawn else 0
    return dict(sorted(found.items()))


def _facts(project: Project, measured: Sequence[Measured], drawn: set[str], report: Mapping[str, Any]) -> CorpusFacts:
    """What the page of the corpus shows; documents that a source fixes count as part of it."""
    config = project.config
    inside = drawn | {one.id for one in measured if one.fixed}
    everything = Counter(one.source for one in measured)
    taken = Counter(one.source for one in measured if one.id in inside)
    values: dict[bool, dict[str, list[float]]] = {True: {}, False: {}}
    for one in measured:
        for name, number in one.numbers.items():
            values[one.id in inside].setdefault(name, []).append(number)
    duplicates = json.loads((project.deduplicated / "report.json").read_bytes())
    kept = sum(taken.values())
    agreed = {tag: Agreement(**found) for tag, found in report["agreement"].items()}
    return CorpusFacts(
        project=config.project.name,
        language=config.project.language_name(config.project.language),
        strategy=config.mix.strategy or "all",
        sources=[
            Source(name, count, taken[name], report["sources"].get(name, 0)) for name, count in everything.items()
        ],
        reasons=[
            Reason(tag, count, config.split.excludes(tag), *agreed.get(tag, Agreement()))
            for tag, count in ((audit.KEPT, kept), *report["tags"].items())
        ],
        kept=values[True],
        left_out=values[False],
        clusters=duplicates["clusters_by_size"],
        fitted_from=_thresholds(project).fitted_from,
    )


STAGE = Stage(
    name="mix",
    module=__name__,
    version=2,
    settings=lambda _config: (
        "mix",
        "measure.thresholds",
        "measure.lists",
        "split.exclude_tags",
        "project.name",
        *LANGUAGES,
        *GATE,
    ),
    reads=lambda project: (
        project.measured / "documents.jsonl",
        *files(project.deduplicated, "clusters.jsonl", "report.json"),
        project.cleaned / "segments.jsonl",
        project.aligned / "segments.jsonl",
        *(path for path in (thresholds_path(project),) if path.exists()),
    ),
    writes=lambda project: (*files(project.mixed, "verdicts.jsonl", "report.json"), project.reports / "corpus.html"),
    shared=SharedFile(QUEUE.path, QUEUE.digest),
    switched_on=lambda config: config.mix.strategy is not None,
)
"""What the pipeline needs to know."""
