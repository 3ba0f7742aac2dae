"""Tesseract as a program: an image in, words with confidence and box out.

It has a limit of time; that of memory (:func:`seshat.media.images.limit_memory`) it inherits from the worker.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.core.errors import DataError
from seshat.media.images import gutter, stroke
from seshat.media.pages import Line, Word, around

if TYPE_CHECKING:
    from PIL.Image import Image

    from seshat.config.ocr import ScanSource

_AUTOMATIC, _ONE_COLUMN = "3", "4"
"""Ways to divide a page (``tesseract --help-psm``)."""


def check(models: Sequence[str], folder: Path | None) -> None:
    """Refuse models that are not installed.

    Raises:
        DataError: Tesseract or one of the models is missing; names what to install.
    """
    where = ["--tessdata-dir", str(folder)] if folder else []
    try:
        told = subprocess.run(["tesseract", "--list-langs", *where], capture_output=True, text=True, check=False)
    except OSError as error:
        raise DataError(
            "Reading scans needs the program 'tesseract', which is not installed.",
            "Debian and Ubuntu: apt-get install tesseract-ocr tesseract-ocr-script-latn; macOS: brew install tesseract",
        ) from error
    known = told.stdout.split("\n")[1:]
    if missing := [model for model in dict.fromkeys(models) if model not in known]:
        raise DataError(
            f"Tesseract has no model named {', '.join(missing)}; there are {', '.join(filter(None, known)) or 'none'}.",
            "Debian and Ubuntu: apt-get install tesseract-ocr-spa (or -script-latn …), or name a folder of your own "
            "under ocr.traineddata.",
        )


def read(
    image: Image, source: ScanSource, *, dpi: int, seconds: int, folder: Path | None = None
) -> tuple[list[Line], float]:
    """The lines of a page, region by region, and the processor time it took.

    Args:
        image: the page, in grey and upright.
        source: which models, and where regions and columns are.
        dpi: resolution of the image.
        seconds: a region that takes longer is an error.
        folder: models of the user's own.

    Raises:
        DataError: Tesseract takes too long, too much memory, or fails.
    """
    import numpy as np

    pixels = np.asarray(image)
    before = os.times().children_user
    lines: list[Line] = []
    for (left, top, right, bottom), models, language in _regions(image, source):
        part = image.crop((left, top, right, bottom))
        mode = _AUTOMATIC if source.columns == "auto" else _ONE_COLUMN
        told = _asked(part, models, mode, dpi, seconds, folder)
        first = lines[-1].paragraph + 1 if lines else 0
        for words, paragraph in _told(told):
            moved = [
                word.model_copy(update={"box": (word.box[0] + left, word.box[1] + top, *word.box[2:])})
                for word in words
            ]
            strokes = tuple(word.model_copy(update={"stroke": stroke(pixels, word.box)}) for word in moved)
            box = around(word.box for word in strokes)
            lines.append(Line(words=strokes, box=box, paragraph=first + paragraph, language=language))
    return lines, round(os.times().children_user - before, 2)


def _regions(
    image: Image, source: ScanSource
) -> Iterator[tuple[tuple[int, int, int, int], tuple[str, ...], str | None]]:
    width, height = image.size
    for region in source.regions:
        left, top, wide, high = region.box
        box = int(left * width), int(top * height), int((left + wide) * width), int((top + high) * height)
        yield box, region.recognise or source.recognise, region.language
    if source.regions:
        return
    middle = gutter(image) if source.columns == 2 else None
    if middle is None:
        yield (0, 0, width, height), source.recognise, None
    else:
        yield (0, 0, middle, height), source.recognise, None
        yield (middle, 0, width, height), source.recognise, None


def _asked(image: Image, models: Sequence[str], mode: str, dpi: int, seconds: int, folder: Path | None) -> str:
    stream = BytesIO()
    image.save(stream, "PPM")  # of a grey image, PGM
    where = ["--tessdata-dir", str(folder)] if folder else []
    command = ["tesseract", "-", "-", *where, "-l", "+".join(models), "--dpi", str(dpi), "--psm", mode, "tsv"]
    try:
        done = subprocess.run(
            command, input=stream.getvalue(), capture_output=True, timeout=seconds, check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DataError(f"Tesseract took longer than {seconds} seconds.", "Raise ocr.page_seconds.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise DataError(f"Tesseract failed: {said[-1] if said else f'code {done.returncode}'}.")
    return done.stdout.decode("utf-8", "replace")


def _told(table: str) -> Iterator[tuple[list[Word], int]]:
    """Lines of words out of Tesseract's table, each with the number of its paragraph."""
    rows = [cells for cells in (line.split("\t") for line in table.splitlines()[1:]) if len(cells) == 12]
    words = [cells for cells in rows if cells[0] == "5" and cells[11].strip()]
    numbers: dict[tuple[str, ...], int] = {}
    for place, cells in groupby(words, key=lambda cells: tuple(cells[2:5])):
        found = [
            Word(
                text=one[11].strip(),
                confidence=round(float(one[10]) / 100, 3),
                box=(int(one[6]), int(one[7]), int(one[8]), int(one[9])),
            )
            for one in cells
        ]
        yield found, numbers.setdefault(place[:2], len(numbers))
