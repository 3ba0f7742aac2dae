"""Part ``translate.mbr``: consensus decoding."""

from __future__ import annotations

from seshat.config.base import Section


class MbrSection(Section):
    """Consensus decoding: of many candidates, the one most like all the others."""

    enabled: bool = False
    """Decode so by default; `seshat translate --mbr` does it once."""
