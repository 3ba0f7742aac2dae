"""A small project to read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.core.records import Document, Entry, Reject, Segment
from seshat.formats import read_source
from seshat.formats.context import Context


class Result:
    """What reading one source gave."""

    def __init__(self, context: Context, records: list[Any], failures: list[DataError]) -> None:
        self.context = context
        self.segments = [record for record in records if isinstance(record, Segment)]
        self.entries = [record for record in records if isinstance(record, Entry)]
        self.documents = [record for record in records if isinstance(record, Document)]
        self.rejects = [record for record in records if isinstance(record, Reject)]
        self.failures = failures

    @property
    def warnings(self) -> str:
        reports = self.context.reports.values()
        return "\n".join([*self.context.remarks, *(line for report in reports for line in report.warnings())])


Read = Callable[..., Result]


def read_files(
    raw: Path,
    files: dict[str, str | bytes],
    *,
    ingest: dict[str, Any] | None = None,
    project: dict[str, Any] | None = None,
    **source: Any,
) -> Result:
    """Write files below a folder and read them as one source."""
    for name, content in files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(content.encode() if isinstance(content, str) else content)
    config = Config.model_validate(
        {
            "project": project
            or {
                "language": "qlm",
                "pivot": "es",
                "languages": {"qlm": {"name": "Lumeko"}, "es": {"name": "Spanish"}, "en": {"name": "English"}},
            },
            "ingest": {"sources": [{"name": "src", **source}], **(ingest or {})},
        }
    )
    context = Context(raw, config.ingest.sources[0], config.ingest, config.project)
    failures: list[DataError] = []
    records = list(read_source(context, lambda _file, error: failures.append(error)))
    return Result(context, records, failures)
