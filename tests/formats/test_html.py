"""Web pages and PDF documents: what is kept of them, and what is said about it."""

from __future__ import annotations

import pytest
from tests.reading import Read
from tests.text.test_legacy import SAID, WRITTEN

pytest.importorskip("lxml")
pytest.importorskip("trafilatura")

VERSE = "".join(f"kuno {number} mira<br>\ntalo pesi veta<br>\n" for number in range(40))
MENU = "<ul>" + "".join(f"<li><a href='/{n}'>sala meno tiru pako number {n}</a></li>" for n in range(9)) + "</ul>"
TAMIL = {"language": "ta", "pivot": "en"}
PAGE = f"<html><head><title>t</title><script>var hidden = 'kuno';</script></head><body>{{menu}}{VERSE}</body></html>"


def test_no_line_of_verse_is_lost_and_the_share_is_reported(read: Read) -> None:
    result = read({"site/a.html": PAGE.format(menu="")}, path="site/*.html", language="qlm")
    lines = [segment.texts["qlm"] for segment in result.segments]
    assert lines[:3] == ["kuno 0 mira", "talo pesi veta", "kuno 1 mira"]
    assert len(lines) == 80
    assert "hidden" not in " ".join(lines)
    report = next(iter(result.context.reports.values()))
    assert {"extractor", "trafilatura_kept"} <= report.details.keys()
    assert list(result.context.sites) == ["site"]
    assert len({segment.meta.doc_id for segment in result.segments}) == 1


def test_menus_and_unclosed_tags_do_no_harm(read: Read) -> None:
    from seshat.formats.html import _tree, text_blocks

    blocks = text_blocks(_tree(f"<body>{MENU}<p>One <b>bold</b> word<p>Two<a name=x><p>Three<nav>no</nav>"))
    assert [block for block in blocks if "sala" not in block] == ["One bold word", "Two", "Three"]
    deep = "<div>" * 20_000 + "kuno"
    assert text_blocks(_tree(deep)) in ([], ["kuno"])
    long_menu = "<p>" + " | ".join(f"<a href='/{n}'>sala meno tiru pako</a>" for n in range(9)) + "</p>"
    assert text_blocks(_tree(f"<body>{long_menu}<p>Kuno</p>")) == ["Kuno"]
    empty = read({"a.html": "<html><body></body></html>"}, path="a.html", language="qlm")
    assert empty.rejects[0].reason == "the page has no text"


def test_pages_in_fonts_from_before_unicode_are_repaired(read: Read) -> None:
    page = "<html><body>" + f"<p>{WRITTEN['tscii']}</p>" * 3 + "</body></html>"
    for data in (page.encode(), page.encode("latin-1")):
        result = read({"a.html": data}, path="a.html", project=TAMIL)
        assert {segment.texts["ta"] for segment in result.segments} == {SAID}
        assert "tscii" in result.warnings


def test_text_files_in_fonts_from_before_unicode_are_read(read: Read) -> None:
    for name, text in WRITTEN.items():
        result = read({"a.txt": f"{text}\n"}, path="a.txt", project=TAMIL)
        assert [segment.texts["ta"] for segment in result.segments] == [SAID], name
        assert name in result.warnings
    given = read({"b.txt": WRITTEN["tab"].encode("latin-1")}, path="b.txt", project=TAMIL, encoding="tab")
    assert given.segments[0].texts["ta"] == SAID


def pdf(*pages: str) -> bytes:
    """A PDF document with a line of text a page; an empty one has no text layer."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages:
        stream = b"BT /F1 12 Tf 50 700 Td (" + text.encode("latin-1") + b") Tj ET" if text else b""
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
        content = len(objects)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % content
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (b" ".join(kids), len(kids))
    body = b"%PDF-1.4\n"
    places = []
    for number, content_of in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content_of)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    tail = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + head + tail


def test_the_text_layer_of_pdf_documents_is_read_page_by_page(read: Read) -> None:
    pytest.importorskip("pypdfium2")
    result = read({"a.pdf": pdf("Kuno mira talo.", "", "Pesi veta.")}, path="a.pdf", language="qlm")
    assert [(one.texts["qlm"], one.meta.origin and one.meta.origin.page) for one in result.segments] == [
        ("Kuno mira talo.", 1),
        ("Pesi veta.", 3),
    ]
    assert "page 2" in result.rejects[0].reason


def test_scans_and_broken_documents_are_named(read: Read) -> None:
    pytest.importorskip("pypdfium2")
    scan = read({"a.pdf": pdf("", "")}, path="a.pdf", language="qlm")
    assert "seshat ocr" in (scan.failures[0].hint or "")
    assert "cannot be opened" in read({"b.pdf": b"%PDF-1.4 nothing"}, path="b.pdf", language="qlm").failures[0].message


def test_a_damaged_page_costs_that_page(read: Read) -> None:
    pytest.importorskip("pypdfium2")
    whole = pdf("Kuno mira talo.", "Pesi veta.", "Sala tiru.")
    second = whole.index(b"/Type /Page /Parent", whole.index(b"/Type /Page /Parent") + 1)
    damaged = whole[:second] + b"/Type /None /Parent" + whole[second + 19 :]
    result = read({"a.pdf": damaged}, path="a.pdf", language="qlm")
    assert [one.texts["qlm"] for one in result.segments] == ["Kuno mira talo.", "Sala tiru."]
    assert [one.reason for one in result.rejects] == ["page 2 is damaged"]
