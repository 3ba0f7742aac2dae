"""Metadata of lameta and SayMore: what a session, person or project file says about the recordings beside it.

``.session``, ``.person`` and ``.sprj`` files hold no sentences. What a session says about genre, speakers and access
goes into every record of the files in its folder; the access word is read like any other, so that one which is no level
of Seshat reads as restricted, and it is kept as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seshat.core.records import Record, Reject
from seshat.formats.context import Context

_KEPT = {
    "date": "session.date",
    "location": "session.location",
    "title": "session.title",
    "participants": "session.participants",
}
_OPEN = frozenset({"open", "o", "f", "level 1", "unrestricted access", "unrestricted"})
"""What archives (ELAR, PARADISEC, AILCA, AILLA, ANLA, TLA) call public."""


@dataclass(frozen=True)
class About:
    """What is known about all records of a file."""

    genre: str = ""
    speaker: str = ""
    access: str = ""
    licence: str = ""
    extra: dict[str, str] = field(default_factory=dict)


def beside(path: Path, context: Context) -> About:
    """What the session file in the folder of a file says; nothing when there is none, or several."""
    found = context.sessions.get(path.parent)
    if found is None:
        sessions = sorted(path.parent.glob("*.session"))
        found = _about(sessions[0], context) if len(sessions) == 1 else About()
        context.sessions[path.parent] = found
    return found


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read metadata files: no records; what they say is reported, and rejects say what is broken."""
    for path in paths:
        values: dict[str, str] = {}
        yield from _values(path, context, values)
        report = context.report(path)
        report.details["metadata"] = sorted(values)
        report.remarks.append("metadata, no sentences: a session is kept with the records of the files in its folder")


def _about(path: Path, context: Context) -> About:
    values: dict[str, str] = {}
    broken = next(_values(path, context, values), None) is not None
    people = [one.strip() for one in values.get("participants", "").split(";") if one.strip()]
    access = values.get("access", "")
    extra = {known: values[name] for name, known in _KEPT.items() if values.get(name)}
    if access:
        extra["session.access"] = access
    consent = sorted(path.parent.glob("*_Consent.*"))
    if consent:
        extra["session.consent"] = "; ".join(one.name for one in consent)
    return About(
        genre=values.get("genre", ""),
        speaker=people[0] if len(people) == 1 else "",
        access="restricted" if broken else access if context.source.archive else _public(access),
        extra=extra,
    )


def _public(access: str) -> str:
    """A code of an archive that is not named, where all of them mean the same by it."""
    return "public" if access.casefold() in _OPEN else access


def _values(path: Path, context: Context, values: dict[str, str]) -> Iterator[Reject]:
    """Fill in the texts of the elements below the root, by name in lower case."""
    from seshat.formats.xmltree import elements, local, text_of

    for element in elements(path, {"Session", "Person", "Project", "MetaData"}, context):
        if isinstance(element, Reject):
            yield element
            continue
        for child in element:
            if (text := text_of(child)) and not child.get("deprecated"):
                values[local(child).casefold()] = text
