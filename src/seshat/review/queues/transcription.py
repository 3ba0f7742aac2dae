"""What a machine has understood of recordings (:mod:`seshat.media.transcribe`), to be checked while listening."""

from __future__ import annotations

from seshat.review.queue import Column, Kind, Queue, people_fill

QUEUE = Queue(
    name="transcription",
    title="Transcriptions by machine",
    asks="Is this what is said? Listen, then accept it, reject it, or write what you hear.",
    columns=(
        Column("id", Kind.HIDDEN, needed=True),
        Column("recording", Kind.AUDIO),
        Column("speaker"),
        Column("language", needed=True),
        Column("text", Kind.TEXT, needed=True),
        Column("translation", Kind.TEXT),
        Column("confidence"),
        *people_fill("decision", "text"),
        Column("fingerprint", Kind.HIDDEN, needed=True),
        Column("access", Kind.HIDDEN),
    ),
    identity=("id", "fingerprint"),
)
