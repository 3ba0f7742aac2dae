"""What people say of scanned pages: decisions about lines, and pages typed beside the scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seshat.core.jsonl import write_text
from seshat.media.images import drawable
from seshat.media.lessons import Pair, Proposal
from seshat.media.markup import FORMS, written
from seshat.media.pages import Box, Page, Word
from seshat.media.reading import Readers, draw_page
from seshat.project.folder import Project
from seshat.review.queue import Verdict, digest
from seshat.review.queues.ocr import QUEUE
from seshat.review.table import Row

if TYPE_CHECKING:
    from seshat.media.ocr import Scan

_ALIKE = 50.0
"""How alike (rapidfuzz ratio, 0 to 100) a typed line and one that was read must be to be the same."""


@dataclass(frozen=True)
class Said:
    """What stands in a line, by a person."""

    text: str
    """Empty where there is no text."""
    reviewer: str = ""


@dataclass
class Reviewed:
    """What people have said of a page."""

    lines: dict[int, Said] = field(default_factory=dict)
    """Place of a line -> what stands there."""
    typed: tuple[str, ...] | None = None
    """The paragraphs of the page, where somebody has typed it."""
    pairs: list[Pair] = field(default_factory=list)
    """Lines as read and as people say."""
    whole: bool = False
    """Whether every line is decided."""


def line_id(page: str, place: int) -> str:
    """What a line is called in the table."""
    return f"{page}:{place}"


def reviewed(project: Project, scans: Iterable[Scan], pages: Mapping[str, Page]) -> dict[str, Reviewed]:
    """What people have said, by page.

    Raises:
        DataError: the table cannot be read.
    """
    rows = {(row["id"], row["fingerprint"]): row for row in QUEUE.read(QUEUE.path(project))[0] if QUEUE.decided(row)}
    found: dict[str, Reviewed] = {}
    for scan in scans:
        page, one = pages[scan.id], Reviewed()
        typed = scan.task.path.with_name(f"{scan.task.path.name}.{scan.task.number}.txt")
        if typed.is_file():
            text = typed.read_text("utf-8", "replace")
            blocks = text.split("\n\n")
            one.typed = tuple(" ".join(block.split()) for block in blocks if block.strip())
            one.pairs = matched([line.text for line in page.lines], [x for x in text.splitlines() if x.strip()])
            one.whole = True
        for place, line in enumerate(page.lines if one.typed is None else ()):
            row = rows.get((line_id(scan.id, place), digest(line.text)))
            if row is not None:
                decision = QUEUE.decision(row)
                text = decision.corrected.get("reading", row["reading"])
                rejected = decision.verdict is Verdict.REJECT
                one.lines[place] = Said("" if rejected else text, decision.reviewer)
                if not rejected:
                    one.pairs.append((line.text, text))
        one.whole = one.whole or (bool(page.lines) and len(one.lines) == len(page.lines))
        if one.typed is not None or one.lines:
            found[scan.id] = one
    return found


def matched(read: Sequence[str], typed: Sequence[str]) -> list[Pair]:
    """Which typed line is which of those that were read, in order: the pairing that is most alike in all."""
    from rapidfuzz.fuzz import ratio

    alike = [[ratio(one, other) for other in typed] for one in read]
    best = [[0.0] * (len(typed) + 1) for _ in range(len(read) + 1)]
    for row in range(1, len(read) + 1):
        for column in range(1, len(typed) + 1):
            here = alike[row - 1][column - 1]
            paired = best[row - 1][column - 1] + (here if here >= _ALIKE else 0.0)
            best[row][column] = max(best[row - 1][column], best[row][column - 1], paired)
    pairs: list[Pair] = []
    row, column = len(read), len(typed)
    while row and column:
        if best[row][column] == best[row - 1][column]:
            row -= 1
        elif best[row][column] == best[row][column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((read[row], typed[column]))
    return pairs[::-1]


def picture(project: Project, scan: Scan) -> str:
    """Where the image of a page is, from the project folder."""
    name = f"{scan.task.source.name}-{scan.task.file.replace('/', '-')}-{scan.task.number:04d}.png"
    return (project.scanned / "pages" / name).relative_to(project.root).as_posix()


def draw(project: Project, scans: Iterable[Scan], readers: Readers) -> None:
    """Write the images of some pages, where they are not there yet."""
    wanted = {project.root / picture(project, scan): scan.task for scan in scans if drawable(scan.task.path)}
    asked = [(task, target) for target, task in wanted.items() if not target.exists()]
    for _ in readers.each(draw_page, asked, lambda _: "it takes too much memory or time"):
        pass


def propose_rows(
    project: Project,
    scans: Sequence[Scan],
    pages: Mapping[str, Page],
    people: Mapping[str, Reviewed],
    proposed: Mapping[str, Proposal],
    readers: Readers,
) -> int:
    """Put the lines of some pages before people, with their pictures; gives how many are not decided.

    Pages that somebody has begun stay; of each file in turn the ones follow whose reading is least sure.
    """
    begun = [scan for scan in scans if scan.id in people and not people[scan.id].whole]
    fresh = [scan for scan in scans if scan.id not in people and pages[scan.id].lines]
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, Scan]] = []
    for scan in sorted(fresh, key=lambda scan: _sure(pages[scan.id])):
        ranked.append((turns[scan.task.file], scan))
        turns[scan.task.file] += 1
    next_ones = [scan for _, scan in sorted(ranked, key=lambda one: one[0])]
    chosen = [*begun, *next_ones[: project.config.ocr.review_pages]]
    draw(project, chosen, readers)
    path = QUEUE.path(project)
    rows, before = QUEUE.read(path)
    new = [row for scan in chosen for row in _rows(project, scan, pages[scan.id], people.get(scan.id), proposed)]
    if new or before is not None:
        QUEUE.write(path, QUEUE.merged(rows, new), before)
    for scan in scans:
        if scan.id in people and people[scan.id].whole:
            ground_truth(project, scan, pages[scan.id], people[scan.id], readers)
    return len(new)


def _sure(page: Page) -> float:
    return sum(line.confidence * len(line.text) for line in page.lines) / max(1, len(page.text))


def region(project: Project, scan: Scan, box: Box) -> str:
    """The cell of a table that shows a part of a page; empty where there is no picture of it."""
    margin = max(4, box[3] // 3)
    x, y = max(0, box[0] - margin), max(0, box[1] - margin)
    path = picture(project, scan)
    shown = (project.root / path).exists()
    return f"{path}#xywh={x},{y},{box[2] + 2 * margin},{box[3] + 2 * margin}" if shown else ""


def _rows(
    project: Project, scan: Scan, page: Page, people: Reviewed | None, proposed: Mapping[str, Proposal]
) -> Iterator[Row]:
    for place, line in enumerate(page.lines):
        if people is not None and place in people.lines:
            continue
        candidate = proposed.get(line.text, Proposal(line.text))
        changed = candidate.text != line.text
        cells = {
            "id": line_id(scan.id, place),
            "page": f"{scan.task.file}, p. {scan.task.number}",
            "scan": region(project, scan, line.box),
            "reading": candidate.text,
            "recognised": line.text if changed else "",
            "candidate": f"{candidate.confidence:.2f}" if changed else "",
            "confidence": f"{line.confidence:.2f}",
            "fingerprint": digest(line.text),
            "access": scan.task.source.access.value,
        }
        yield Row(cells)


def ground_truth(project: Project, scan: Scan, page: Page, people: Reviewed, readers: Readers) -> None:
    """Write a reviewed page as PAGE, ALTO and hOCR, for those who train recognisers."""
    texts = dict(people.pairs) if people.typed is not None else {}
    lines = []
    for place, line in enumerate(page.lines):
        text = people.lines[place].text if place in people.lines else texts.get(line.text, "")
        if text:
            words = tuple(Word(text=word, box=line.box) for word in text.split())
            lines.append(line.model_copy(update={"words": words}))
    draw(project, [scan], readers)
    image = project.root / picture(project, scan)
    folder = project.scanned / "ground_truth"
    corrected = page.model_copy(update={"lines": tuple(lines)})
    for form in FORMS:
        write_text(folder / f"{image.stem}.{form}", written(corrected, f"../pages/{image.name}", form))
