"""Section ``crawl``: pages of the web, fetched politely into ``data/raw``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from seshat.config.base import Mistake, Name, RawPath, Regex, Section
from seshat.config.download import web_address

_SOCIAL = ("facebook.com", "instagram.com", "linkedin.com", "pinterest.com", "reddit.com", "sharechat.com", "t.me",
           "threads.net", "tiktok.com", "twitter.com", "vk.com", "whatsapp.com", "x.com", "youtube.com")  # fmt: skip


def _not_social(url: str) -> str:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    if any(host == one or host.endswith(f".{one}") for one in _SOCIAL):
        raise ValueError(f"'{url}' is a social network: what people write there is not fetched without their consent")
    return url


class CrawlSource(Section):
    """A site to fetch, into the WARC file of a source of ``ingest``."""

    source: Name
    """The source of ingest.sources that reads it: its `path` is the file (`crawl/NAME.warc.gz`), and its `licence` and
    `access`, which have to be stated, are the rights."""
    kind: Literal["pages", "sitemap", "feed", "mediawiki"] = "pages"
    """What `start` holds: pages, sitemaps (also of sitemaps), feeds (RSS, Atom), or the api.php of a MediaWiki."""
    start: tuple[Annotated[str, AfterValidator(web_address), AfterValidator(_not_social)], ...] = ()
    """Addresses to begin with. Only their servers are asked."""
    addresses: RawPath | None = None
    """A file below data/raw with more of them, one a line."""
    follow: Regex | None = None
    """Links of fetched pages whose address this regular expression finds are fetched, too; none when not given."""
    leave: Regex | None = None
    """Addresses that are not fetched, wherever they are found."""
    category: str | None = None
    """For a MediaWiki: the pages of this category alone, such as `Category:Tamil poets`."""
    max_pages: int = Field(default=10_000, ge=1)
    """Answers to keep at most."""
    max_megabytes: float = Field(default=2_000.0, gt=0)
    """Size of the WARC file at most; its answers are packed."""

    def mistakes(self) -> Iterator[Mistake]:
        """Nothing to begin with; settings of another kind."""
        if not self.start and self.addresses is None:
            yield Mistake(("start",), "there is no address to begin with: give start, or a file in addresses")
        if self.category is not None and self.kind != "mediawiki":
            yield Mistake(("category",), "only a MediaWiki has categories: kind: mediawiki")


class CrawlSection(Section):
    """Pages of the web. Nothing is fetched but by `seshat crawl`."""

    contact: str | None = Field(default=None, min_length=5, max_length=200)
    """Whom a site can write to about this crawler: an e-mail or web address; it is sent with every request."""
    delay: float = Field(default=5.0, ge=0.0)
    """Seconds between two requests to a server; more where its robots.txt asks for more."""
    page_megabytes: float = Field(default=20.0, gt=0)
    """A longer answer is left out."""
    page_seconds: float = Field(default=120.0, gt=0)
    """An answer that takes longer is left out."""
    sources: tuple[CrawlSource, ...] = ()
    """The sites."""

    def mistakes(self) -> Iterator[Mistake]:
        """Nobody to write to, and two sites into one file."""
        if self.sources and self.contact is None:
            yield Mistake(("contact",), "say whom a site can write to about this crawler: contact: you@example.org")
        names = [one.source for one in self.sources]
        for place, name in enumerate(names):
            if name in names[:place]:
                yield Mistake(("sources", place, "source"), f"'{name}' is fetched above already")
