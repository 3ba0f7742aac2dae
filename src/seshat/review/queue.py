"""A queue: rows that people accept, reject or correct, declared in one place.

Seshat writes the columns of a proposal, people fill those of a decision, and both stand in one table
(:mod:`seshat.review.table`). Rows that somebody has touched are never dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.core.errors import DataError
from seshat.core.records import Access
from seshat.review import table
from seshat.review.table import Row

if TYPE_CHECKING:
    from seshat.project.folder import Project

ACCEPT = frozenset({"accept", "accepted", "ok", "yes", "y", "right", "correct", "corrected"})
REJECT = frozenset({"reject", "rejected", "no", "n", "wrong"})
"""Words by which people accept and reject, in any case of letters."""
CORRECTED = "corrected_"
COMMENT, REVIEWER, REVIEWED_AT, ACCESS = "comment", "reviewer", "reviewed_at", "access"


class Kind(StrEnum):
    """What stands in a column, and so how a page shows it."""

    FACT = "fact"
    """Something short about the row: a document, a score."""
    TEXT = "text"
    """What a reviewer reads."""
    WORDS = "words"
    """Words between spaces that stand above those of the next such column: interlinear text."""
    IMAGE = "image"
    """A file below the project folder, perhaps a region of it (``scan.png#xywh=10,20,300,60``), or a data URI."""
    AUDIO = "audio"
    """A file below the project folder, perhaps a span of it (``tale.wav#t=3.2,7.9``), or a data URI."""
    HIDDEN = "hidden"
    """For Seshat alone."""
    DECISION = "decision"
    """For people: accept or reject."""
    CORRECTION = "correction"
    """For people: what should stand in the column of the same name without ``corrected_``."""
    REMARK = "remark"
    """For people: who, when, and why."""


HUMAN = frozenset({Kind.DECISION, Kind.CORRECTION, Kind.REMARK})
READ = frozenset({Kind.TEXT, Kind.WORDS})
MEDIA = frozenset({Kind.IMAGE, Kind.AUDIO})


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind = Kind.FACT
    language: str = ""
    """Of its text: ``language`` or ``pivot`` (of the project), or a tag."""
    needed: bool = False
    """Whether a table without it cannot be read."""


def people_fill(decision: str, *corrected: str) -> tuple[Column, ...]:
    """The columns that belong to people.

    Args:
        decision: name of the column for accept or reject.
        corrected: columns that people can correct.
    """
    return (
        Column(decision, Kind.DECISION, needed=True),
        *(Column(f"{CORRECTED}{name}", Kind.CORRECTION) for name in corrected),
        *(Column(name, Kind.REMARK) for name in (COMMENT, REVIEWER, REVIEWED_AT)),
    )


class Verdict(StrEnum):
    """What a person says of a row."""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True)
class Decision:
    """What a person has decided about a row, by whom and when."""

    verdict: Verdict | None = None
    corrected: Mapping[str, str] = field(default_factory=dict)
    """Column -> what should stand there."""
    comment: str = ""
    reviewer: str = ""
    reviewed_at: str = ""
    """ISO 8601; empty where it was made in a spreadsheet."""

    @property
    def made(self) -> bool:
        """Whether anything is decided; a comment alone decides nothing."""
        return self.verdict is not None or bool(self.corrected)

    @property
    def accepted(self) -> bool:
        """Whether the row holds, as proposed or as corrected."""
        return self.made and self.verdict is not Verdict.REJECT


class NoDecision(DataError):
    """A word in the column for decisions is none."""


@dataclass(frozen=True)
class Queue:
    """One kind of question to people."""

    name: str
    """As in ``seshat review NAME``, ``reports/NAME_review.csv`` and the address of its page."""
    title: str
    asks: str
    """What the reviewer is to judge, in one or two sentences."""
    columns: tuple[Column, ...]
    identity: tuple[str, ...] = ("id",)
    """The columns that name a row; with its text among them where a decision about another text must not hold."""
    words: tuple[str, str] = ("accept", "reject")
    """What the page writes into the column for decisions."""
    proposes: Callable[[Project], Iterable[Row]] | None = None
    """What is proposed now, where that costs nothing to know and no stage writes the table."""
    strict: bool = True
    """Whether a word that is no decision makes the table unreadable; else the queue says so in the row's status."""

    def path(self, project: Project) -> Path:
        """Where its table is."""
        return project.reports / f"{self.name}_review.csv"

    def named(self, *kinds: Kind) -> list[str]:
        """Names of the columns of some kinds, in order."""
        return [column.name for column in self.columns if column.kind in kinds]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All columns, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def human(self) -> tuple[str, ...]:
        """The columns that belong to people; Seshat writes all the others."""
        return tuple(self.named(*HUMAN))

    @cached_property
    def decided_in(self) -> str:
        """The column for accept or reject."""
        return self.named(Kind.DECISION)[0]

    @cached_property
    def corrections(self) -> tuple[str, ...]:
        """The columns in which people correct others."""
        return tuple(self.named(Kind.CORRECTION))

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The columns that a table must have."""
        return tuple(column.name for column in self.columns if column.needed)

    def key(self, row: Row) -> tuple[str, ...]:
        """What names a row."""
        return tuple(row[column] for column in self.identity)

    def touched(self, row: Row) -> bool:
        """Whether a person has written something in a row, be it in a column of their own."""
        return any(
            value.strip() and (column in self.human or column not in self.names) for column, value in row.cells.items()
        )

    def decided(self, row: Row) -> bool:
        """Whether a person has decided something in a row, be it by a word that cannot be used."""
        return any(row[column] for column in (self.decided_in, *self.corrections))

    def mark(self, row: Row) -> str:
        """A digest of what people have written in a row: another one says that somebody has been there."""
        return digest([row[column] for column in self.human])

    def access(self, row: Row, project: Project) -> Access:
        """Who may see a row; where the table does not say it, the level up to which the project writes tables."""
        return Access.parse(row[ACCESS]) if row[ACCESS] else project.config.project.max_access

    def decision(self, row: Row) -> Decision:
        """What a person has decided about a row.

        Raises:
            NoDecision: what stands in the column for decisions is neither accept nor reject.
        """
        said = row[self.decided_in].casefold()
        if said and said not in ACCEPT | REJECT:
            raise NoDecision(
                f"'{row[self.decided_in]}' is no decision.",
                f"Write {' or '.join(self.words)} under {self.decided_in}, or correct the row, or leave both empty.",
            )
        verdict = None if not said else Verdict.ACCEPT if said in ACCEPT else Verdict.REJECT
        corrected = {name.removeprefix(CORRECTED): row[name] for name in self.corrections if row[name]}
        return Decision(verdict, corrected, row[COMMENT], row[REVIEWER], row[REVIEWED_AT])

    def read(self, path: Path) -> tuple[list[Row], bytes | None]:
        """The rows of a table, and its content as it was (None: there is no such file).

        Raises:
            DataError: it cannot be read, or a decision is none; nothing of it is overwritten.
        """
        rows, content = table.read(path, self.needed)
        for number, row in enumerate(rows if self.strict else (), start=2):
            try:
                if row[self.decided_in]:
                    self.decision(row)
            except NoDecision as error:
                raise DataError(f"{path}:{number}: {error.message}", error.hint) from error
        return rows, content

    def write(self, path: Path, rows: Iterable[Row], before: bytes | None) -> None:
        """Write a table.

        Raises:
            DataError: somebody has saved it since it was read.
        """
        table.write(path, rows, before, self.names)

    def merged(self, rows: Iterable[Row], proposed: Iterable[Row]) -> list[Row]:
        """What people have touched stays, first; of what is proposed now the rest is added."""
        kept = [row for row in rows if self.touched(row)]
        known = {self.key(row) for row in kept}
        return [*kept, *(row for row in proposed if self.key(row) not in known)]

    def brought_up_to_date(self, project: Project) -> None:
        """Add to the table what is proposed now; of a queue whose table a stage writes, nothing.

        Raises:
            DataError: the table cannot be read, or somebody has just saved it.
        """
        if self.proposes is not None:
            path = self.path(project)
            rows, before = self.read(path)
            new = self.merged(rows, self.proposes(project))
            if new or before is not None:
                self.write(path, new, before)

    def digest(self, project: Project) -> str | None:
        """A digest of what people have decided, and about what; remarks do not count. None for nothing."""
        path = self.path(project)
        try:
            rows, _ = table.read(path, self.needed)
        except DataError as error:
            return digest(error.message, 64)  # the stage will say so, too
        columns = (*self.identity, *self.named(*READ), self.decided_in, *self.corrections)
        told = [[row[column] for column in columns] for row in rows if self.decided(row)]
        return digest(sorted(told), 64) if told else None


def digest(value: Any, length: int = 16) -> str:
    """A digest of a value that JSON can say, in hexadecimal digits."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()[:length]
