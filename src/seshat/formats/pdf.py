"""The text layer of PDF documents: one segment a line. What has none is a scan, and for `seshat ocr`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError, require
from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context
from seshat.text.legacy import recognise


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read the text layers of documents; letters of fonts from before Unicode are repaired.

    Raises:
        DataError: a file is no PDF document, is protected, or has no text at all.
        MissingPackage: pypdfium2 is not installed.
    """
    language = context.source.language or context.project.language
    for path in paths:
        read_pages = page_texts(path, str(path))
        pages = [text or "" for text in read_pages]
        report, file, prefix = context.report(path), context.relative(path), context.prefix(path)
        without = [number for number, text in enumerate(pages, start=1) if not text.strip()]
        if len(without) == len(pages):
            if None in read_pages:
                raise DataError(f"{path}: none of its {len(pages)} pages can be read.", "Is the document whole?")
            hint = "It is a scan: put it below data/raw/scans and read it with: seshat ocr"
            raise DataError(f"{path}: none of its {len(pages)} pages has a text layer.", hint)
        for number in without:
            damaged = read_pages[number - 1] is None
            yield context.reject(path, None, f"page {number} {'is damaged' if damaged else 'has no text layer'}")
        older = recognise("\n".join(pages), [language])
        if older is not None:
            report.encoding = older.name
            report.remarks.append(f"the letters are those of {older.name}, from before Unicode; they are repaired")
        order = 0
        for page, text in enumerate(pages, start=1):
            for line in (older.repair(text) if older else text).splitlines():
                if kept := report.text(line):
                    meta = context.meta(file, None, doc_id=prefix, order=order)
                    origin = meta.origin.model_copy(update={"page": page}) if meta.origin else None
                    order += 1
                    made = meta.model_copy(update={"origin": origin})
                    yield Segment(id=f"{prefix}:{order}", texts={language: kept}, meta=made)


def page_texts(document: Path | bytes, name: str) -> list[str | None]:
    """The text of each page; None of a page that cannot be opened.

    Raises:
        DataError: it is no PDF document, or is protected; ``name`` says which.
        MissingPackage: pypdfium2 is not installed.
    """
    pdfium = require("pypdfium2", extra="crawl", purpose="Reading the text of PDF documents")

    def text_of(number: int) -> str | None:
        try:
            text: str = opened[number].get_textpage().get_text_bounded()
        except pdfium.PdfiumError:
            return None
        return text.replace("\ufffe", "")

    try:
        opened: Any = pdfium.PdfDocument(document)
    except pdfium.PdfiumError as error:
        raise DataError(
            f"{name}: this PDF document cannot be opened: {error}.", "Is it whole, and unprotected?"
        ) from error
    try:
        return [text_of(number) for number in range(len(opened))]
    finally:
        opened.close()
