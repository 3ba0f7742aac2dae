"""Entries of scanned dictionaries, with their picture (:mod:`seshat.media.entries`)."""

from __future__ import annotations

from seshat.review.queue import Column, Kind, Queue, people_fill

QUEUE = Queue(
    name="scanned_entries",
    title="Entries of scanned dictionaries",
    asks="Is this the entry in the picture? Accept it, correct its parts, or reject it. Glosses stand with ; between.",
    columns=(
        Column("id", Kind.HIDDEN, needed=True),
        Column("page"),
        Column("scan", Kind.IMAGE),
        Column("recognised", Kind.TEXT, "language", needed=True),
        Column("headword", Kind.TEXT, "language"),
        Column("pos", Kind.TEXT),
        Column("glosses", Kind.TEXT, "pivot"),
        Column("confidence"),
        *people_fill("decision", "headword", "pos", "glosses"),
        Column("fingerprint", Kind.HIDDEN, needed=True),
        Column("access", Kind.HIDDEN),
    ),
    identity=("id", "fingerprint"),
)
