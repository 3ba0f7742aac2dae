"""Part ``translate.postprocess``: what is mended in a translation."""

from __future__ import annotations

from seshat.config.base import Section


class PostprocessSection(Section):
    """What is mended in a translation."""

    steps: tuple[str, ...] = ()
    """The steps, in order."""
