"""Tables as spreadsheets read and write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.core.errors import DataError
from seshat.review.queues.alignment import QUEUE
from seshat.review.table import Row, escape, read, unescape, write

ROW = Row({"bead_id": "d:1-1", "document": "d", "source_lines": "1", "target_lines": "1", "source_text": "=1+1, «ñ»"})


@given(st.text())
def test_escaping_can_be_undone_and_leaves_no_formula(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not escape(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "review.csv"
    row = ROW.changed(source_text='a "b"\nc;d', comment="-3 ’", mine="extra")
    write(path, [row], None, QUEUE.names)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows, before = read(path, QUEUE.needed)
    assert before == content
    assert {key: value for key, value in rows[0].cells.items() if value} == row.cells


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_reads_what_spreadsheets_save(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "review.csv"
    header = ["bead_id", "document", "source_lines", "target_lines", "decision", "fingerprint"]
    lines = [header, ["d:1-1", "d", "1", "1", "acceptée", "f"], [""] * 6]
    path.write_text("".join(delimiter.join(line) + "\r\n" for line in lines), encoding=encoding)
    (row,), _ = read(path, QUEUE.needed)
    assert row["decision"] == "acceptée"
    assert QUEUE.touched(row)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"bead_id,document\nx,y\n", "columns source_lines, target_lines, decision, fingerprint are missing"),
        ("bead_id,décision\n".encode("latin-1"), "not in UTF-8"),
        (b'bead_id,document,source_lines,target_lines,decision,fingerprint\n"open', "not a table"),
    ],
)
def test_a_broken_file_is_refused_and_left_alone(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "review.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason):
        read(path, QUEUE.needed)
    assert path.read_bytes() == content


def test_a_file_saved_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    write(path, [ROW], None, QUEUE.names)
    _, before = read(path, QUEUE.needed)
    path.write_text("somebody works here", encoding="utf-8")
    with pytest.raises(DataError, match="somebody has changed the file"):
        write(path, [ROW], before, QUEUE.names)
    assert path.read_text(encoding="utf-8") == "somebody works here"


def test_no_file_and_an_empty_file_have_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "none.csv", QUEUE.needed) == ([], None)
    (tmp_path / "empty.csv").write_bytes(b"")
    assert read(tmp_path / "empty.csv", QUEUE.needed) == ([], b"")
