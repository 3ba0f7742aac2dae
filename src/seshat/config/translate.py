"""Section ``translate``: how a trained model is used."""

from __future__ import annotations

from pydantic import Field

from seshat.config.base import Section
from seshat.config.mbr import MbrSection
from seshat.config.postprocess import PostprocessSection


class TranslateSection(Section):
    """How a trained model translates, wherever it is used."""

    model: str | None = None
    """Name below models/; default: the one that `train` names."""
    batch: int = Field(default=64, ge=1)
    """Segments in a batch."""
    mbr: MbrSection = MbrSection()
    """Consensus decoding: of many candidates, the one most like all the others."""
    postprocess: PostprocessSection = PostprocessSection()
    """What is mended in a translation."""
