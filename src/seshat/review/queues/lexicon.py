"""Likely new word pairs of the corpus, for the lexicon (:mod:`seshat.data.lexicon_review`)."""

from __future__ import annotations

from seshat.review.queue import Column, Kind, Queue, people_fill

QUEUE = Queue(
    name="lexicon",
    title="New words for the lexicon",
    asks="Does the word mean this? Accept it, reject it, or correct the word, its meaning or its type.",
    columns=(
        Column("id", Kind.HIDDEN, needed=True),
        Column("word", Kind.TEXT, "language", needed=True),
        Column("meaning", Kind.TEXT, "pivot", needed=True),
        *people_fill("accept", "word", "meaning", "type"),
        Column("type"),
        Column("score"),
        Column("support"),
        Column("word_count"),
        Column("meaning_count"),
        Column("lexicon_says"),
        Column("example", Kind.TEXT, "language"),
        Column("example_translation", Kind.TEXT, "pivot"),
        Column("origin"),
        Column("access", Kind.HIDDEN),
        Column("licence", Kind.HIDDEN),
        Column("status"),
    ),
    words=("yes", "no"),
)
