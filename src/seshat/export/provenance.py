"""What a model was trained on, as figures: nothing of the data itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from seshat.core.gate import least_open
from seshat.core.jsonl import sha256
from seshat.core.records import Access, Entry, Segment
from seshat.project.folder import Project
from seshat.project.manifest import Manifest

_FILES = ("train", "validation", "monolingual")


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
        return least_open(Access(level) for level in self.access)


def provenance(project: Project, manifest: Manifest) -> Provenance:
    """Count the training data.

    Args:
        project: with the files of stage ``format``.
        manifest: of the model, which holds the hashes of the files that the model was trained on.
    """
    found = Provenance()
    records: dict[str, Iterable[Segment | Entry]] = {
        **{name: project.segments(name) for name in _FILES},
        "lexicon": project.entries(),
    }
    for name, found_there in records.items():
        for record in found_there:
            source = record.meta.source or "unknown"
            found.sources.setdefault(source, Counter())[name] += 1
            found.licences.setdefault(source, set()).add(record.meta.licence or "not stated")
            found.access[record.meta.access] += 1
            found.methods[record.meta.method] += 1
    files = ((project.training / name, known) for name, known in manifest.data.items())
    found.changed = any(not path.is_file() or sha256(path) != known for path, known in files)
    return found
