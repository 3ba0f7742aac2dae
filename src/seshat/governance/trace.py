"""Which models and exports hold a record, a text, or what was withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seshat.core.gate import Gate, read_everything, tombstone
from seshat.core.records import Access, Entry, Segment
from seshat.project import manifest, members
from seshat.project.folder import Project
from seshat.project.stage import SET_FILES
from seshat.project.withdrawals import Withdrawal


@dataclass(frozen=True)
class Found:
    """What one model says."""

    model: str
    holds: bool | None
    """``None``: it has no list of its records; it was made by an older version."""
    files: tuple[str, ...] = ()
    """What the records were to it: ``train``, ``validation``, ``monolingual``, ``lexicon``."""
    records: int = 0


def trace(project: Project, hashes: Sequence[str], models: Sequence[str] = ()) -> list[Found]:
    """Ask the models of a project for hashes.

    Args:
        project: the project.
        hashes: of :func:`seshat.project.members.of_id` or ``of_text``.
        models: names below ``models/``; default: all, exports too.
    """
    folders = [project.models / name for name in models] or [
        path for path in sorted(project.models.glob("*")) if manifest.is_model(path) and not path.name.startswith(".")
    ]
    return [_asked(folder, hashes) for folder in folders]


def _asked(folder: Path, hashes: Sequence[str]) -> Found:
    try:
        found = members.look_up(folder, hashes)
    except FileNotFoundError:
        return Found(folder.name, None)
    return Found(folder.name, bool(found), tuple(sorted(set(found.values()))), len(found))


def ids_of(project: Project, withdrawal: Withdrawal) -> list[str]:
    """The ids of the records that a withdrawal means, as far as the files of the project still name them."""
    if withdrawal.kind == "record":
        return [withdrawal.value]
    alone = Gate(Access.SEALED, withdrawn=frozenset({tombstone(withdrawal.kind, withdrawal.value)}))
    ids: dict[str, None] = {}
    for name in SET_FILES:
        kind: type[Segment] | type[Entry] = Entry if name == "lexicon.jsonl" else Segment
        for record in read_everything(project.processed / name, kind):
            if alone.refusal(record.meta, record.id) == "withdrawn":
                ids[record.id] = None
    return list(ids)
