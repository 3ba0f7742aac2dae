"""Beads of the aligner that a person should look at; what they mean is said in :mod:`seshat.data.align.rulings`."""

from __future__ import annotations

from seshat.review.queue import Column, Kind, Queue, people_fill

QUEUE = Queue(
    name="alignment",
    title="Doubtful pairs of the alignment",
    asks="Is the one text the translation of the other? Accept, reject, or say which lines belong together.",
    columns=(
        Column("bead_id", Kind.HIDDEN, needed=True),
        Column("document", needed=True),
        Column("source_lines", needed=True),
        Column("target_lines", needed=True),
        Column("source_text", Kind.TEXT, "language"),
        Column("target_text", Kind.TEXT, "pivot"),
        Column("confidence"),
        *people_fill("decision", "source_lines", "target_lines", "source_text", "target_text"),
        Column("status"),
        Column("fingerprint", Kind.HIDDEN, needed=True),
        Column("access", Kind.HIDDEN),
    ),
    identity=("bead_id",),
    strict=False,
)
