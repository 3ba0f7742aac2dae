from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from tests.reading import Read

from seshat.formats import workbook as parts
from seshat.formats.rows import cell_text


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
    assert [(one.texts["qlm"], one.meta.extra) for one in found.segments] == [
        ("kuno", {"column 3": "extra"}),
        ("ti", {}),
    ]
    assert "rows with a remark to the right of the table" in found.warnings


def raw_sheet(rows: str, after: str = "") -> bytes:
    """A workbook whose sheet has some XML."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData>{after}</worksheet>'
    return damaged(workbook([["x"]]), "sheet1.xml", sheet.encode())


def cells(*texts: str) -> str:
    """A row of cells, each as XML or as a text."""
    found = (one if one.startswith("<") else f'<c t="inlineStr"><is><t>{one}</t></is></c>' for one in texts)
    return f"<row>{''.join(found)}</row>"


def test_errors_formulas_and_escapes(read: Read) -> None:
    rows = cells("qlm", "es") + cells('<c t="e"><v>#NAME?</v></c>', "uno") + cells("ku", '<c t="e"><v>#N/A</v></c>')
    rows += cells("ta", "<c><f>A1&amp;B1</f><v></v></c>") + cells(
        "ti_x000D_\nka_x005F_", '<c t="str"><f>A1</f><v>x</v></c>'
    )
    found = read(
        {"w.xlsx": raw_sheet(rows)}, path="w.xlsx", kind="entries", columns={"headword": "qlm", "gloss.es": "es"}
    )
    assert [one.headword for one in found.entries] == ["ku", "ta", "ti\nka_"]
    assert [one.line for one in found.rejects] == [2]
    assert "cells with an error of the spreadsheet, read as empty: 2 (A2: #NAME?, B3: #N/A)" in found.warnings
    assert "formulas without a stored result, read as empty cells: 1 (B4)" in found.warnings


def test_merged_cells_hold_their_value_for_all_their_rows(read: Read) -> None:
    from openpyxl import load_workbook

    rows: list[list[Any]] = [
        ["List"],
        ["qlm", "es", "note"],
        ["kuno", "uno", "n"],
        [None, "dos"],
        [None, "tres"],
        [None],
        ["ti", "x"],
    ]
    book = load_workbook(io.BytesIO(workbook(rows)))
    for area in ("A1:C1", "A3:A6", "C3:C4"):
        book["words"].merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    found = read({"w.xlsx": out.getvalue()}, path="w.xlsx")
    assert [one.texts for one in found.segments] == [
        {"qlm": "kuno", "es": "uno"},
        {"qlm": "kuno", "es": "dos"},
        {"qlm": "kuno", "es": "tres"},
        {"qlm": "ti", "es": "x"},
    ]
    assert [one.meta.extra for one in found.segments] == [{"note": "n"}, {"note": "n"}, {}, {}]


def test_what_excel_stores(read: Read) -> None:
    rows = cells("qlm", "es") + '<row r="7"><c r="B7" t="b"><v>1</v></c><c r="A7" t="inlineStr"><is><r><t>ku</t></r>'
    rows += "<r><t>no</t></r><rPh><t>xx</t></rPh></is></c></row>" + cells("ti", "<c><v>1E+3</v></c>")
    found = read({"w.xlsx": raw_sheet(rows)}, path="w.xlsx")
    assert [(one.id, one.texts) for one in found.segments] == [
        ("src:w:7", {"qlm": "kuno", "es": "TRUE"}),
        ("src:w:8", {"qlm": "ti", "es": "1000"}),
    ]


def test_a_huge_cell_costs_its_row(read: Read) -> None:
    rows = cells("qlm", "es") + cells("x" * 30_000_000, "uno") + cells("ti", "dos")
    found = read({"w.xlsx": raw_sheet(rows)}, path="w.xlsx")
    assert [one.texts["qlm"] for one in found.segments] == ["ti"]
    (reject,) = found.rejects
    assert (reject.line, reject.reason) == (2, "the row is longer than max_line_bytes")


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
    for part in ("sheet1.xml", "workbook.xml", "_rels/.rels"):
        found = read({"w.xlsx": damaged(book, part, b"<broken")}, path="w.xlsx")
        assert "cut off or damaged" in found.failures[0].message, part


def test_bombs(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><worksheet>&e9;</worksheet>'.encode()
    found = read({"w.xlsx": damaged(workbook(ROWS), "sheet1.xml", bomb)}, path="w.xlsx")
    assert "cut off or damaged" in found.failures[0].message
    monkeypatch.setattr(parts, "MAX_UNPACKED", 1000)
    found = read({"w.xlsx": workbook(ROWS)}, path="w.xlsx")
    assert "looks like a trap" in found.failures[0].message
