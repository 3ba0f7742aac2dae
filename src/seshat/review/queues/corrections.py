"""Corrections of translations that visitors have sent, for somebody who knows the language to look through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seshat.core.errors import SeshatError
from seshat.review.corrections import read
from seshat.review.queue import Column, Decision, Kind, Queue, people_fill
from seshat.review.queue import digest as digest_of
from seshat.review.table import Row

if TYPE_CHECKING:
    from seshat.project.folder import Project


def _proposed(project: Project) -> Iterator[Row]:
    for one in read(project):
        if project.gate.admits(one.access) and not one.damaged:
            cells = {
                name: str(getattr(one, name)) for name in ("id", "text", "machine", "translation", "by", "at", "note")
            }
            yield Row({**cells, "direction": f"{one.source}-{one.target}", "access": one.access.value})


QUEUE = Queue(
    name="corrections",
    title="Corrections by visitors",
    asks="Is the correction right? Reject it, or correct it; what nobody has judged counts as right.",
    columns=(
        Column("id", Kind.HIDDEN, needed=True),
        Column("direction"),
        Column("text", Kind.TEXT),
        Column("machine", Kind.TEXT),
        Column("translation", Kind.TEXT),
        Column("by"),
        Column("at"),
        Column("note"),
        *people_fill("decision", "translation"),
        Column("access", Kind.HIDDEN),
    ),
    proposes=_proposed,
)


def judgements(project: Project) -> dict[str, Decision]:
    """What reviewers have decided about corrections, by their ``id``.

    Raises:
        DataError: their table cannot be read.
    """
    rows, _ = QUEUE.read(QUEUE.path(project))
    return {row["id"]: QUEUE.decision(row) for row in rows if QUEUE.decided(row)}


def digest(project: Project) -> str | None:
    """A digest of what people have written and reviewers have decided about it; ``None`` for nothing."""
    try:
        rows = [one.model_dump(mode="json") for one in read(project)]
    except SeshatError as error:  # ingest will say so too
        return digest_of(str(error), 64)
    return digest_of([rows, QUEUE.digest(project)], 64) if rows else None
