"""Lines read from scans, with their picture (:mod:`seshat.media.ocr`)."""

from __future__ import annotations

from seshat.review.queue import Column, Kind, Queue, people_fill

QUEUE = Queue(
    name="ocr",
    title="Lines read from scans",
    asks="Is this what stands in the picture? Accept it, write what stands there, or reject it where there is no text.",
    columns=(
        Column("id", Kind.HIDDEN, needed=True),
        Column("page"),
        Column("scan", Kind.IMAGE),
        Column("reading", Kind.TEXT, "language", needed=True),
        Column("recognised", Kind.TEXT, "language"),
        Column("candidate"),
        Column("confidence"),
        *people_fill("decision", "reading"),
        Column("fingerprint", Kind.HIDDEN, needed=True),
        Column("access", Kind.HIDDEN),
    ),
    identity=("id", "fingerprint"),
)
