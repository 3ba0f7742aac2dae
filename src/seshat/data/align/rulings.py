"""What the decisions in the review file mean for the documents as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import regex

from seshat.data.align.anchors import Anchored, Side
from seshat.data.align.beads import Bead
from seshat.review.queue import Decision, NoDecision, Verdict, digest
from seshat.review.queues.alignment import QUEUE
from seshat.review.table import Row

_NONE = {"none", "-", "–"}
_PIECES = regex.compile(r"[\s,;+]+")
_RANGE = regex.compile(r"([\d.]*\d)\s*(?:\.\.|-|–|…)\s*([\d.]*\d)")


@dataclass
class Rulings:
    """Decisions that hold for one document."""

    locked: list[Bead] = field(default_factory=list)
    texts: dict[tuple[tuple[int, int], tuple[int, int]], tuple[str, str]] = field(default_factory=dict)
    """Key of a locked bead -> its texts as corrected; empty: as they stand."""


@dataclass(frozen=True)
class Ruled:
    """All decisions: those that hold, by document, and every row with its status."""

    rulings: Mapping[str, Rulings]
    rows: tuple[Row, ...]
    applied: int
    stale: int
    ignored: int


class _IgnoredError(Exception):
    """Why a row cannot be applied."""


def rule(rows: Sequence[Row], documents: Mapping[str, Anchored]) -> Ruled:
    """Turn rows into locked beads.

    A row is stale when the text it was decided on has changed; it is reported and kept, not applied.

    Args:
        rows: the review file.
        documents: both sides of every document that can be aligned now.
    """
    rulings: dict[str, Rulings] = {}
    done: list[Row] = []
    for row in rows:
        document = documents.get(row["document"])
        try:
            decision = QUEUE.decision(row)
            if not decision.made:
                done.append(row.changed(status=""))
                continue
            status = _apply(row, decision, document, rulings.setdefault(row["document"], Rulings()))
        except NoDecision as error:
            status = f"ignored: {error.message.rstrip('.')}: write accept or reject, or correct the lines"
        except _IgnoredError as reason:
            status = f"ignored: {reason}"
        if status == "applied" and document is not None:
            row = row.changed(fingerprint=fingerprint(document, row["source_lines"], row["target_lines"]))
        done.append(row.changed(status=status))
    kinds = [row["status"].split(":")[0] for row in done]
    return Ruled(rulings, tuple(done), *(kinds.count(kind) for kind in ("applied", "stale", "ignored")))


def _apply(row: Row, decision: Decision, document: Anchored | None, rulings: Rulings) -> str:
    """Lock the bead of one row; returns its status."""
    if document is None:
        return "stale: the document is gone, or lacks one side"
    said = decision.corrected
    corrected = bool({"source_lines", "target_lines"} & set(said))
    if _is_stale(row, document, corrected):
        return "stale: the text has changed since the decision"
    source = _lines(said.get("source_lines", row["source_lines"]), document.source, "source")
    target = _lines(said.get("target_lines", row["target_lines"]), document.target, "target")
    texts = said.get("source_text", ""), said.get("target_text", "")
    if decision.verdict is Verdict.REJECT:
        if corrected or any(texts):
            raise _IgnoredError("rejected and corrected at once; empty one of the two")
        beads = [Bead((line, line + 1), (0, 0), locked=True) for line in range(*source)]
        beads += [Bead((0, 0), (line, line + 1), locked=True) for line in range(*target)]
    else:
        beads = _pair(source, target)
    if not beads:
        raise _IgnoredError("it names no lines")
    _free(beads, rulings.locked)
    if any(texts):
        if len(beads) != 1:
            raise _IgnoredError("texts are corrected, but several lines of one side alone are given")
        rulings.texts[beads[0].key] = texts
    rulings.locked += beads
    return "applied"


def _pair(source: tuple[int, int], target: tuple[int, int]) -> list[Bead]:
    """One bead; lines of one side alone are one bead each."""
    if source[0] < source[1] and target[0] < target[1]:
        return [Bead(source, target, locked=True)]
    beads = [Bead((line, line + 1), (0, 0), locked=True) for line in range(*source)]
    return beads + [Bead((0, 0), (line, line + 1), locked=True) for line in range(*target)]


def _free(beads: Sequence[Bead], locked: Sequence[Bead]) -> None:
    for bead in beads:
        for other in locked:
            for mine, theirs in ((bead.source, other.source), (bead.target, other.target)):
                if max(mine[0], theirs[0]) < min(mine[1], theirs[1]):
                    raise _IgnoredError("another row above decides the same lines")


def _lines(text: str, side: Side, name: str) -> tuple[int, int]:
    """The range of places that line numbers such as ``12``, ``12..14`` or ``12, 13`` stand for."""
    if not text or text.casefold() in _NONE:
        return 0, 0
    text = _RANGE.sub(r"\1..\2", text)
    places: set[int] = set()
    for piece in filter(None, _PIECES.split(text)):
        first, _, last = piece.partition("..")
        start, end = _places(first, side, name)[0], _places(last or first, side, name)[-1]
        places.update(range(start, end + 1))
    ordered = sorted(places)
    if not ordered or ordered[-1] - ordered[0] + 1 != len(ordered):
        raise _IgnoredError(f"the {name} lines '{text}' do not follow one another")
    return ordered[0], ordered[-1] + 1


def _places(label: str, side: Side, name: str) -> list[int]:
    """Where a line stands among the lines that are not blank; all its sentences when it was cut."""
    found = [place for place, known in enumerate(side.labels) if known == label or known.startswith(f"{label}.")]
    if not found:
        raise _IgnoredError(f"there is no {name} line '{label}', or it is blank")
    return found


def fingerprint(document: Anchored, source_lines: str, target_lines: str) -> str:
    """Identifies the text of a document and that of some of its lines: ``document-lines``."""
    sides = (document.source, document.target)
    whole = [list(side.lines) for side in sides]
    part = []
    for side, lines, name in zip(sides, (source_lines, target_lines), ("source", "target"), strict=True):
        try:
            part.append(list(side.lines[slice(*_lines(lines, side, name))]))
        except _IgnoredError:
            part.append([])
    return f"{digest(whole, 12)}-{digest(part, 12)}"


def _is_stale(row: Row, document: Anchored, corrected: bool) -> bool:
    """Whether the text has changed: that of the bead, or of the document when the row names other lines of it."""
    whole, _, part = row["fingerprint"].partition("-")
    now_whole, _, now_part = fingerprint(document, row["source_lines"], row["target_lines"]).partition("-")
    return whole != now_whole and (corrected or part != now_part)
