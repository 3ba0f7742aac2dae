"""What the reviewed pages of a project teach, measured by leaving each of them out once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from seshat.core.journal import Journal, key_of
from seshat.core.progress import track
from seshat.media.lessons import MARGINS, Lessons, Pair, Proposal, proposal
from seshat.media.pages import Page
from seshat.media.reading import Readers
from seshat.media.reviewing import Reviewed
from seshat.project.folder import Project
from seshat.scores.recognition import confusions, edits, error_rates

_FEW = 3
"""With fewer reviewed pages nothing can be measured, and a change has to be very likely."""
_CHUNK = 200
"""Lines that a process reads anew at a time."""


@dataclass
class Learned:
    """What was learned, and how good it is."""

    lessons: Lessons | None = None
    pairs: Mapping[str, Sequence[Pair]] = field(default_factory=dict)
    """Page -> its lines as read and as reviewed."""
    errors: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Page -> wrong characters as read, and with what the other pages would have proposed."""
    proposed: dict[str, Proposal] = field(default_factory=dict)
    """Line as read -> what probably stands there."""

    def report(self) -> dict[str, Any]:
        """Figures for the report: error rates of the reviewed pages before and after, page by page, and confusions."""
        if not self.pairs:
            return {}
        told = [(text, read) for pairs in self.pairs.values() for read, text in pairs]
        lengths = {page: max(1, sum(len(text) for _, text in pairs)) for page, pairs in self.pairs.items()}
        rates = error_rates(told)
        after = 100 * sum(after for _, after in self.errors.values()) / max(1, rates.characters)
        return {
            "error rates": {"CER": rates.cer, "WER": rates.wer, "CER with candidates": round(after, 2)},
            "by page": {
                page: {"CER": round(100 * raw / lengths[page], 2), "candidates": round(100 * new / lengths[page], 2)}
                for page, (raw, new) in self.errors.items()
            },
            "confusions": [{"text": text, "read": read, "times": times} for text, read, times in confusions(told)],
            "candidates": sum(read != one.text for read, one in self.proposed.items()),
        }

    @property
    def warnings(self) -> list[str]:
        """Where nothing is proposed, why."""
        if self.lessons is not None and self.lessons.margin == math.inf:
            return ["What the reviewed pages teach would make some of them worse: nothing is proposed. Review more."]
        return []


def learn(project: Project, people: Mapping[str, Reviewed], pages: Mapping[str, Page], readers: Readers) -> Learned:
    """Learn from reviewed pages, and propose texts of all lines; what was proposed before is kept.

    Args:
        project: for the texts in the same spelling that its configuration names.
        people: page -> what people have said of it.
        pages: all pages.
        readers: processes.
    """
    pairs = {page: one.pairs for page, one in people.items() if one.pairs}
    if not pairs:
        return Learned()
    texts = spelling(project)
    with Journal(project.state / "ocr" / "lessons.jsonl") as journal:
        key = key_of(pairs, texts)
        if key not in journal:
            journal.put(key, measured(pairs, texts, readers))
        margin, errors = journal.get(key)
        lessons = Lessons([pair for page in pairs.values() for pair in page], texts, margin=margin or math.inf)
        lines = dict.fromkeys(line.text for page in pages.values() for line in page.lines)
        waiting = [line for line in lines if key_of(key, line) not in journal] if margin else []
        chunks = [tuple(waiting[start : start + _CHUNK]) for start in range(0, len(waiting), _CHUNK)]
        done = readers.each(partial(_propose, lessons), chunks, lambda chunk: [(line, 1.0) for line in chunk])
        for chunk, proposals in track(done, "proposing readings", total=len(chunks)):
            journal.put_all((key_of(key, line), one) for line, one in zip(chunk, proposals, strict=True))
        found = {line: Proposal(*known) for line in lines if (known := journal.get(key_of(key, line)))}
    return Learned(lessons, pairs, {page: (raw, new) for page, (raw, new) in errors.items()}, found)


def spelling(project: Project) -> list[str]:
    """The lines of the files that ``ocr.spelling`` names."""
    from seshat.formats.files import find

    paths, _ = find(project.raw, project.config.ocr.spelling)
    return [line for path in paths for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]


def _propose(lessons: Lessons, lines: Sequence[str]) -> list[tuple[str, float]]:
    proposals = [lessons.propose(line) for line in lines]
    return [(one.text, round(one.confidence, 3)) for one in proposals]


def measured(
    pairs: Mapping[str, Sequence[Pair]], texts: Sequence[str], readers: Readers
) -> tuple[float | None, dict[str, tuple[int, int]]]:
    """How much likelier a change has to be so that no reviewed page gets worse, and the errors page by page.

    Each page is read with what the others teach. Of the margins with which no page has more errors than before, the
    one with the fewest is taken; ``None`` where there is none that helps.
    """
    if len(pairs) < _FEW:
        return MARGINS[-1], {page: (sum(edits(t, r) for r, t in told),) * 2 for page, told in pairs.items()}
    work = partial(_held_out, dict(pairs), tuple(texts))
    done = readers.each(work, list(pairs), lambda _: [])
    counted = dict(track(done, "leaving pages out", total=len(pairs)))
    raw = {page: errors[0] for page, errors in counted.items() if errors}
    fair = [
        place
        for place in range(1, len(MARGINS) + 1)
        if all(errors[place] <= errors[0] for errors in counted.values() if errors)
    ]
    best = min(fair, key=lambda place: sum(counted[page][place] for page in raw), default=0)
    helps = best and sum(counted[page][best] for page in raw) < sum(raw.values())
    return (MARGINS[best - 1] if helps else None), {
        page: (raw[page], counted[page][best if helps else 0]) for page in raw
    }


def _held_out(pairs: Mapping[str, Sequence[Pair]], texts: Iterable[str], page: str) -> list[int]:
    """Errors of a page as read, then with each margin, when the others teach."""
    lessons = Lessons([pair for other, told in pairs.items() if other != page for pair in told], texts)
    weighed = [(text, read, *lessons.weighed(read)) for read, text in pairs[page]]
    after = [
        sum(
            edits(
                text, proposal(pieces, kept).text if (kept := [one for one in changes if one.gain > margin]) else read
            )
            for text, read, pieces, changes in weighed
        )
        for margin in MARGINS
    ]
    return [sum(edits(text, read) for text, read, *_ in weighed), *after]
