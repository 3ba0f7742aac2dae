"""Corrections that people made of translations, read back as gold segments, so that the next run trains on them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seshat.config import Config
from seshat.config.project import ProjectSection
from seshat.core.records import Meta, Method, Origin, Reject, Segment
from seshat.formats.lines import EXCERPT
from seshat.project.folder import Project
from seshat.review.corrections import Correction, corrections_file, read

SOURCE = "corrections"
"""What corrections are called among the sources, in ids and in the reports."""
SUPERSEDED = "ingest:superseded"
"""Tag of a correction when a newer one of the same text in the same direction exists."""


def newest(corrections: Iterable[Correction]) -> dict[tuple[str, str, str], Correction]:
    """The last correction of every text and direction, by :attr:`Correction.key`."""
    return {one.key: one for one in corrections}


@dataclass(frozen=True)
class Corrections:
    """The corrections of a project, the oldest first."""

    found: list[Correction]
    file: str
    """How their file is named in the origin of a record."""

    @classmethod
    def of(cls, project: Project) -> Corrections:
        """Those in the store of a project.

        Raises:
            SeshatError: the store cannot be read.
        """
        file = corrections_file(project).relative_to(project.root).as_posix()
        return cls(read(project), SOURCE if project.config.serve.database else file)

    def records(self, config: Config) -> Iterator[Segment | Reject]:
        """Corrections as gold segments; an earlier one of the same text and direction is kept, tagged."""
        last = newest(one for one in self.found if not _refusal(one, config.project))
        form = config.ingest.unicode
        for row, one in enumerate(self.found, start=1):
            if reason := _refusal(one, config.project):
                yield Reject(file=self.file, line=row, reason=reason, content=one.model_dump_json()[:EXCERPT])
                continue
            pair = {one.source: one.text.strip(), one.target: one.translation.strip()}
            texts = pair if form == "keep" else {tag: unicodedata.normalize(form, text) for tag, text in pair.items()}
            tags = () if last[one.key] is one else (SUPERSEDED,)
            yield Segment(id=f"{SOURCE}:{one.id}", texts=texts, meta=self._meta(row, one, tags))

    def _meta(self, row: int, one: Correction, tags: tuple[str, ...]) -> Meta:
        about = {"direction": f"{one.source}-{one.target}", "machine": one.machine, "at": one.at, "note": one.note}
        return Meta(
            origin=Origin(file=self.file, line=row),
            speaker=one.by or None,
            source=SOURCE,
            access=one.access,
            method=Method.GOLD,
            tags=tags,
            extra={name: value for name, value in about.items() if value},
        )

    def report(self, config: Config) -> dict[str, int]:
        """For ``report.json``: how many there are, how many a newer one replaces, how many cannot be used."""
        usable = [one for one in self.found if not _refusal(one, config.project)]
        superseded = len(usable) - len(newest(usable))
        return {"found": len(self.found), "superseded": superseded, "rejects": len(self.found) - len(usable)}


def _refusal(one: Correction, project: ProjectSection) -> str | None:
    if one.damaged:
        return f"a damaged correction: no text in {one.damaged}"
    known = (project.language, project.pivot)
    if one.source == one.target or one.source not in known or one.target not in known:
        return f"a correction from '{one.source}' into '{one.target}': the project is about {' and '.join(known)}"
    if not one.text.strip() or not one.translation.strip():
        return "a correction without text or without translation"
    return None
