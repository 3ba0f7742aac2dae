"""What a model was trained on, as figures: nothing of the data itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seshat.core.jsonl import read_jsonl
from seshat.core.records import Access, Entry, Segment
from seshat.project.folder import Project

_FILES: dict[str, type[Segment] | type[Entry]] = {
    "train.jsonl": Segment,
    "validation.jsonl": Segment,
    "monolingual.jsonl": Segment,
    "lexicon.jsonl": Entry,
}


@dataclass
class Provenance:
    """The training data of a project, counted."""

    sources: dict[str, Counter[str]] = field(default_factory=dict)
    """Source -> file -> records."""
    licences: dict[str, set[str]] = field(default_factory=dict)
    """Source -> licences."""
    access: Counter[str] = field(default_factory=Counter)
    """Access level -> records."""
    methods: Counter[str] = field(default_factory=Counter)
    """How records were made -> records."""
    changed: bool = False
    """Whether the files are others than those that the model was trained on."""

    @property
    def least_open(self) -> Access:
        """The least open level of a record; public when there is none."""
        return max((Access(level) for level in self.access), key=lambda level: level.level, default=Access.PUBLIC)


def provenance(project: Project, described: Mapping[str, Any]) -> Provenance:
    """Count the training data.

    Args:
        project: with the files of stage ``format``.
        described: ``model.json``, which holds the hashes of the files that the model was trained on.
    """
    found = Provenance()
    limit = project.config.project.max_access
    for name, kind in _FILES.items():
        path = project.training / name
        for record in read_jsonl(path, kind):
            if limit.allows(record.meta.access):
                source = record.meta.source or "unknown"
                found.sources.setdefault(source, Counter())[name.removesuffix(".jsonl")] += 1
                found.licences.setdefault(source, set()).add(record.meta.licence or "not stated")
                found.access[record.meta.access] += 1
                found.methods[record.meta.method] += 1
    hashes: Mapping[str, str] = described.get("data") or {}
    found.changed = any(_hash(project.training / name) != known for name, known in hashes.items())
    return found


def _hash(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
