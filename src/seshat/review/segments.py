"""Decisions about segments: from the table of a queue to what a later stage does with a segment.

A queue whose rows are segments names them by ``id`` and by the digest of the texts that were judged, so that a
decision about other texts does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from seshat.core.gate import UNREVIEWED
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Method, Segment
from seshat.review.queue import Queue, Verdict, digest
from seshat.review.table import Row

_REJECTED = "rejected"


class SegmentDecision(BaseModel):
    """What a person decided about a segment: one line of ``decisions.jsonl``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    fingerprint: str
    """Of the texts that were judged."""
    queue: str = "audit"
    rejected: bool = False
    texts: dict[str, str] = {}
    """Language -> corrected text."""
    reviewer: str = ""
    """Who decided, where they gave a name."""

    @property
    def tag(self) -> str:
        """What a segment is tagged with, such as ``audit:rejected``."""
        return f"{self.queue}:{_REJECTED if self.rejected else 'corrected' if self.texts else 'accepted'}"


def is_rejection(tag: str) -> bool:
    """Whether a tag says that people have rejected a segment, in whatever queue."""
    return tag.endswith(f":{_REJECTED}")


def fingerprint(texts: Mapping[str, str]) -> str:
    """A short digest of the texts of a segment."""
    return digest(sorted(texts.items()))


def decided(queue: Queue, rows: Iterable[Row], columns: Mapping[str, str]) -> list[SegmentDecision]:
    """What people have decided, by id; of two rows about the same texts the lower one.

    Args:
        queue: the queue; its rows have ``id`` and ``fingerprint``.
        rows: its table.
        columns: column of a text that people can correct -> its language.
    """
    found = {}
    for row in rows:
        decision = queue.decision(row)
        if decision.made:
            texts = {columns[column]: text for column, text in decision.corrected.items()}
            rejected = decision.verdict is Verdict.REJECT
            found[row["id"], row["fingerprint"]] = SegmentDecision(
                id=row["id"],
                fingerprint=row["fingerprint"],
                queue=queue.name,
                rejected=rejected,
                texts=texts,
                reviewer=decision.reviewer,
            )
    return [found[key] for key in sorted(found)]


@dataclass
class Decisions:
    """Applies decisions to segments as they pass by."""

    known: dict[tuple[str, str], SegmentDecision] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Decisions:
        """Read ``decisions.jsonl``; none when there is no such file."""
        return cls({(one.id, one.fingerprint): one for one in read_jsonl(path, SegmentDecision)})

    def applied(self, segment: Segment) -> Segment:
        """The segment as people have decided it: corrected, tagged as rejected, or as it is."""
        if not self.known:
            return segment
        found = self.known.get((segment.id, fingerprint(segment.texts)))
        if found is None:
            return segment
        if found.rejected:
            return segment.model_copy(update={"meta": segment.meta.tagged(found.tag)})
        meta = segment.meta
        told = {"reviewer": found.reviewer} if found.reviewer else {}
        looked_at = tuple(tag for tag in meta.tags if not tag.endswith(UNREVIEWED))
        meta = meta.model_copy(
            update={"method": Method.GOLD, "score": 1.0, "tags": looked_at, "extra": {**meta.extra, **told}}
        )
        return segment.model_copy(update={"texts": {**segment.texts, **found.texts}, "meta": meta.tagged(found.tag)})
