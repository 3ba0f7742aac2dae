from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from tests.reading import Read

from seshat.formats import xlsx
from seshat.formats.xlsx import cell_text


def workbook(rows: list[list[Any]], *more: tuple[str, list[list[Any]]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "words"
    for row in rows:
        sheet.append(row)
    for name, others in more:
        other = book.create_sheet(name)
        for row in others:
            other.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


ROWS: list[list[Any]] = [
    ["qlm", "es", "when"],
    ["kuno", "uno", date(2020, 5, 1)],
    [None, None, None],
    ["taba", 2, 3.5],
    ["ti", "x"],
]


def test_cells_of_all_types(read: Read) -> None:
    found = read({"w.xlsx": workbook(ROWS)}, path="w.xlsx")
    assert [(one.texts, one.meta.extra) for one in found.segments] == [
        ({"qlm": "kuno", "es": "uno"}, {"when": "2020-05-01"}),
        ({"qlm": "taba", "es": "2"}, {"when": "3.5"}),
        ({"qlm": "ti", "es": "x"}, {}),
    ]
    assert [one.id for one in found.segments] == ["src:w:2", "src:w:4", "src:w:5"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "TRUE"),
        (3, "3"),
        (3.0, "3"),
        (0.1, "0.1"),
        (datetime(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3, 4), "2020-01-02 03:04:00"),
        (time(3, 4), "03:04:00"),
    ],
)
def test_cell_text(value: Any, text: str) -> None:
    assert cell_text(value) == text


def test_sheets(read: Read) -> None:
    book = workbook(ROWS, ("more", [["qlm", "es"], ["ka", "seis"]]))
    found = read({"w.xlsx": book}, path="w.xlsx")
    assert "only the first sheet, 'words', is read; the others are: more" in found.warnings
    assert read({"w.xlsx": book}, path="w.xlsx", sheet="more").segments[0].texts["qlm"] == "ka"
    (error,) = read({"w.xlsx": book}, path="w.xlsx", sheet="mor").failures
    assert (error.message, error.hint) == ("w.xlsx: there is no sheet 'mor'.", "The sheets are: words, more.")


def test_too_many_cells(read: Read) -> None:
    found = read({"w.xlsx": workbook([["qlm", "es"], ["kuno", "uno", "extra"], ["ti", "tres"]])}, path="w.xlsx")
    assert [reject.content for reject in found.rejects] == ["kuno\tuno\textra"]
    assert len(found.segments) == 1


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_a_clear_error(read: Read, share: float) -> None:
    book = workbook(ROWS)
    found = read({"w.xlsx": book[: int(len(book) * share)], "v.xlsx": book}, path="*.xlsx")
    (error,) = found.failures
    assert "w.xlsx: the workbook is cut off or damaged" in error.message
    assert len(found.segments) == 3
    assert [reject.file for reject in found.rejects] == ["w.xlsx"]


def damaged(book: bytes, part: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name.endswith(part) else old.read(name))
    return out.getvalue()


def test_damage_inside(read: Read) -> None:
    book = workbook(ROWS)
    for part in ("sheet1.xml", "workbook.xml", "[Content_Types].xml"):
        found = read({"w.xlsx": damaged(book, part, b"<broken")}, path="w.xlsx")
        assert "cut off or damaged" in found.failures[0].message, part


def test_bombs(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><worksheet>&e9;</worksheet>'.encode()
    found = read({"w.xlsx": damaged(workbook(ROWS), "sheet1.xml", bomb)}, path="w.xlsx")
    assert "cut off or damaged" in found.failures[0].message
    monkeypatch.setattr(xlsx, "MAX_UNPACKED", 1000)
    found = read({"w.xlsx": workbook(ROWS)}, path="w.xlsx")
    assert "looks like a trap" in found.failures[0].message
