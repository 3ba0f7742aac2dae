"""Pages that are drawn, for tests and benchmarks of scans; everything on them is made up or given."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seshat.config.load import load_config
from seshat.core.records import Entry
from seshat.project.folder import Project

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT = 1654, 2339
"""A4 at 200 dpi."""
Word = tuple[str, str, str]
"""Headword, part of speech, glosses with ``; `` between."""

DICTIONARY = """\
project: {name: Printed, language: qsm, pivot: es, max_access: public}
ocr:
  sources:
    - name: words
      path: scans/*.png
      recognise: [Latin]
      columns: 2
      access: public
      dictionary:
        pattern: '(?P<headword>\\S+)\\s+(?P<pos>s|v|adj|adv|num|suf)\\.\\s+(?P<gloss>[^.]+)\\.?'
        tests:
          - {text: "pali s. casa; choza.", headword: pali, pos: s, glosses: [casa, choza]}
  dpi: 200
  processes: 1
  review_pages: 1
"""


def needs_tesseract() -> None:
    """Skip the test where the program, its Latin model or the fonts are missing."""
    pytest.importorskip("PIL")
    pytest.importorskip("pypdfium2")
    if shutil.which("tesseract") is None:
        pytest.skip("Tesseract is not installed (make system)")
    try:
        font("DejaVuSans", 20)
    except OSError:
        pytest.skip("there is no font DejaVu Sans")


def font(name: str, size: int) -> object:
    """A font of the system."""
    from PIL import ImageFont

    return ImageFont.truetype(f"{name}.ttf", size)


def page_of(lines: Sequence[str], size: int = 34) -> Image:
    """A page with lines of text; an empty one is a space between paragraphs."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (WIDTH, HEIGHT), 255)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((160, 200 + int(1.9 * size) * number), line, fill=0, font=font("DejaVuSans", size))  # type: ignore[arg-type]
    return image


def dictionary_pages(words: Sequence[Word], size: int = 28, rows: int = 44) -> Iterable[Image]:
    """Two-column pages: bold headwords at the edge of the column, the rest of an entry indented."""
    from PIL import Image, ImageDraw

    plain, bold = font("DejaVuSans", size), font("DejaVuSans-Bold", size)
    lines: list[tuple[bool, str, str]] = []
    for headword, pos, glosses in words:
        text, first = f"{pos}. {glosses}.".split(), True
        while text:
            line: list[str] = []
            while text and len(" ".join([headword if first else "", *line, text[0]])) < 34:
                line.append(text.pop(0))
            lines.append((first, headword if first else "", " ".join(line)))
            first = False
    for start in range(0, len(lines), 2 * rows):
        image = Image.new("L", (WIDTH, HEIGHT), 255)
        pen = ImageDraw.Draw(image)
        for place, (begins, headword, rest) in enumerate(lines[start : start + 2 * rows]):
            x, y = (120 if place < rows else 890), 160 + int(1.7 * size) * (place % rows)
            if begins:
                pen.text((x, y), headword, fill=0, font=bold)  # type: ignore[arg-type]
                x += int(pen.textlength(f"{headword} ", font=bold))  # type: ignore[arg-type]
            else:
                x += 45
            pen.text((x, y), rest, fill=0, font=plain)  # type: ignore[arg-type]
        yield image


def printed_lexicon(root: Path, words: Sequence[Word], damage: Callable[[Image], Image]) -> Project:
    """A project with the scans of a dictionary."""
    folder = root / "data" / "raw" / "scans"
    folder.mkdir(parents=True)
    for number, image in enumerate(dictionary_pages(words), start=1):
        damage(image).save(folder / f"page{number:02d}.png")
    (root / "seshat.yaml").write_text(DICTIONARY, encoding="utf-8")
    return Project(root, load_config(root))


def headwords(entries: Iterable[Entry], words: Sequence[Word]) -> tuple[float, float]:
    """Precision and recall of the headwords of entries."""
    found, wanted = [entry.headword for entry in entries], {headword for headword, _, _ in words}
    right = [headword for headword in found if headword in wanted]
    return len(right) / max(1, len(found)), len(set(right)) / len(wanted)
