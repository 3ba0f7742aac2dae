"""Drawn pages through Tesseract, and files that are no honest scans."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tests.printed import Word, headwords, needs_tesseract, page_of, printed_lexicon

from seshat.config.ocr import ScanSource
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Entry
from seshat.media import images
from seshat.media.ocr import run
from seshat.media.pages import Page
from seshat.media.reading import Task, count, read_page
from seshat.review.queues.scanned_entries import QUEUE

TEXT = ("Mina pali basi.", "Tolo kumu dopa ani.", "", "Ruka teka gelu bele.")


def task(path: Path, **changes: object) -> Task:
    source = ScanSource(name="x", path="x.png", recognise=("Latin",), **changes)
    return Task(path, path.name, 1, source, 200, 60, None)


class TestPages:
    @pytest.fixture(autouse=True)
    def _needs(self) -> None:
        needs_tesseract()

    def read(self, path: Path, turn: float = 0.0, **changes: object) -> Page:
        page_of(TEXT).rotate(turn, fillcolor=255).save(path)
        return read_page(task(path, **changes))

    def test_words_have_boxes_and_confidence(self, tmp_path: Path) -> None:
        page = self.read(tmp_path / "a.png")
        assert page.text.split("\n") == [line for line in TEXT if line]
        word = page.lines[0].words[0]
        assert word.confidence > 0.5
        assert 150 < word.box[0] < 170
        assert 1 < word.stroke < 10

    def test_a_skewed_page_is_straightened(self, tmp_path: Path) -> None:
        assert "Tolo kumu dopa ani." in self.read(tmp_path / "a.png", turn=1.5).text

    def test_dust_is_no_text(self, tmp_path: Path) -> None:
        image, rng = page_of(TEXT), random.Random(1)
        for _ in range(400):
            x, y = rng.randrange(image.width - 3), rng.randrange(image.height - 3)
            image.paste(0, (x, y, x + rng.randrange(1, 4), y + rng.randrange(1, 4)))
        image.paste(0, (20, 0, 26, image.height))
        image.save(tmp_path / "a.png")
        found = read_page(task(tmp_path / "a.png")).text.split("\n")
        assert found == [line for line in TEXT if line]

    def test_a_page_without_text(self, tmp_path: Path) -> None:
        page_of([]).save(tmp_path / "a.png")
        page = read_page(task(tmp_path / "a.png"))
        assert page.lines == ()
        assert page.problem is None

    def test_a_pdf_is_drawn(self, tmp_path: Path) -> None:
        page_of(TEXT).save(tmp_path / "a.pdf", resolution=200)
        assert count(tmp_path / "a.pdf") == (1, "")
        assert "Mina pali basi." in read_page(task(tmp_path / "a.pdf")).text


WORDS: list[Word] = [
    (f"{a}{b}", pos, gloss)
    for a, pos, gloss in (("pa", "s", "casa; choza grande de la aldea"), ("tolo", "v", "mirar con atención a alguien"),
                          ("ki", "adj", "rojo"), ("mera", "s", "pez pequeño; anzuelo que se usa en el río"))
    for b in ("ri", "mon", "tesa", "luke", "bano", "sika")
]  # fmt: skip


def test_a_printed_dictionary_gives_entries(tmp_path: Path) -> None:
    needs_tesseract()
    project = printed_lexicon(tmp_path, WORDS, lambda image: image)
    run(project)
    entries = list(read_jsonl(project.scanned / "entries.jsonl", Entry))
    precision, recall = headwords(entries, WORDS)
    assert precision >= 0.95
    assert recall >= 0.95
    assert entries[0].headword == "pari"
    assert entries[0].pos == "s"
    assert entries[0].senses[0].glosses["es"] == ("casa", "choza grande de la aldea")
    assert entries[0].meta.tags == ("ocr:unreviewed",)
    rows, before = QUEUE.read(QUEUE.path(project))
    assert "#xywh=" in rows[0]["scan"]
    QUEUE.write(QUEUE.path(project), [rows[0].changed(decision="accept", corrected_glosses="hogar"), *rows[1:]], before)
    run(project)
    first = next(read_jsonl(project.scanned / "entries.jsonl", Entry))
    assert first.senses[0].glosses["es"] == ("hogar",)
    assert first.meta.tags == ()


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"


def pdf(page: bytes, more: bytes = b"") -> bytes:
    """A PDF of one page, without a table of its parts: readers find them."""
    return PDF + b"3 0 obj<</Type/Page/Parent 2 0 R" + page + b">>endobj\n" + more + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def huge_tiff() -> bytes:
    """The head of a TIFF of 100,000 x 100,000 pixels: ten gigabytes."""
    tags = [
        (256, 100_000),
        (257, 100_000),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 200),
        (277, 1),
        (278, 100_000),
        (279, 9),
    ]
    body = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<LH", 8, len(tags)) + body + b"\0" * 4


class TestBadFiles:
    @pytest.fixture(autouse=True)
    def _needs(self) -> None:
        pytest.importorskip("pypdfium2")
        pytest.importorskip("PIL")

    def test_cut_off(self, tmp_path: Path) -> None:
        path = tmp_path / "a.pdf"
        path.write_bytes(pdf(b"/MediaBox[0 0 100 100]")[:40])
        pages, problem = count(path)
        assert pages == 0
        assert "damaged or cut off" in problem

    def test_encrypted(self, tmp_path: Path) -> None:
        path = tmp_path / "a.pdf"
        key = b"<" + b"41" * 32 + b">"
        locked = pdf(
            b"/MediaBox[0 0 100 100]", b"4 0 obj<</Filter/Standard/V 1/R 2/P -4/O" + key + b"/U" + key + b">>endobj\n"
        )
        path.write_bytes(locked.replace(b"trailer<<", b"trailer<</Encrypt 4 0 R/ID[<41><41>]"))
        assert "encrypted" in count(path)[1]

    def test_a_page_as_large_as_a_field(self, tmp_path: Path) -> None:
        path = tmp_path / "a.pdf"
        path.write_bytes(pdf(b"/MediaBox[0 0 14400 14400]"))
        page = read_page(task(path))
        assert page.problem is not None
        assert "more than 60,000,000" in page.problem

    def test_a_tiff_that_claims_ten_gigabytes(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tiff"
        path.write_bytes(huge_tiff())
        page = read_page(task(path))
        assert page.problem is not None
        assert "100,000 x 100,000 pixels" in page.problem

    @pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
    def test_no_image(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(content)
        assert "cannot be read" in count(path)[1]

    def test_memory_is_limited(self) -> None:
        program = "from seshat.media.images import limit_memory; limit_memory(); bytearray(2 * 10**9)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert "MemoryError" in done.stderr
        assert images.MEMORY < 2**30


def test_the_text_layer_comes_first(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    text = b"BT /F1 18 Tf 40 150 Td (Mina pali basi, tolo kumu dopa.) Tj 0 -30 Td (Ruka teka gelu.) Tj ET"
    stream = b"5 0 obj<</Length %d>>stream\n%s\nendstream endobj\n" % (len(text), text)
    font = b"4 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    page = b"/MediaBox[0 0 400 200]/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R"
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(page, font + stream))
    found = read_page(task(path))
    assert found.by == "text layer"
    assert found.text == "Mina pali basi, tolo kumu dopa.\nRuka teka gelu."
