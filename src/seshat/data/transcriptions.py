"""What ``transcribe`` has heard, as people have decided about it: records for ``ingest``."""

from __future__ import annotations

from collections.abc import Iterator

from seshat.core.gate import UNREVIEWED, read_everything
from seshat.core.records import Segment
from seshat.project.folder import Project
from seshat.review.queues.transcription import QUEUE
from seshat.review.segments import Decisions, decided
from seshat.review.table import Row


def transcribed(project: Project) -> Iterator[Segment]:
    """The segments that were heard: corrected and ``gold`` where somebody has checked them, else not for training.

    Raises:
        DataError: a file of them, or the table of the review, cannot be read.
    """
    by_language: dict[str, list[Row]] = {}
    for row in QUEUE.read(QUEUE.path(project))[0]:
        by_language.setdefault(row["language"], []).append(row)
    made = [one for tag, rows in by_language.items() for one in decided(QUEUE, rows, {"text": tag})]
    decisions = Decisions({(one.id, one.fingerprint): one for one in made})
    trusted = project.config.transcribe.allow_unreviewed
    for segment in read_everything(project.transcribed / "segments.jsonl", Segment):
        one = decisions.applied(segment)
        if trusted:
            tags = tuple(tag for tag in one.meta.tags if not tag.endswith(UNREVIEWED))
            one = one.model_copy(update={"meta": one.meta.model_copy(update={"tags": tags})})
        yield one
