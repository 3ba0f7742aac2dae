"""Section ``align``: parallel documents to sentence pairs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seshat.config.base import Section, Share


class AlignSection(Section):
    """Parallel documents to sentence pairs, without any pretrained model."""

    anchors: Literal["auto", "none", "ids", "verses", "blank-lines"] = "auto"
    """What pins the two sides together before anything is computed: ids at the start of lines, verse numbers,
    blank lines between paragraphs. `auto` uses what both sides agree on."""
    split_sentences: bool = False
    """Split the lines of documents into sentences first; off when a line is a sentence already."""
    lexicon: bool = True
    """Use the project's own lexicon in the lexical score."""
    min_confidence: Share = 0.5
    """Beads below go to reports/alignment_review.csv and are tagged `align:low-confidence`."""
    max_gap: int = Field(default=400, ge=10)
    """How far from the diagonal the search looks, in lines, between anchors."""
    review: str = "reports/alignment_review.csv"
    """The review file; lines corrected there are read back at the next run."""
