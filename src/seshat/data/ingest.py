"""Stage ``ingest``: the raw files of all sources to typed records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import structlog

from seshat.config import Config
from seshat.core.errors import DataError, SeshatError
from seshat.core.gate import read_everything
from seshat.core.jsonl import atomic_write, dump, write_json
from seshat.core.progress import task
from seshat.core.records import Document, Entry, Record, Reject, Segment
from seshat.data import lexicon_review
from seshat.data.corrections import Corrections
from seshat.data.transcriptions import transcribed
from seshat.formats import read_source
from seshat.formats.context import Context
from seshat.formats.files import unnamed
from seshat.formats.html import coverage
from seshat.project.folder import Project
from seshat.project.speakers import Speakers
from seshat.project.stage import LANGUAGES, RECORD_FILES, SharedFile, Stage, expand, files
from seshat.review import corrections

log = structlog.get_logger(__name__)

FILES = {Segment: "segments.jsonl", Entry: "entries.jsonl", Document: "documents.jsonl", Reject: "rejects.jsonl"}
"""Kind of record -> the file it is written to."""
_SCANNED: dict[str, type[Segment] | type[Entry]] = {"segments.jsonl": Segment, "entries.jsonl": Entry}
_LISTED = 10
STEP = 1_000
"""Records between two movements of the progress bar."""


class Reading:
    """Reads all sources of a project once, and remembers what was found.

    Args:
        config: the configuration of the project.
        raw: its folder ``data/raw``.
    """

    def __init__(self, config: Config, raw: Path) -> None:
        self.contexts = [Context(raw, source, config.ingest, config.project) for source in config.ingest.sources]
        self.config, self.raw = config, raw
        self.recipe = bool(config.download.files or config.download.kaggle)
        self.problems: list[DataError] = []
        """Files and sources that could not be used as a whole and are not optional."""
        self.passed: list[str] = []
        """The same of optional sources, as warnings."""
        self.failed: set[str] = set()
        """Names of sources with files that could not be used."""

    def records(self) -> Iterator[Record | Reject]:
        """The records and rejects of all sources, in order. A source that fails does not stop the others."""
        for context in self.contexts:
            with task(f"reading {context.source.name}") as advance:
                for count, record in enumerate(read_source(context, self._failing(context), recipe=self.recipe)):
                    _count(record, context)
                    if count % STEP == STEP - 1:
                        advance(STEP)
                    yield record

    def _failing(self, context: Context) -> Any:
        def fail(file: str, error: DataError) -> None:
            self.failed.add(context.source.name)
            log.debug("file not used", source=context.source.name, file=file, reason=error.message)
            if context.source.optional:
                self.passed.append(f"{error.message} The source is optional: the run goes on without it.")
            else:
                self.problems.append(error)

        return fail

    def warnings(self) -> list[str]:
        """Everything worth knowing, in plain words."""
        found = [*self.notes(), *unread(self.config, self.raw)]
        silent = (one for one in self.contexts if one.source.name not in self.failed and not _total(one))
        return [*found, *(f"source '{context.source.name}' gave no record" for context in silent)]

    def notes(self) -> list[str]:
        """How files were read that could be read in another way, and what was done without."""
        found = list(self.passed)
        for context in self.contexts:
            found += [f"source '{context.source.name}': {remark}" for remark in context.remarks]
            found += [warning for report in context.reports.values() for warning in report.warnings()]
        return found

    def report(self) -> dict[str, Any]:
        """What ``report.json`` holds: per source and file, counts, encoding, Unicode forms, warnings."""
        return {
            "sources": [
                {
                    "name": context.source.name,
                    "access": context.source.access.value,
                    "records": _total(context),
                    "rejects": sum(report.rejects for report in context.reports.values()),
                    "warnings": context.remarks,
                    **({"sites": coverage(context.sites)} if context.sites else {}),
                    "files": [report.as_dict() for report in context.reports.values()],
                }
                for context in self.contexts
            ],
            "problems": [str(error) for error in self.problems],
            "notes": self.notes(),
            "warnings": self.warnings(),
        }


def unread(config: Config, raw: Path) -> list[str]:
    """The files below ``data/raw`` that nobody reads, as a warning."""
    files = unnamed(raw, config)
    if not files:
        return []
    listed = ", ".join(files[:_LISTED]) + (", …" if len(files) > _LISTED else "")
    return [f"{len(files):,} files below data/raw are named by no source, and not read: {listed}"]


def _total(context: Context) -> int:
    return sum(report.records for report in context.reports.values())


def _count(record: Record | Reject, context: Context) -> None:
    if isinstance(record, Reject):
        context.report(context.raw / record.file).rejects += 1
    elif record.meta.origin is not None:
        context.reports[record.meta.origin.file].records += 1


def run(project: Project) -> dict[str, Any]:
    """Read all sources; write records, rejects and a report to :attr:`Project.ingested`.

    Whatever can be read is written, also when a source fails; then the failures are raised together.

    Raises:
        DataError: sources that are not optional could not be read as a whole; lists all of them.
    """
    config = project.config
    if not (config.ingest.sources or config.ocr.sources or config.transcribe.recordings):
        raise DataError(
            "there are no sources: ingest.sources is empty.",
            f"Put files below {project.raw} and name them in seshat.yaml, under ingest: sources:",
        )
    reading, people = Reading(project.config, project.raw), Corrections.of(project)
    accepted = list(lexicon_review.entries(project))
    machine = [*_scanned(project), *transcribed(project)]
    counts: Counter[type[Any]] = Counter()
    speakers = Speakers(project.state) if config.ingest.pseudonyms else None
    with ExitStack() as stack:
        streams = {kind: stack.enter_context(atomic_write(project.ingested / name)) for kind, name in FILES.items()}
        for record in chain(reading.records(), people.records(project.config), accepted, machine):
            stream = streams[type(record)]
            if speakers is not None and not isinstance(record, Reject):
                record = speakers.hidden(record)
            stream.write(dump(record))
            stream.write("\n")
            counts[type(record)] += 1
    if speakers is not None:
        speakers.save()
    write_json(project.ingested / "report.json", {**reading.report(), "corrections": people.report(project.config)})
    for warning in reading.warnings():
        log.debug("ingest", warning=warning)
    summary = {
        "segments": counts[Segment],
        "entries": counts[Entry],
        "documents": counts[Document],
        "rejects": counts[Reject],
        **({"corrections": len(people.found)} if people.found else {}),
        **({"induced_entries": len(accepted)} if accepted else {}),
        **({"scanned_or_transcribed": len(machine)} if machine else {}),
        "folder": project.ingested.relative_to(project.root).as_posix(),
        "warnings": [*reading.warnings(), *_rejects_warning(counts[Reject])],
    }
    if reading.problems:
        raise _together(reading.problems, summary)
    return summary


def _scanned(project: Project) -> Iterator[Record]:
    """What ``ocr`` has read, with what people have said of it."""
    if project.config.ocr.sources:
        for name, kind in _SCANNED.items():
            yield from read_everything(project.scanned / name, kind)


def _rejects_warning(count: int) -> list[str]:
    return [f"{count:,} rows could not be read: see rejects.jsonl, with file, line and reason"] if count else []


def _together(problems: list[DataError], summary: dict[str, Any]) -> SeshatError:
    """One error that lists all problems, each with what to do about it."""
    listed = "\n".join(f"- {error.message}" + (f"\n  {error.hint}" if error.hint else "") for error in problems)
    read = f"{summary['segments']:,} segments, {summary['entries']:,} entries, {summary['documents']:,} documents"
    return DataError(
        f"{len(problems)} of the files or sources cannot be used:\n{listed}",
        f"Everything else was read ({read}) and stands in {summary['folder']}. Mend what is listed and run again, or "
        "write optional: true in a source that may be missing.",
    )


def source_paths(project: Project) -> tuple[Path, ...]:
    """What ``ingest`` reads: the files of the sources, or the folder that holds them where a pattern stands.

    A folder is read as a whole, so a new file in it is noticed. Files that are not there yet are left out.
    """
    settings = project.config.project
    found: dict[Path, None] = {}
    for source in project.config.ingest.sources:
        for pattern in (source.path,) if isinstance(source.path, str) else source.path:
            for path in expand(pattern, settings.tags):
                found[project.raw / path] = None
        if source.join:
            found[project.raw / source.join.path] = None
    if project.config.transcribe.recordings:
        found[project.transcribed / "segments.jsonl"] = None
    if project.config.ocr.sources:
        found |= dict.fromkeys(files(project.scanned, *_SCANNED))
    written = {project.scanned: project.config.ocr.run, project.transcribed: project.config.transcribe.run}
    paths = [path for path in found if path.exists() or written.get(path.parent)]
    return tuple(path for path in paths if not any(other in path.parents for other in paths))


def _people_wrote(project: Project) -> str | None:
    """A digest of the corrections, of the induced word pairs and of the transcriptions that people have judged."""
    from seshat.review.queues import lexicon, transcription
    from seshat.review.queues.corrections import digest

    found = digest(project), lexicon.QUEUE.digest(project), transcription.QUEUE.digest(project)
    return "-".join(filter(None, found)) or None


STAGE = Stage(
    name="ingest",
    module=__name__,
    version=2,
    settings=lambda _config: ("ingest", "ocr.sources", "transcribe.allow_unreviewed", "serve.database", *LANGUAGES),
    reads=source_paths,
    writes=lambda project: files(project.ingested, *RECORD_FILES, "rejects.jsonl", "report.json"),
    shared=SharedFile(corrections.corrections_file, _people_wrote, written=False),
)
"""What the pipeline needs to know."""
