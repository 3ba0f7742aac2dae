"""Stage ``ocr``: scanned pages to text that people review.

Every page is read once and kept in a journal. What people decide in ``reports/ocr_review.csv``, or type into a file
beside the scan (``book.pdf.13.txt``), replaces the reading and teaches: :mod:`seshat.media.lessons` proposes texts of
all other lines. A proposal is marked, and what nobody has reviewed stays out of training.
"""

from __future__ import annotations

import glob
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seshat.config import Config
from seshat.config.ocr import ScanSource
from seshat.core.errors import DataError
from seshat.core.gate import UNREVIEWED
from seshat.core.journal import Journal, key_of
from seshat.core.jsonl import sha256, write_json, write_jsonl
from seshat.core.progress import track
from seshat.core.records import Meta, Method, Origin, Reject, Segment
from seshat.formats.files import find
from seshat.media import images, tesseract
from seshat.media.entries import entries_of
from seshat.media.learning import Learned, learn
from seshat.media.pages import Line, Page, paragraphs, running
from seshat.media.reading import Readers, Task, counts, lost_page, read_page
from seshat.media.reviewing import Reviewed, propose_rows, reviewed
from seshat.project.folder import Project
from seshat.project.stage import LANGUAGES, SharedFile, Stage, files
from seshat.review.queue import digest
from seshat.review.queues import ocr as lines_queue
from seshat.review.queues import scanned_entries as entries_queue

_VERSION = 1
"""Of the reading of a page: raised when it gives another result."""
_SECONDS = 1.5
"""Of one core for a page that nobody has timed yet."""
TAG, CANDIDATE = f"ocr{UNREVIEWED}", "ocr:candidate"


@dataclass(frozen=True)
class Scan:
    """A page of the project: where it is, and what it is called in the journal."""

    task: Task
    key: str

    @property
    def id(self) -> str:
        """Unique in the project, and the same as long as the file is called the same."""
        return f"{self.task.source.name}:{self.task.file}:{self.task.number}"


@dataclass
class Found:
    """The files of all sources."""

    scans: list[Scan] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def survey(project: Project, readers: Readers) -> Found:
    """All pages of all sources; files that cannot be opened are rejects."""
    section, found = project.config.ocr, Found()
    known = _counts(project, readers)
    for source in section.sources:
        paths, empty = _paths(project, source)
        found.warnings += [f"source of scans '{source.name}': no file matches {pattern}" for pattern in empty]
        for path in paths:
            pages, problem = known[path]
            file = path.relative_to(project.raw).as_posix()
            if problem:
                found.rejects.append(Reject(file=file, line=None, reason=problem))
            if pages > section.most_pages:
                left = f"{file}: {pages - section.most_pages:,} of {pages:,} pages are not read (ocr.most_pages)"
                found.warnings.append(left)
            settings = source.model_dump(include={"recognise", "columns", "regions", "text_layer"}, mode="json")
            same = key_of(_VERSION, sha256(path), settings, section.dpi, section.traineddata)
            models = project.root / section.traineddata if section.traineddata else None
            for number in range(1, min(pages, section.most_pages) + 1):
                task = Task(path, file, number, source, section.dpi, section.page_seconds, models)
                found.scans.append(Scan(task, f"{same}:{number}"))
    return found


def _paths(project: Project, source: ScanSource) -> tuple[list[Path], list[str]]:
    paths, empty = find(project.raw, source.patterns)
    return [path for path in paths if path.suffix.lower() != ".txt"], empty


def _counts(project: Project, readers: Readers) -> dict[Path, tuple[int, str]]:
    paths = {path: None for source in project.config.ocr.sources for path in _paths(project, source)[0]}
    return counts(readers, list(paths))


def _journal(project: Project) -> Journal:
    return Journal(project.state / "ocr" / "pages.jsonl")


def read_all(scans: Sequence[Scan], journal: Journal, readers: Readers) -> int:
    """Read every page that the journal does not have; gives how many. Killed, the rest is read the next time."""
    waiting = {scan.task: scan.key for scan in scans if scan.key not in journal}
    done = readers.each(read_page, list(waiting), lost_page)
    for task, page in track(done, "reading pages", total=len(waiting)):
        journal.put(waiting[task], page.model_dump(mode="json"))
    return len(waiting)


def run(project: Project) -> dict[str, Any]:
    """Read the scans; write what stands there to :attr:`Project.scanned`, and what people should look at.

    Raises:
        DataError: Tesseract or a model is missing, or a review table cannot be read.
    """
    section = project.config.ocr
    if not section.sources:
        raise DataError("There are no scans: ocr.sources is empty.", "Name them in seshat.yaml under ocr: sources:")
    with Readers(section) as readers, _journal(project) as journal:
        found = survey(project, readers)
        drawn = [scan for scan in found.scans if images.drawable(scan.task.path)]
        models = [model for scan in drawn for model in _models(scan.task.source)]
        if models:
            tesseract.check(models, drawn[0].task.models)
        new = read_all(found.scans, journal, readers)
        pages = {scan.id: Page.model_validate(journal.get(scan.key)) for scan in found.scans}
        people = reviewed(project, found.scans, pages)
        learned = learn(project, people, pages, readers)
        return _written(project, found, pages, people, learned, readers) | {"read now": new}


def _models(source: ScanSource) -> Iterator[str]:
    yield from source.recognise
    for region in source.regions:
        yield from region.recognise


def _written(
    project: Project,
    found: Found,
    pages: Mapping[str, Page],
    people: Mapping[str, Reviewed],
    learned: Learned,
    readers: Readers,
) -> dict[str, Any]:
    rejects = found.rejects + [
        Reject(file=page.file, line=None, reason=f"page {page.number}: {page.problem}")
        for page in pages.values()
        if page.problem
    ]
    entries = [scan for scan in found.scans if scan.task.source.dictionary]
    texts = [scan for scan in found.scans if not scan.task.source.dictionary]
    proposed = learned.proposed
    segments = [
        segment
        for scan in texts
        for segment in segments_of(scan, pages[scan.id], people.get(scan.id), proposed, project.config)
    ]
    made = entries_of(project, entries, pages, proposed)
    counted = {
        "pages": len(pages),
        "pages without text": sum(not page.lines for page in pages.values()),
        "segments": write_jsonl(project.scanned / "segments.jsonl", segments),
        "entries": write_jsonl(project.scanned / "entries.jsonl", made.entries),
        "rejects": write_jsonl(project.scanned / "rejects.jsonl", [*rejects, *made.rejects]),
        "reviewed pages": sum(one.whole for one in people.values()),
        "seconds per page": round(sum(page.seconds for page in pages.values()) / max(1, len(pages)), 2),
        "dust": sum(len(page.dust) for page in pages.values()),
    }
    waiting = propose_rows(project, texts, pages, people, proposed, readers) + made.propose(project, readers)
    warnings = [*found.warnings, *learned.warnings]
    if waiting:
        warnings.append(f"{waiting:,} lines wait for somebody to look at them: seshat review")
    report = {**counted, **learned.report(), "warnings": warnings}
    write_json(project.scanned / "report.json", {**report, "decisions": _people_wrote(project)})
    return report


def segments_of(
    scan: Scan, page: Page, people: Reviewed | None, proposed: Mapping[str, Any], config: Config
) -> Iterator[Segment]:
    """The paragraphs of a page: as people have said, as proposed, or as read."""
    typed = people.typed if people else None
    if typed is not None:
        for order, text in enumerate(typed):
            yield _segment(scan, order, text, None, (), {}, config, Method.GOLD)
        return
    decided = people.lines if people else {}
    place = -1
    for order, part in enumerate(paragraphs(page.lines)):
        texts: list[str] = []
        tags: set[str] = set()
        said: list[str] = []
        for line in part:
            place += 1
            if place in decided:
                text = decided[place].text
                said.append(decided[place].reviewer)
            else:
                text = proposed[line.text].text if line.text in proposed else line.text
                tags |= {CANDIDATE} if text != line.text else set()
            texts += [text] if text else []
        whole = len(said) == len(part)
        method = Method.GOLD if whole else Method.MACHINE
        if not whole and not config.ocr.allow_unreviewed:
            tags.add(TAG)
        extra = {"reviewer": ", ".join(dict.fromkeys(filter(None, said)))} if whole and any(said) else {}
        if CANDIDATE in tags:
            extra["recognised"] = running([line.text for line in part])
        if texts:
            yield _segment(scan, order, running(texts), part, sorted(tags), extra, config, method)


def _segment(
    scan: Scan,
    order: int,
    text: str,
    lines: Sequence[Line] | None,
    tags: Iterable[str],
    extra: dict[str, str],
    config: Config,
    method: Method,
) -> Segment:
    source = scan.task.source
    language = (lines[0].language if lines else None) or source.language or config.project.language
    meta = Meta(
        doc_id=f"{source.name}:{scan.task.file}",
        order=1000 * (scan.task.number - 1) + order,
        origin=Origin(file=scan.task.file, page=scan.task.number),
        genre=source.genre,
        source=source.name,
        licence=source.licence,
        access=source.access,
        method=method,
        score=round(min(line.confidence for line in lines), 3) if lines and method is Method.MACHINE else None,
        tags=tuple(tags),
        extra=extra,
    )
    return Segment(id=f"{scan.id}:{order}", texts={language: text}, meta=meta)


def cost(project: Project) -> str:
    """What reading the scans would take, in words; empty when every page is read and every decision applied."""
    section = project.config.ocr
    if not section.sources:
        return ""
    with Readers(section) as readers, _journal(project) as journal:
        scans = survey(project, readers).scans
        known = [journal.get(scan.key) for scan in scans if scan.key in journal]
    left = len(scans) - len(known)
    if not left:
        path = project.scanned / "report.json"
        told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return "" if told.get("decisions") == _people_wrote(project) else "people have decided about what was read"
    timed = [page["seconds"] for page in known if page["seconds"]]
    seconds = left * (sum(timed) / len(timed) if timed else _SECONDS) / readers.processes
    return f"{left:,} of {len(scans):,} pages are to be read: about {math.ceil(seconds / 60)} min on this machine"


def _people_wrote(project: Project) -> str | None:
    found = [queue.QUEUE.digest(project) for queue in (lines_queue, entries_queue)]
    return digest(found, 64) if any(found) else None


def _reads(project: Project) -> tuple[Path, ...]:
    from seshat.project.stage import expand

    patterns = [one for source in project.config.ocr.sources for one in source.patterns]
    patterns += project.config.ocr.spelling
    found = {project.raw / path for pattern in patterns for path in expand(pattern, ())}
    there = {path for path in found if path.exists()}
    typed = {text for path in there if path.is_file() for text in path.parent.glob(f"{glob.escape(path.name)}.*.txt")}
    return tuple(sorted(there | typed))


STAGE = Stage(
    name="ocr",
    module=__name__,
    version=1,
    settings=lambda _config: ("ocr", *LANGUAGES),
    reads=_reads,
    writes=lambda project: files(project.scanned, "segments.jsonl", "entries.jsonl", "rejects.jsonl", "report.json"),
    shared=SharedFile(lines_queue.QUEUE.path, _people_wrote),
    switched_on=lambda config: config.ocr.run and bool(config.ocr.sources),
    cost=cost,
)
"""What the pipeline needs to know."""
