"""Stage ``transcribe``: recordings to segments that people check, and to tiers that linguists' programs show.

What people have transcribed already (an ELAN or Praat file of the same name beside the recording) is left to them: it
is heard only to measure the model on it. What is heard stands in the review queue and stays out of training, tagged
``transcribe:unreviewed``, until somebody has accepted or corrected it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog

from seshat.config import Config
from seshat.config.ingest import Source
from seshat.config.transcribe import Recordings
from seshat.core.errors import DataError
from seshat.core.gate import UNREVIEWED
from seshat.core.journal import Journal, key_of
from seshat.core.jsonl import sha256, write_json, write_jsonl
from seshat.core.progress import task
from seshat.core.records import Access, Method, Reject, Segment
from seshat.core.spaced import evenly
from seshat.formats.context import Context
from seshat.formats.files import find
from seshat.formats.session import beside
from seshat.media.speech import Span, cut, voiced
from seshat.media.speech_engines import Heard, Recogniser, Word, check, load
from seshat.media.speech_report import cost, measured
from seshat.media.speech_tiers import Piece, annotation_of, pieces_of, write_tier
from seshat.project.folder import Project
from seshat.project.stage import GATE, LANGUAGES, SharedFile, Stage, expand, files
from seshat.review.queues.transcription import QUEUE
from seshat.review.segments import fingerprint
from seshat.review.table import Row

log = structlog.get_logger(__name__)
TAG = f"transcribe{UNREVIEWED}"
"""What nobody has checked."""
MEASURED = 200
"""Stretches per group of recordings that people have transcribed and that are heard to measure the model."""


@dataclass
class Tape:
    """One recording, and what became of it."""

    path: Path
    section: Recordings
    context: Context
    annotations: Path | None = None
    heard: list[tuple[Piece, Heard]] = field(default_factory=list)
    """In the order of time; among them, to measure, what people have transcribed."""
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """Of sound that was heard in this run."""

    @property
    def name(self) -> str:
        """Its path below data/raw."""
        return self.context.relative(self.path)

    @property
    def access(self) -> Access:
        """The level of the recording: that of its section, or the stricter one of the session file beside it."""
        told = beside(self.path, self.context).access
        return self.context.access(told) if told else self.section.access

    @property
    def new(self) -> list[tuple[Piece, Heard]]:
        """What nobody has transcribed and the model has understood."""
        language = self.section.language
        return [(piece, heard) for piece, heard in self.heard if heard.text and not piece.texts.get(language)]


def tapes(project: Project) -> Iterator[Tape]:
    """The recordings of a project.

    Raises:
        DataError: a pattern matches nothing.
    """
    config = project.config
    for section in config.transcribe.recordings:
        told = section.model_dump(include={"name", "path", "speaker", "genre", "licence", "access"})
        context = Context(project.raw, Source(**told, language=section.language), config.ingest, config.project)
        found, empty = find(project.raw, section.patterns)
        if empty:
            raise DataError(
                f"recordings '{section.name}': {empty[0]} matches no file below data/raw.",
                f"Put the recordings below {project.raw}, or mend the path.",
            )
        for path in found:
            yield Tape(path, section, context, annotation_of(path))


def run(project: Project) -> dict[str, Any]:
    """Hear all recordings; writes the files of :attr:`Project.transcribed`, tiers and the table for review.

    Raises:
        DataError: there are no recordings, or none of them could be heard.
        UsageError: a model is not there, or does not know the language.
    """
    section = project.config.transcribe
    found = list(tapes(project))
    if not found:
        raise DataError(
            "there are no recordings: transcribe.recordings is empty.",
            f"Put them below {project.raw / 'audio'} and name them in seshat.yaml, under transcribe: recordings:",
        )
    for one in {tape.section.name: tape.section for tape in found}.values():
        check(model_of(project, one), one.language)
    rejects: list[Reject] = []
    started = time.monotonic()
    with task("transcribe", len(found)) as advance:
        for tape, problem in _heard(project, found):
            advance(1)
            rejects += [problem] if problem else list(_not_understood(tape))
    done = [tape for tape in found if tape.heard]
    took, seconds = time.monotonic() - started, sum(tape.seconds for tape in found)
    segments = [segment for tape in done for segment in _segments(tape)]
    tiers: dict[str, str] = {}
    kept: list[str] = []
    for tape in done:
        written = write_tier(project, tape.path, tape.annotations, tape.section.language, tape.new)
        tiers |= {written.name: written.sha256}
        kept += [written.warning] if written.warning else []
    write_jsonl(project.transcribed / "segments.jsonl", segments)
    write_jsonl(project.transcribed / "rejects.jsonl", rejects)
    listed, closed = _to_review(project, segments)
    warnings = [f"{tape.name}: {text}" for tape in found for text in tape.warnings] + kept
    if rejects:
        warnings.append(f"{len(rejects):,} recordings or stretches gave no text: see rejects.jsonl, with the reason")
    if closed and not section.allow_unreviewed:
        warnings.append(f"{closed:,} segments are less open than project.max_access: they are not in the review table")
    report = {
        "recordings": [{"file": one.name, "bytes": one.path.stat().st_size, "segments": len(one.new)} for one in found],
        "segments": len(segments),
        "heard_seconds": round(seconds, 1),
        "seconds_per_second": round(took / seconds, 3) if seconds else None,
        "measured": {
            name: asdict(scores)
            for name in dict.fromkeys(tape.section.name for tape in done)
            if (scores := measured(_transcribed(done, name), project.config.project.seed))
        },
        "tiers": tiers,
        "review": QUEUE.path(project).relative_to(project.root).as_posix(),
        "to_review": listed,
        "warnings": warnings,
    }
    write_json(project.transcribed / "report.json", report)
    if not done:
        raise DataError(
            f"none of the {len(found):,} recordings could be heard: {rejects[0].file}: {rejects[0].reason}",
            f"All reasons stand in {(project.transcribed / 'rejects.jsonl').relative_to(project.root)}.",
        )
    return {**{key: value for key, value in report.items() if key not in ("recordings", "tiers")}, "tiers": len(tiers)}


def model_of(project: Project, section: Recordings) -> Path:
    """The folder of the model for some recordings."""
    return project.root / (section.model or project.config.transcribe.model)


def _heard(project: Project, found: Sequence[Tape]) -> Iterator[tuple[Tape, Reject | None]]:
    """Hear the recordings; each with what kept it from being heard."""
    engines: dict[tuple[Path, str], Recogniser] = {}
    with ExitStack() as stack:
        journals: dict[str, Journal] = {}
        for tape in found:
            section, folder = tape.section, model_of(project, tape.section)
            if section.name not in journals:
                model = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(folder.iterdir())]
                journal = Journal(
                    project.state / "transcribe" / f"{section.name}.jsonl",
                    key_of("transcribe", 1, model, section.language), replace=True,
                )  # fmt: skip
                journals[section.name] = stack.enter_context(journal)

            def engine(wanted: tuple[Path, str] = (folder, section.language)) -> Recogniser:
                if wanted not in engines:
                    engines[wanted] = load(*wanted)
                return engines[wanted]

            try:
                _hear(tape, project, journals[section.name], engine)
            except DataError as error:
                reason = error.message.replace(f"{tape.path}: ", "").replace(f"{project.raw}/", "")
                log.debug("recording not heard", file=tape.name, reason=reason)
                yield tape, tape.context.reject(tape.path, None, f"{reason} {error.hint or ''}".strip())
            else:
                yield tape, None


def _hear(tape: Tape, project: Project, journal: Journal, engine: Any) -> None:
    """Hear one recording: what nobody has transcribed, and some of what people have. What is known is not heard again.

    Raises:
        DataError: it cannot be decoded, or the file beside it cannot be read.
    """
    sound = sha256(tape.path)
    if journal.get(key_of(sound)) is None:
        journal.put(key_of(sound), [[one.start, one.end] for one in voiced(tape.path, tape.warnings)])
    spoken = [Span(*one) for one in journal.get(key_of(sound))]
    pieces = pieces_of(tape.annotations, project, spoken)
    known = [one for one in pieces if one.texts.get(tape.section.language)]
    asked = sorted([*(one for one in pieces if one not in known), *evenly(known, MEASURED)])
    waiting: dict[Span, Piece] = {}
    for piece in asked:
        if key_of(sound, piece.span.start, piece.span.end) not in journal:
            waiting[piece.span] = piece
    if waiting:
        hear = engine().hear
        with task(f"transcribe: {tape.name}", len(waiting)) as advance:
            for span, samples in cut(tape.path, waiting):
                journal.put(key_of(sound, span.start, span.end), asdict(hear(samples)))
                tape.seconds += span.seconds
                advance(1)
    for piece in asked:
        told = journal.get(key_of(sound, piece.span.start, piece.span.end))
        if told is not None:
            words = tuple(Word(**word) for word in told["words"])
            tape.heard.append((piece, Heard(told["text"], told["score"], words)))
    if not asked:
        tape.warnings.append("nobody speaks in it")


def _not_understood(tape: Tape) -> Iterator[Reject]:
    for piece, heard in tape.heard:
        if not heard.text and not piece.texts.get(tape.section.language):
            place = f"{piece.span.start:.1f} to {piece.span.end:.1f} s"
            yield tape.context.reject(tape.path, None, f"{place}: there is a voice, but the model understood nothing")


def _transcribed(done: Sequence[Tape], name: str) -> list[tuple[str, str]]:
    """What people wrote and what the model understood, of one group of recordings."""
    return [
        (text, heard.text)
        for tape in done
        if tape.section.name == name
        for piece, heard in tape.heard
        if (text := piece.texts.get(tape.section.language))
    ]


def _segments(tape: Tape) -> Iterator[Segment]:
    """What was heard, as records."""
    about = beside(tape.path, tape.context)
    for order, (piece, heard) in enumerate(tape.new):
        given: dict[str, Any] = {"genre": about.genre, "speaker": piece.speaker or about.speaker}
        given = {key: value for key, value in (given | {"licence": about.licence}).items() if value}
        words = " ".join(f"{one.start + piece.span.start:.2f}" for one in heard.words)
        yield Segment(
            id=f"{tape.section.name}:{tape.name}:{round(1000 * piece.span.start)}-{round(1000 * piece.span.end)}",
            texts={**piece.texts, tape.section.language: heard.text},
            meta=tape.context.meta(
                tape.name, None, start=piece.span.start, end=piece.span.end, doc_id=f"{tape.section.name}:{tape.name}",
                order=order, method=Method.MACHINE, score=round(heard.score, 3), tags=(TAG,),
                access=tape.access, **given,
                extra={**about.extra, "transcribed": tape.section.language, "word_starts": words},
            ),
        )  # fmt: skip


def _to_review(project: Project, segments: Sequence[Segment]) -> tuple[int, int]:
    """Write the table for review; returns how many rows are open, and how many segments may not stand in it."""
    path = QUEUE.path(project)
    rows, before = QUEUE.read(path)
    admitted = [one for one in segments if project.gate.admits(one.meta.access)]
    # The least sure first: that is where somebody is needed most.
    admitted.sort(key=lambda one: (one.meta.score or 0.0, one.id))
    both = QUEUE.merged(rows, (_row(project, one) for one in admitted))
    if both or before is not None:
        QUEUE.write(path, both, before)
    return sum(not QUEUE.decided(row) for row in both), len(segments) - len(admitted)


def _row(project: Project, segment: Segment) -> Row:
    meta, language = segment.meta, segment.meta.extra["transcribed"]
    assert meta.origin is not None
    file = (project.raw / meta.origin.file).relative_to(project.root).as_posix()
    others = [text for tag, text in segment.texts.items() if tag != language]
    return Row(
        {
            "id": segment.id,
            "recording": f"{file}#t={meta.origin.start},{meta.origin.end}",
            "speaker": meta.speaker or "",
            "language": language,
            "text": segment.texts[language],
            "translation": " / ".join(others),
            "confidence": f"{meta.score:.2f}",
            "fingerprint": fingerprint(segment.texts),
            "access": meta.access.value,
        }
    )


def _reads(project: Project) -> tuple[Path, ...]:
    """The recordings with what lies beside them, and the models."""
    found = dict.fromkeys(
        project.raw / (path if path.parent == Path() else path.parent)
        for section in project.config.transcribe.recordings
        for pattern in section.patterns
        for path in expand(pattern, ())
    )
    models = dict.fromkeys(model_of(project, section) for section in project.config.transcribe.recordings)
    paths = [path for path in (*found, *models) if path.exists()]
    return tuple(path for path in paths if not any(other in path.parents for other in paths))


def _settings(_config: Config) -> tuple[str, ...]:
    return ("transcribe.model", "transcribe.recordings", "ingest.sources", *GATE, *LANGUAGES)


STAGE = Stage(
    name="transcribe",
    module=__name__,
    version=1,
    settings=_settings,
    reads=_reads,
    writes=lambda project: files(project.transcribed, "segments.jsonl", "rejects.jsonl", "report.json"),
    shared=SharedFile(QUEUE.path, lambda _project: None),
    switched_on=lambda config: config.transcribe.run,
    cost=lambda project: cost(project),
)
"""What the pipeline needs to know. Decisions are applied by ``ingest``; here they change nothing."""
