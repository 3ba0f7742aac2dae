"""Section ``submit``: a table of translations for a competition, and the bundle that makes it there."""

from __future__ import annotations

from seshat.config.base import Section


class SubmitSection(Section):
    """A table of translations for a competition, and the bundle that makes it there."""
