"""Documents of a corpus that were kept or left out, for a native reader (:mod:`seshat.corpus.audit`)."""

from __future__ import annotations

from seshat.review.queue import Column, Kind, Queue, people_fill

QUEUE = Queue(
    name="documents",
    title="Documents that were kept and left out",
    asks="Was it right to keep this text, or to say of it what stands under “tag”? Say right or wrong.",
    columns=(
        Column("id", Kind.HIDDEN, needed=True),
        Column("tag", needed=True),
        Column("reason"),
        Column("source"),
        Column("document"),
        Column("text", Kind.TEXT, "language"),
        *people_fill("decision"),
        Column("access", Kind.HIDDEN),
    ),
    identity=("id", "tag"),
    words=("right", "wrong"),
)
