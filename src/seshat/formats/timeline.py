"""Texts with times, put as a tier of their own into copies of ELAN and Praat files, or into a new ELAN file.

The tier is called after the language (``es@seshat``), and every text in it begins with the mark of a suggestion
(:mod:`seshat.formats.suggestions`): until somebody takes the mark away it is no data.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape, quoteattr

from seshat.core.errors import DataError
from seshat.formats.markup import xml_parser
from seshat.formats.splice import Content
from seshat.formats.suggestions import MARK, OWNER

if TYPE_CHECKING:
    from seshat.formats.encoding import Encoding

Timed = Sequence[tuple[float, float, str]]
"""Start and end in seconds, and the text; in the order of their starts."""
_TYPE = f"{OWNER}-transcription"
_NEW = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="1970-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <MEDIA_DESCRIPTOR MEDIA_URL={url} MIME_TYPE={kind}/>
    </HEADER>
    <TIME_ORDER/>
</ANNOTATION_DOCUMENT>
"""


def tier_name(language: str) -> str:
    """The tier that transcriptions by machine stand in."""
    return f"{language}@{OWNER}"


def new_eaf(recording: str, kind: str, language: str, texts: Timed) -> bytes:
    """An ELAN document with one tier.

    Args:
        recording: where the recording is, from the file's folder.
        kind: its MIME type.
        language: of the texts.
        texts: what was said.
    """
    return into_eaf(_NEW.format(url=quoteattr(recording), kind=quoteattr(kind)).encode(), language, texts)


def into_eaf(content: bytes, language: str, texts: Timed) -> bytes:
    """A copy of an ELAN document with a tier of texts that have their own times.

    Raises:
        DataError: it is no ELAN document.
    """
    file = Content(content)
    ends: dict[str, int] = {}
    tiers, types, ids = set[str](), set[str](), set[str]()
    slots: list[tuple[float, int]] = []
    order = 0

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal order
        tiers.add(attributes.get("TIER_ID", ""))
        types.add(attributes.get("LINGUISTIC_TYPE_ID", ""))
        ids.update(attributes.get(key, "") for key in ("ANNOTATION_ID", "TIME_SLOT_ID"))
        if name == "TIME_ORDER":
            order = parser.CurrentByteIndex
        elif name == "TIME_SLOT" and attributes.get("TIME_VALUE", "").isdecimal():
            slots.append((int(attributes["TIME_VALUE"]) / 1000, parser.CurrentByteIndex))

    def end(name: str) -> None:
        if name == "TIME_ORDER":
            ends["slots"] = parser.CurrentByteIndex
        if name in {"TIER", "LINGUISTIC_TYPE", "TIME_ORDER"}:
            ends[name] = file.end(parser.CurrentByteIndex)

    parser = xml_parser(start, end)
    try:
        parser.Parse(content, True)
    except ExpatError as error:
        raise DataError(f"the ELAN document cannot be read: {error}.") from error
    if "TIME_ORDER" not in ends:
        raise DataError("there is no time line in it: this is no ELAN document.")
    line, step = file.newline, "    "
    number, made = 0, []
    name = tier_name(language)
    while name in tiers:
        name += "+"
    new: list[tuple[float, str]] = []
    for begin, finish, text in texts:
        number += 1
        while any(f"{OWNER}{sign}{number}" in ids for sign in "-ab"):
            number += 1
        pair = f"{OWNER}a{number}", f"{OWNER}b{number}"
        new += [(begin, pair[0]), (finish, pair[1])]
        made += [
            f"{step * 2}<ANNOTATION>",
            f'{step * 3}<ALIGNABLE_ANNOTATION ANNOTATION_ID="{OWNER}-{number}" TIME_SLOT_REF1="{pair[0]}" '
            f'TIME_SLOT_REF2="{pair[1]}">',
            f"{step * 4}<ANNOTATION_VALUE>{escape(MARK + text)}</ANNOTATION_VALUE>",
            f"{step * 3}</ALIGNABLE_ANNOTATION>",
            f"{step * 2}</ANNOTATION>",
        ]
    _put_slots(file, sorted(new), sorted(slots), (order, ends["slots"], ends["TIME_ORDER"]))
    head = f"{step}<TIER LINGUISTIC_TYPE_REF={quoteattr(_TYPE)} TIER_ID={quoteattr(name)}>"
    at = ends.get("TIER", ends["TIME_ORDER"])
    file.put(at, "".join(f"{line}{one}" for one in (head, *made, f"{step}</TIER>")))
    if _TYPE not in types:
        kind = f'GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="{_TYPE}" TIME_ALIGNABLE="true"'
        file.put(ends.get("LINGUISTIC_TYPE", at), f"{line}{step}<LINGUISTIC_TYPE {kind}/>")
    return file.result()


def _put_slots(
    file: Content, new: Sequence[tuple[float, str]], known: Sequence[tuple[float, int]], places: tuple[int, int, int]
) -> None:
    """Put time slots where their times belong.

    Args:
        file: the document.
        new: seconds and names, in order.
        known: seconds of the slots that are there, and where each stands, in order.
        places: where the list begins, where its end tag begins, and where it ends.
    """
    slots = [f'<TIME_SLOT TIME_SLOT_ID="{name}" TIME_VALUE="{round(1000 * at)}"/>' for at, name in new]
    if places[1] == places[2]:  # <TIME_ORDER/>
        opened = "".join(f"{file.newline}{' ' * 8}{slot}" for slot in slots)
        file.put(places[0], f"<TIME_ORDER>{opened}{file.newline}    </TIME_ORDER>", instead=places[2] - places[0])
        return
    for (at, _name), slot in zip(new, slots, strict=True):
        after = bisect_right(known, at, key=lambda one: one[0])
        place = known[after][1] if after < len(known) else places[1]
        space = file.indent(place)
        step = "    " if space and after == len(known) else ""
        file.put(place, f"{step}{slot}{space or file.newline}")


def into_textgrid(content: bytes, encoding: Encoding, language: str, texts: Timed) -> bytes:
    """A copy of a TextGrid, long or short, with an interval tier of texts.

    Raises:
        DataError: it is no TextGrid.
    """
    from seshat.formats.textgrid import header

    head, body = content[: encoding.bom], content[encoding.bom :].decode(encoding.name)
    begin, finish, tiers, (first, last) = header(body)
    intervals: list[tuple[float, float, str]] = []
    at = begin
    for start, end, text in texts:
        start, end = max(at, start), min(finish, end)
        if start < end:
            intervals += [(at, start, "")] if start > at else []
            intervals.append((start, end, MARK + text))
            at = end
    intervals += [(at, finish, "")] if at < finish else []
    named = "xmin" in body
    rows = [
        f"    item [{tiers + 1}]:" if named else "",
        _value("class", "IntervalTier", 8, named),
        _value("name", tier_name(language), 8, named),
        _value("xmin", begin, 8, named),
        _value("xmax", finish, 8, named),
        _value("intervals: size", len(intervals), 8, named),
    ]
    for number, (start, end, text) in enumerate(intervals, start=1):
        rows += [f"        intervals [{number}]:" if named else ""]
        rows += [_value("xmin", start, 12, named), _value("xmax", end, 12, named), _value("text", text, 12, named)]
    line = "\r\n" if "\r\n" in body else "\n"
    body = f"{body[:first]}{tiers + 1}{body[last:]}".rstrip() + line
    return head + (body + "".join(f"{row}{line}" for row in rows if row)).encode(encoding.name)


def _value(name: str, value: float | str, indent: int, named: bool) -> str:
    told = '"' + value.replace('"', '""') + '"' if isinstance(value, str) else f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{' ' * indent}{name} = {told}" if named else told


def copy_of(path: Path, encoding: Encoding | None, language: str, texts: Timed) -> bytes:
    """The copy of an annotation file with one more tier.

    Args:
        path: an ELAN file or a TextGrid.
        encoding: of a TextGrid.
        language: of the texts.
        texts: what was said.

    Raises:
        DataError: the file cannot be read to its end.
    """
    try:
        if encoding is None:
            return into_eaf(path.read_bytes(), language, texts)
        return into_textgrid(path.read_bytes(), encoding, language, texts)
    except (DataError, ValueError, LookupError) as error:
        raise DataError(f"{path}: no tier can be put into this file: {error}") from error
