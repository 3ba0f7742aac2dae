"""Corrections that people made of translations, read back as gold segments, so that the next run trains on them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from seshat.config import Config
from seshat.config.project import ProjectSection
from seshat.core.records import Meta, Method, Origin, Reject, Segment
from seshat.formats.lines import EXCERPT
from seshat.project.folder import Project
from seshat.review.corrections import Correction, corrections_file, judged, read
from seshat.review.queue import Decision
from seshat.review.queues.corrections import judgements

SOURCE = "corrections"
"""What corrections are called among the sources, in ids and in the reports."""
SUPERSEDED = "ingest:superseded"
"""Tag of a correction when a newer one of the same text in the same direction exists."""
REJECTED = "corrections:rejected"
"""Tag of a correction that a reviewer has rejected; such segments are left out of the split."""


def newest(corrections: Iterable[Correction]) -> dict[tuple[str, str, str], Correction]:
    """The last correction of every text and direction, by :attr:`Correction.key`."""
    return {one.key: one for one in corrections}


@dataclass(frozen=True)
class Corrections:
    """The corrections of a project, the oldest first."""

    found: list[Correction]
    file: str
    """How their file is named in the origin of a record."""
    judgements: Mapping[str, Decision]
    """What reviewers say of them."""

    @classmethod
    def of(cls, project: Project) -> Corrections:
        """Those in the store of a project.

        Raises:
            SeshatError: the store cannot be read, or the table of those who have reviewed it.
        """
        file = corrections_file(project).relative_to(project.root).as_posix()
        return cls(read(project), SOURCE if project.config.serve.database else file, judgements(project))

    def records(self, config: Config) -> Iterator[Segment | Reject]:
        """Corrections as gold segments; one that a later one replaces or a reviewer rejects is kept, tagged."""
        last = {key: one.id for key, one in self._last(config).items()}
        form = config.ingest.unicode
        for row, one in enumerate(self.found, start=1):
            if reason := _refusal(one, config.project):
                yield Reject(file=self.file, line=row, reason=reason, content=one.model_dump_json()[:EXCERPT])
                continue
            held = next(judged([one], self.judgements), None)
            pair = {one.source: one.text.strip(), one.target: (held or one).translation.strip()}
            texts = pair if form == "keep" else {tag: unicodedata.normalize(form, text) for tag, text in pair.items()}
            tags = (REJECTED,) if held is None else () if last[one.key] == one.id else (SUPERSEDED,)
            yield Segment(id=f"{SOURCE}:{one.id}", texts=texts, meta=self._meta(row, one, tags))

    def _last(self, config: Config) -> dict[tuple[str, str, str], Correction]:
        """The last one of every text and direction that can be used and was not rejected."""
        return newest(judged((one for one in self.found if not _refusal(one, config.project)), self.judgements))

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
        held = len(list(judged(usable, self.judgements)))
        rejected = {"rejected": len(usable) - held} if held < len(usable) else {}
        superseded = held - len(self._last(config))
        return {
            "found": len(self.found),
            "superseded": superseded,
            "rejects": len(self.found) - len(usable),
            **rejected,
        }


def _refusal(one: Correction, project: ProjectSection) -> str | None:
    if one.damaged:
        return f"a damaged correction: no text in {one.damaged}"
    known = project.tags
    if one.source == one.target or one.source not in known or one.target not in known:
        return f"a correction from '{one.source}' into '{one.target}': the project is about {' and '.join(known)}"
    if not one.text.strip() or not one.translation.strip():
        return "a correction without text or without translation"
    return None
