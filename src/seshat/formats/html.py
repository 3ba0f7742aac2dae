"""Web pages: the running text of each, one segment a block, and a check of how much of it came through.

Trafilatura tells the text of a page from what stands around it and is the best at it in its own comparison, and yet
loses a fifth of the letters of a collection of verse: lines are short there, which makes them look like menus. So what
it keeps is compared with all text of the page but menus (blocks of links), in characters of the language's script.
Where too much is missing, that text is taken instead. The share that was kept stands in the report, file by file and
for each site: the folder that a page lies in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import regex

from seshat.core.errors import DataError, require
from seshat.core.jsonl import cannot_read
from seshat.core.records import Record, Reject, Segment
from seshat.formats.context import Context, FileReport
from seshat.text.legacy import recognise
from seshat.text.scripts import dominant_script

LEAST = 0.95
"""Share of the characters outside menus that have to come through."""
_MOST_LINKS = 0.5
"""Share of the letters of a block that stand in links, from which it is a menu."""
_FEWEST = 40
"""Letters of a menu at least: a line of verse with a link is none."""
_HIDDEN = frozenset({"script", "style", "noscript", "template", "head", "nav", "form", "button", "select", "textarea"})
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "kbd", "mark", "q", "s", "small", "span",
     "strike", "strong", "sub", "sup", "tt", "u", "ruby", "rb", "rt", "wbr", "img", "time", "var", "ins", "del"}
)  # fmt: skip
_CHARSET = regex.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", regex.IGNORECASE)
_SPACE = regex.compile(r"[ \t\r\f\v\n\u00a0]+")


def read(paths: Sequence[Path], context: Context) -> Iterator[Record | Reject]:
    """Read web pages.

    Raises:
        DataError: a page cannot be read.
        MissingPackage: lxml or trafilatura is not installed.
    """
    language = context.source.language or context.project.language
    for path in paths:
        report, file, prefix = context.report(path), context.relative(path), context.prefix(path)
        lines = page_lines(_decoded(path, context), report, context, language, str(Path(file).parent))
        if not lines:
            yield context.reject(path, None, "the page has no text")
        for number, line in enumerate(lines, start=1):
            document = context.document(prefix, number, 0)
            meta = context.meta(file, None, doc_id=document, order=number - 1 if document == prefix else 0)
            yield Segment(id=f"{prefix}:{number}", texts={language: report.text(line)}, meta=meta)


def _decoded(path: Path, context: Context) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot_read(path, error) from error
    try:
        name = context.encoding(path, declared(data)).name
    except DataError:
        name = "latin-1"  # fonts of old pages: nobody's encoding, and recognised below
    return data.decode("utf-8" if name.endswith("-utf8") else name, "replace").lstrip("\ufeff")


def declared(data: bytes) -> str | None:
    """The encoding that a page says it has."""
    found = _CHARSET.search(data[:2_048])
    return found[1].decode() if found else None


def page_lines(page: str, report: FileReport, context: Context, language: str, site: str) -> list[str]:
    """The lines of a page, none of them empty; what was kept is noted in the report of the file and for the site."""
    blocks = text_blocks(_tree(page))
    whole = "\n".join(blocks)
    older = recognise(whole, [language])
    if older is not None:
        report.encoding = older.name
        report.remarks.append(f"the letters are those of {older.name}, from before Unicode; they are repaired")
    info = context.project.languages.get(language)
    script = (info.script if info else None) or (older is None and dominant_script(whole)) or "Latin"
    kept = [line for line in _main_text(page).splitlines() if line.strip()]
    own = regex.compile(r"\p{L}" if older else rf"\p{{Script={script}}}")
    total = len(own.findall(whole))
    share = min(1.0, len(own.findall("".join(kept))) / total) if total else 1.0
    lines = kept if share >= LEAST and kept else blocks
    extractor = "trafilatura" if lines is kept else "all blocks"
    report.details |= {"extractor": extractor, "trafilatura_kept": round(share, 3)}
    context.sites.setdefault(site, []).append((share, extractor))
    return [text for line in lines if (text := _SPACE.sub(" ", older.repair(line) if older else line).strip())]


def _tree(page: str) -> Any:
    html = require("lxml.html", extra="crawl", purpose="Reading web pages")
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True)
    return html.document_fromstring(page.encode("utf-8", "replace") or b"<html/>", parser=parser)


def _main_text(page: str) -> str:
    """What Trafilatura takes for the text of a page; nothing where it fails."""
    trafilatura = require("trafilatura", extra="crawl", purpose="Finding the text of web pages")
    found: str | None = trafilatura.extract(page, favor_recall=True, include_comments=False, include_tables=True)
    return found or ""


def text_blocks(tree: Any) -> list[str]:
    """All text of a page, one item for each block or line of it, without scripts, forms and menus.

    Args:
        tree: the page, as lxml parses it.
    """
    blocks: list[str] = []
    parts: list[str] = []
    linked = 0

    def end() -> None:
        nonlocal linked
        text = "".join(parts).strip()
        letters = sum(map(str.isalpha, text))
        if text and not (letters >= _FEWEST and linked > _MOST_LINKS * letters):
            blocks.append(_SPACE.sub(" ", text))
        parts.clear()
        linked = 0

    # A walk without recursion: pages of a hundred thousand unclosed tags exist.
    stack: list[tuple[Any, bool, bool]] = [(tree, False, False)]
    while stack:
        node, is_end, inside = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else "script"
        block = tag not in _INLINE
        if is_end:
            if block:
                end()
            text = node.tail
        else:
            hidden = tag in _HIDDEN
            if block:
                end()
            link = inside or (tag == "a" and node.get("href") is not None)
            stack.append((node, True, inside))
            if hidden:
                continue
            stack.extend((child, False, link) for child in reversed(node))
            inside, text = link, node.text
        if text:
            parts.append(text)
            linked += sum(map(str.isalpha, text)) if inside else 0
    end()
    return blocks


def coverage(sites: dict[str, list[tuple[float, str]]]) -> dict[str, dict[str, float]]:
    """For every site its pages, the mean share that Trafilatura kept of them, and how many were read otherwise."""
    return {
        site: {
            "pages": len(pages),
            "trafilatura_kept": round(sum(share for share, _ in pages) / len(pages), 3),
            "other_way": sum(extractor != "trafilatura" for _, extractor in pages),
        }
        for site, pages in sorted(sites.items())
    }
