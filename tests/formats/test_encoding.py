from __future__ import annotations

import bz2
import gzip
import io
import tracemalloc
import zipfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reading import Read

from seshat.core.errors import DataError
from seshat.formats.encoding import detect
from seshat.formats.lines import read_lines

SPANISH = """El niño comió una manzana y después salió al jardín.
¿Dónde está la casa de tu hermano? Está detrás de la montaña.
Mañana vendrá mi tío con los señores del pueblo.
"""
RUSSIAN = "Мальчик съел яблоко и потом вышел в сад.\nГде дом твоего брата?\n" * 4
TAMIL = "தமிழ் மொழி மிகவும் பழமையான மொழி ஆகும்.\nஅவன் வீட்டுக்குப் போனான்.\n" * 3


@pytest.fixture
def read(read: Read) -> Read:
    """Says that the text is in the language, whatever it looks like."""
    return partial(read, language="qlm")


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "kuno")
    return out.getvalue()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [SPANISH, RUSSIAN, TAMIL])
def test_byte_order_marks(tmp_path: Path, encoding: str, text: str) -> None:
    path = written(tmp_path / "a.txt", text.encode(encoding))
    found = detect(path)
    assert found.how == "byte order mark"
    assert found.certain
    assert [line.text for line in read_lines(path, found, 1000)] == text.splitlines()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [SPANISH, RUSSIAN, TAMIL])
def test_wide_text_without_a_mark_is_found_and_reported(tmp_path: Path, read: Read, encoding: str, text: str) -> None:
    found = detect(written(tmp_path / "a.txt", text.encode(encoding)))
    assert (found.name, found.how) == (encoding, "zero bytes")
    result = read({"a.txt": text.encode(encoding)}, path="a.txt")
    assert [segment.texts["qlm"] for segment in result.segments] == text.splitlines()
    assert f"read as {encoding} (no byte order mark" in result.warnings


def test_utf8_is_certain_even_with_zero_bytes(tmp_path: Path, read: Read) -> None:
    content = (SPANISH + "da\0ñado\n").encode()
    assert detect(written(tmp_path / "a.txt", content)).how == "valid UTF-8"
    result = read({"a.txt": content}, path="a.txt")
    assert [reject.line for reject in result.rejects] == [4]
    assert len(result.segments) == 3


def test_another_encoding_is_used_only_with_a_warning(read: Read) -> None:
    result = read({"a.txt": SPANISH.encode("latin-1")}, path="a.txt")
    assert [segment.texts["qlm"] for segment in result.segments] == SPANISH.splitlines()
    assert "not UTF-8; read as cp1252 (confidence" in result.warnings
    assert "line 1 as «El niño comió" in result.warnings
    assert "settle it with encoding: cp1252" in result.warnings
    assert read({"b.txt": RUSSIAN.encode("koi8-r")}, path="b.txt").segments[0].texts["qlm"] == RUSSIAN.splitlines()[0]


def test_the_configuration_settles_the_encoding(read: Read) -> None:
    result = read({"a.txt": SPANISH.encode("latin-1")}, path="a.txt", encoding="latin-1")
    assert [segment.texts["qlm"] for segment in result.segments] == SPANISH.splitlines()
    assert result.warnings == ""
    result = read({"a.txt": SPANISH.encode("utf-16")}, path="a.txt", encoding="UTF-16")
    assert [segment.texts["qlm"] for segment in result.segments] == SPANISH.splitlines()


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "mac-roman"])
@pytest.mark.parametrize("text", ["ñ", "Año", "NIÑO", "¿Qué?", "Ka ñoshin: «el pingüino»", "«Sí» dijo.", SPANISH * 400])
def test_spanish_in_old_encodings_is_read_or_rightly_proposed(read: Read, text: str, encoding: str) -> None:
    content = text.encode(encoding, errors="ignore")
    for name in ("a.txt", "b.csv"):
        given = content if name == "a.txt" else b"qlm,es\nka," + text.split("\n")[0].encode(encoding, errors="ignore")
        found = read({name: given}, path=name)
        if found.failures:
            assert f"encoding: {encoding}" in (found.failures[0].hint or ""), found.failures[0]
            assert not any(letter in found.failures[0].message for letter in "ńńčęłș")
        else:
            assert found.context.reports[name].encoding == encoding
            assert f"read as {encoding}" in found.warnings


def test_a_doubtful_encoding_is_refused_with_its_candidates(read: Read) -> None:
    result = read({"a.txt": "kuno\npãn pãn\nkuno\n".encode("latin-1")}, path="a.txt")
    (error,) = result.failures
    assert "Line 2 would read" in error.message
    assert "cp1252: «pãn pãn»" in error.message
    assert "encoding: cp" in (error.hint or "")
    assert not result.segments
    assert [reject.file for reject in result.rejects] == ["a.txt"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(b"kuno\n", mtime=0), "packed with gzip"),
        (bz2.compress(b"kuno\n"), "packed with bzip2"),
        (b"%PDF-1.4\n", "a PDF document"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a sound file (WAV)"),
        (b"PK\x03\x04junk", "a ZIP archive, which is damaged"),
        (zipped("word/document.xml"), "a Word document"),
        (zipped("xl/workbook.xml"), "an XLSX workbook"),
        (zipped("a.txt"), "a ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "a document of old Office"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"SQLite format 3\0", "a database"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "a.jsonl", "a.tmx", "a.xlsx", "a.es"])
def test_what_is_no_text_is_named(read: Read, name: str, content: bytes, what: str) -> None:
    path = "a.{lang}" if name == "a.es" else name
    found = read({name: content, **({"a.qlm": b"kuno"} if name == "a.es" else {})}, path=path)
    if name == "a.xlsx" and what in {"an XLSX workbook", "a ZIP archive, which is damaged"}:
        assert "cut off or damaged" in found.failures[0].message
    else:
        assert f"{name}: this is no text but {what}" in found.failures[0].message
        assert found.failures[0].hint


def test_some_broken_lines_do_not_change_the_encoding_of_the_rest(read: Read) -> None:
    lines = [f"niño {n}".encode() for n in range(50)] + ["señor".encode("latin-1")]
    result = read({"a.txt": b"\n".join(lines)}, path="a.txt")
    assert len(result.segments) == 50
    assert result.rejects[0].line == 51
    assert "cannot be decoded as utf-8: byte 3 of the line (0xf1)" in result.rejects[0].reason
    assert "but for some lines" in result.warnings


def test_a_cut_wide_file_loses_one_line(read: Read) -> None:
    result = read({"a.txt": SPANISH.encode("utf-16")[:-5]}, path="a.txt")
    assert len(result.segments) == 2
    assert result.rejects[0].line == 3


def test_a_huge_line_is_rejected_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as stream:
        stream.write(b"uno\n")
        for _ in range(50):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\ndos\n")
    encoding = detect(path)
    tracemalloc.start()
    lines = list(read_lines(path, encoding, 1_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [line.reason is None for line in lines] == [True, False, True]
    assert "50,000,001 bytes" in (lines[1].reason or "")
    assert lines[1].text == "x" * 500
    assert peak < 12_000_000


def test_carriage_returns(read: Read) -> None:
    result = read({"a.txt": b"uno\r\ndos\rtres\r\n"}, path="a.txt")
    assert [segment.texts["qlm"] for segment in result.segments] == ["uno", "dos tres"]
    assert "lines with a carriage return inside, read as a space: 1 (first: line 2)" in result.warnings
    old = read({"b.txt": b"uno\rdos\r"}, path="b.txt")
    assert [segment.texts["qlm"] for segment in old.segments] == ["uno", "dos"]
    assert "old Macintoshes" in old.warnings


def test_unicode_forms_are_counted_reported_and_made_one(read: Read) -> None:
    text = "ni\u00f1o\nnin\u0303o\nplain\n\u00f1n\u0303\n"
    result = read({"a.txt": text}, path="a.txt")
    assert [segment.texts["qlm"] for segment in result.segments] == ["niño", "niño", "plain", "ññ"]
    assert result.context.reports["a.txt"].forms == {"NFC": 1, "NFD": 1, "ASCII": 1, "neither": 1}
    assert "Unicode forms are mixed (1 NFC, 1 NFD, 1 neither texts); all are NFC from here on" in result.warnings
    kept = read({"a.txt": text}, path="a.txt", ingest={"unicode": "keep"})
    assert kept.segments[1].texts["qlm"] == "nin\u0303o"


def test_no_permission_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    real = Path.open

    def refuse(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "a.txt" and "rb" in args:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    with pytest.raises(DataError, match="there is no such file"):
        detect(tmp_path / "none.txt")
    files = {"a.txt": "uno\n", "b.txt": "dos\n"}
    for name in files:
        read(files, path=name)
    monkeypatch.setattr(Path, "open", refuse)
    result = read({}, path="*.txt")
    assert "a.txt: cannot read: no permission" in result.failures[0].message
    assert [segment.texts["qlm"] for segment in result.segments] == ["dos"]


@pytest.mark.parametrize("end", [b"\xff\xfe", b"\xfe\xff", b"\xff", b"\x80\n", b"\0\xd8"])
def test_marks_of_other_encodings_in_odd_places(read: Read, end: bytes) -> None:
    for head in (b"kuno taba\nti\nti\n", b"ti\n" * 50, "ñ\n".encode() * 50):
        for name in ("a.txt", "a.csv", "a.jsonl", "a.tmx", "a.json"):
            found = read({name: head + end}, path=name, columns={"qlm": "ti"} if name != "a.txt" else {})
            assert found.segments or found.rejects or found.failures, name


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=400))
def test_no_bytes_are_a_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp() / "any.txt", content)
    try:
        encoding = detect(path)
    except DataError:
        return
    lines = list(read_lines(path, encoding, 100))
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    for line in lines:
        line.text.encode()
