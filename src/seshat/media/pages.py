"""A page as it was read: words with confidence and box, in lines, in the order in which people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict

Box = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the page's image."""

_SURE = 0.6
_DOUBTFUL, _HOPELESS = 0.5, 0.35
_SPECK = 1 / 8
"""Of the usual height of words: what is smaller is no sign."""
_SHORT = 16
"""Characters of a line up to which it is dust where it is doubtful; a hopeless one always is."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Word(_Part):
    """A word that was read."""

    text: str
    confidence: float = 1.0
    """0 to 1."""
    box: Box = (0, 0, 0, 0)
    stroke: float = 0.0
    """How thick its strokes are, in pixels; 0 where that is not known. Bold words stand out by it."""


class Line(_Part):
    """Words beside one another."""

    words: tuple[Word, ...]
    box: Box = (0, 0, 0, 0)
    paragraph: int = 0
    """Lines of one paragraph have one number."""
    language: str | None = None
    """Of its region, where the source states one."""

    @property
    def text(self) -> str:
        """The words with spaces between them."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """Mean of its characters, 0 to 1."""
        weights = [len(word.text) for word in self.words]
        return sum(w * one.confidence for w, one in zip(weights, self.words, strict=True)) / max(1, sum(weights))


class Page(_Part):
    """One page of a file."""

    file: str
    """Below ``data/raw``."""
    number: int
    """From 1."""
    width: int
    height: int
    lines: tuple[Line, ...] = ()
    dust: tuple[Line, ...] = ()
    """What was read where no text stands: dust, folds, rules, drawings."""
    image: str | None = None
    """The image that the boxes refer to, from the project folder."""
    by: str = ""
    """What read it: ``text layer``, ``tesseract spa+Latin``, ``hOCR`` …"""
    seconds: float = 0.0
    """Processor time of the recogniser."""
    problem: str | None = None
    """Why the page could not be read."""

    @property
    def text(self) -> str:
        """The lines of the page."""
        return "\n".join(line.text for line in self.lines)


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds some others."""
    corners = [(x, y, x + width, y + height) for x, y, width, height in boxes]
    left, top, right, bottom = (f(one[i] for one in corners) for i, f in enumerate((min, min, max, max)))
    return left, top, right - left, bottom - top


def without_dust(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Lines that are text, and what only looks like it.

    No text are words that are not sure and far higher or flatter than the words of the page; lines without a letter
    or digit that are not sure; and lines, short ones above all, that are hardly sure of anything.
    """
    heights = [word.box[3] for line in lines for word in line.words if word.confidence >= _SURE]
    usual = median(heights) if heights else 0
    text, dust = [], []
    for line in lines:
        kept = tuple(word for word in line.words if not _is_dust(word, usual))
        lost = tuple(word for word in line.words if word not in kept)
        rest = line.model_copy(update={"words": kept})
        if lost:
            dust.append(line.model_copy(update={"words": lost}))
        if kept and _is_text(rest):
            text.append(rest)
        elif kept:
            dust.append(rest)
    return text, dust


def _is_dust(word: Word, usual: float) -> bool:
    if not word.text.strip():
        return True
    if 0 < max(word.box[2:]) < usual * _SPECK:
        return True
    odd = usual > 0 and not usual / 3 <= word.box[3] <= usual * 3
    lone = len(word.text) == 1 and not word.text.isalnum()
    return word.confidence < _SURE and (odd or lone)


def _is_text(line: Line) -> bool:
    if not any(one.isalnum() for one in line.text):
        return line.confidence >= _SURE and len(line.text) <= 3
    return line.confidence >= (_DOUBTFUL if len(line.text) <= _SHORT else _HOPELESS)


def paragraphs(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines that belong together, in order."""
    found: list[list[Line]] = []
    for line in lines:
        if found and found[-1][-1].paragraph == line.paragraph:
            found[-1].append(line)
        else:
            found.append([line])
    return found


def running(lines: Sequence[str]) -> str:
    """Lines as running text: a word that a hyphen parts at the end of a line is put together."""
    text = ""
    for line in lines:
        joined = text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower()
        text = f"{text[:-1]}{line}" if joined else f"{text} {line}".strip()
    return text
