"""Elements of an XML file one at a time, in bounded memory, through lxml with entities off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from seshat.core.errors import require
from seshat.core.records import Reject
from seshat.formats.context import Context
from seshat.formats.markup import Markup

Element = Any
"""An element of lxml, which has no types."""

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
"""The attribute ``xml:lang``."""


def elements(path: Path, tags: Collection[str], context: Context) -> Iterator[Element | Reject]:
    """The elements with some names, each when it is complete; it is emptied when the next one is asked for.

    A file that breaks off, or uses an entity of its own, gives the elements before that place and a reject for the
    rest: such entities can grow, or read other files, and are not expanded.

    Args:
        path: the file.
        tags: local names; their namespaces do not matter.
        context: for the encoding that the source states, and the report.

    Raises:
        DataError: the file cannot be opened.
        MissingPackage: lxml is not installed.
    """
    etree = require("lxml.etree", extra="field", purpose="Reading XML of linguists' programs")
    try:
        parser = etree.iterparse(
            Markup(path, context).stream(), events=("end",), encoding="utf-8", resolve_entities=False,
            huge_tree=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        for _, element in parser:
            if local(element) in tags:
                yield element
                _forget(element)
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
