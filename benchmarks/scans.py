"""Scans: error rates on renderings of known text before and after candidates, typed school pages, printed dictionaries.

Shipibo, Spanish and Tamil text that is known is drawn as pages at three qualities and read by Tesseract; the
candidates of a page are those that the other pages teach. Pages of real school books are compared with what somebody
has typed, where ``SESHAT_TYPED_SCANS`` names a folder with such files (``book.pdf.13.txt``); only figures are kept.
Two-column pages of the sample's lexicon give entries. With files that are no honest scans: what is said, and how much
memory it takes.
"""

from __future__ import annotations

import io
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine

if TYPE_CHECKING:
    from PIL.Image import Image

SUMMARY = (
    "scans: CER before and after candidates at three qualities, typed school pages, printed dictionaries, bad files"
)
SHARED = Path(os.environ.get("SESHAT_SHARED", machine.ROOT.parent / "shared"))
PAGES = 4
HELD_BACK = 2
LINES = 24
QUALITIES = ("clean", "half the resolution, noise", "skewed")
FONTS = {"shp": "DejaVuSans", "es": "DejaVuSerif", "ta": "Lohit-Tamil"}
MODELS = {"shp": ("spa", "Latin"), "es": ("spa",), "ta": ("tam",)}
WIDTH, HEIGHT = 2480, 3508
"""A4 at 300 dpi."""


def main() -> dict[str, Any]:
    """Measure, print tables, return the figures."""
    rendered = [row for language in FONTS for row in _language(language)]
    dictionary = [_dictionary(quality, known) for known in (True, False) for quality in QUALITIES[:2]]
    typed = _typed()
    bad = _bad_files()
    console = Console()
    for title, rows in (
        ("Rendered text, per cent", rendered),
        ("Printed dictionary", dictionary),
        ("Typed school pages, each left out once", typed),
        ("Files that are no honest scans", bad),
    ):
        if rows:
            table = Table(*rows[0], title=title)
            for row in rows:
                table.add_row(*map(str, row.values()))
            console.print(table)
    return {"rendered": rendered, "dictionary": dictionary, "typed": typed, "bad files": bad}


def _texts(language: str) -> list[str]:
    """Running text of a language, from the data beside the repository."""
    data = SHARED / "data"
    if language == "ta":
        rows = (data / "tamil" / "thirukkural" / "kural_ta_en.tsv").read_text("utf-8").splitlines()
        return [row.split("\t")[0] for row in rows[1:]]
    return (data / "americasnlp" / "shp" / f"dev.{language}").read_text("utf-8").splitlines()


def _paragraphs(language: str, rng: random.Random) -> list[list[str]]:
    """Lines of each page."""
    texts = _texts(language)
    start = rng.randrange(max(1, len(texts) - PAGES * LINES))
    lines = textwrap.wrap(" ".join(texts[start:]), 58 if language != "ta" else 40)
    return [lines[page * LINES : (page + 1) * LINES] for page in range(PAGES)]


def drawn(lines: Sequence[str], font_name: str, quality: str, rng: random.Random) -> Image:
    """A page of text as an image at 300 dpi, damaged as ``quality`` says."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (WIDTH, HEIGHT), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(f"{font_name}.ttf", 50)
    for number, line in enumerate(lines):
        pen.text((240, 300 + 110 * number), line, fill=0, font=font)
    return damaged(image, quality, rng)


def damaged(image: Image, quality: str, rng: random.Random) -> Image:
    """An image as a bad scan: half the resolution with noise and dust, or turned."""
    import numpy as np
    from PIL import Image

    if quality == "skewed":
        return image.rotate(1.3, resample=Image.Resampling.BICUBIC, fillcolor=255)
    if quality == "half the resolution, noise":
        small = np.asarray(image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR), np.float32)
        noise = np.random.default_rng(rng.randrange(2**32))
        grey = np.clip(small + noise.normal(0, 35, small.shape), 0, 255)
        grey[noise.random(small.shape) < 0.0005] = 0
        return Image.fromarray(grey.astype(np.uint8)).resize(image.size)
    return image


def _language(language: str) -> Iterator[dict[str, Any]]:
    from seshat.config.ocr import OcrSection, ScanSource
    from seshat.media.images import straightened
    from seshat.media.learning import measured
    from seshat.media.pages import without_dust
    from seshat.media.reading import Readers
    from seshat.media.reviewing import matched
    from seshat.media.tesseract import read
    from seshat.scores.recognition import error_rates, plain

    for quality in QUALITIES:
        rng = random.Random(7)
        source = ScanSource(name="rendered", path="x.png", recognise=MODELS[language])
        pairs, seconds, whole = {}, 0.0, []
        for number, lines in enumerate(_paragraphs(language, rng)):
            image = straightened(drawn(lines, FONTS[language], quality, rng))
            found, took = read(image, source, dpi=300, seconds=120)
            text = [line.text for line in without_dust(found)[0]]
            pairs[str(number)] = matched(text, lines)
            whole.append(("\n".join(lines), "\n".join(text)))
            seconds += took
        with Readers(OcrSection()) as readers:
            _margin, errors = measured(pairs, [], readers)
        characters = sum(len(plain(text)) for text, _ in whole)
        yield {
            "language": language,
            "quality": quality,
            "CER": error_rates(whole).cer,
            "CER of paired lines": round(100 * sum(raw for raw, _ in errors.values()) / characters, 2),
            "with candidates": round(100 * sum(new for _, new in errors.values()) / characters, 2),
            "seconds a page": round(seconds / PAGES, 2),
        }


def _dictionary(quality: str, known: bool) -> dict[str, Any]:
    """Entries of two-column pages of the sample's lexicon, through the command's own code.

    Args:
        quality: of the scans.
        known: write ``i`` for ``ɨ``, a letter that no model of the recogniser knows.
    """
    from tests.printed import headwords, printed_lexicon

    from seshat.core.jsonl import read_jsonl
    from seshat.core.records import Entry
    from seshat.media.ocr import run

    words = [(word.replace("ɨ", "i") if known else word, pos, gloss) for word, pos, gloss in _lexicon()]
    with tempfile.TemporaryDirectory() as folder:
        project = printed_lexicon(Path(folder), words, lambda image: damaged(image, quality, random.Random(3)))
        summary = run(project)
        entries = list(read_jsonl(project.scanned / "entries.jsonl", Entry))
    precision, recall = headwords(entries, words)
    wanted = {(headword, gloss) for headword, _, gloss in words}
    right = sum((entry.headword, "; ".join(entry.senses[0].glosses["es"])) in wanted for entry in entries)
    return {
        "quality": quality,
        "letters": "known" if known else "with ɨ",
        "entries": len(words),
        "found": len(entries),
        "headword precision": round(precision, 3),
        "headword recall": round(recall, 3),
        "headword and glosses right": round(right / len(words), 3),
        "seconds a page": summary["seconds per page"],
    }


def _lexicon() -> list[tuple[str, str, str]]:
    """The words of the sample project."""
    sys.path.insert(0, str(machine.ROOT / "projects" / "sample"))
    import csv

    import generate

    parts = {"noun": "s", "verb": "v", "adj": "adj", "adv": "adv", "num": "num"}
    rows = csv.DictReader(io.StringIO(generate.files(generate.SEED)["raw/dictionary/lexicon.csv"].decode()))
    return [
        (row["headword"], parts[row["pos"]], row["spanish"])
        for row in rows
        if row["pos"] in parts and row["type"] == "word"
    ]


def _typed() -> list[dict[str, Any]]:
    """Pages of real books against what somebody has typed: ten teach, and two others are read with what was taught."""
    folder, books = os.environ.get("SESHAT_TYPED_SCANS"), SHARED / "data" / "amazonian" / "shipibo_school_pdfs"
    return list(_school_pages(Path(folder), books)) if folder and books.is_dir() else []


def _school_pages(folder: Path, books: Path) -> Iterator[dict[str, Any]]:
    from seshat.config.ocr import OcrSection, ScanSource
    from seshat.media.learning import measured
    from seshat.media.lessons import Lessons
    from seshat.media.reading import Readers, Task, lost_page, read_page
    from seshat.media.reviewing import matched
    from seshat.scores.recognition import error_rates

    source = ScanSource(name="books", path="*.pdf", recognise=("spa", "Latin"))
    tasks, texts = [], {}
    for typed in sorted(folder.glob("*.pdf.*.txt")):
        name, number = typed.stem.rsplit(".", 1)
        tasks.append(Task(books / name, name, int(number), source, 300, 120, None))
        texts[tasks[-1]] = typed.read_text("utf-8")
    with Readers(OcrSection()) as readers:
        pages = dict(readers.each(read_page, tasks, lost_page))
        pairs = {task: matched([line.text for line in pages[task].lines], texts[task].splitlines()) for task in tasks}
        for place in range(0, len(tasks), HELD_BACK):
            held = tasks[place : place + HELD_BACK]
            taught = {f"{task.file} {task.number}": pairs[task] for task in tasks if task not in held}
            margin, _errors = measured(taught, [], readers)
            told = [pair for page in taught.values() for pair in page]
            lessons = Lessons(told, margin=math.inf if margin is None else margin)
            for task in held:
                proposed = "\n".join(lessons.propose(line.text).text for line in pages[task].lines)
                yield {
                    "page": f"{task.file} {task.number}",
                    "characters": len(texts[task]),
                    "CER": error_rates([(texts[task], pages[task].text)]).cer,
                    "with candidates": error_rates([(texts[task], proposed)]).cer,
                    "margin": margin,
                    "seconds": pages[task].seconds,
                }


def _bad_files() -> list[dict[str, Any]]:
    """What is said of files that are no honest scans, and what the whole command takes."""
    rows = []
    for name, content in _made().items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "data" / "raw" / "scans" / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            (Path(folder) / "seshat.yaml").write_text(_BAD, encoding="utf-8")
            began = time.monotonic()
            done = subprocess.run([sys.executable, "-c", _WATCHED, folder], capture_output=True, text=True, check=True)
            told = json.loads(done.stdout.splitlines()[-1])
            rows.append({"file": name, "seconds": round(time.monotonic() - began, 1), **told})
    return rows


_BAD = """\
project: {name: Bad, language: qsm, pivot: es}
ocr: {sources: [{name: bad, path: "scans/*", recognise: [Latin]}], processes: 1, page_seconds: 20, most_pages: 10}
"""
_WATCHED = """
import json, resource, sys
from pathlib import Path
from seshat.config.load import load_config
from seshat.media.ocr import run
from seshat.project.folder import Project
project = Project(Path(sys.argv[1]), load_config(Path(sys.argv[1])))
summary = run(project)
rejects = [json.loads(line)["reason"].split("\\n")[0] for line in (project.scanned / "rejects.jsonl").open()]
said = [one.replace(sys.argv[1], "") for one in dict.fromkeys([*rejects, *summary["warnings"]])]
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(json.dumps({"MB": peak // 1024, "pages": summary["pages"], "said": said[0][:160] if said else ""}))
"""


def _made() -> dict[str, bytes]:
    """Files by their name: cut off, 5,000 pages, bombs."""
    from tests.media.test_reading import PDF, huge_tiff, pdf

    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(5_000))
    page = b"%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n"
    many = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[" + kids
    many += b"]/Count 5000>>endobj\n" + b"".join(page % (number + 3) for number in range(5_000))
    bomb = zlib.compress(zlib.compress(b"0 0 m 9 9 l S\n" * 60_000_000, 9), 9)
    stream = (
        b"4 0 obj<</Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n" % len(bomb) + bomb + b"\nendstream endobj\n"
    )
    return {
        "cut.pdf": PDF[:60],
        "many.pdf": many + b"trailer<</Root 1 0 R>>\n%%EOF\n",
        "bomb.pdf": pdf(b"/MediaBox[0 0 200 100]/Contents 4 0 R", stream),
        "field.pdf": pdf(b"/MediaBox[0 0 14400 14400]"),
        "huge.tiff": huge_tiff(),
    }
