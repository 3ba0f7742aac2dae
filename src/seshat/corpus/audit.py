"""Documents that were kept and left out, drawn by chance for a native reader; and how often the reader agrees."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from seshat.core.gate import least_open
from seshat.corpus.documents import Doc, Verdict, documents
from seshat.corpus.duplicates import fingerprint
from seshat.project.folder import Project
from seshat.review.queue import Verdict as Said
from seshat.review.queues.documents import QUEUE
from seshat.review.table import Row

KEPT = "kept"
_SHOWN = 800
"""Characters of a document that are shown."""


class Agreement(NamedTuple):
    """What readers have said of the documents with one tag."""

    right: int = 0
    wrong: int = 0


def chosen(verdicts: Iterable[Verdict], without: str, count: int, seed: int) -> dict[str, dict[str, str]]:
    """So many documents of each tag, and of those that have none, by a hash of the seed and their names.

    Args:
        verdicts: of all documents.
        without: a tag that says nothing about the document.
        count: how many of each.
        seed: of the draw.

    Returns:
        Document -> tag -> the reasons, for people.
    """
    by_tag: dict[str, list[Verdict]] = {}
    for one in verdicts:
        for tag in one.tags or (KEPT,):
            if tag != without:
                by_tag.setdefault(tag, []).append(one)
    found: dict[str, dict[str, str]] = {}
    for tag, group in sorted(by_tag.items()):
        drawn = heapq.nsmallest(count, group, key=lambda one: (fingerprint(f"audit\t{seed}\t{one.id}"), one.id))
        for one in drawn:
            found.setdefault(one.id, {})[tag] = "; ".join(one.reasons)
    return found


def ask(project: Project, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, Agreement]:
    """Write the table of the queue, with what readers have filled in before; returns how they judge, by tag.

    Raises:
        DataError: the table cannot be read, or somebody has just saved it.
    """
    path = QUEUE.path(project)
    rows, before = QUEUE.read(path)
    new = QUEUE.merged(rows, _rows(project, wanted))
    if new or before is not None:
        QUEUE.write(path, new, before)
    return agreement(new)


def _rows(project: Project, wanted: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    if not wanted:
        return
    gate = project.gate
    for doc in documents(project):
        if doc.id in wanted and all(gate.refusal(one.meta, one.id) is None for one in doc.segments):
            for tag, reason in wanted[doc.id].items():
                yield _row(doc, tag, reason)


def _row(doc: Doc, tag: str, reason: str) -> Row:
    source, _, name = doc.id.partition("\t")
    text = "\n".join(doc.lines)
    return Row(
        {
            "id": doc.id,
            "tag": tag,
            "reason": reason,
            "source": source,
            "document": name,
            "text": text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …",
            "access": least_open(one.meta.access for one in doc.segments).value,
        }
    )


def agreement(rows: Iterable[Row]) -> dict[str, Agreement]:
    """How often readers agree, by tag."""
    found: dict[str, Agreement] = {}
    for row in rows:
        said = QUEUE.decision(row).verdict
        if said is not None:
            right, wrong = found.get(row["tag"], Agreement())
            found[row["tag"]] = Agreement(right + (said is Said.ACCEPT), wrong + (said is Said.REJECT))
    return found
