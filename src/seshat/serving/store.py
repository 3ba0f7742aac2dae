"""Corrections and searches in a database: SQLite files of the project, or PostgreSQL.

Corrections are data (``data/corrections.sqlite``); the search index is made from ``data/training`` and made anew when
that changes (``.seshat/search.sqlite``).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from seshat.records import Access


class Correction(BaseModel):
    """What a person says a text means, in place of what the machine said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    """Tag of the language of ``text``."""
    target: str
    """Tag of the language of ``translation``."""
    text: str
    translation: str
    """The right translation."""
    machine: str = ""
    """What the machine said."""
    by: str = ""
    """Who says so; as they want to be named."""
    access: Access = Access.RESTRICTED
    note: str = ""
    id: str = ""
    """Made from the rest (but for ``at``), so that the same correction sent twice is one."""
    at: str = ""
    """When it was stored (ISO 8601, UTC)."""
