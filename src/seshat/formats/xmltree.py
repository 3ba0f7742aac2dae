"""Elements of an XML file one at a time, in bounded memory, through lxml with entities off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from seshat.core.errors import require
from seshat.core.jsonl import cannot_read
from seshat.core.records import Reject
from seshat.formats.context import Context

Element = Any
"""An element of lxml, which has no types."""

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
"""The attribute ``xml:lang``."""
_ENTITIES = (
    "the file declares XML entities, which can be an attack; it is not read any further. Write the characters "
    "themselves"
)


def elements(path: Path, tags: Collection[str], context: Context) -> Iterator[Element | Reject]:
    """The elements with some names, each when it is complete; it is emptied when the next one is asked for.

    A file that breaks off, or declares entities, gives the elements before that place and a reject for the rest.

    Args:
        path: the file.
        tags: local names; their namespaces do not matter.
        context: for the encoding that the source states, and the report.

    Raises:
        DataError: the file cannot be opened.
        MissingPackage: lxml is not installed.
    """
    etree = require("lxml.etree", extra="field", purpose="Reading XML of linguists' programs")
    report = context.report(path)
    report.encoding = context.source.encoding or "as the XML says"
    try:
        with path.open("rb") as stream:
            parser = etree.iterparse(
                stream, events=("start", "end"), encoding=context.source.encoding, resolve_entities=False,
                huge_tree=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True,
            )  # fmt: skip
            first = True
            for event, element in parser:
                if first:
                    first = False
                    document_type = element.getroottree().docinfo.internalDTD
                    if document_type is not None and next(iter(document_type.iterentities()), None) is not None:
                        yield context.unfinished(path, None, _ENTITIES)
                        return
                if event == "end" and local(element) in tags:
                    yield element
                    _forget(element)
    except OSError as error:
        raise cannot_read(path, error) from error
    except etree.XMLSyntaxError as error:
        line = error.lineno or None
        reason = f"the XML is broken here, and the rest of the file is not read: {error.msg}"
        yield context.unfinished(path, line, reason)


def _forget(element: Element) -> None:
    """Empty an element and take away those before it, which have been read."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    name = element.tag
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def children(element: Element, name: str) -> list[Element]:
    """The children with a local name."""
    return [child for child in element if local(child) == name]


def text_of(element: Element | None) -> str:
    """All text inside an element, with its spaces as single ones."""
    return "" if element is None else " ".join("".join(element.itertext()).split())
