"""Which addresses a crawl asks for: what sitemaps, feeds, pages and wikis name, and what of it is a trap."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections import Counter
from typing import Any, Literal, NamedTuple
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

import regex

from seshat.config.crawl import CrawlSource
from seshat.core.errors import DataError, require
from seshat.core.patterns import compiled

Role = Literal["page", "index", "api"]
"""What an address is asked for: its text, the addresses that it lists, or pages of a wiki with the next request."""
_LONGEST = 1_000
"""Characters of an address; longer ones are made by programs for programs."""
_DEEPEST = 16
"""Parts of a path."""
_REPEATED = 3
"""The same part of a path so often is a relative link that leads into itself."""
_VARIANTS = 200
"""Addresses that differ after the question mark alone: calendars and sorted lists go on for ever."""
_UNPACKED = 100_000_000
"""Bytes of a sitemap: twice what the protocol allows (sitemaps.org: 50 MB)."""
_PLACES = {("loc", "url"), ("loc", "sitemap"), ("link", "item"), ("link", "entry")}
"""Elements of sitemaps and feeds that hold the address of a page, and what they stand in."""
_BATCH = 50
"""Pages of a wiki in a request: the most that its API gives with their text."""


class Link(NamedTuple):
    """An address to ask for."""

    address: str
    role: Role


def canonical(address: str) -> str | None:
    """One way of writing an address: without fragment, tracking and default port; ``None`` for what is no web page."""
    courlan = require("courlan", extra="crawl", purpose="Comparing web addresses")
    if urlsplit(address).scheme not in ("http", "https"):
        return None
    try:
        found: str = courlan.normalize_url(urldefrag(address).url)
    except ValueError:
        return None
    return found or None


class Traps:
    """Notices addresses that a server makes up without end."""

    def __init__(self) -> None:
        self._variants: Counter[str] = Counter()

    def reason(self, address: str) -> str | None:
        """Why an address is not asked for; ``None`` for a sound one."""
        parts = urlsplit(address)
        path = [part for part in parts.path.split("/") if part]
        if len(address) > _LONGEST:
            return "the address is too long"
        if len(path) > _DEEPEST:
            return "the path is too deep"
        if path and max(Counter(path).values()) > _REPEATED:
            return "the path repeats itself"
        if parts.query:
            place = f"{parts.netloc}{parts.path}"
            self._variants[place] += 1
            if self._variants[place] > _VARIANTS:
                return f"more than {_VARIANTS} addresses that differ after the question mark alone"
        return None


def first(source: CrawlSource, addresses: list[str]) -> list[Link]:
    """What a crawl of a site begins with."""
    if source.kind == "mediawiki":
        return [Link(wiki_request(one, source.category, {}), "api") for one in addresses]
    role: Role = "page" if source.kind == "pages" else "index"
    return [Link(found, role) for one in addresses if (found := canonical(one))]


def links(source: CrawlSource, link: Link, content_type: str, body: bytes) -> list[Link]:
    """The addresses that an answer leads to.

    Raises:
        DataError: it is not the sitemap, feed or answer of a wiki that it should be.
    """
    if link.role == "index":
        return _listed(link.address, body)
    if link.role == "api":
        return _continued(source, link.address, body)
    if source.follow is None or "html" not in content_type:
        return []
    wanted = compiled(source.follow)
    return [Link(one, "page") for one in page_links(link.address, body) if wanted.search(one)]


def page_links(address: str, body: bytes) -> list[str]:
    """The links of a web page in canonical form, each once."""
    html = require("lxml.html", extra="crawl", purpose="Reading web pages")
    try:
        tree = html.document_fromstring(body, parser=html.HTMLParser(huge_tree=True, no_network=True))
    except (ValueError, html.etree.ParserError):
        return []
    base = tree.find(".//base[@href]")
    start = urljoin(address, base.get("href")) if base is not None else address
    found: dict[str, None] = {}
    for node in tree.iter("a", "area"):
        target, marks = node.get("href"), (node.get("rel") or "").split()
        if target and "nofollow" not in marks:
            try:
                linked = canonical(urljoin(start, target.strip()))
            except ValueError:
                continue
            if linked:
                found[linked] = None
    return list(found)


def _listed(address: str, body: bytes) -> list[Link]:
    """The addresses in a sitemap (sitemaps.org), an RSS or Atom feed, or a plain list."""
    etree = require("lxml.etree", extra="crawl", purpose="Reading sitemaps and feeds")
    body = _unpacked(address, body)
    if not body.lstrip().startswith(b"<"):
        lines = body.decode("utf-8", "replace").split()
        return [Link(target, "page") for line in lines if (target := canonical(line))]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=True)
    tree = etree.fromstring(body, parser=parser)
    if tree is None:
        raise DataError(f"{address}: neither a sitemap nor a feed.")
    role: Role = "index" if etree.QName(tree).localname == "sitemapindex" else "page"
    listed: dict[str, None] = {}
    for node in tree.iter():
        name, above = _local_name(node), _local_name(node.getparent())
        if (name, above) not in _PLACES:  # pictures, other languages of a page, and the front page of a feed
            continue
        text = node.get("href") if name == "link" and node.get("rel", "alternate") == "alternate" else None
        text = text or node.text
        if text and (one := canonical(urljoin(address, text.strip()))):
            listed[one] = None
    return [Link(one, role) for one in listed if one != address]


def _local_name(node: Any) -> str:
    """The name of an element without its namespace; empty for a comment, or for what is above the first."""
    return node.tag.rpartition("}")[2] if node is not None and isinstance(node.tag, str) else ""


def _unpacked(address: str, body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        with gzip.open(io.BytesIO(body)) as stream:
            found = stream.read(_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{address}: cannot be unpacked: {error}.") from error
    if len(found) > _UNPACKED:
        raise DataError(f"{address}: unpacked it is longer than {_UNPACKED:,} bytes.")
    return found


def wiki_request(api: str, category: str | None, go_on: dict[str, str]) -> str:
    """The address of the next pages of a MediaWiki, with their text.

    The API asks programs to come one at a time and to wait while its servers lag (``maxlag``; API etiquette of
    mediawiki.org).
    """
    which = {"generator": "allpages", "gapnamespace": "0", "gapfilterredir": "nonredirects", "gaplimit": str(_BATCH)}
    if category:
        which = {"generator": "categorymembers", "gcmtitle": category, "gcmtype": "page", "gcmlimit": str(_BATCH)}
    asked = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5", **which}
    asked |= {"prop": "revisions", "rvprop": "content|timestamp", "rvslots": "main", **go_on}
    return f"{api}?{urlencode(asked)}"


def _continued(source: CrawlSource, address: str, body: bytes) -> list[Link]:
    try:
        said: dict[str, Any] = json.loads(body)
        if "error" in said:
            raise DataError(f"{address}: the wiki answers: {said['error'].get('info', said['error'])}")
        go_on = {str(key): str(value) for key, value in said.get("continue", {}).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{address}: no answer of the API of a MediaWiki; its address ends with api.php.") from error
    api = address.partition("?")[0]
    return [Link(wiki_request(api, source.category, go_on), "api")] if go_on else []


def unwanted(source: CrawlSource, address: str) -> bool:
    """Whether the project leaves an address out."""
    return source.leave is not None and compiled(source.leave).search(address) is not None


_MARKUP = regex.compile(r"text/(html|plain)|application/(xhtml\+xml|pdf|json)")


def is_text(content_type: str) -> bool:
    """Whether an answer holds text that is read."""
    return not content_type or _MARKUP.match(content_type.strip().casefold()) is not None
