"""Scripture in USFM and USX: one segment for each verse, without titles, notes and cross-references.

With ``{lang}`` in the path, the verses of several languages are put together by book, chapter and number: gold
alignment. Where one language joins verses (3-4), those of the others are joined too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import regex

from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context
from seshat.formats.files import place

if TYPE_CHECKING:
    from seshat.formats.xmltree import Element

_MARKER = regex.compile(r"\\(?P<name>\+?[a-zA-Z]+\d*(?:-[se])?)(?:(?P<end>\*)|[ \t]?)|\\\*")
_NUMBER = regex.compile(r"\s*(?P<first>\d{1,3})[a-z]?(?:[-\u2013,](?P<last>\d{1,3})[a-z]?)?\s*")
_NOTES = frozenset({"f", "fe", "ef", "x", "ex", "fig", "rq", "va", "vp", "ca", "rem", "esb", "cat"})
_TITLES = regex.compile(
    r"(?:id|ide|sts|rem|usfm|h\d?|toca?\d|mte?\d?|imte?\d?|is\d?|ip|ipi|im|imi|ipq|imq|ipr|iq\d?|ib|ili\d?|iot|io\d?|iex|ie|"
    r"ms\d?|mr|s\d?|sr|r|sp|sd\d?|cl|cp|cd|periph|lit|restore|fp|fq|qa)"
)
"""Paragraphs that belong to no verse: identification, titles, introductions."""


@dataclass
class _Verse:
    first: int
    last: int
    line: int
    parts: list[str] = field(default_factory=list)


@dataclass
class _Book:
    """The verses of one file, as they come in."""

    code: str = ""
    chapter: int = 0
    verses: dict[tuple[str, int], list[_Verse]] = field(default_factory=dict)
    open: _Verse | None = None

    def start(self, number: str, line: int) -> bool:
        """Begin a verse; False when what stands there is no number."""
        match = _NUMBER.match(number)
        if match is None:
            self.open = None
            return False
        first, last = int(match["first"]), int(match["last"] or match["first"])
        self.open = _Verse(first, max(first, last), line)
        self.verses.setdefault((self.code, self.chapter), []).append(self.open)
        return True

    def add(self, text: str) -> None:
        """Text of the verse that is open."""
        if self.open is not None:
            self.open.parts.append(text)


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read books, in one language or in several."""
    own = context.source.language or context.project.language
    several = any("{lang}" in pattern for pattern in context.source.patterns)
    found: dict[tuple[str, int], list[tuple[str, Path, _Verse]]] = {}
    for path in paths:
        here = place(context.relative(path), context.source.patterns, context.codes) if several else None
        tag = (context.language(here.code) if here else None) or own
        book = _Book()
        loading = _usx if path.suffix.casefold() in {".usx", ".xml"} else _usfm
        yield from loading(path, context, book)
        if not book.verses:
            context.report(path).remarks.append("there are no verses in it")
            yield context.reject(path, None, "there are no verses in it")
        for chapter, verses in book.verses.items():
            found.setdefault(chapter, []).extend((tag, path, verse) for verse in verses)
    for (code, number), together in found.items():
        yield from _chapter(code, number, together, context)


def _chapter(
    code: str, chapter: int, verses: list[tuple[str, Path, _Verse]], context: Context
) -> Iterator[Segment | Reject]:
    """The verses of a chapter; those that overlap, because a language joins them, are one."""
    verses.sort(key=lambda one: (one[2].first, one[2].last))
    groups: list[list[tuple[str, Path, _Verse]]] = []
    reach = -1
    for one in verses:
        if one[2].first <= reach and groups:
            groups[-1].append(one)
        else:
            groups.append([one])
        reach = max(reach, one[2].last)
    languages = len({tag for tag, _path, _verse in verses})
    for order, group in enumerate(groups):
        texts: dict[str, str] = {}
        for tag, path, verse in group:
            text = context.report(path).text(" ".join("".join(verse.parts).split()))
            texts[tag] = f"{texts.get(tag, '')} {text}".strip()
        texts = {tag: text for tag, text in texts.items() if text}
        _tag, path, verse = group[0]
        last = max(one[2].last for one in group)
        name = f"{code} {chapter}:{verse.first}" + (f"-{last}" if last > verse.first else "")
        if not texts:
            yield context.reject(path, verse.line, f"the verse {name} is empty")
            continue
        if len(texts) < languages:
            context.report(path).note("verses that do not stand in every language", verse.line)
        document = f"{context.source.name}:{code}.{chapter}"
        meta = context.meta(context.relative(path), verse.line, doc_id=document, order=order, extra={"verse": name})
        yield Segment(id=f"{context.source.name}:{name.replace(' ', '.')}", texts=texts, meta=meta)


def _usfm(path: Path, context: Context, book: _Book) -> Iterator[Reject]:
    """Read the markers of a USFM file."""
    note: str | None = None
    silent = False
    for number, raw, reason in context.lines(path):
        if reason is not None:
            yield context.reject(path, number, reason, raw)
            continue
        at = 0
        matches = [*_MARKER.finditer(raw)]
        for match, following in zip([None, *matches], [*matches, None], strict=True):
            text = raw[match.end() if match else 0 : following.start() if following else len(raw)]
            at += 1
            name = (match["name"] or "").removeprefix("+") if match else ""
            if match and match["end"]:
                note = None if name == note else note
            elif match and name in _NOTES and note is None:
                note = name if name not in {"rem"} else None
                silent = silent or name == "rem"
            elif note is None and name == "id":
                book.code = text.strip()[:3].upper()
                book.open, silent = None, True
            elif note is None and name == "c":
                chapter = _NUMBER.match(text)
                book.chapter, book.open, silent = (int(chapter["first"]) if chapter else book.chapter + 1), None, False
                continue
            elif note is None and name == "v":
                silent = False
                if not book.start(text, number):
                    yield context.reject(path, number, "a verse without a number", text)
                    continue
                opened = _NUMBER.match(text)
                text = text[opened.end() :] if opened else text
            elif note is None and _TITLES.fullmatch(name):
                silent = True
            elif note is None and name and not name.endswith(("-s", "-e")) and _is_paragraph(name):
                silent = False
                book.add(" ")
            if note is None and not silent:
                book.add(
                    text.partition("|")[0] if name in {"w", "rb", "jmp"} else text.replace("//", " ").replace("~", " ")
                )
        book.add("\n" if not silent else "")


def _is_paragraph(name: str) -> bool:
    return (
        regex.fullmatch(
            r"(?:p[ori]?\d?|m[i]?|pm[or]?|pmc|pi\d?|mi|nb|cls|li[mhf]?\d?|pc|ph\d?|b|q[rcmd]?\d?|d|t[rhc]r?\d?)", name
        )
        is not None
    )


def _usx(path: Path, context: Context, book: _Book) -> Iterator[Reject]:
    """Read the paragraphs of a USX file."""
    from seshat.formats.xmltree import elements, local

    for element in elements(path, {"book", "chapter", "para", "row"}, context):
        if isinstance(element, Reject):
            yield element
            continue
        name, style = local(element), str(element.get("style", ""))
        if name == "book":
            book.code = str(element.get("code", ""))[:3].upper()
        elif name == "chapter" and element.get("number"):
            chapter = _NUMBER.match(str(element.get("number")))
            book.chapter, book.open = (int(chapter["first"]) if chapter else book.chapter + 1), None
        elif name != "chapter" and not _TITLES.fullmatch(style):
            book.add(" ")
            yield from _inside(element, path, context, book)


def _inside(element: Element, path: Path, context: Context, book: _Book) -> Iterator[Reject]:
    """The text of a paragraph, verse by verse; notes and figures are left out."""
    from seshat.formats.xmltree import local

    book.add(element.text or "")
    for child in element:
        name = local(child)
        if name == "verse" and child.get("number"):
            if not book.start(str(child.get("number")), child.sourceline or 0):
                yield context.reject(path, child.sourceline, "a verse without a number", str(child.get("number")))
        elif name == "verse":
            book.open = None
        elif name not in {"note", "figure", "optbreak", "ms"}:
            yield from _inside(child, path, context, book)
        book.add(child.tail or "")
