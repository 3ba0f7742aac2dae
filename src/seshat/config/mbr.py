"""Part ``translate.mbr``: consensus decoding."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seshat.config.base import Section


class MbrSection(Section):
    """Many candidates per text; the one most like all the others is the translation."""

    removed: ClassVar[dict[str, str]] = {"mixture": "the mixture is that of the first place of the Deep Past challenge"}

    enabled: bool = False
    """Decode so by default; `seshat translate --mbr` does it once."""
    candidates: int = Field(default=32, ge=1)
    """Candidates per text, of all models together; a time budget makes them fewer."""
    utility: Literal["chrf++", "bleu", "mixture"] = "chrf++"
    """How alike two candidates are; `mixture` is chrF++, BLEU, words in common and length together."""
    n_best: int = Field(default=8, ge=1)
    """Candidates from the beam of each model that can sample; one that cannot gives all of its own from the beam."""
    scale: float = Field(default=1.0, ge=0)
    """Candidates of a beam count by the exponential of so many times their score; 0: all the same."""
    temperatures: tuple[Annotated[float, Field(gt=0)], ...] = (0.6, 0.8, 1.05)
    """The others are sampled, in equal parts, at these temperatures; none: beams only."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Sample among the likeliest tokens that have this much probability together."""
    models: tuple[str, ...] = ()
    """More models below models/ (other seeds, checkpoints, families) to share the candidates among; `NAME@xx-es` asks
    one that knows another source language."""
    bleu_tokenizer: str = "13a"
    """How BLEU cuts words, as in `evaluate.bleu_tokenizer`."""
