"""Wikis of the MediaWiki kind (Wikipedia, Wikisource, …): dumps, and what their API answers.

A page is a document: its running text without templates, tables, notes, pictures and lists of categories.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import regex

from seshat.core.errors import DataError, require
from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context
from seshat.formats.xmltree import children, elements, text_of

_NO_TEXT = frozenset(
    {"ref", "references", "gallery", "table", "timeline", "math", "chem", "score", "code", "pre", "syntaxhighlight",
     "imagemap", "templatestyles", "style", "script", "mapframe", "graph"}
)  # fmt: skip
_TABLE = regex.compile(r"\{\|(?:(?!\{\||\|\}).)*+\|\}", regex.DOTALL)
_EMPTY = regex.compile(r"\(\s*[,;]*\s*\)|(?<=\p{L})\s+(?=[,.;])")
_REDIRECT = regex.compile(r"\s*#\s*\p{L}+\s*:?\s*\[\[")
_LONGEST = 4_000_000
"""Characters of a page: twice the most that wikis keep (wgMaxArticleSize, 2 MB)."""
_ARTICLES = "0"
"""The number of the namespace of articles."""


def wikitext_lines(wikitext: str) -> list[str]:
    """The running text of a page, one item a paragraph or heading.

    Raises:
        DataError: it is nested too deeply, or too long.
        MissingPackage: mwparserfromhell is not installed.
    """
    if _REDIRECT.match(wikitext):
        return []
    if len(wikitext) > _LONGEST:
        raise DataError(f"the page is longer than {_LONGEST:,} characters")
    try:
        return _running_text(wikitext)
    except RecursionError as error:
        raise DataError("the page has templates inside templates without end") from error


def _running_text(wikitext: str) -> list[str]:
    parser = require("mwparserfromhell", extra="crawl", purpose="Reading the text of wikis")
    before = None
    while before != wikitext:  # tables inside tables, from the innermost
        before, wikitext = wikitext, _TABLE.sub("", wikitext)
    code = parser.parse(wikitext, skip_style_tags=True)
    for node in [*code.ifilter_tags(recursive=True, matches=lambda one: str(one.tag).casefold() in _NO_TEXT)]:
        _take_away(code, node)
    for link in [*code.ifilter_wikilinks(recursive=True, matches=lambda one: ":" in str(one.title).lstrip(":"))]:
        _take_away(code, link)  # pictures, categories, other languages: all have the name of a namespace
    text = code.strip_code(normalize=True, collapse=False, keep_template_params=False)
    text = regex.sub(r"'{2,}|^[*#:;]+\s*", "", text, flags=regex.MULTILINE)
    return [line for one in text.splitlines() if (line := " ".join(_EMPTY.sub("", one).split()))]


def _take_away(code: object, node: object) -> None:
    try:
        code.remove(node)  # type: ignore[attr-defined]
    except ValueError:  # it stood in one that is gone already
        return


def answered(body: bytes, address: str) -> Iterator[tuple[str, list[str]]]:
    """Title and lines of each page in an answer of the API (``action=query``, ``prop=revisions``, version 2).

    Raises:
        DataError: it is no such answer.
    """
    try:
        pages = json.loads(body).get("query", {}).get("pages", [])
        found = [
            (str(page["title"]), str(page["revisions"][0]["slots"]["main"].get("content", "")))
            for page in pages
            if page.get("revisions")
        ]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise DataError(f"{address}: no answer of the API of a MediaWiki with the text of pages.") from error
    for title, wikitext in found:
        try:
            yield title, wikitext_lines(wikitext)
        except DataError as error:
            raise DataError(f"{address}: {title}: {error.message}.") from error


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read dumps (``…-pages-articles.xml``): the articles, without redirections; each with its last revision.

    Raises:
        DataError: a file cannot be read.
        MissingPackage: lxml or mwparserfromhell is not installed.
    """
    language = context.source.language or context.project.language
    for path in paths:
        report, file, prefix = context.report(path), context.relative(path), context.prefix(path)
        for number, page in enumerate(elements(path, {"page"}, context), start=1):
            if isinstance(page, Reject):
                yield page
                continue
            title = "".join(map(text_of, children(page, "title")))
            revisions = children(page, "revision")
            text = children(revisions[-1], "text") if revisions else []
            if "".join(map(text_of, children(page, "ns"))) not in ("", _ARTICLES):
                report.note("pages that are no articles, left out", None)
                continue
            document, line = f"{prefix}:{number}", page.sourceline
            try:
                lines, why = wikitext_lines(text[0].text or "") if text else [], "no text, or a redirection"
            except DataError as error:
                lines, why = [], error.message
            if not lines:
                yield context.reject(path, line, f"{title}: {why}")
            for order, one in enumerate(lines):
                meta = context.meta(file, line, doc_id=document, order=order, extra={"title": title})
                yield Segment(id=f"{document}:{order + 1}", texts={language: report.text(one)}, meta=meta)
