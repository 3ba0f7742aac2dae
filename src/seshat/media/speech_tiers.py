"""Recordings and the ELAN and Praat files beside them: what is transcribed already, and a tier for what is not."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.config.ingest import Source
from seshat.core.errors import DataError
from seshat.core.jsonl import write_bytes
from seshat.core.records import Reject, Segment
from seshat.formats import eaf, textgrid
from seshat.formats.context import Context
from seshat.formats.files import find
from seshat.formats.interlinear import segments
from seshat.formats.timeline import copy_of, new_eaf
from seshat.media.speech import Span

if TYPE_CHECKING:
    from seshat.media.speech_engines import Heard
    from seshat.project.folder import Project

_READERS = {".eaf": eaf, ".textgrid": textgrid}
_LONGEST_UNIT = 300.0
"""Seconds; a longer annotation is no sentence: the voices in it are found as anywhere else."""


@dataclass(frozen=True, order=True)
class Piece:
    """A stretch of a recording, and what an annotation file says about it."""

    span: Span
    speaker: str = ""
    texts: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What people wrote, by language."""

    @property
    def start(self) -> float:
        """Seconds from the start of the recording."""
        return self.span.start


@dataclass(frozen=True)
class Written:
    """A file with a tier of transcriptions."""

    name: str
    """Its path from the project folder."""
    sha256: str
    """Of what Seshat wrote last."""
    warning: str = ""


def annotation_of(recording: Path) -> Path | None:
    """The ELAN or Praat file of the same name beside a recording (``tale.eaf``, ``tale.wav.eaf``); of both, ELAN's."""
    there = {path.name.casefold(): path for path in sorted(recording.parent.iterdir())}
    names = [f"{name}{ending}".casefold() for ending in _READERS for name in (recording.name, recording.stem)]
    return next((there[name] for name in names if name in there), None)


def context_of(path: Path, project: Project) -> Context:
    """How an annotation file is read: as the source that names it says, else as the names of its tiers tell."""
    ingest = project.config.ingest
    source = next((one for one in ingest.sources if path in find(project.raw, one.patterns)[0]), None)
    return Context(project.raw, source or Source(name="recordings", path="any"), ingest, project.config.project)


def pieces_of(annotations: Path | None, project: Project, spoken: Sequence[Span]) -> list[Piece]:
    """What is to be heard of a recording: what people have marked, and the voices outside of that.

    Args:
        annotations: the file beside it.
        project: its project.
        spoken: where somebody speaks.

    Raises:
        DataError: the file cannot be read.
    """
    by_span: dict[Span, Piece] = {}
    for one in _marked(annotations, project) if annotations else ():
        known = by_span.get(one.span, one)  # two tiers say something of the same stretch
        by_span[one.span] = Piece(one.span, known.speaker or one.speaker, {**known.texts, **one.texts})
    marked = list(by_span.values())
    free = [one for one in spoken if sum(one.overlap(piece.span) for piece in marked) < one.seconds / 2]
    return sorted([*marked, *(Piece(one) for one in free)])


def _marked(path: Path, project: Project) -> Iterator[Piece]:
    """The stretches that people have marked, with what they wrote."""
    reader = _READERS[path.suffix.casefold()]
    context = context_of(path, project)
    found = segments(path, context, reader.units, reader.propose, "tiers")
    while True:
        try:
            unit, made = next(found, (None, None))
        except DataError as error:
            if context.reports and "fills a field" in error.message:
                return  # tiers without text in the languages of the project: the times are there
            raise
        if unit is None and made is None:
            return
        if isinstance(made, Reject) and unit is None and made.reason != "there is no sentence and no entry in it":
            raise DataError(f"{made.file}:{made.line or 1}: {made.reason}", "Mend the file beside the recording first.")
        if unit is None or unit.start is None or unit.end is None or not 0 < unit.end - unit.start < _LONGEST_UNIT:
            continue
        texts = made.texts if isinstance(made, Segment) else {}
        yield Piece(Span(round(unit.start, 3), round(unit.end, 3)), unit.speaker, texts)


def write_tier(
    project: Project, recording: Path, annotations: Path | None, language: str, heard: Sequence[tuple[Piece, Heard]]
) -> Written:
    """Write what was heard as a tier: into a copy of the file beside the recording, or into a new ELAN file.

    A copy in which somebody has worked since is left as it is.

    Raises:
        DataError: the file beside the recording takes no tier.
    """
    inner = (annotations or recording.with_name(f"{recording.name}.eaf")).relative_to(project.raw)
    target = project.reports / "transcribed" / inner
    name = target.relative_to(project.root).as_posix()
    texts = [(piece.span.start, piece.span.end, result.text) for piece, result in heard]
    if annotations is None:
        kind = mimetypes.guess_type(recording.name)[0] or "audio/x-wav"
        place = Path(os.path.relpath(recording, target.parent)).as_posix()
        content = new_eaf(place, kind, language, texts)
    else:
        is_grid = annotations.suffix.casefold() == ".textgrid"
        encoding = context_of(annotations, project).encoding(annotations) if is_grid else None
        content = copy_of(annotations, encoding, language, texts)
    made, report = sha256(content).hexdigest(), project.transcribed / "report.json"
    before = json.loads(report.read_text(encoding="utf-8"))["tiers"].get(name) if report.is_file() else None
    if target.is_file():
        there = sha256(target.read_bytes()).hexdigest()
        if there not in (made, before):
            return Written(name, before or "", f"{name}: somebody has worked in it; it stays as it is")
    write_bytes(target, content)
    return Written(name, made)
