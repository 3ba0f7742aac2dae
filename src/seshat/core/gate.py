"""The gate: the one place that says which records a run may use.

Everything that uses records (training data, prompts, reports, trackers, exports, the page) reads them through
:meth:`Gate.read`; what a rule keeps out is counted by its reason, never dropped in silence. The few stages that must
see all records, because they pass them on with their levels (cleaning, alignment, the split), say so by reading with
:func:`read_everything`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from seshat.core.jsonl import read_jsonl
from seshat.core.records import Access, Document, Entry, Meta, Segment
from seshat.core.rights import until

R = TypeVar("R", bound=Segment | Entry | Document)

ACCESS = "access"
"""The reason ``access:LEVEL``: the record is less open than the run allows."""
UNREVIEWED = ":unreviewed"
"""How the tags end of what a machine has read or heard and nobody has looked at: ``ocr:unreviewed``."""


@dataclass(frozen=True)
class Gate:
    """What a run, or somebody who looks on, may use. A further rule belongs into :meth:`refusal`."""

    max_access: Access
    """The least open level that passes."""
    purpose: str | None = None
    """What the records are used for; ``None`` where no purpose is asked, for somebody who looks on."""
    withdrawn: frozenset[str] = frozenset()
    """What people have taken back, as :func:`tombstone` writes it."""

    def admits(self, level: Access) -> bool:
        """Whether something of this access level passes, for what is no record: a correction, a page, a model."""
        return level.level <= self.max_access.level

    def admits_example(self, example: Mapping[str, Any]) -> bool:
        """Whether a line of instruction data passes, which says under ``meta`` what it was made of."""
        meta = example.get("meta")
        return self.admits(Access.parse(meta.get("access") if isinstance(meta, Mapping) else None))

    def refusal(self, meta: Meta, record: str | None = None) -> str | None:
        """Why a record does not pass, as ``rule:detail``; ``None`` when it does.

        Args:
            meta: what is known about it.
            record: its id.
        """
        if not self.admits(meta.access):
            return f"{ACCESS}:{meta.access}"
        if meta.embargo and until(meta.embargo) > date.today():
            return f"embargo:{meta.embargo}"
        if meta.purposes and self.purpose is not None and self.purpose not in meta.purposes:
            return f"purpose:{self.purpose}"
        if self.withdrawn and not self.withdrawn.isdisjoint(_tombstones(meta, record)):
            return "withdrawn"
        return next((tag for tag in meta.tags if tag.endswith(UNREVIEWED)), None)

    def passing(self, records: Iterable[R], left_out: Counter[str] | None = None) -> Iterator[R]:
        """The records that pass.

        Args:
            records: any.
            left_out: counts the others by reason.
        """
        for record in records:
            reason = self.refusal(record.meta, record.id)
            if reason is None:
                yield record
            elif left_out is not None:
                left_out[reason] += 1

    def read(self, path: Path, kind: type[R], left_out: Counter[str] | None = None) -> Iterator[R]:
        """The records of a file that pass, streaming. A missing file has none.

        Args:
            path: JSON Lines of records of one kind.
            kind: which.
            left_out: counts the others by reason.

        Raises:
            DataError: the file cannot be read, or a line is not such a record; names ``file:line``.
        """
        return self.passing(read_jsonl(path, kind), left_out)


def tombstone(kind: str, value: str) -> str:
    """What stands for something that was taken back: a ``record``, ``document``, ``source`` or ``speaker``."""
    return f"{kind}:{value}"


def _tombstones(meta: Meta, record: str | None) -> Iterator[str]:
    named = (("record", record), ("document", meta.doc_id), ("source", meta.source), ("speaker", meta.speaker))
    return (tombstone(kind, value) for kind, value in named if value is not None)


def read_everything(path: Path, kind: type[R]) -> Iterator[R]:
    """All records of a file, whoever may use them: for stages that pass them on, and for what looks for closed ones.

    Raises:
        DataError: as of :meth:`Gate.read`.
    """
    return read_jsonl(path, kind)


def least_open(levels: Iterable[Access]) -> Access:
    """The strictest of some levels, which what is made of several records has; public where there is none."""
    return max(levels, key=lambda one: one.level, default=Access.PUBLIC)
