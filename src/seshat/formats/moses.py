"""Line-aligned text (Moses): one file per language, line n of one translates line n of the others."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice
from pathlib import Path
from statistics import median_low

from seshat.core.errors import DataError
from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context
from seshat.formats.lines import Line
from seshat.formats.parallel import by_language, whole_file
from seshat.formats.signatures import refuse_markup


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read one set of line-aligned files.

    Lines that are blank in all files part documents when the source says so. A line that is blank in all files
    but one is rejected, and so is a line that cannot be read in one of them. Blank lines at the end of a file are none.

    Raises:
        DataError: the files have unequal numbers of lines (all of their lines are given as rejects first).
    """
    files = by_language(paths, context)
    for path in files.values():
        refuse_markup(path, (line.text for line in context.lines(path)))
    lengths = {tag: _lengths(context.lines(path)) for tag, path in files.items()}
    if len({len(found) for found in lengths.values()}) > 1:
        most = max(_filled(found) for found in lengths.values())
        lengths = {tag: found[: max(most, _filled(found))] for tag, found in lengths.items()}
    if len({len(found) for found in lengths.values()}) > 1:
        message = _unequal(files, lengths, context)
        for path in files.values():
            yield from whole_file(path, "unequal numbers of lines in line-aligned files", context)
        raise DataError(message, "Mend the files, or read them as parallel documents: reader: documents.")
    if len(files) == 1:
        tag = next(iter(files))
        context.remarks.append(f"{context.relative(files[tag])}: no partner in another language; read as text alone")
    yield from _rows(files, context, len(next(iter(lengths.values()))))


def _lengths(lines: Iterator[Line]) -> array[int]:
    """The characters of each line, without spaces at its ends; -1 for one that cannot be read."""
    return array("q", (-1 if line.reason else len(line.text.strip()) for line in lines))


def _filled(lengths: Sequence[int]) -> int:
    """The number of lines without the blank ones at the end."""
    count = len(lengths)
    while count and not lengths[count - 1]:
        count -= 1
    return count


def _rows(files: Mapping[str, Path], context: Context, count: int) -> Iterator[Record | Reject]:
    tags = list(files)
    paths = list(files.values())
    prefix = context.prefix(paths[0])
    reports = [context.report(path) for path in paths]
    names = [context.relative(path) for path in paths]
    document, block, order, blank = "", 0, 0, 0
    for row in zip(*(islice(context.lines(path), count) for path in paths), strict=True):
        number = row[0].number
        if any(line.reason is not None for line in row):
            yield from _bad_row(row, paths, tags, context)
            continue
        cells = [report.line(line.text, number) if line.text else "" for report, line in zip(reports, row, strict=True)]
        texts = {tag: text for tag, text in zip(tags, cells, strict=True) if text}
        if not texts:
            block, blank = number, blank + 1
            continue
        if len(texts) == 1 and len(tags) > 1:
            empty = " and ".join(name for name, text in zip(names, cells, strict=True) if not text)
            place = next(index for index, text in enumerate(cells) if text)
            yield context.reject(paths[place], number, f"the line is empty in {empty}", cells[place])
            continue
        current = context.document(prefix, number, block)
        document, order = current, order + 1 if current == document else 0
        meta = context.meta(names[0], number, doc_id=document, order=order)
        yield Segment(id=f"{prefix}:{number}", texts=texts, meta=meta)
    if blank:
        reports[0].details["blank_lines"] = blank


def _bad_row(
    row: Sequence[Line], paths: Sequence[Path], tags: Sequence[str], context: Context
) -> Iterator[Record | Reject]:
    """Rejects for the sides that cannot be read, and for the others, which lose their partner."""
    bad = " and ".join(tag for tag, line in zip(tags, row, strict=True) if line.reason)
    for path, line in zip(paths, row, strict=True):
        reason = line.reason or f"its partner in {bad} cannot be read"
        if line.text or line.reason:
            yield context.reject(path, line.number, reason, line.text)


def _unequal(files: Mapping[str, Path], lengths: Mapping[str, array[int]], context: Context) -> str:
    counts = ", ".join(f"{context.relative(path)} has {len(lengths[tag]):,}" for tag, path in files.items())
    message = f"line-aligned files have unequal numbers of lines: {counts}."
    shortest = min(lengths, key=lambda tag: len(lengths[tag]))
    for tag, path in files.items():
        if len(lengths[tag]) > len(lengths[shortest]) > 0:
            first, last = suspicious(lengths[tag], lengths[shortest])
            message += f" The files seem to part near lines {first}-{last} of {context.relative(path)}."
    return message


def suspicious(longer: Sequence[int], shorter: Sequence[int]) -> tuple[int, int]:
    """Where lines were most likely added to the longer of two files, if they were added in one place.

    Before the place, line ``i`` goes with line ``i``; after it, with line ``i - d`` (``d``: the difference). The
    place is where the lengths of the lines fit best: least sum of absolute log ratios, less the usual log ratio,
    which is the median of one of the two ways to pair the lines.

    Args:
        longer: characters of each line.
        shorter: the same of the other file.

    Returns:
        First and last suspicious line of the longer file, from 1.
    """
    difference = len(longer) - len(shorter)
    straight = [_ratio(one, other) for one, other in zip(longer, shorter, strict=False)]
    shifted = [_ratio(one, other) for one, other in zip(longer[difference:], shorter, strict=True)]
    _, place = min(_split(straight, shifted, median_low(ratios)) for ratios in (straight, shifted))
    return max(1, place), min(len(longer), place + difference + 1)


def _ratio(one: int, other: int) -> float:
    return math.log((max(one, 0) + 1) / (max(other, 0) + 1))


def _split(straight: Sequence[float], shifted: Sequence[float], usual: float) -> tuple[float, int]:
    """The least cost of going straight up to a place and shifted after it, and the place."""
    before = [0.0, *accumulate(abs(ratio - usual) for ratio in straight)]
    after = [0.0, *accumulate(abs(ratio - usual) for ratio in shifted)]
    return min((before[place] + after[-1] - after[place], place) for place in range(len(before)))
