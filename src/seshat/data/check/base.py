"""What every check is given and gives back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.core.gate import Gate, read_everything
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Document, Entry, Meta, Record, Reject, Segment
from seshat.data.split import examples_of
from seshat.project.folder import Project

if TYPE_CHECKING:
    from seshat.data.ingest import Reading

Level = Literal["error", "warning", "info"]
SHOWN = 5
"""Places named in a finding."""


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know about the data, in plain words."""

    level: Level
    check: str
    """Name of the check: the heading in ``docs/check.md``."""
    message: str
    """What was found."""
    where: tuple[str, ...] = ()
    """The first places, ``file:line``."""
    count: int = 0
    """How many records or texts it concerns."""
    advice: str = ""
    """What to do."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "where": list(self.where)}


@dataclass
class Places:
    """How often something was seen, and the first places."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, meta: Meta | Reject, detail: str = "") -> None:
        """Count one; ``detail`` is written behind the place."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(place_of(meta) + (f" ({detail})" if detail else ""))


def place_of(meta: Meta | Reject) -> str:
    """``file:line`` of a record, or its source when it has none."""
    if isinstance(meta, Reject):
        return f"{meta.file}:{meta.line}" if meta.line is not None else meta.file
    return str(meta.origin) if meta.origin is not None else f"source {meta.source or 'unknown'}"


def percent(part: float, whole: float) -> str:
    """A share for people: ``12 %``, ``0.4 %``."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.2g} %"


@dataclass(frozen=True)
class View:
    """The data of a project as far as it has come."""

    project: Project

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.project.config

    @property
    def languages(self) -> tuple[str, ...]:
        """The language and the pivot, if there is one."""
        return self.config.project.tags

    @property
    def stage(self) -> Literal["clean", "ingest", "raw"]:
        """The last stage whose records can be looked at; ``raw``: they are read for this check alone."""
        if self._ingested.get("problems"):
            return "raw"  # who mends a file wants to know of the file, not of the run before
        if (self.project.cleaned / "segments.jsonl").exists():
            return "clean"
        return "ingest" if (self.project.ingested / "segments.jsonl").exists() else "raw"

    @cached_property
    def _ingested(self) -> dict[str, Any]:
        path = self.project.ingested / "report.json"
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    @cached_property
    def _reading(self) -> Reading:
        from seshat.data.ingest import Reading

        return Reading(self.config, self.project.raw)

    @property
    def problems(self) -> list[DataError]:
        """Files and sources that cannot be used as a whole; known when all records have been read."""
        return self._reading.problems if self.stage == "raw" else []

    @property
    def failed(self) -> set[str]:
        """The sources that they belong to."""
        return self._reading.failed if self.stage == "raw" else set()

    @property
    def notes(self) -> list[str]:
        """How files were read, where there was a choice; known when all records have been read."""
        return self._reading.notes() if self.stage == "raw" else list(self._ingested.get("notes", ()))

    @property
    def sets(self) -> Path | None:
        """Folder with train, validation and test: after ``format``, or after ``split``, or none yet."""
        folders = (self.project.training, self.project.processed)
        return next((folder for folder in folders if (folder / "train.jsonl").exists()), None)

    def records(self) -> Iterator[Record | Reject]:
        """All records and rejects, once, streaming; sentences that the aligner found among them.

        Also those that this run may not use: :func:`show` shows of them only that they are there.
        """
        if self.stage == "raw":
            yield from self._reading.records()
            return
        folder = self.project.cleaned if self.stage == "clean" else self.project.ingested
        yield from read_everything(folder / "segments.jsonl", Segment)
        if self.stage == "clean":
            yield from read_everything(self.project.aligned / "segments.jsonl", Segment)
        yield from read_everything(folder / "entries.jsonl", Entry)
        yield from read_everything(folder / "documents.jsonl", Document)
        yield from read_jsonl(self.project.ingested / "rejects.jsonl", Reject)

    def set(self, name: str) -> Iterator[Segment]:
        """What this run may use of train, validation, test or monolingual; none before ``split``."""
        if self.sets is not None:
            yield from self.project.gate.read(self.sets / f"{name}.jsonl", Segment)

    def lexicon(self) -> Iterator[Entry]:
        """What this run may use of the lexicon; none before ``split``."""
        if self.sets is not None:
            yield from self.project.gate.read(self.sets / "lexicon.jsonl", Entry)


class Check:
    """One check. It sees every record once, then says what it found. Everything is optional but the name.

    Args:
        view: the data, for checks that read more than the stream of records.
    """

    name: ClassVar[str]
    """Heading in ``docs/check.md``, and key in the statistics."""
    two_sided: ClassVar[bool] = False
    """Compares two languages: not made where a language is alone."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.start()

    def start(self) -> None:
        """Make what the check counts in."""

    def meta(self, meta: Meta, refusal: str | None) -> None:
        """Look at what is known about any record, also one that this run may not use, and why not."""

    def segment(self, segment: Segment) -> None:
        """Look at a segment."""

    def entry(self, entry: Entry) -> None:
        """Look at a lexicon entry; its examples are shown to :meth:`text` besides."""

    def text(self, text: str, lang: str, meta: Meta) -> None:
        """Look at one text of a segment, an example or a line of a document, or at a headword."""

    def reject(self, reject: Reject) -> None:
        """Look at a reject."""

    def findings(self) -> Iterable[Finding]:
        """What was found, the worst first."""
        return ()

    def stats(self) -> dict[str, Any]:
        """Figures for the report; left out when empty."""
        return {}

    def found(self, level: Level, message: str, places: Places | None = None, advice: str = "") -> Finding:
        """A finding of this check."""
        first, count = (tuple(places.first), places.count) if places else ((), 0)
        return Finding(level, self.name, message, first, count, advice)


def show(record: Record | Reject, checks: Iterable[Check], gate: Gate) -> None:
    """Show a record to all checks; of one that does not pass the gate nothing but its ``meta``."""
    if not isinstance(record, Reject):
        refusal = gate.refusal(record.meta, record.id)
        for check in checks:
            check.meta(record.meta, refusal)
        if refusal is not None:
            return
    texts = list(_texts(record))
    for check in checks:
        if isinstance(record, Segment):
            check.segment(record)
        elif isinstance(record, Entry):
            check.entry(record)
        elif isinstance(record, Reject):
            check.reject(record)
        for text, lang, meta in texts:
            check.text(text, lang, meta)


def _texts(record: Record | Reject) -> Iterator[tuple[str, str, Meta]]:
    if isinstance(record, Segment):
        yield from ((text, lang, record.meta) for lang, text in record.texts.items())
    elif isinstance(record, Entry):
        yield record.headword, record.lang, record.meta
        for example in examples_of(record):
            yield from ((text, lang, record.meta) for lang, text in example.texts.items())
    elif isinstance(record, Document):
        yield from ((line, lang, record.meta) for lang, lines in record.texts.items() for line in lines if line)
