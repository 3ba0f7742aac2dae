"""A project folder: its configuration and the place of every file in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seshat.config import Config


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
