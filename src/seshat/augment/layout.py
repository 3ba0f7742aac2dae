"""Pages of a publication as one run of lines: without running heads, page numbers and footnotes; words put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import regex

_PAGE_NUMBER = regex.compile(r"[\s\-–—\[\]()|]*(?:\d{1,4}|[ivxlc]{1,7})[\s\-–—\[\]()|]*", regex.IGNORECASE)
_DIGITS = regex.compile(r"\d+")
_RULE = regex.compile(r"\s*[_\-–—=]{4,}\s*")
_NOTE = regex.compile(
    r"\s*(?:[¹²³⁴-⁹]+|\*{1,3}|†)\s*\S|\s*(?P<closed>\d{1,3})\)\s+\S|\s*(?P<bare>\d{1,3})\s+[\p{Lu}„“«\"(]"
)
_HEADS = 2
"""Lines at the top and at the bottom of a page where a running head can stand."""
_HYPHEN = regex.compile(r"(?<=\p{L})[-\u00ad\u2010¬]$")


@dataclass(frozen=True)
class Page:
    """A page: its number as the publication gives it, its row in the table, its text."""

    number: str
    row: int
    text: str


@dataclass(frozen=True)
class Line:
    """A line of a publication, without white space around it; an empty one parts paragraphs."""

    text: str
    page: Page


def lines_of(pages: Sequence[Page], stays: Callable[[str], bool] = lambda _line: False) -> list[Line]:
    """The lines of consecutive pages of one publication.

    Args:
        pages: the pages.
        stays: tells headings of texts and of their parts, which can look as running heads do.
    """
    bodies = [[line.strip() for line in page.text.splitlines()] for page in pages]
    heads: Counter[str] = Counter()
    for body in bodies:
        heads.update({_like(line) for line in _edges(body) if not stays(line)})
    repeated = {head for head, count in heads.items() if count > 1 and head}
    found: list[Line] = []
    for page, body in zip(pages, bodies, strict=True):
        kept = without_notes(_without_heads(body, repeated))
        if found and found[-1].text and kept and not kept[0]:
            kept = kept[next((n for n, line in enumerate(kept) if line), len(kept)) :]
        found += [Line(line, page) for line in kept]
    return found


def _edges(body: Sequence[str]) -> list[str]:
    full = [line for line in body if line]
    return [*full[:_HEADS], *full[-1:]] if len(full) > _HEADS + 1 else full[:1]


def _like(line: str) -> str:
    """What two running heads have in common: page numbers differ, and recognition errs in case."""
    return " ".join(_DIGITS.sub("", line).casefold().split()) if len(line) < 90 else ""


def _without_heads(body: Sequence[str], repeated: set[str]) -> list[str]:
    places = [number for number, line in enumerate(body) if line]
    drop = set()
    for number in (*places[:_HEADS], *places[-1:]):
        if _PAGE_NUMBER.fullmatch(body[number]) or (_like(body[number]) in repeated and number in places[:_HEADS]):
            drop.add(number)
    kept = [line for number, line in enumerate(body) if number not in drop]
    start = next((number for number, line in enumerate(kept) if line), len(kept))
    end = len(kept) - next((number for number, line in enumerate(reversed(kept)) if line), len(kept))
    return kept[start:end]


def without_notes(body: Sequence[str]) -> list[str]:
    """A page without its footnotes: what follows a rule at its foot, or a last paragraph that begins as a note does.

    A number alone begins a note only where the page refers to it: a word that ends in this number.
    """
    for number in range(len(body) - 1, 0, -1):
        if _RULE.fullmatch(body[number]) and number >= len(body) // 3:
            rest = next((line for line in body[number + 1 :] if line), "")
            if _NOTE.match(rest):
                return list(body[:number])
    starts = [number + 1 for number, line in enumerate(body[:-1]) if not line and body[number + 1]]
    for start in starts:
        match = _NOTE.match(body[start])
        if match is None:
            continue
        cited = match["closed"] or match["bare"]
        above = " ".join(body[:start])
        if cited is None or regex.search(rf"\p{{L}}[.,;:!?”\"»]*{cited}(?!\d|['’]|\p{{L}})", above):
            return list(body[:start])
    return list(body)


def joined(lines: Sequence[str]) -> str:
    """Running text: words that were parted at line ends are one again, a hyphen before a capital or digit stays."""
    text = ""
    for line in lines:
        piece = line.strip()
        if not piece:
            continue
        if _HYPHEN.search(text):
            text = text[:-1] + piece if _parted(text, piece) else text + piece
        else:
            text = f"{text} {piece}" if text else piece
    return " ".join(text.split())


def _parted(text: str, piece: str) -> bool:
    """Whether the hyphen at the end of a line only parts a word: not in Neu-Ulm, nor in a word with other hyphens."""
    around = text.rsplit(None, 1)[-1][:-1] + piece.split(None, 1)[0]
    return piece[0].islower() and "-" not in around


def joined_words(lines: Sequence[str]) -> str:
    """A text in which hyphens belong to words (transliteration): one at a line end is kept, without a space."""
    text = ""
    for line in lines:
        piece = line.strip()
        text = f"{text}{piece}" if not text or _HYPHEN.search(text) else f"{text} {piece}"
    return " ".join(text.split())
