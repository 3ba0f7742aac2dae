"""Pairs of the training data that models trained on the others cannot believe (:mod:`seshat.augment.audit`)."""

from __future__ import annotations

from seshat.review.queue import Column, Kind, Queue, people_fill

QUEUE = Queue(
    name="audit",
    title="Pairs that the audit doubts",
    asks="Is this a translation of the text? Accept it, reject it, or correct either side.",
    columns=(
        Column("id", Kind.HIDDEN, needed=True),
        Column("document"),
        Column("source_text", Kind.TEXT, "language"),
        Column("target_text", Kind.TEXT, "pivot"),
        Column("machine_text", Kind.TEXT, "pivot"),
        Column("chrf"),
        Column("expected"),
        *people_fill("decision", "source_text", "target_text"),
        Column("status"),
        Column("fingerprint", Kind.HIDDEN, needed=True),
        Column("access", Kind.HIDDEN),
    ),
    identity=("id", "fingerprint"),  # a decision about another text of the same id does not hold
)
