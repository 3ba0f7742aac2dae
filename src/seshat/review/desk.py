"""Where decisions come in: from a page one by one, or from a table that somebody has filled in elsewhere.

Nothing that another person has written meanwhile is overwritten: a decision says what the reviewer saw.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.core.errors import DataError, SeshatError, UsageError
from seshat.core.gate import Gate
from seshat.review.queue import COMMENT, REVIEWED_AT, REVIEWER, Queue
from seshat.review.table import Row

if TYPE_CHECKING:
    from seshat.project.folder import Project

_WRITING = threading.Lock()
"""Tables are small: one decision is written at a time."""
_TRIES = 3
MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
}
"""Files that every browser shows or plays, by the end of their name."""


class Conflict(SeshatError):
    """Somebody else has written in the row since the reviewer saw it."""


@dataclass(frozen=True)
class Taken:
    """What became of the rows of a table that was filled in elsewhere."""

    taken: int
    known: int
    """Rows that say what the table of the project says already."""
    conflicts: tuple[str, ...]
    """Rows in which somebody else has decided otherwise; theirs stays."""


@dataclass(frozen=True)
class Count:
    """How far a queue is."""

    rows: int
    decided: int

    @property
    def open(self) -> int:
        """Rows about which nobody has decided anything."""
        return self.rows - self.decided


class Desk:
    """A queue of one project, as somebody may see it.

    Args:
        queue: the queue.
        project: the project.
        gate: rows that do not pass neither appear nor can be decided; default: the gate of the project's runs.
    """

    def __init__(self, queue: Queue, project: Project, gate: Gate | None = None) -> None:
        self.queue, self.project = queue, project
        self.gate = gate or project.gate
        self.path = queue.path(project)

    def rows(self) -> list[Row]:
        """The rows that the viewer may see; what is proposed by now is added to the table first.

        Raises:
            DataError: the table cannot be read or written.
        """
        with _WRITING:
            self.queue.brought_up_to_date(self.project)
        return [row for row in self.queue.read(self.path)[0] if self._sees(row)]

    def count(self) -> Count:
        """How many rows the viewer sees, and how many of them are decided."""
        rows = self.rows()
        return Count(len(rows), sum(map(self.queue.decided, rows)))

    def row(self, key: Sequence[str]) -> Row:
        """A row by what names it.

        Raises:
            UsageError: the viewer sees no such row.
        """
        return self._find(self.rows(), key)

    def decide(self, key: Sequence[str], seen: str, cells: Mapping[str, str]) -> Row:
        """Write what a person has decided; when this returns it is on the disk.

        Args:
            key: what names the row.
            seen: :meth:`Queue.mark` of the row as the reviewer saw it.
            cells: column -> what the reviewer wrote; only columns that belong to people. The time is that of now.

        Returns:
            The row as it stands now.

        Raises:
            UsageError: there is no such row or column, or the decision is none.
            Conflict: somebody else has written in the row since.
            DataError: the table cannot be read or written.
        """
        if strange := set(cells) - set(self.queue.human):
            raise UsageError(f"People do not write into {', '.join(sorted(strange))}.")
        with _WRITING:
            for left in reversed(range(_TRIES)):
                rows, before = self.queue.read(self.path)
                row = self._find((one for one in rows if self._sees(one)), key)
                if self.queue.mark(row) != seen:
                    who = row[REVIEWER] or "Somebody"
                    raise Conflict(f"{who} has decided about this row meanwhile.", "Load the page again to see it.")
                decided = _signed(self.queue, row.changed(**cells))
                try:
                    self.queue.write(self.path, [decided if one is row else one for one in rows], before)
                except DataError:  # saved by somebody between reading and writing: read it again
                    if not left:
                        raise
                    continue
                return decided
        raise AssertionError("unreachable")

    def take(self, path: Path) -> Taken:
        """Take over what somebody has decided in a copy of the table, such as the page saves it.

        A decision replaces another one when it is a later one of the same reviewer. Rows that the table does not list
        any more are added, so that no decision is lost.

        Args:
            path: the copy.

        Raises:
            UsageError: there is no such file.
            DataError: one of the two tables cannot be read, or somebody has saved the project's meanwhile.
        """
        copied, content = self.queue.read(path)
        if content is None:
            raise UsageError(f"{path}: there is no such file.")
        rows, before = self.queue.read(self.path)
        places = {self.queue.key(row): place for place, row in enumerate(rows)}
        taken, known, conflicts = 0, 0, []
        for theirs in copied:
            if not self.queue.touched(theirs):
                continue
            place = places.get(self.queue.key(theirs))
            if place is None:
                rows.append(theirs)
            elif self.queue.mark(rows[place]) == self.queue.mark(theirs):
                known += 1
                continue
            elif self.queue.touched(rows[place]) and not _is_later(theirs, rows[place]):
                conflicts.append(" ".join(self.queue.key(theirs)))
                continue
            else:
                rows[place] = rows[place].changed(**_peoples(self.queue, theirs))
            taken += 1
        self.queue.write(self.path, rows, before)
        return Taken(taken, known, tuple(conflicts))

    def _sees(self, row: Row) -> bool:
        return self.gate.admits(self.queue.access(row, self.project))

    def _find(self, rows: Sequence[Row] | Iterator[Row], key: Sequence[str]) -> Row:
        found = next((row for row in rows if self.queue.key(row) == tuple(key)), None)
        if found is None:
            raise UsageError("There is no such row any more.", "Load the page again.")
        return found


def media_file(project: Project, cell: str) -> Path | None:
    """The image or sound that a cell names; None for what is none, or no file of the project.

    Args:
        project: the project; the file lies below its folder, also when links are followed.
        cell: a path from the project folder, with or without a region or span after ``#``.
    """
    name = cell.partition("#")[0].strip()
    path = (project.root / name).resolve()
    if path.suffix.lower() not in MEDIA_TYPES or Path(name).is_absolute():
        return None
    return path if path.is_file() and path.is_relative_to(project.root.resolve()) else None


def _signed(queue: Queue, row: Row) -> Row:
    """A row with the time of its decision; without name and time where everything was taken back."""
    queue.decision(row)
    if queue.decided(row) or row[COMMENT]:
        return row.changed(**{REVIEWED_AT: datetime.now(UTC).isoformat(timespec="seconds")})
    return row.changed(**{REVIEWED_AT: "", REVIEWER: ""})


def _is_later(one: Row, other: Row) -> bool:
    """Whether a row is a later word of the same reviewer."""
    same = one[REVIEWER].casefold() == other[REVIEWER].casefold() != ""
    return same and one[REVIEWED_AT] > other[REVIEWED_AT]


def _peoples(queue: Queue, row: Row) -> dict[str, str]:
    """The cells of a row that people have written, those of columns of their own too."""
    own = {column: value for column, value in row.cells.items() if column not in queue.names}
    return {**{column: row[column] for column in queue.human}, **own}
