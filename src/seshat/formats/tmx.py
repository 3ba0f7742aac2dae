"""Translation memories (TMX 1.4): units with one text per language.

Text inside ``hi`` belongs to the sentence. What stands inside ``bpt``, ``ept``, ``it``, ``ph`` and ``ut`` is formatting
code of another program by the TMX standard (section 4.2): it is left out and counted, and leaves a space where it parts
two words. ``sub`` inside such a code is a text of its own, such as a footnote: it goes to ``meta.extra``.

Each unit is cut out of the file and read alone, so that what is wrong with one costs no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError, errors

import regex

from seshat.core.records import Meta, Record, Reject, Segment
from seshat.formats.context import Context
from seshat.formats.markup import DAMAGE, Markup, element

_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})
_ALONE = frozenset({"ph", "ut"})
"""Codes that stand for something of their own, and not for the beginning or end of a format."""
_BREAK = regex.compile(r"(?i)\b(?:br|p|li|td|tr|div|tab|lb|pb|par|line)\b|[\t\n]")
"""In the content or type of a code: what parts words wherever it stands."""
_TAG = regex.compile(r"<!\[CDATA\[.*?\]\]>|<(?P<end>/?)(?:[\w.-]+:)?tu(?=[\s/>])[^<>]*+>", regex.DOTALL)
_LOST = regex.compile(r"<(?:[\w.-]+:)?(?:tuv|seg)\b")
_ENTITY_ERRORS = {errors.codes[errors.XML_ERROR_UNDEFINED_ENTITY], errors.codes[errors.XML_ERROR_ENTITY_DECLARED_IN_PE]}
_BODY = regex.compile(r"<(?:[\w.-]+:)?body\b")
_END = regex.compile(r"</(?:[\w.-]+:)?tmx\s*>")


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read translation memories, one unit at a time. A unit that is broken costs itself; its loss is counted."""
    for path in paths:
        markup = Markup(path, context)
        yield from _File(markup).read()


class _Piece(NamedTuple):
    """A piece of a file: a unit, or what stands outside of units."""

    text: str
    is_unit: bool
    reason: str | None = None
    """Why a unit cannot be read, as far as its borders tell."""


class _File:
    """The units of one file."""

    def __init__(self, markup: Markup) -> None:
        self.markup, self.path, self.context = markup, markup.path, markup.context
        self.report = markup.report
        self.limit = self.context.ingest.max_line_bytes
        self.number = 0

    def read(self) -> Iterator[Record | Reject]:
        """The records and rejects, in order."""
        body = ended = False
        last: _Piece | None = None
        for piece in self._pieces():
            last = piece
            if piece.is_unit:
                ended = False
                self.number += 1
                yield self._unit(piece)
                continue
            body, ended = body or bool(_BODY.search(piece.text)), ended or bool(_END.search(piece.text))
            if _LOST.search(piece.text):
                self.number += 1
                yield self._reject("text stands outside of units: the mark of one is missing or broken", piece.text)
        if not body and not self.number:
            yield self.context.reject(self.path, None, "no <body>: this is no translation memory")
        elif not ended:
            lost = "" if last is None or last.is_unit else last.text.strip()
            reason = f"the file breaks off after unit {self.number}: </tmx> is missing"
            rest = self.context.unfinished(self.path, self.number or None, reason, lost)
            if last is None or last.reason is None:  # else the unit that breaks off is told already
                yield rest

    def _pieces(self) -> Iterator[_Piece]:
        text, position, start = "", 0, -1
        for block in self.markup.blocks():
            text = text[max(0, start if start >= 0 else position) :] + block
            position, start = 0, 0 if start >= 0 else -1
            search = text.index(">") + 1 if start == 0 and ">" in text else 0
            while (tag := _TAG.search(text, search)) is not None:
                search = tag.end()
                if tag["end"] is None:
                    continue
                if start >= 0 and not tag["end"]:
                    yield _Piece(text[start : tag.start()], True, "it has no end")
                elif start < 0 and tag.start() > position:
                    yield _Piece(text[position : tag.start()], False)
                if tag["end"] or tag[0].endswith("/>"):
                    if start >= 0 or not tag["end"]:
                        begin = tag.start() if not tag["end"] else start
                        yield _Piece(text[begin : tag.end()], True)
                    position, start = tag.end(), -1
                else:
                    start = tag.start()
            if start >= 0 and len(text) - start > 4 * self.limit + 100_000:
                yield _Piece(text[start : start + 1000], True, "it is longer than max_line_bytes")
                position, start = len(text), -1
            elif start < 0 and len(text) - position > 1_000_000:
                yield _Piece(text[position:], False)
                position = len(text)
        if start >= 0:
            yield _Piece(text[start:], True, "it has no end")
        elif text[position:]:
            yield _Piece(text[position:], False)

    def _reject(self, reason: str, content: str) -> Reject:
        return self.context.reject(self.path, self.number, f"unit {self.number}: {reason}", content)

    def _unit(self, piece: _Piece) -> Segment | Reject:
        if piece.reason is not None:
            return self._reject(piece.reason, piece.text.replace(DAMAGE, "\ufffd"))
        if DAMAGE in piece.text:
            damaged = piece.text.replace(DAMAGE, "\ufffd")
            return self._reject(f"cannot be decoded as {self.markup.encoding.name}", damaged)
        try:
            unit = element(self.markup.mended(piece.text))
        except (ExpatError, ValueError) as error:
            reason = f"the XML is broken: {error}"
            if getattr(error, "code", None) in _ENTITY_ERRORS:
                reason = f"an entity is not expanded, which can be an attack; write the characters themselves ({error})"
            return self._reject(reason, piece.text)
        return self._segment(unit)

    def _segment(self, unit: Element) -> Segment | Reject:
        texts: dict[str, str] = {}
        exact: dict[str, bool] = {}
        extra: dict[str, str] = {}
        for variant in unit.iter("tuv"):
            code = variant.get("xml:lang") or variant.get("lang") or ""
            tag = self.context.language(code)
            if tag is None:
                self.report.note(f"texts in '{code}', which is no language of the project, left out", None)
                continue
            is_exact = self.context.is_exact(code)
            if tag in texts:
                what = "the first was taken" if exact[tag] >= is_exact else f"that in '{code}' was taken"
                self.report.note(f"units with a second text in {tag}; {what}", self.number)
                if exact[tag] >= is_exact:
                    continue
            segment = variant.find("seg")
            found = _Text() if segment is None else _Text.of(segment)
            if len(found.text.encode()) > self.limit:
                return self._reject("the text is longer than max_line_bytes", found.text)
            if found.codes:
                self.report.note("units with inline codes of another program, left out of the text", self.number)
            if found.notes:
                self.report.note("units with footnotes or other texts inside a text, kept in meta.extra", self.number)
                extra[f"sub.{tag}"] = self.report.text(" | ".join(found.notes))
            if text := self.report.text(" ".join(found.text.split("\r"))):
                texts[tag], exact[tag] = text, is_exact
        if len(texts) < 2:
            content = " | ".join(f"{tag}: {text}" for tag, text in texts.items())
            found_in = f"only in {next(iter(texts))}" if texts else "in no language of the project"
            return self.context.reject(self.path, self.number, f"unit {self.number} has text {found_in}", content)
        name = f"{self.context.prefix(self.path)}:{self.number}"
        return Segment(id=name, texts=texts, meta=self._meta(unit, extra))

    def _meta(self, unit: Element, extra: dict[str, str]) -> Meta:
        if unit.get("tuid"):
            extra["tuid"] = unit.get("tuid", "")
        for child in unit:
            if child.tag in {"prop", "note"} and child.text and child.text.strip():
                extra.setdefault(child.get("type") or str(child.tag), child.text.strip())
        order = 0 if self.context.source.document == "line" else self.number - 1
        document = self.context.document(self.context.prefix(self.path), self.number, 0)
        return self.context.meta(self.report.file, self.number, doc_id=document, order=order, extra=extra)


class _Text(NamedTuple):
    """The text of a ``seg``, without what does not belong to the sentence."""

    text: str = ""
    codes: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, segment: Element) -> _Text:
        """Read a ``seg``. Without recursion: files of strangers can be nested deeper than Python goes."""
        parts = [segment.text or ""]
        codes = 0
        notes: list[str] = []
        waiting = [(child, False) for child in reversed(segment)]
        while waiting:
            child, is_read = waiting.pop()
            if is_read:
                parts.append(child.tail or "")
                continue
            waiting.append((child, True))
            if child.tag not in _CODES:
                parts.append(child.text or "")
                waiting += [(inner, False) for inner in reversed(child)]
                continue
            codes += 1
            notes += [text for sub in child.iter("sub") if (text := " ".join("".join(sub.itertext()).split()))]
            code = f"{child.get('type', '')} {''.join(child.itertext())}"
            if child.tag in _ALONE or _BREAK.search(code):
                parts.append("\0")
        return cls(_BORDER.sub(_space, "".join(parts)), codes, tuple(notes))


_BORDER = regex.compile(r"(?P<before>.?)\0+(?=(?P<after>.?))", regex.S)


def _space(found: regex.Match[str]) -> str:
    parts_words = found["before"][-1:].isalnum() and found["after"].isalnum()
    return str(found["before"]) + (" " if parts_words else "")
