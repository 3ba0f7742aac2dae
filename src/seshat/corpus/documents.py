"""The documents of a project's language, and what the stages of a corpus say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from pydantic import BaseModel, ConfigDict

from seshat.core.gate import read_everything
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Segment
from seshat.project.folder import Project


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """The document: its source and its name there."""


class Measured(_Line):
    """What was measured of a document."""

    source: str
    genre: str | None = None
    segments: int
    fixed: bool = False
    """Whether its source fixes the set that it belongs to: it is neither judged nor drawn."""
    numbers: dict[str, float]


class Cluster(_Line):
    """Which documents are the same as this one."""

    cluster: str
    """The document that stands for all of them."""
    size: int = 1
    tags: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    """Its segments that stand in an earlier document, and in many."""


class Verdict(_Line):
    """What keeps a document out of the corpus, or some of its lines."""

    tags: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """The same with figures, for people."""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Doc:
    """The segments of one document that are in the language alone."""

    id: str
    language: str
    segments: tuple[Segment, ...]

    @property
    def lines(self) -> list[str]:
        """Their texts."""
        return [one.texts[self.language] for one in self.segments]

    @property
    def fixed(self) -> bool:
        """Whether the source puts it into a set."""
        return self.segments[0].meta.split is not None

    @property
    def held_out(self) -> bool:
        """Whether the source makes it part of the validation or test set."""
        return self.segments[0].meta.split in ("validation", "test")


def key(segment: Segment) -> str:
    """The document that a segment belongs to; without one it is a document by itself."""
    return f"{segment.meta.source or '?'}\t{segment.meta.doc_id or segment.id}"


def documents(project: Project) -> Iterator[Doc]:
    """All documents, in order of their sources. Segments with a translation, or that a tag keeps out, are left out."""
    language, pivot, split = project.config.project.language, project.config.project.pivot, project.config.split
    for folder in (project.cleaned, project.aligned):
        wanted = (
            one
            for one in read_everything(folder / "segments.jsonl", Segment)
            if one.texts.get(language) and pivot not in one.texts and not any(map(split.excludes, one.meta.tags))
        )
        for name, segments in groupby(wanted, key):
            yield Doc(name, language, tuple(segments))


@dataclass(frozen=True)
class Verdicts:
    """What ``mix`` has decided, for the stages that choose records by their tags."""

    documents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: frozenset[str] = frozenset()

    @classmethod
    def load(cls, project: Project) -> Verdicts:
        """The verdicts of a project; none where no corpus is made."""
        if project.config.mix.strategy is None:
            return cls()
        tags: dict[str, tuple[str, ...]] = {}
        lines: list[str] = []
        for one in read_jsonl(project.mixed / "verdicts.jsonl", Verdict):
            tags[one.id] = one.tags
            lines += one.lines
        return cls(tags, frozenset(lines))

    def applied(self, segment: Segment) -> Segment:
        """A segment with the tags of its document and its line."""
        tags = self.documents.get(key(segment), ()) + (("dedup:line",) if segment.id in self.lines else ())
        return segment.model_copy(update={"meta": segment.meta.tagged(*tags)}) if tags else segment
