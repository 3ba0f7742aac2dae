"""Pages out of a WARC file (ISO 28500), such as ``seshat crawl`` writes: of each address what came last.

Web pages are read as files of their own are (:mod:`seshat.formats.html`), so are PDF documents, plain text and the
answers of a wiki. Every segment says where it is from and when it was fetched, in ``meta.extra``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seshat.core.errors import DataError, require
from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context
from seshat.formats.html import declared, page_lines
from seshat.formats.mediawiki import answered
from seshat.formats.pdf import page_texts


@dataclass(frozen=True)
class Kept:
    """An answer in the file."""

    address: str
    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    date: str
    """When it was fetched (ISO 8601)."""
    end: int
    """Where its record ends in the file, in bytes."""


def responses(path: Path, start: int = 0) -> Iterator[Kept | None]:
    """The whole answers in a file, in the order in which they came; last of all ``None`` where it is damaged.

    Args:
        path: the file, packed or not.
        start: where in it to begin, in bytes.

    Raises:
        MissingPackage: warcio is not installed.
    """
    iterator = require("warcio.archiveiterator", extra="crawl", purpose="Reading WARC files")
    with path.open("rb") as stream:
        stream.seek(start)
        records = iterator.ArchiveIterator(stream)
        try:
            for record in records:
                body = record.content_stream().read()
                if record.rec_type != "response" or record.http_headers is None:
                    continue
                told = {name.casefold(): value for name, value in record.http_headers.headers}
                if int(told.get("content-length", len(body))) > len(body):
                    yield None
                    return
                address, date = (record.rec_headers.get_header(f"WARC-{name}") for name in ("Target-URI", "Date"))
                offset, length = records.get_record_offset(), records.get_record_length()
                status = int(record.http_headers.get_statuscode() or 0)
                yield Kept(address or "", status, told, body, date or "", offset + length)
        except Exception:  # whatever a library meets in a damaged file
            yield None


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read the pages of WARC files.

    Raises:
        MissingPackage: warcio is not installed.
    """
    for path in paths:
        last = {one.address: number for number, one in enumerate(responses(path)) if one is not None}
        report, number_of_page = context.report(path), 0
        for number, kept in enumerate(responses(path)):
            if kept is None:
                yield context.unfinished(path, None, "the file is cut off or damaged here")
            elif last[kept.address] == number and kept.status == 200:
                number_of_page += 1
                yield from _page(kept, f"{context.prefix(path)}:{number_of_page}", path, context)
        report.details |= {"answers": len(last)}


def _page(kept: Kept, name: str, path: Path, context: Context) -> Iterator[Record | Reject]:
    """The segments of one answer; a document for each page in it."""
    language = context.source.language or context.project.language
    report, file = context.report(path), context.relative(path)
    try:
        found = list(_texts(kept, report, context, language))
    except DataError as error:
        yield context.reject(path, None, error.message)
        return
    for part, (title, lines) in enumerate(found, start=1):
        document = name if len(found) == 1 else f"{name}.{part}"
        extra = {"url": kept.address, "fetched": kept.date, **({"title": title} if title else {})}
        if not lines:
            yield context.reject(path, None, f"{title or kept.address}: the page has no text")
        for order, line in enumerate(lines):
            meta = context.meta(file, None, doc_id=document, order=order, extra=extra)
            yield Segment(id=f"{document}:{order + 1}", texts={language: report.text(line)}, meta=meta)


def _texts(kept: Kept, report: Any, context: Context, language: str) -> Iterator[tuple[str, list[str]]]:
    """Title (where there are several) and lines of each page in an answer.

    Raises:
        DataError: it cannot be read.
    """
    kind = kept.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind.endswith("json"):
        yield from answered(kept.body, kept.address)
    elif kind == "application/pdf" or kept.body.startswith(b"%PDF-"):
        pages = page_texts(kept.body, kept.address)
        yield "", [line for text in pages if text for line in map(str.strip, text.splitlines()) if line]
    else:
        text = _decoded(kept)
        plain = kind == "text/plain"
        site = urlsplit(kept.address).hostname or "?"
        lines = text.splitlines() if plain else page_lines(text, report, context, language, site)
        yield "", [line.strip() for line in lines if line.strip()]


def _decoded(kept: Kept) -> str:
    """The text of a page: in UTF-8 where it is that, else as its server or the page itself says."""
    told = declared(kept.headers.get("content-type", "").encode()) or declared(kept.body)
    for encoding in ("utf-8", told or "utf-8"):
        try:
            return kept.body.decode(encoding).lstrip("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    return kept.body.decode("latin-1")  # fonts from before Unicode: nobody's encoding, and recognised later
