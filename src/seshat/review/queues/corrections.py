"""Corrections of translations that visitors have sent, for somebody who knows the language to look through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seshat.review.queue import Column, Kind, Queue, people_fill
from seshat.review.table import Row

if TYPE_CHECKING:
    from seshat.project.folder import Project


def _proposed(project: Project) -> Iterator[Row]:
    from seshat.review.corrections import read

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
