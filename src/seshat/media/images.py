"""Files of scans: how many pages, what text they bring, and the image of a page, within limits.

Files are strangers': pages are opened in worker processes whose memory is limited (:func:`limit_memory`), sizes are
looked at before anything is drawn, and what is too large is refused in words.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.core.errors import DataError, require
from seshat.media.pages import Box, Line, Word, around

if TYPE_CHECKING:
    from PIL.Image import Image

PDF = frozenset({".pdf"})
IMAGES = frozenset({".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".webp"})
MEMORY = 900 * 2**20
"""Bytes that a worker, or the recogniser, may take."""
MOST_PIXELS = 60_000_000
"""Of one page: A3 at 600 dpi is 70 million; drawn in grey, a page takes a byte each."""
_SOUND = 20
"""Letters from which the text layer of a page counts."""
_STEEPEST, _LEAST = 3.0, 0.2
"""Degrees by which a scan is turned at most and at least."""


def limit_memory(most: int = MEMORY) -> None:
    """Limit the address space of this process, so that no file can take the machine's memory."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A PDF (of pypdfium2) or an image (of Pillow).

    Raises:
        DataError: it is encrypted, damaged, cut off, or no such file; says so.
        MissingPackage: the extra ``ocr`` is not installed.
    """
    if path.suffix.lower() in PDF:
        pdfium = require("pypdfium2", extra="ocr", purpose="Reading PDF files")
        try:
            document = pdfium.PdfDocument(path)
        except pdfium.PdfiumError as error:
            locked = "password" in str(error).lower()
            said = "it is encrypted" if locked else f"it is damaged or cut off ({error})"
            hint = "Save a copy without a password." if locked else "Fetch or scan it again."
            raise DataError(f"{path}: the PDF cannot be opened: {said}.", hint) from error
        try:
            yield document
        finally:
            document.close()
        return
    pillow = require("PIL.Image", extra="ocr", purpose="Reading images")
    vars(pillow)["MAX_IMAGE_PIXELS"] = None  # sizes are looked at before anything is drawn, and said in words
    try:
        with pillow.open(path) as image:
            yield image
    except (OSError, SyntaxError, ValueError, MemoryError) as error:
        raise DataError(f"{path}: the image cannot be read: {error or 'it is too large'}.", "Scan it again.") from error


def drawable(path: Path) -> bool:
    """Whether pages of a file are images, or can be drawn as such."""
    return path.suffix.lower() in PDF | IMAGES


def page_count(path: Path) -> int:
    """Pages of a PDF or a TIFF; 1 for any other image.

    Raises:
        DataError: as of :func:`opened`.
    """
    with opened(path) as file:
        return len(file) if path.suffix.lower() in PDF else getattr(file, "n_frames", 1)


def text_layer(page: Any) -> list[Line] | None:
    """The lines of text that a page of a PDF brings with it; ``None`` where there is none, or none that is sound.

    Sound is text with letters of its own, without replacement and control characters and signs of private use, which
    fonts without a table of letters leave.
    """
    layer = page.get_textpage()
    try:
        text = layer.get_text_bounded().replace("\ufffe", "-")  # a hyphen at the end of a line
        letters = sum(one.isalpha() for one in text)
        strange = sum(unicodedata.category(one) in ("Co", "Cn", "Cs") or one == "\ufffd" for one in text)
        if letters < _SOUND or strange > letters / 50:
            return None
        height, lines, place = page.get_height(), [], 0
        for paragraph, line in enumerate(text.split("\n")):
            length = len(line) + 1
            if line.strip():
                corners = [layer.get_charbox(at) for at in range(place, place + len(line.rstrip()))]
                boxes = [(int(x), int(height - y2), int(x2 - x), int(y2 - y)) for x, y, x2, y2 in corners]
                box: Box = around(boxes)
                words = tuple(Word(text=word, box=box) for word in line.split())
                lines.append(Line(words=words, box=box, paragraph=paragraph))
            place += length
        return lines
    finally:
        layer.close()


def drawn(file: Any, number: int, dpi: int) -> Image:
    """The image of a page, in grey and upright.

    Args:
        file: of :func:`opened`.
        number: from 1.
        dpi: for a PDF.

    Raises:
        DataError: the page is too large.
    """
    if hasattr(file, "get_page_size"):
        width, height = (round(side * dpi / 72) for side in file.get_page_size(number - 1))
        _bounded(width, height)
        image = file[number - 1].render(scale=dpi / 72, grayscale=True).to_pil()
    else:
        if number > 1:
            file.seek(number - 1)
        _bounded(*file.size)
        image = file.convert("L")
    return straightened(image)


def _bounded(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise DataError(
            f"the page has {width:,} x {height:,} pixels, more than {MOST_PIXELS:,}.",
            "Scan it at 300 dpi, or lower ocr.dpi.",
        )


def straightened(image: Image) -> Image:
    """The image turned so that lines of text lie level: the angle at which rows differ most in ink."""
    import numpy as np
    from PIL.Image import Resampling

    small = image.reduce(max(1, image.width // 600))

    def contrast(angle: float) -> float:
        turned = np.asarray(small.rotate(angle, fillcolor=255), dtype=np.float32)
        return float(np.var(turned.mean(axis=1)))

    coarse = max((step / 2 for step in range(int(-2 * _STEEPEST), int(2 * _STEEPEST) + 1)), key=contrast)
    angle = max((coarse + step / 10 for step in range(-4, 5)), key=contrast)
    if abs(angle) < _LEAST or contrast(angle) < 1.02 * contrast(0.0):
        return image
    return image.rotate(angle, resample=Resampling.BICUBIC, fillcolor=255)


def gutter(image: Image) -> int | None:
    """Where the empty stripe between two columns lies, in pixels from the left; ``None`` where there is none."""
    import numpy as np

    dark = np.asarray(image.reduce(4)) < 128
    columns = dark[int(dark.shape[0] * 0.12) : int(dark.shape[0] * 0.92)].mean(axis=0)
    begin, end = int(len(columns) * 0.3), int(len(columns) * 0.7)
    width = max(2, len(columns) // 100)
    ink = np.convolve(columns, np.ones(width), mode="same")[begin:end]
    least = int(ink.argmin())
    same = np.flatnonzero(ink <= ink[least] + 1e-6)
    middle = same[np.abs(same + begin - len(columns) / 2).argmin()]
    return 4 * (begin + int(middle)) if ink[least] < 0.1 * np.median(columns[columns > 0]) * width else None


def stroke(image: Any, box: Box) -> float:
    """How thick the strokes in a box are, in pixels: twice the ink by the length of its outline.

    Args:
        image: the page as an array of grey values.
        box: a word.
    """
    import numpy as np

    left, top, width, height = box
    dark = np.pad(image[top : top + height, left : left + width] < 128, 1)
    outline = np.count_nonzero(dark[1:] != dark[:-1]) + np.count_nonzero(dark[:, 1:] != dark[:, :-1])
    return round(2 * int(dark.sum()) / int(outline), 2) if outline else 0.0
