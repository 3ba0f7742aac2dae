"""A table of translations for a competition: the test file in, ``submission.csv`` out, looked over before it counts.

The command line and the notebook on Kaggle call the same functions, in the same order.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from seshat.config.submit import SubmitColumns
from seshat.core.errors import CheckFailed, DataError
from seshat.core.jsonl import cannot_read, write_text
from seshat.core.progress import task
from seshat.formats.tables import side_rows
from seshat.inference.batch import in_order, translate_all
from seshat.inference.postprocess import tally
from seshat.inference.translator import Hypothesis, Translator
from seshat.prompt.request import Request, document

if TYPE_CHECKING:
    from seshat.inference.chain import Chain
    from seshat.project.folder import Project

REPORT = "submission.report.json"
"""Beside a submission that a notebook made: rows and seconds."""
LISTED = 10
"""Most faults of one kind that are named one by one."""
_LINE = regex.compile(r"\s*(\d+)\s*(['′’″]*)")


@dataclass(frozen=True)
class Row:
    """One row of the test file."""

    id: str
    text: str
    document: str | None = None
    line: str | None = None


def read_rows(path: Path, columns: SubmitColumns) -> list[Row]:
    """The rows of a test file.

    Raises:
        DataError: it cannot be read, is not UTF-8, lacks a column, or has an id twice or a row too short.
    """
    named = {"id": columns.id, "text": columns.text, "document": columns.document, "line": columns.line}
    wanted = {field: name for field, name in named.items() if name is not None}
    found: dict[str, Row] = {}
    for line, cells in side_rows(path, wanted, "submit.columns (null for one that there is not)"):
        row = Row(**cells)
        if row.id in found:
            raise DataError(f"{path}:{line}: the id '{row.id}' stands there twice.")
        found[row.id] = row
    if not found:
        raise DataError(f"{path}: the file is empty.")
    return list(found.values())


def line_key(line: str | None) -> tuple[int, int]:
    """The place of a line in its document: lines 1, 2, then 1', 2' after a break, then 1''; others come last.

    >>> sorted(["1'", "10", "2", "1''"], key=line_key)
    ['2', '10', "1'", "1''"]
    """
    found = _LINE.match(line or "")
    if not found:
        return 99, 0
    primes = sum(2 if mark == "″" else 1 for mark in found[2])
    return primes, int(found[1])


def by_document(rows: Sequence[Row]) -> list[int]:
    """The places of the rows, document after document, each in the order of its lines."""
    first: dict[str | None, int] = {}
    for place, row in enumerate(rows):
        first.setdefault(row.document, place)
    return sorted(range(len(rows)), key=lambda place: (first[rows[place].document], line_key(rows[place].line), place))


def requests(rows: Sequence[Row]) -> list[Request]:
    """What is asked about the rows, in their order: each with the rows before it in its document."""
    asked: dict[int, Request] = {}
    for _, places in groupby(by_document(rows), key=lambda place: rows[place].document):
        known = list(places)
        lines = document(rows[place].text for place in known)
        asked |= dict(zip(known, lines, strict=True))
    return [
        replace(asked[place], id=row.id, before=asked[place].before if row.document is not None else ())
        for place, row in enumerate(rows)
    ]


def translate_rows(translator: Translator, rows: Sequence[Row], *, batch: int | None = None) -> list[Hypothesis]:
    """Translate the rows; the hypotheses come in their order."""
    with task("translating", len(rows)) as advance:
        return in_order(translate_all(translator, requests(rows), batch=batch, advance=advance), len(rows))


def table(rows: Sequence[Row], texts: Sequence[str], columns: SubmitColumns, empty: str) -> str:
    """The submission as text: one line for each row, cells without line breaks, none empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((columns.id, columns.translation))
    for row, text in zip(rows, texts, strict=True):
        writer.writerow((row.id, " ".join(text.split()) or empty))
    return out.getvalue()


def write(
    path: Path, rows: Sequence[Row], texts: Sequence[str], columns: SubmitColumns, empty: str, sample: Path | None
) -> None:
    """Write a submission when it has no faults; what stood there before stays otherwise.

    Raises:
        CheckFailed: it would not count; lists every fault.
        DataError: the sample cannot be read, or the file not be written.
    """
    content = table(rows, texts, columns, empty)
    try:
        given = sample.read_bytes() if sample else None
    except OSError as error:
        raise cannot_read(sample or path, error) from error
    found = faults(content.encode(), [row.id for row in rows], columns, given)
    if found:
        listed = "".join(f"\n- {fault}" for fault in found)
        raise CheckFailed(f"{path.name}: not written, it would not count:{listed}")
    write_text(path, content)


def faults(content: bytes, ids: Sequence[str], columns: SubmitColumns, sample: bytes | None = None) -> list[str]:
    """Everything that is wrong with a submission, in plain words; nothing when it is right.

    Args:
        content: the file.
        ids: the ids of the test file, in its order.
        columns: its columns.
        sample: a sample submission; its header and ids must be the same, where it has the rows of the test file.
    """
    found = []
    if content.startswith(b"\xef\xbb\xbf"):
        found.append("it starts with a byte order mark: write UTF-8 without")
    try:
        lines, sample_lines = _cells(content), _cells(sample or b"")
    except UnicodeDecodeError as error:
        what = "it" if error.object == content else "the sample"
        return [*found, f"{what} is not UTF-8 (byte {error.start})"]
    if not lines:
        return [*found, "it is empty"]
    header, *rows = lines
    wanted = [columns.id, columns.translation]
    expected = list(ids)
    if sample is not None and not sample_lines:
        found.append("the sample is empty")
    elif sample is not None:
        wanted, *given = sample_lines
        found += _other_ids("the test file", expected, "the sample", [row[0] for row in given])
    if header != wanted:
        found.append(f"the header is {','.join(header)}, and not {','.join(wanted)}")
    return [*found, *_row_faults(rows, expected, len(wanted))]


def _cells(content: bytes) -> list[list[str]]:
    """The rows that are not empty, as other programs read them; of any length."""
    csv.field_size_limit(2**31 - 1)
    return [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if row]


def _row_faults(rows: Sequence[Sequence[str]], ids: Sequence[str], width: int) -> list[str]:
    found = _some("rows with another number of cells", [row[0] for row in rows if len(row) != width])
    found += _other_ids("it", [row[0] for row in rows], "the test file", ids)
    found += _some("rows without a translation", [row[0] for row in rows if len(row) == width and not row[-1].strip()])
    damaged = [row[0] for row in rows if any("\0" in cell or "�" in cell for cell in row)]
    return found + _some("rows with damaged characters", damaged)


def _other_ids(name: str, ids: Sequence[str], other: str, expected: Sequence[str]) -> list[str]:
    known, here = set(expected), set(ids)
    found = _some(f"ids of {other} that {name} lacks", [one for one in expected if one not in here])
    found += _some(f"ids that {other} does not have", [one for one in ids if one not in known])
    found += _some("ids that stand there twice", [one for one, count in Counter(ids).items() if count > 1])
    if not found and list(ids) != list(expected):
        first = next(place for place, pair in enumerate(zip(ids, expected, strict=True)) if pair[0] != pair[1])
        found.append(f"the rows stand in another order than in {other}, from row {first + 1}: '{ids[first]}'")
    return found


def _some(what: str, ids: Sequence[str]) -> list[str]:
    if not ids:
        return []
    listed = ", ".join(ids[:LISTED]) + (", …" if len(ids) > LISTED else "")
    return [f"{what}: {len(ids):,} ({listed})"]


def run(
    project: Project,
    model: str | None = None,
    output: Path | None = None,
    budget: str | None = None,
    test: Path | None = None,
) -> dict[str, Any]:
    """Translate the test file of a project and write the submission.

    Args:
        project: its section ``submit`` says where the files are.
        model: name below ``models/``; default: as ``seshat translate``.
        output: where the submission goes; default: ``submit.output``.
        budget: a duration; consensus decoding takes as many candidates as there is time for.
        test: another test file, which no sample submission belongs to.

    Returns:
        ``submission`` (its path), ``rows``, ``seconds``, ``mended`` (post-processing step -> rows) and ``warnings``.

    Raises:
        CheckFailed: the submission would not count.
        DataError: files are missing or cannot be used.
    """
    from time import monotonic

    section = project.config.submit
    source = test or project.raw / section.test
    if not source.is_file():
        raise DataError(
            f"{source}: there is no test file.", "Say where it is (submit.test), or fetch it: seshat download"
        )
    rows = read_rows(source, section.columns)
    started = monotonic()
    translator = open_translator(project, model, budget)
    try:
        found = translate_rows(translator, rows, batch=project.config.translate.batch)
    finally:
        translator.close()
    seconds = monotonic() - started
    path = output or project.root / section.output
    sample = project.raw / section.sample if section.sample and not test else None
    write(path, rows, [one.text for one in found], section.columns, section.empty, sample)
    silent = [row.id for row, one in zip(rows, found, strict=True) if not one.text.strip()]
    return {
        "submission": str(path),
        "rows": len(rows),
        "seconds": round(seconds, 2),
        "mended": tally(found),
        "warnings": _some(f"rows where the model says nothing; '{section.empty}' stands there", silent),
    }


def open_translator(project: Project, model: str | None = None, budget: str | None = None) -> Chain:
    """What a submission is translated with: into the pivot, by consensus where configured.

    Args:
        project: the project.
        model: name below ``models/``.
        budget: a duration for consensus decoding; without consensus there is nothing to save time with.

    Raises:
        SeshatError: what :func:`seshat.inference.opening.open_chain` says.
    """
    from seshat.config import Direction
    from seshat.inference.budget import Budget, parse_duration
    from seshat.inference.opening import open_chain

    time = Budget(parse_duration(budget)) if budget and project.config.translate.mbr.enabled else None
    return open_chain(project, model, Direction(*project.config.project.pair), budget=time)
