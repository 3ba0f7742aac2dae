"""Pages of other programs, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from seshat.core.errors import DataError
from seshat.media.markup import FORMS, read, written
from seshat.media.pages import Line, Page, Word

pytest.importorskip("lxml")

PAGE = Page(
    file="x",
    number=1,
    width=600,
    height=800,
    lines=(
        Line(words=(Word(text='"Ka', box=(10, 10, 40, 20), confidence=0.9), Word(text="s̈ho", box=(60, 10, 40, 20))),
             box=(10, 10, 90, 20)),
        Line(words=(Word(text="<&>", box=(10, 40, 40, 20), confidence=0.5),), box=(10, 40, 40, 20)),
        Line(words=(Word(text="mina", box=(10, 90, 40, 20)),), box=(10, 90, 40, 20), paragraph=1),
    ),
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"page.{form}"
    path.write_text(written(PAGE, "page.png", form), encoding="utf-8")
    (found,) = read(path, "x")
    assert found.text == PAGE.text
    assert [line.box for line in found.lines] == [line.box for line in PAGE.lines]
    assert [line.paragraph for line in found.lines] == [0, 0, 1]
    assert (found.width, found.height) == (600, 800)
    if form != "page.xml":
        assert [word.confidence for line in found.lines for word in line.words] == [0.9, 1.0, 0.5, 1.0]


def test_bold_words_have_thicker_strokes(tmp_path: Path) -> None:
    path = tmp_path / "page.hocr"
    words = '<span class="ocrx_word"><strong>pali</strong></span> <span class="ocrx_word">casa</span>'
    path.write_text(f'<div class="ocr_page"><span class="ocr_line">{words}</span></div>', encoding="utf-8")
    (page,) = read(path, "x")
    assert [word.stroke for word in page.lines[0].words] == [2.0, 1.0]


@pytest.mark.parametrize("content", ["<svg/>", "<alto", ""])
def test_other_files_are_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "page.xml"
    path.write_text(content)
    with pytest.raises(DataError, match=r"page\.xml"):
        read(path, "x")


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path = tmp_path / "page.xml"
    path.write_text(
        f'<!DOCTYPE alto [<!ENTITY x SYSTEM "{secret.as_uri()}">]><alto><Page><TextBlock><TextLine>'
        '<String CONTENT="a"/></TextLine><TextLine>&x;</TextLine></TextBlock></Page></alto>'
    )
    assert read(path, "x")[0].text == "a"
