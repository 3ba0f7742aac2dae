"""What a file is, whatever its name says: by its first bytes, or by its first lines."""

from __future__ import annotations

import zipfile
from pathlib import Path

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
