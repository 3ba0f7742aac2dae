"""The search index: segments and lexicon entries of ``data/training``, found by their words.

It is made from files and made anew when they change; nothing in it is precious. Every row holds its access level, and
every question names the viewer's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import regex
import structlog

from seshat.core.database import Database, Postgres, Sqlite
from seshat.core.jsonl import atomic_path, dump
from seshat.core.progress import track
from seshat.core.records import Access, Entry, Segment, hyphenated
from seshat.project.folder import Project
from seshat.text.words import words

VERSION = 1
"""Of the layout; another one is made anew."""
SPLITS = ("train", "validation", "test", "monolingual")
GLOSS, MORPHEMES = "gloss", "morphemes"
_TABLES = ("facts", "segments", "lines", "line_words", "entries", "entry_words")
_BATCH = 1_000
_PIECE = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}\u200c\u200d]*")
T = TypeVar("T")
log = structlog.get_logger(__name__)


class Line(NamedTuple):
    """A line of one tier, and the segment that it belongs to."""

    number: int
    text: str
    split: str
    record: str
    """The segment as JSON: of most lines that are looked at nobody needs it."""

    @property
    def segment(self) -> Segment:
        """The segment."""
        return Segment.model_validate_json(self.record)


def tiers_of(segment: Segment) -> dict[str, str]:
    """What can be searched in a segment: tier -> text. Words of a gloss stand between spaces, morphemes at hyphens."""
    tiers = {tag: text for tag, text in segment.texts.items() if text.strip()}
    if segment.gloss:
        tiers[MORPHEMES] = " ".join(hyphenated(word.morphemes) or word.form for word in segment.gloss)
        tiers[GLOSS] = " ".join(hyphenated(word.glosses) or "?" for word in segment.gloss)
    return tiers


def spans(text: str, tier: str) -> list[tuple[int, int]]:
    """The words of a line, as (start, end); in glosses and morphemes, every piece between hyphens and full stops."""
    if tier in (GLOSS, MORPHEMES):
        return [match.span() for match in _PIECE.finditer(text)]
    found, place = [], 0
    for word in words(text):
        start = text.index(word, place)
        place = start + len(word)
        found.append((start, place))
    return found


def folded(text: str, tier: str) -> list[str]:
    """The words of a line as they are compared: upper and lower case are the same."""
    return [text[start:end].casefold() for start, end in spans(text, tier)]


class SearchIndex:
    """Asks the index; every answer holds only what a viewer of level ``viewer`` may see."""

    def __init__(self, database: Database, viewer: Access) -> None:
        self._database = database
        self._level = viewer.level

    def fact(self, name: str) -> str | None:
        """Something noted when the index was made."""
        found = self._database.rows("SELECT value FROM facts WHERE name = ?", (name,))
        return next((row[0] for row in found), None)

    def tiers(self) -> list[str]:
        """The tiers with lines that the viewer may see."""
        sql = "SELECT DISTINCT tier FROM lines WHERE level <= ?"
        return sorted(row[0] for row in self._database.rows(sql, (self._level,)))

    def lines(self, tier: str, after: int = 0, phrase: str | None = None) -> Iterator[Line]:
        """Lines of a tier in the order of the corpus.

        Args:
            tier: which.
            after: number of the last line that is known already.
            phrase: only those that hold it, as :meth:`phrase` writes it.
        """
        sql = f"SELECT lines.number, lines.text, segments.split, segments.record FROM {self._lines(phrase)}"  # noqa: S608
        sql += " AND lines.number > ? ORDER BY lines.number"
        values = (*([phrase] if phrase is not None else []), tier, self._level, after)
        for number, text, split, record in self._database.rows(sql, values):
            yield Line(number, text, split, record)

    def count(self, tier: str, phrase: str) -> int:
        """How many lines of a tier hold a phrase."""
        sql = f"SELECT count(*) FROM {self._lines(phrase)}"  # noqa: S608
        return int(next(self._database.rows(sql, (phrase, tier, self._level)))[0])

    def phrase(self, said: list[str], *, prefix: bool = False) -> str:
        """Folded words in a row, the last perhaps only begun, for :meth:`lines` and :meth:`count`."""
        return self._database.phrase(said, prefix=prefix)

    def _lines(self, phrase: str | None) -> str:
        """Lines of a tier with their segments; the values are the phrase, the tier and the level."""
        tables, holds = "lines", ""
        if phrase is not None:
            # CROSS JOIN: left to itself, SQLite reads all lines of the tier and asks the words of each.
            tables = "line_words CROSS JOIN lines"
            holds = f"{self._database.matches.format(name='line_words')} AND lines.number = line_words.rowid AND"
        return (
            f"{tables} CROSS JOIN segments WHERE {holds} segments.number = lines.segment "
            "AND lines.tier = ? AND lines.level <= ?"
        )

    def pairs(self, source: str, target: str) -> Iterator[Segment]:
        """Training segments in two languages."""
        sql = "SELECT record FROM segments WHERE split = 'train' AND level <= ? ORDER BY number"
        for (record,) in self._database.rows(sql, (self._level,)):
            segment = Segment.model_validate_json(record)
            if segment.texts.get(source, "").strip() and segment.texts.get(target, "").strip():
                yield segment

    def held_out(self) -> Iterator[Segment]:
        """What models are measured on: validation and test."""
        sql = "SELECT record FROM segments WHERE split IN ('validation', 'test') AND level <= ?"
        return (Segment.model_validate_json(row[0]) for row in self._database.rows(sql, (self._level,)))

    def entries(self) -> Iterator[Entry]:
        """The lexicon."""
        rows = self._database.rows("SELECT record FROM entries WHERE level <= ? ORDER BY number", (self._level,))
        return (Entry.model_validate_json(row[0]) for row in rows)

    def holding(self, said: list[str], limit: int) -> list[Entry]:
        """Entries that hold words in a row anywhere: headword, forms, meanings, examples, in any language."""
        matches = self._database.matches.format(name="entry_words")
        sql = (
            "SELECT entries.record FROM entry_words CROSS JOIN entries "  # noqa: S608
            f"WHERE {matches} AND entries.number = entry_words.rowid AND entries.level <= ? "
            "ORDER BY entries.number LIMIT ?"
        )
        values = (self.phrase(said, prefix=True), self._level, limit)
        return [Entry.model_validate_json(row[0]) for row in self._database.rows(sql, values)]

    def attests(self, word: str, language: str) -> bool:
        """Whether a folded word stands in a text of a language, or anywhere in the lexicon."""
        phrase = self.phrase([word])
        sql = f"SELECT 1 FROM {self._lines(phrase)} LIMIT 1"  # noqa: S608
        if any(self._database.rows(sql, (phrase, language, self._level))):
            return True
        matches = self._database.matches.format(name="entry_words")
        sql = "SELECT 1 FROM entry_words CROSS JOIN entries "
        sql += f"WHERE {matches} AND entries.number = entry_words.rowid AND entries.level <= ? LIMIT 1"
        return any(self._database.rows(sql, (phrase, self._level)))

    def trained_on(self) -> Access:
        """The least open level of what models learn from, whoever asks; public when there is nothing."""
        sql = (
            "SELECT max(level) FROM (SELECT level FROM segments WHERE split <> 'test' UNION SELECT level FROM entries)"
        )
        found = next(self._database.rows(sql + " AS learned"))[0]
        return list(Access)[found or 0]

    def close(self) -> None:
        """Let the database go."""
        self._database.close()


def open_search(project: Project, viewer: Access) -> SearchIndex:
    """The index of a project, made where it is missing or its files have changed.

    Raises:
        SeshatError: the database cannot be opened or written.
        DataError: a training file cannot be read.
    """
    wanted = _fingerprint(project)
    address = project.config.serve.database
    if address:
        postgres = Postgres(address)
        if not _is_made(postgres, wanted):
            _make(postgres, project, wanted)
        return SearchIndex(postgres, viewer)
    path = project.state / "search.sqlite"
    if path.exists() and (known := _of_file(path, wanted)):
        return SearchIndex(known, viewer)
    with atomic_path(path) as temporary:
        new = Sqlite(temporary, journal="MEMORY")
        try:
            _make(new, project, wanted)
        finally:
            new.close()
    return SearchIndex(Sqlite(path, journal="DELETE"), viewer)


def _of_file(path: Path, wanted: str) -> Sqlite | None:
    """The index in a file; None when it is another one, or damaged."""
    from seshat.core.errors import DataError

    try:
        found = Sqlite(path, journal="DELETE")
    except DataError:
        return None
    if _is_made(found, wanted):
        return found
    found.close()
    return None


def _is_made(database: Database, wanted: str) -> bool:
    try:
        rows = list(database.rows("SELECT value FROM facts WHERE name = 'fingerprint'"))
    except Exception as error:  # of either database: there is no such table, or the file is none
        log.debug("no search index yet", why=str(error))
        return False
    return rows == [(wanted,)]


def _fingerprint(project: Project) -> str:
    """Changes when a file does that the index is made from."""
    digest = hashlib.sha256(str(VERSION).encode())
    for path in (project.training / f"{name}.jsonl" for name in (*SPLITS, "lexicon")):
        if path.exists():
            with path.open("rb") as stream:
                digest.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _make(database: Database, project: Project, fingerprint: str) -> None:
    with database.writing() as cursor:
        for name in _TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)")
        cursor.execute("CREATE TABLE segments (number INTEGER PRIMARY KEY, split TEXT, level INTEGER, record TEXT)")
        cursor.execute(
            "CREATE TABLE lines (number INTEGER PRIMARY KEY, segment INTEGER, tier TEXT, level INTEGER, text TEXT)"
        )
        cursor.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, level INTEGER, record TEXT)")
        for name in ("line_words", "entry_words"):
            cursor.execute(database.words_table.format(name=name))
        _fill_segments(cursor, database, _segments(project))
        _fill_entries(cursor, database, track(project.entries(), "index lexicon"))
        cursor.execute("CREATE INDEX lines_of_tier ON lines (tier, number)")
        if isinstance(database, Postgres):
            cursor.execute("CREATE INDEX words_of_lines ON line_words USING gin (words)")
            cursor.execute("CREATE INDEX words_of_entries ON entry_words USING gin (words)")
        cursor.execute("INSERT INTO facts (name, value) VALUES ('fingerprint', ?)", (fingerprint,))


def _segments(project: Project) -> Iterator[tuple[str, Segment]]:
    for split in SPLITS:
        for segment in track(project.segments(split), f"index {split}"):
            yield split, segment


def _fill_segments(cursor: Any, database: Database, segments: Iterable[tuple[str, Segment]]) -> None:
    number = line = 0
    for batch in _batched(segments):
        rows, lines, said = [], [], []
        for split, segment in batch:
            number += 1
            level = segment.meta.access.level
            rows.append((number, split, level, dump(segment)))
            for tier, text in tiers_of(segment).items():
                line += 1
                lines.append((line, number, tier, level, text))
                said.append((line, database.document(folded(text, tier))))
        cursor.executemany("INSERT INTO segments (number, split, level, record) VALUES (?, ?, ?, ?)", rows)
        cursor.executemany("INSERT INTO lines (number, segment, tier, level, text) VALUES (?, ?, ?, ?, ?)", lines)
        cursor.executemany("INSERT INTO line_words (rowid, words) VALUES (?, ?)", said)


def _fill_entries(cursor: Any, database: Database, entries: Iterable[Entry]) -> None:
    number = 0
    for batch in _batched(entries):
        rows, said = [], []
        for entry in batch:
            number += 1
            rows.append((number, entry.meta.access.level, dump(entry)))
            # A line break is a word of its own here, or a phrase could begin in a gloss and end in an example.
            texts = [word for text in _texts(entry) for word in (*folded(text, entry.lang), "\n")]
            said.append((number, database.document(texts)))
        cursor.executemany("INSERT INTO entries (number, level, record) VALUES (?, ?, ?)", rows)
        cursor.executemany("INSERT INTO entry_words (rowid, words) VALUES (?, ?)", said)


def _texts(entry: Entry) -> Iterator[str]:
    yield from (entry.headword, *entry.forms)
    for sense in entry.senses:
        for glosses in sense.glosses.values():
            yield from glosses
        for example in sense.examples:
            yield from example.texts.values()


def _batched(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
