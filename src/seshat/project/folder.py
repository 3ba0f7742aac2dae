"""A project folder: its configuration and the place of every file in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seshat.config import Config
from seshat.core.errors import ConfigError, Problem
from seshat.core.gate import Gate
from seshat.core.records import Entry, Segment
from seshat.project import withdrawals


@dataclass(frozen=True)
class Project:
    """A language project on disk. The paths are where the stages meet: one writes what the next reads."""

    root: Path
    config: Config

    @property
    def raw(self) -> Path:
        """What the user drops in."""
        return self.root / "data" / "raw"

    @property
    def scanned(self) -> Path:
        """Written by ``ocr``: ``segments.jsonl, entries.jsonl, rejects.jsonl, report.json`` and the pages as read."""
        return self.root / "data" / "interim" / "ocr"

    @property
    def transcribed(self) -> Path:
        """Written by ``transcribe``: ``segments.jsonl, rejects.jsonl, report.json``."""
        return self.root / "data" / "interim" / "transcribe"

    @property
    def ingested(self) -> Path:
        """Written by ``ingest``: ``segments.jsonl, entries.jsonl, documents.jsonl, rejects.jsonl, report.json``."""
        return self.root / "data" / "interim" / "ingest"

    @property
    def cleaned(self) -> Path:
        """Written by ``clean``: ``segments.jsonl, entries.jsonl, documents.jsonl, report.json``."""
        return self.root / "data" / "interim" / "clean"

    @property
    def aligned(self) -> Path:
        """Written by ``align``: ``segments.jsonl`` (from the documents alone) and ``report.json``."""
        return self.root / "data" / "interim" / "align"

    @property
    def augmented(self) -> Path:
        """Written by ``augment``: ``segments.jsonl``, ``decisions.jsonl``, ``rejects.jsonl``, ``report.json``."""
        return self.root / "data" / "interim" / "augment"

    @property
    def measured(self) -> Path:
        """Written by ``measure``: ``documents.jsonl`` (numbers, no text) and ``report.json``."""
        return self.root / "data" / "interim" / "measure"

    @property
    def deduplicated(self) -> Path:
        """Written by ``dedup``: ``clusters.jsonl`` and ``report.json``."""
        return self.root / "data" / "interim" / "dedup"

    @property
    def mixed(self) -> Path:
        """Written by ``mix``: ``verdicts.jsonl`` and ``report.json``."""
        return self.root / "data" / "interim" / "mix"

    @property
    def processed(self) -> Path:
        """Written by ``split``.

        ``train.jsonl, validation.jsonl, test.jsonl`` (segments in both languages), ``monolingual.jsonl``
        (segments in one language, free of test sentences), ``lexicon.jsonl`` (entries), ``excluded.jsonl``
        (segments that a tag keeps out) and ``report.json``.
        """
        return self.root / "data" / "processed"

    @property
    def training(self) -> Path:
        """Written by ``format``, read by everything that trains or measures.

        The five files of :attr:`processed` without the records that the run may not use, and a data card
        (``README.md``).
        """
        return self.root / "data" / "training"

    @property
    def models(self) -> Path:
        """One folder per model: ``model.json`` and a folder per direction, such as ``shp-es``."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        """What people read."""
        return self.root / "reports"

    @property
    def state(self) -> Path:
        """Seshat's own notes: resolved configuration, locks, checkpoints of unfinished work."""
        return self.root / ".seshat"

    def model(self, name: str | None = None) -> Path:
        """Folder of a model; the one that ``train`` names by default."""
        return self.models / (name or self.config.train.name)

    @property
    def gate(self) -> Gate:
        """Lets through what this run may use."""
        return Gate(self.config.project.max_access, self.config.project.purpose, withdrawals.tombstones(self.root))

    def segments(self, name: str, left_out: Counter[str] | None = None) -> Iterator[Segment]:
        """What this run may use of a file of :attr:`training`.

        Args:
            name: ``train``, ``validation``, ``test`` or ``monolingual``.
            left_out: counts by reason what the gate keeps out.
        """
        return self.gate.read(self.training / f"{name}.jsonl", Segment, left_out)

    def pairs(self, name: str) -> Iterator[Segment]:
        """Those of :meth:`segments` with a text in every language of the project."""
        languages = self.config.project.tags
        return (one for one in self.segments(name) if all(one.texts.get(tag, "").strip() for tag in languages))

    def entries(self) -> Iterator[Entry]:
        """What this run may use of the lexicon of :attr:`training`."""
        return self.gate.read(self.training / "lexicon.jsonl", Entry)


def open_project(path: Path | None = None, profiles: Sequence[str] = (), overrides: Sequence[str] = ()) -> Project:
    """Find the project that a folder belongs to, and read its configuration.

    Args:
        path: a folder inside the project, or its ``seshat.yaml``; default: the current folder.
        profiles: as in :func:`seshat.config.load.load_config`.
        overrides: as in :func:`seshat.config.load.load_config`.

    Raises:
        ConfigError: there is no project here, or its configuration is wrong.
    """
    from seshat.config.load import FILE_NAME, load_config

    start = (path or Path()).resolve()
    folder = start.parent if start.name == FILE_NAME else start
    for root in (folder, *folder.parents):
        if (root / FILE_NAME).is_file():
            return Project(root, load_config(root, profiles, overrides))
    raise ConfigError(
        [Problem(str(folder), f"there is no {FILE_NAME} here, nor in a folder above")],
        "Start a project with: seshat init FOLDER, or name one with: --project FOLDER",
    )
