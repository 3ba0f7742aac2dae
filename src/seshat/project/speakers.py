"""Numbers instead of the names of speakers, in all that is made of the raw files (``ingest.pseudonyms``).

Which number is whose stands in ``.seshat/speakers.json`` alone, a file that only its owner can read and that goes
neither into a repository nor to another machine. A name keeps its number as long as that file is kept.
"""

from __future__ import annotations

import json
from pathlib import Path

from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.records import Record

FILE = "speakers.json"


class Speakers:
    """The numbers of a project's speakers.

    Args:
        state: the folder ``.seshat`` of the project.

    Raises:
        DataError: the file is damaged.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._numbers: dict[str, str] = {}
        if self._path.exists():
            try:
                found = json.loads(self._path.read_text(encoding="utf-8"))
                self._numbers = {str(name): str(number) for name, number in found.items()}
            except (ValueError, AttributeError) as error:
                raise DataError(
                    f"{self._path}: damaged: {error}.", "Take it from a backup: speakers would mix."
                ) from error

    def known_as(self, name: str) -> str:
        """The number of a speaker, or the name as it is where nobody has one."""
        return self._numbers.get(name, name)

    def hidden(self, record: Record) -> Record:
        """A record with the number of its speaker; a speaker who has none gets the next."""
        name = record.meta.speaker
        if name is None:
            return record
        number = self._numbers.setdefault(name, f"speaker-{len(self._numbers) + 1}")
        return record.model_copy(update={"meta": record.meta.model_copy(update={"speaker": number})})

    def save(self) -> None:
        """Keep the numbers for the next run."""
        write_json(self._path, self._numbers)
