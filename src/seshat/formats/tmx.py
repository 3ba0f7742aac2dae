"""Translation memories (TMX 1.4): units with one text per language.

Text inside ``hi`` and ``sub`` belongs to the sentence. What stands inside ``bpt``, ``ept``, ``it``, ``ph`` and
``ut`` is formatting code of another program by the TMX standard (section 4.2): it is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from seshat.core.jsonl import cannot_read
from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read translation memories, one unit at a time.

    A file that breaks off, or holds something forbidden (entities that grow, references to other files), gives the
    units before that place and a reject for the rest.
    """
    from defusedxml import DefusedXmlException

    for path in paths:
        report = context.report(path)
        report.encoding = context.source.encoding or "as the XML says"
        try:
            yield from _units(path, context)
        except ParseError as error:
            line = error.position[0] if error.position else None
            reason = f"the XML is broken here, and the rest of the file is not read: {error.msg}"
            report.remarks.append(f"line {line}: {reason}")
            yield context.reject(path, line, reason)
        except DefusedXmlException as error:
            reason = (
                f"the file declares XML entities or refers to other files ({type(error).__name__}), which can be an "
                "attack; it is not read any further. Write the characters themselves"
            )
            report.remarks.append(reason)
            yield context.reject(path, None, reason, str(error))
        except OSError as error:
            raise cannot_read(path, error) from error


def _units(path: Path, context: Context) -> Iterator[Record | Reject]:
    from defusedxml.ElementTree import DefusedXMLParser, iterparse

    parser = DefusedXMLParser(encoding=context.source.encoding, forbid_entities=True, forbid_external=True)
    number = 0
    body: Element | None = None
    with path.open("rb") as stream:
        for event, element in iterparse(stream, events=("start", "end"), parser=parser):
            name = _local(element)
            if event == "start":
                body = element if name == "body" else body
            elif name == "tu":
                number += 1
                yield _unit(element, number, path, context)
                if body is not None:
                    body.clear()
    if body is None:
        context.report(path).remarks.append("no <body>: this is no translation memory")
        yield context.reject(path, None, "no <body>: this is no translation memory")


def _unit(unit: Element, number: int, path: Path, context: Context) -> Segment | Reject:
    report = context.report(path)
    texts: dict[str, str] = {}
    for variant in (child for child in unit if _local(child) == "tuv"):
        code = variant.get(_LANG) or variant.get("lang") or ""
        tag = context.language(code)
        if tag is None:
            report.note(f"texts in '{code}', which is no language of the project, left out", None)
            continue
        if tag in texts:
            report.note(f"units with a second text in {tag}; the first was taken", number)
            continue
        segment = next((child for child in variant if _local(child) == "seg"), None)
        text = "" if segment is None else _text(segment)
        if len(text.encode()) > context.ingest.max_line_bytes:
            return context.reject(path, number, f"unit {number}: the text is longer than max_line_bytes", text)
        if any(_local(child) in _CODES for child in (() if segment is None else segment.iter())):
            report.note("units with inline codes of another program, left out of the text", number)
        if text := report.text(" ".join(text.split("\r"))):
            texts[tag] = text
    if len(texts) < 2:
        content = " | ".join(f"{tag}: {text}" for tag, text in texts.items())
        found = f"only in {next(iter(texts))}" if texts else "in no language of the project"
        return context.reject(path, number, f"unit {number} has text {found}", content)
    return Segment(id=f"{context.prefix(path)}:{number}", texts=texts, meta=_meta(unit, number, path, context))


def _meta(unit: Element, number: int, path: Path, context: Context) -> Any:
    extra = {"tuid": unit.get("tuid", "")} if unit.get("tuid") else {}
    for child in unit:
        if _local(child) in {"prop", "note"} and child.text and child.text.strip():
            extra.setdefault(child.get("type") or _local(child), child.text.strip())
    order = 0 if context.source.document == "line" else number - 1
    document = context.document(context.prefix(path), number, 0)
    return context.meta(context.relative(path), number, doc_id=document, order=order, extra=extra)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Element) -> str:
    parts = [element.text or ""]
    for child in element:
        if _local(child) not in _CODES:
            parts.append(_text(child))
        else:
            parts += [_text(inner) for inner in child if _local(inner) == "sub"]
        parts.append(child.tail or "")
    return "".join(parts)
