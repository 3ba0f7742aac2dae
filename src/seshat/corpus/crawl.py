"""``seshat crawl``: fetch sites politely, and go on after a kill.

Every server is asked for its robots.txt first (RFC 9309: where it cannot be had, nothing is fetched), by a crawler that
says its name and whom to write to, one request at a time with seconds between. What came stands in a WARC file, the
journal says which addresses are done. Fetching again asks whether a page has changed, and fetches it only then.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from seshat import __version__
from seshat.config.crawl import CrawlSection, CrawlSource
from seshat.core.errors import DataError, require
from seshat.core.journal import Journal
from seshat.core.jsonl import cannot_read, write_json
from seshat.core.net import Client, Fetched, Unreachable
from seshat.core.progress import task
from seshat.core.trust import propose, server
from seshat.corpus.archive import Archive, cut
from seshat.corpus.frontier import Link, Role, Traps, canonical, first, is_text, links, unwanted
from seshat.formats.warc import responses
from seshat.project.folder import Project

AGENT = "seshat"
"""What robots.txt calls this crawler."""
_AT_ONCE = 8
"""Sites; each server is still asked one thing at a time."""
_ROBOTS_BYTES = 500_000
"""Of robots.txt are read (RFC 9309, 2.5: at least 500 KiB)."""
_TRIES = 3
_BUSY = (429, 503)
_WIKI_ERROR = "mediawiki-api-error"
_WIKI_BUSY = ("maxlag", "ratelimited", "readonly")
"""Of a MediaWiki, which says so with status 200 (``MediaWiki-API-Error``; API etiquette of mediawiki.org)."""
_PAUSE = 30.0
"""Seconds for a busy server that names none; each further pause is twice as long."""
_GIVEN_UP = 5
"""Failures in a row after which a server is left alone."""
_LISTED = 50
"""Addresses of each reason in the report."""
_REDIRECTS = (301, 302, 303, 307, 308)


class Host:
    """A server: when it may be asked again, and what its robots.txt says."""

    def __init__(self, origin: str, section: CrawlSection, client: Client, stop: threading.Event) -> None:
        self.origin, self._section, self._client, self._stop = origin, section, client, stop
        self._lock = threading.Lock()
        self._rules: Any = None
        self._delay = section.delay
        self.ready = 0.0
        """When it may be asked again, on the clock of :func:`time.monotonic`."""
        self.closed: str | None = None
        """Why it is not asked any more."""
        self.failures = 0

    def forbids(self, address: str) -> bool:
        """Whether robots.txt keeps this crawler from an address; asked for when it is first needed."""
        with self._lock:
            if self._rules is None and self.closed is None:
                self._rules = self._read_robots()
        return self.closed is None and not self._rules.can_fetch(address, AGENT)

    def ask(self, address: str, headers: dict[str, str] | None = None, most: int | None = None) -> Fetched:
        """Wait until the server may be asked, and ask.

        Raises:
            Unreachable: it does not answer, or takes too long.
            DataError: the answer is too long.
            Stopped: the crawl ends.
        """
        with self._lock:
            return self._asked(address, headers or {}, most)

    def rest(self, seconds: float) -> None:
        """Leave the server alone for a while."""
        self.ready = max(self.ready, time.monotonic() + seconds)

    def _asked(self, address: str, headers: dict[str, str], most: int | None) -> Fetched:
        if self._stop.wait(max(0.0, self.ready - time.monotonic())):
            raise Stopped
        most = most or int(self._section.page_megabytes * 1e6)
        try:
            return self._client.fetch(address, headers=headers, most_bytes=most, seconds=self._section.page_seconds)
        finally:
            self.ready = time.monotonic() + self._delay

    def _read_robots(self) -> Any:
        protego = require("protego", extra="crawl", purpose="Reading robots.txt")
        address, text = f"{self.origin}/robots.txt", None
        for _ in range(5):  # redirections, as RFC 9309 has it
            try:
                answer = self._asked(address, {}, None)
            except DataError as error:
                self.closed = f"robots.txt cannot be had, so nothing is fetched: {error.message}"
                return protego.Protego.parse("User-agent: *\nDisallow: /")
            if answer.status not in _REDIRECTS:
                break
            address = urljoin(address, answer.headers.get("location", ""))
        if answer.status == 200:
            text = answer.body[:_ROBOTS_BYTES].decode("utf-8", "replace")
        elif not 400 <= answer.status < 500 or answer.status == 429:
            self.closed = f"robots.txt cannot be had (the server answers {answer.status}), so nothing is fetched"
        rules = protego.Protego.parse(text or "")
        rate = rules.request_rate(AGENT)
        self._delay = max(
            self._delay, rules.crawl_delay(AGENT) or 0.0, rate.seconds / max(1, rate.requests) if rate else 0.0
        )
        self.ready = time.monotonic() + self._delay
        return rules


def _is_busy(answer: Fetched) -> bool:
    return answer.status in _BUSY or answer.headers.get(_WIKI_ERROR) in _WIKI_BUSY


class Stopped(Exception):
    """The crawl ends here; what is done is kept."""


@dataclass
class Site:
    """One site while it is fetched."""

    source: CrawlSource
    path: Path
    """Its WARC file."""
    hosts: dict[str, Host]
    """By origin; no other server is asked."""
    fetched: int = 0
    unchanged: int = 0
    known: int = 0
    """Addresses that were done before."""
    bytes: int = 0
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Reason -> addresses."""

    def report(self) -> dict[str, Any]:
        """What became of it, in figures and reasons."""
        reasons = {why: {"count": len(found), "first": found[:_LISTED]} for why, found in sorted(self.left_out.items())}
        names = ("fetched", "unchanged", "known", "bytes")
        return {"source": self.source.source, **{name: getattr(self, name) for name in names}, "left_out": reasons}


def run(project: Project, again: bool = False) -> dict[str, Any]:
    """Fetch all sites of ``crawl.sources``; writes their WARC files, and ``reports/crawl.json``.

    Args:
        project: the project.
        again: ask about what is there already, too, and fetch what has changed.

    Returns:
        ``table`` (a row per site), ``report`` and ``warnings``.

    Raises:
        DataError: nothing is configured, or a file cannot be read or written.
        UsageError: nobody has allowed a server on this machine.
    """
    section = project.config.crawl
    if not section.sources:
        raise DataError("there is nothing to crawl: crawl.sources is empty.", "docs/corpus.md shows how to fill it.")
    stop = threading.Event()
    starts = {one.source: _starts(project, one) for one in section.sources}
    agent = {"User-Agent": f"{AGENT}/{__version__} (+{section.contact})"}
    origins = dict.fromkeys(server(address) for found in starts.values() for address in found)
    paths = {one.name: project.raw / one.patterns[0] for one in project.config.ingest.sources}
    with Client(*origins, headers=agent, timeout=30.0, connections=_AT_ONCE) as client:
        hosts = {origin: Host(origin, section, client, stop) for origin in origins}
        sites = [
            Site(one, paths[one.source], {server(address): hosts[server(address)] for address in starts[one.source]})
            for one in section.sources
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            work = [pool.submit(_fetch_site, project, site, starts[site.source.source], again) for site in sites]
            try:
                for one in work:
                    one.result()
            except BaseException:
                stop.set()
                raise
    report = {"sites": [site.report() for site in sites]}
    write_json(project.reports / "crawl.json", report)
    rows = [
        {"source": one.source.source, "fetched": one.fetched, "unchanged": one.unchanged, "known": one.known,
         "megabytes": round(one.bytes / 1e6, 1), "left out": sum(map(len, one.left_out.values()))}
        for one in sites
    ]  # fmt: skip
    warnings = [
        f"{one.source.source}: {len(found):,} addresses were left out: {why} (first: {found[0]})"
        for one in sites
        for why, found in one.left_out.items()
    ]
    return {"table": rows, "report": "reports/crawl.json", "warnings": warnings}


def _starts(project: Project, source: CrawlSource) -> list[str]:
    """The addresses that a site begins with, also those of its file."""
    if source.addresses is None:
        return list(source.start)
    path = project.raw / source.addresses
    try:
        lines = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_read(path, error if isinstance(error, OSError) else OSError(str(error))) from error
    wrong = next((one for one in lines if canonical(one) is None), None)
    if wrong is not None:
        raise DataError(f"{path}: '{wrong}' is no address of the web.", "Write one address a line, with https://")
    for one in lines:
        propose(one, str(path))
    return [*source.start, *lines]


def _fetch_site(project: Project, site: Site, starts: list[str], again: bool) -> None:
    crawl = _Crawl(site, again)
    journal_path = project.state / "crawl" / f"{site.source.source}.jsonl"
    with Journal(journal_path) as journal:
        _recover(site, journal)
        archive = Archive(site.path, project.config.crawl.contact or "", site.source.kind != "mediawiki")
        with closing(archive), task(f"crawling {site.source.source}") as advance:
            for link in crawl.due(first(site.source, starts), journal):
                crawl.fetch(link, journal, archive)
                advance(1)


def _recover(site: Site, journal: Journal) -> None:
    """Enter whole records that a killed run had written and not entered, and cut off half a one."""
    end = max((row.get("end", 0) for row in journal.values()), default=0)
    if site.path.exists():
        role: Role = "api" if site.source.kind == "mediawiki" else "page"
        for kept in responses(site.path, end):
            if kept is None:
                break
            row = _row(site.source, Link(kept.address, role), kept.headers, kept.body)
            journal.put(kept.address, {**row, "end": kept.end})
            end = kept.end
        cut(site.path, end)


def _row(source: CrawlSource, link: Link, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """What the journal keeps of an answer."""
    found = links(source, link, headers.get("content-type", ""), body)
    told = {"etag": headers.get("etag"), "modified": headers.get("last-modified")}
    return {
        **{key: value for key, value in told.items() if value},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **({"links": [list(one) for one in found]} if found else {}),
    }


class _Crawl:
    """The order in which a site is fetched, and what is done with each answer."""

    def __init__(self, site: Site, again: bool) -> None:
        self._site, self._again = site, again
        self._seen: set[str] = set()
        self._queues: dict[str, deque[Link]] = defaultdict(deque)
        self._traps = Traps()
        self._tries: dict[str, int] = defaultdict(int)

    def due(self, starts: list[Link], journal: Journal) -> Iterator[Link]:
        """The addresses to ask for, each when its server may be asked; what a fetched page names comes behind."""
        self._push(starts)
        source = self._site.source
        while self._queues:
            origin = min(self._queues, key=lambda one: self._site.hosts[one].ready)
            queue = self._queues[origin]
            link = queue.popleft()
            if not queue:
                del self._queues[origin]
            row = journal.get(link.address)
            if row is not None and not self._again:
                self._site.known += 1
                self._push([Link(*one) for one in row.get("links", ())])
                continue
            if len(journal) >= source.max_pages and row is None:
                self._leave(link, f"crawl.sources.max_pages is {source.max_pages:,}")
            elif self._site.path.exists() and self._site.path.stat().st_size > source.max_megabytes * 1e6:
                self._leave(link, f"crawl.sources.max_megabytes is {source.max_megabytes:g}")
            elif why := self._forbidden(link, self._site.hosts[origin]):
                self._leave(link, why)
            else:
                yield link

    def _forbidden(self, link: Link, host: Host) -> str | None:
        """Why an address is not asked for. The API of a wiki is its door for programs, with rules of its own."""
        if link.role != "api" and host.forbids(link.address):
            return "robots.txt forbids it"
        return host.closed

    def _push(self, found: list[Link]) -> None:
        for link in found:
            if link.address in self._seen:
                continue
            self._seen.add(link.address)
            origin = server(link.address)
            if origin not in self._site.hosts:
                self._leave(link, "it is on another server than those of start")
            elif why := self._traps.reason(link.address):
                self._leave(link, why)
            elif unwanted(self._site.source, link.address):
                self._leave(link, "crawl.sources.leave names it")
            else:
                self._queues[origin].append(link)

    def fetch(self, link: Link, journal: Journal, archive: Archive) -> None:
        """Ask for an address and keep what came; what failed for now is tried again, in the next run at the latest."""
        site, host = self._site, self._site.hosts[server(link.address)]
        known = journal.get(link.address) or {}
        asked = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("modified")}
        try:
            answer = host.ask(link.address, {name: value for name, value in asked.items() if value})
        except Unreachable as error:
            self._failed(link, host, error.message)
            return
        except DataError as error:
            self._never(link, journal, error.message.removeprefix(f"{link.address}: "))
            return
        if answer.status >= 500 or _is_busy(answer):
            self._busy(link, host, answer)
            return
        host.failures = 0
        if answer.status == 304:
            site.unchanged += 1
            self._push([Link(*one) for one in known.get("links", ())])
        elif answer.status in _REDIRECTS:
            target = canonical(urljoin(link.address, answer.headers.get("location", "")))
            found = [Link(target, link.role)] if target else []
            journal.put(link.address, {"reason": f"leads to {target}", "links": [list(one) for one in found]})
            self._push(found)
        elif answer.status != 200:
            self._never(link, journal, f"the server answers {answer.status}")
        elif link.role != "index" and not is_text(answer.headers.get("content-type", "")):
            self._never(link, journal, f"it is {answer.headers['content-type'].partition(';')[0]}, no text")
        else:
            self._keep(link, answer, journal, archive)

    def _keep(self, link: Link, answer: Fetched, journal: Journal, archive: Archive) -> None:
        try:
            row = _row(self._site.source, link, dict(answer.headers), answer.body)
        except DataError as error:
            self._leave(link, error.message.removeprefix(f"{link.address}: "))
            return
        if link.role != "index":
            row["end"] = archive.add(link.address, answer)
            self._site.fetched += 1
            self._site.bytes += len(answer.body)
        journal.put(link.address, row)
        self._push([Link(*one) for one in row.get("links", ())])

    def _busy(self, link: Link, host: Host, answer: Fetched) -> None:
        if _is_busy(answer):
            host.rest(answer.pause if answer.pause is not None else _PAUSE * 2 ** self._tries[link.address])
        self._failed(link, host, f"the server answers {answer.headers.get(_WIKI_ERROR, answer.status)}")

    def _failed(self, link: Link, host: Host, why: str) -> None:
        host.failures += 1
        self._tries[link.address] += 1
        if host.failures >= _GIVEN_UP:
            host.closed = f"{host.failures} failures one after the other; run seshat crawl again later"
        if self._tries[link.address] < _TRIES and host.closed is None:
            self._queues[host.origin].append(link)
        else:
            self._leave(link, f"{why.removeprefix(f'{link.address}: ')} The next run asks again.")

    def _never(self, link: Link, journal: Journal, why: str) -> None:
        journal.put(link.address, {"reason": why})
        self._leave(link, why)

    def _leave(self, link: Link, why: str) -> None:
        self._site.left_out[why].append(link.address)
