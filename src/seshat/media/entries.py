"""Entries of a scanned dictionary: where one begins by layout and typeface, what is in it by a pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from seshat.config.ocr import DictionarySection, parsed
from seshat.core.gate import UNREVIEWED
from seshat.core.records import Entry, Example, Meta, Method, Origin, Reject, Sense
from seshat.media.lessons import Proposal
from seshat.media.pages import Box, Line, Page, around, running
from seshat.media.reading import Readers
from seshat.media.reviewing import draw, region
from seshat.project.folder import Project
from seshat.review.queue import Verdict, digest
from seshat.review.queues.scanned_entries import QUEUE
from seshat.review.table import Row

if TYPE_CHECKING:
    from seshat.media.ocr import Scan

_BOLD = 1.2
"""How much thicker strokes of bold words are than usual."""


@dataclass
class Printed:
    """An entry as it stands on a page."""

    scan: Scan
    lines: list[Line]
    id: str

    @property
    def read(self) -> str:
        """Its text as it was read."""
        return running([line.text for line in self.lines])

    @property
    def box(self) -> Box:
        """Where it begins: its lines in the column of its first."""
        column = [self.lines[0]]
        for line in self.lines[1:]:
            if line.box[1] <= column[-1].box[1]:
                break
            column.append(line)
        return around(line.box for line in column)


@dataclass
class Made:
    """What became of the pages of dictionaries."""

    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    open: list[tuple[Printed, Entry]] = field(default_factory=list)
    """Entries that nobody has looked at."""

    def propose(self, project: Project, readers: Readers) -> int:
        """Put entries of the first pages with open ones before people; gives how many."""
        pages = list(dict.fromkeys(printed.scan.id for printed, _ in self.open))[: project.config.ocr.review_pages]
        shown = [(printed, entry) for printed, entry in self.open if printed.scan.id in pages]
        draw(project, {printed.scan.id: printed.scan for printed, _ in shown}.values(), readers)
        path = QUEUE.path(project)
        rows, before = QUEUE.read(path)
        if shown or before is not None:
            QUEUE.write(path, QUEUE.merged(rows, (_row(project, *one) for one in shown)), before)
        return len(shown)


def printed_entries(section: DictionarySection, page: Page, two: bool) -> Iterator[tuple[bool, list[Line]]]:
    """The lines of each entry of a page, and whether it begins there: the first can go on from the page before.

    Args:
        section: how entries are printed.
        page: the page.
        two: whether it has two columns.
    """
    lines = [line for line in page.lines if any(one.isalpha() for one in line.text)]
    strokes = [word.stroke for line in lines for word in line.words if word.stroke]
    usual = median(strokes) if strokes else 0.0
    heights = [line.box[3] for line in lines if line.box[3]]
    tolerance = median(heights) / 2 if heights else 0.0
    edges = _edges(page, lines, two)
    found: list[Line] = []
    begun = False
    for place, line in enumerate(lines):
        begins = True
        if section.hanging:
            begins = line.box[0] <= edges[place] + tolerance
        elif not section.bold:
            begins = place == 0 or line.paragraph != lines[place - 1].paragraph
        if section.bold and usual:
            begins = begins and line.words[0].stroke >= _BOLD * usual
        if begins:
            if found:
                yield begun, found
            found, begun = [], True
        found.append(line)
    if found:
        yield begun, found


def _edges(page: Page, lines: Sequence[Line], two: bool) -> list[float]:
    """The left edge of the column of each line: where its leftmost lines begin (the fifth per cent of them)."""
    sides = [two and line.box[0] + line.box[2] / 2 > page.width / 2 for line in lines]
    edges = {}
    for side in set(sides):
        lefts = sorted(line.box[0] for line, own in zip(lines, sides, strict=True) if own == side)
        edges[side] = lefts[len(lefts) // 20]
    return [edges[side] for side in sides]


def entries_of(
    project: Project, scans: Sequence[Scan], pages: Mapping[str, Page], proposed: Mapping[str, Proposal]
) -> Made:
    """The entries of all pages of dictionaries, as people have decided or as they were read.

    Raises:
        DataError: the review table cannot be read.
    """
    rows = {(row["id"], row["fingerprint"]): row for row in QUEUE.read(QUEUE.path(project))[0] if QUEUE.decided(row)}
    made = Made()
    for printed in _all(scans, pages):
        section = printed.scan.task.source.dictionary
        assert section is not None
        texts = [proposed.get(line.text, Proposal(line.text)).text for line in printed.lines]
        row = rows.get((printed.id, digest(printed.read)))
        if row is not None:
            decision = QUEUE.decision(row)
            if decision.verdict is Verdict.REJECT:
                continue
            told = {name: decision.corrected.get(name, row[name]) for name in ("headword", "pos", "glosses")}
            glosses = tuple(one.strip() for one in told["glosses"].split(";") if one.strip())
            found = {
                **told,
                "glosses": glosses,
                "examples": (parsed(section, row["recognised"]) or {}).get("examples", ()),
            }
            made.entries.append(_entry(project, printed, found, decision.reviewer))
        elif (got := parsed(section, running(texts))) is not None:
            entry = _entry(project, printed, got, None)
            made.entries.append(entry)
            made.open.append((printed, entry))
        else:
            reason = (
                f"page {printed.scan.task.number}: this does not look like an entry (ocr.sources, dictionary.pattern)"
            )
            made.rejects.append(
                Reject(file=printed.scan.task.file, line=None, reason=reason, content=printed.read[:500])
            )
    return made


def _all(scans: Sequence[Scan], pages: Mapping[str, Page]) -> Iterator[Printed]:
    waiting: Printed | None = None
    for scan in scans:
        source = scan.task.source
        assert source.dictionary is not None
        found = printed_entries(source.dictionary, pages[scan.id], source.columns == 2)
        for order, (begins, lines) in enumerate(found):
            if not begins and waiting is not None and waiting.scan.task.path == scan.task.path:
                waiting.lines += lines
                continue
            if waiting is not None:
                yield waiting
            waiting = Printed(scan, lines, f"{scan.id}:{order}")
    if waiting is not None:
        yield waiting


def _entry(project: Project, printed: Printed, found: Mapping[str, object], reviewer: str | None) -> Entry:
    task, config = printed.scan.task, project.config
    assert task.source.dictionary is not None
    language = task.source.language or config.project.language
    gloss = task.source.dictionary.gloss_language or config.project.pivot
    open_tag = reviewer is None and not config.ocr.allow_unreviewed
    meta = Meta(
        doc_id=f"{task.source.name}:{task.file}",
        origin=Origin(file=task.file, page=task.number),
        genre=task.source.genre,
        source=task.source.name,
        licence=task.source.licence,
        access=task.source.access,
        method=Method.MACHINE if reviewer is None else Method.GOLD,
        score=round(min(line.confidence for line in printed.lines), 3) if reviewer is None else None,
        tags=(f"ocr{UNREVIEWED}",) if open_tag else (),
        extra={"reviewer": reviewer} if reviewer else {},
    )
    glosses, examples = found["glosses"], found["examples"]
    assert isinstance(glosses, tuple) and isinstance(examples, tuple)
    sense = Sense(
        glosses={gloss: glosses},
        examples=tuple(Example(texts={language: text, gloss: translation}) for text, translation in examples),
    )
    pos = str(found["pos"]) if found["pos"] else None
    return Entry(id=printed.id, lang=language, headword=str(found["headword"]), pos=pos, senses=(sense,), meta=meta)


def _row(project: Project, printed: Printed, entry: Entry) -> Row:
    glosses = next(iter(entry.senses[0].glosses.values()), ())
    cells = {
        "id": entry.id,
        "page": f"{printed.scan.task.file}, p. {printed.scan.task.number}",
        "scan": region(project, printed.scan, printed.box),
        "recognised": printed.read,
        "headword": entry.headword,
        "pos": entry.pos or "",
        "glosses": "; ".join(glosses),
        "confidence": f"{entry.meta.score:.2f}",
        "fingerprint": digest(printed.read),
        "access": printed.scan.task.source.access.value,
    }
    return Row(cells)
