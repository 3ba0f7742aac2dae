"""The file of pairs that an audit doubts, and what people have decided there.

``seshat audit`` writes the file (``reports/audit_review.csv``), people fill ``decision`` (``accept`` or ``reject``) or
the ``corrected_…`` cells, the stage ``augment`` turns that into ``decisions.jsonl``, and ``split`` applies it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Method, Segment
from seshat.data.align import review
from seshat.data.align.review import Row

REJECTED, CORRECTED, ACCEPTED = "audit:rejected", "audit:corrected", "audit:accepted"
HUMAN = ("decision", "corrected_source_text", "corrected_target_text", "comment")
"""Columns that belong to people."""
COLUMNS = (
    "id",
    "document",
    "source_text",
    "target_text",
    "machine_text",
    "chrf",
    "expected",
    *HUMAN,
    "status",
    "fingerprint",
)
NEEDED = ("id", "decision", "fingerprint")
_DECISIONS = ("", "accept", "reject")


class Decision(BaseModel):
    """What a person decided about a pair."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    fingerprint: str
    """Of the texts that were judged: a decision about other texts does not hold."""
    rejected: bool = False
    texts: dict[str, str] = {}
    """Language -> corrected text."""


def fingerprint(texts: dict[str, str]) -> str:
    """A short digest of the texts of a pair."""
    return hashlib.sha256(json.dumps(sorted(texts.items()), ensure_ascii=False).encode()).hexdigest()[:16]


def read(path: Path) -> tuple[list[Row], bytes | None]:
    """The rows of the file, and its content as it was.

    Raises:
        DataError: it cannot be read, or a decision is none.
    """
    rows, content = review.read(path, NEEDED)
    for number, row in enumerate(rows, start=2):
        if row["decision"].casefold() not in _DECISIONS:
            raise DataError(
                f"{path}:{number}: '{row['decision']}' is no decision.",
                "Write accept or reject, or leave the cell empty and fill a corrected_… cell.",
            )
    return rows, content


def write(path: Path, rows: Iterable[Row], before: bytes | None) -> None:
    """Write the file.

    Raises:
        DataError: somebody has saved it since it was read.
    """
    review.write(path, rows, before, COLUMNS)


def touched(row: Row) -> bool:
    """Whether a person has written something in a row."""
    return any(value.strip() and (column in HUMAN or column not in COLUMNS) for column, value in row.cells.items())


def decided(rows: Sequence[Row], languages: tuple[str, str]) -> list[Decision]:
    """What people have decided, by id."""
    found = {}
    for row in rows:
        cells = zip(languages, ("corrected_source_text", "corrected_target_text"), strict=True)
        texts = {tag: row[column] for tag, column in cells if row[column]}
        if row["decision"] or texts:
            rejected = row["decision"].casefold() == "reject"
            found_here = Decision(id=row["id"], fingerprint=row["fingerprint"], rejected=rejected, texts=texts)
            found[row["id"], row["fingerprint"]] = found_here
    return [found[key] for key in sorted(found)]


def digest(path: Path) -> str | None:
    """A digest of what people have decided in the file; comments do not count. None for nothing."""
    try:
        rows, content = read(path)
    except DataError:
        return hashlib.sha256(path.read_bytes()).hexdigest()  # the stage will say what is wrong with it
    if content is None:
        return None
    columns = ("id", "fingerprint", *(column for column in HUMAN if column != "comment"))
    told = [[row[column] for column in columns] for row in rows if any(row[column] for column in columns[2:])]
    return hashlib.sha256(json.dumps(sorted(told)).encode()).hexdigest() if told else None


@dataclass
class Decisions:
    """Applies decisions to segments as they pass by."""

    known: dict[tuple[str, str], Decision] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Decisions:
        """Read ``decisions.jsonl``; none when there is no such file."""
        return cls({(one.id, one.fingerprint): one for one in read_jsonl(path, Decision)})

    def applied(self, segment: Segment) -> Segment:
        """The segment as people have decided it: corrected, tagged as rejected, or as it is."""
        if not self.known:
            return segment
        found = self.known.get((segment.id, fingerprint(segment.texts)))
        if found is None:
            return segment
        if found.rejected:
            return segment.model_copy(update={"meta": segment.meta.tagged(REJECTED)})
        meta = segment.meta.model_copy(update={"method": Method.GOLD, "score": 1.0})
        tags = CORRECTED if found.texts else ACCEPTED
        return segment.model_copy(update={"texts": {**segment.texts, **found.texts}, "meta": meta.tagged(tags)})
