"""Section ``augment``: more training pairs than were given."""

from __future__ import annotations

from seshat.config.base import Section


class AugmentSection(Section):
    """More training pairs than were given: found, made, or checked."""
