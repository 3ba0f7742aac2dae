"""How suggestions of a model are marked in files of linguists' programs, and when one counts as accepted.

They stand in a tier (marker, item) of their own, whose name ends in ``seshat``, and each begins with ``?? ``. Whoever
accepts one takes the mark away, with or without changing the text, in whatever program; a suggestion with its mark is
never read as data.
"""

from __future__ import annotations

import regex

MARK = "?? "
"""What a suggestion begins with until somebody accepts it."""
OWNER = "seshat"
"""What the names of tiers of suggestions end in."""
KINDS = {"gloss": "gloss.glosses", "segmentation": "gloss.morphemes"}
"""What is suggested -> the field it fills; translations and transcriptions are named by their language."""

_NAME = regex.compile(rf"(?P<what>[\w.-]+)@{OWNER}(?::.*)?")


def suggested(name: str) -> str | None:
    """The field that a tier of suggestions is about, such as ``es`` for ``es@seshat``; None for any other tier."""
    match = _NAME.fullmatch(name)
    return None if match is None else KINDS.get(match["what"], match["what"])
