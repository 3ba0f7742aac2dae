"""What a file is, whatever its name says: by its first bytes, or by its first lines."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import regex

from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read

_UNPACK = "Unpack it, and name what was in it"
_EXPORT = "Export its text to a text file or a table, and read that"
_BYTES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "packed with gzip", f"{_UNPACK}: gunzip FILE"),
    (b"BZh", "packed with bzip2", f"{_UNPACK}: bunzip2 FILE"),
    (b"\xfd7zXZ\0", "packed with xz", f"{_UNPACK}: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", f"{_UNPACK}: unzstd FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"%PDF-", "a PDF document", "Put it below data/raw/scans and read its pages with: seshat ocr"),
    (b"{\\rtf", "an RTF document", _EXPORT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of old Office (.doc, .xls)", "Save it as .xlsx, .csv or .txt"),
    (b"ID3", "a sound file (MP3)", "Put it below data/raw/audio and write it down with: seshat transcribe"),
    (b"OggS", "a sound file (Ogg)", "Put it below data/raw/audio and write it down with: seshat transcribe"),
    (b"fLaC", "a sound file (FLAC)", "Put it below data/raw/audio and write it down with: seshat transcribe"),
    (b"\x89PNG\r\n", "a picture (PNG)", "Put it below data/raw/scans and read it with: seshat ocr"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Put it below data/raw/scans and read it with: seshat ocr"),
    (b"GIF8", "a picture (GIF)", "Put it below data/raw/scans and read it with: seshat ocr"),
    (b"II*\0", "a picture (TIFF)", "Put it below data/raw/scans and read it with: seshat ocr"),
    (b"MM\0*", "a picture (TIFF)", "Put it below data/raw/scans and read it with: seshat ocr"),
    (b"SQLite format 3\0", "a database (SQLite)", "Export the table as CSV"),
    (b"PAR1", "a Parquet table", "Export it as CSV or JSON Lines"),
    (b"\x7fELF", "a program", "Name the file that holds the text"),
)
_RIFF = {b"WAVE": "a sound file (WAV)", b"AVI ": "a film (AVI)", b"WEBP": "a picture (WebP)"}
_ZIPS = (
    ("xl/", "an XLSX workbook", "Give it a name that ends with .xlsx"),
    ("word/", "a Word document (.docx)", _EXPORT),
    ("ppt/", "a presentation (.pptx)", _EXPORT),
    ("content.xml", "an OpenDocument file (.odt, .ods)", "Save it as .xlsx, .csv or .txt"),
    ("META-INF/container.xml", "an e-book (EPUB)", _EXPORT),
)


def other_kind(path: Path, wanted: str | None = None) -> DataError | None:
    """The error for a file that is no text at all, which names what it is; None for what may be text.

    Args:
        path: the file.
        wanted: the folder in archives of the kind that is wanted instead of text, which may be damaged.

    Raises:
        DataError: the file cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 12)
    except OSError as error:
        raise cannot_read(path, error) from error
    found = next(((what, hint) for start, what, hint in _BYTES if head.startswith(start)), None)
    if head.startswith(b"RIFF") and head[8:12] in _RIFF:
        found = _RIFF[head[8:12]], "Put sounds below data/raw/audio and write them down with: seshat transcribe"
    if head[4:8] == b"ftyp":
        found = "a film or sound file (MP4)", "Put sounds below data/raw/audio; write them down with: seshat transcribe"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        found = _zip(path, wanted)
    return DataError(f"{path}: this is no text but {found[0]}.", f"{found[1]}.") if found else None


def _zip(path: Path, wanted: str | None) -> tuple[str, str] | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError):
        return None if wanted else ("a ZIP archive, which is damaged", "Copy it anew from where it came from")
    if wanted and any(name.startswith(wanted) for name in names):
        return None
    for start, what, hint in _ZIPS:
        if any(name.startswith(start) for name in names):
            return what, hint
    return "a ZIP archive", _UNPACK


_FIRST = 60
"""Lines, without blank ones, that show whether a file is text."""
_XML = regex.compile(
    r"\s*(?:<\?xml\b|<!DOCTYPE\b|<(?:html|tmx|lift|document|ANNOTATION_DOCUMENT|usx|xliff|TEI)\b)", regex.I
)
_ROOTS = {
    "tmx": "tmx", "lift": "lift", "document": "flextext", "annotation_document": "eaf", "usx": "usfm", "xliff": "xliff",
}  # fmt: skip
_ROOT = regex.compile(rf"<({'|'.join(_ROOTS)})\b", regex.I)
_ELEMENT = regex.compile(r"\s*</?[A-Za-z][\w:.-]*(?:\s[^<>]*)?>.*")
_MARKS: tuple[tuple[regex.Pattern[str], str, str], ...] = (
    (regex.compile(r"\\(?:c|v|p|q\d?|s\d?|id|h|mt\d?|toc\d)(?:\s.*)?"), "Scripture in standard format", "usfm"),
    (regex.compile(r"\\[A-Za-z_][\w.-]*(?:\s.*)?"), "standard format (Toolbox)", "sfm"),
    (regex.compile(r"@(?:UTF8|Begin|End|Languages:.*|Participants:.*|ID:.*)|[*%][A-Za-z0-9]{3}:\t.*"), "CHAT", "chat"),
    (regex.compile(r"(?:\d\d:)?\d\d:\d\d[.,]\d{3} --> .*|\d+|WEBVTT.*"), "subtitles", "subtitles"),
    (regex.compile(r"(?:[^\t]*\t){9}[^\t]*|# (?:sent_id|text|newdoc).*"), "CoNLL-U", "conllu"),
    (regex.compile(r"\{\".*\},?|[\[\]]"), "JSON", "table"),
    (regex.compile(r"(?:msgid|msgstr|msgctxt)\b.*|#[:,.~].*|\"..*\""), "a message catalogue (PO)", ""),
    (regex.compile(r"\\(?:documentclass|usepackage|begin|end|section|item)\b.*"), "LaTeX", ""),
)


def refuse_markup(path: Path, lines: Iterable[str]) -> None:
    """Refuse a file as plain text when its first lines are marks of another format.

    Args:
        path: the file, for messages.
        lines: its lines; only the first are taken.

    Raises:
        DataError: names the format, and the reader to use or how to get the text.
    """
    first = list(islice((line for line in lines if line.strip()), _FIRST))
    found = _marks(first)
    if found is not None:
        what, reader = found
        hint = f"Read it with: reader: {reader}" if reader else f"There is no reader for it. {_EXPORT}."
        raise DataError(f"{path}: this is no plain text but {what}.", hint)


def _marks(first: list[str]) -> tuple[str, str] | None:
    if not first:
        return None
    elements = [line for line in first if _ELEMENT.fullmatch(line)]
    if _XML.match(first[0]) or (
        len(elements) > max(2, 0.6 * len(first)) and any("</" in line or "/>" in line for line in elements)
    ):
        root = _ROOT.search(" ".join(first))
        return "XML or HTML", _ROOTS[root[1].casefold()] if root else ""
    if any("ooTextFile" in line for line in first[:3]):
        return "a TextGrid (Praat)", "textgrid"
    for pattern, what, reader in _MARKS:
        marked = [line for line in first if pattern.fullmatch(line.strip())]
        # A number alone on its line is no mark: it needs company.
        if len(marked) > max(1, len(first) / 2) and any(not line.strip().isdigit() for line in marked):
            return what, reader
    return None
