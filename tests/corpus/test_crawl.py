"""Fetching sites: what is asked for and what is not, politeness, and going on after a kill."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.web_site import HTML, Answer, Site, page, web_site

from seshat.config import Config
from seshat.core.errors import ConfigError, DataError, UsageError
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Segment
from seshat.corpus import crawl
from seshat.corpus.frontier import Traps, canonical
from seshat.data import ingest
from seshat.formats.warc import responses
from seshat.project.folder import Project, open_project

for package in ("courlan", "lxml", "protego", "warcio"):
    pytest.importorskip(package)

ROBOTS = "User-agent: seshat\nDisallow: /closed/\n\nUser-agent: *\nDisallow: /\n"
FOLLOW = {"follow": "."}


def make(root: Path, *sources: Mapping[str, Any], **settings: Any) -> Project:
    """A project whose sites are ``sources``, each read by a source of ingest of its own."""
    names = [one["source"] for one in sources]
    values = {
        "project": {"name": "Lumeko", "language": "qlm", "languages": {"qlm": {"name": "Lumeko", "script": "Latin"}}},
        "crawl": {"contact": "me@example.org", "delay": 0.0, "sources": list(sources), **settings},
        "ingest": {
            "sources": [
                {"name": name, "path": f"crawl/{name}.warc.gz", "licence": "CC0-1.0", "access": "public"}
                for name in names
            ]
        },
    }
    root.mkdir(exist_ok=True)
    (root / "seshat.yaml").write_text(json.dumps(values), encoding="utf-8")
    return open_project(root)


def fetched(project: Project, name: str = "site") -> list[str]:
    """The addresses in a WARC file, in their order."""
    kept = list(responses(project.raw / "crawl" / f"{name}.warc.gz"))
    assert None not in kept, "the file is whole"
    return [one.address for one in kept if one]


def records(project: Project) -> list[Segment]:
    ingest.run(project)
    return list(read_jsonl(project.ingested / "segments.jsonl", Segment))


def test_links_are_followed_once_and_robots_are_obeyed(tmp_path: Path) -> None:
    pages = {
        "/": page("Kuno mira talo.", "/a", "/b", "/a#part", "/closed/c", "http://127.0.0.1:9/elsewhere"),
        "/a": page("Pesi veta sala.", "/", "/b?utm_source=x"),
        "/b": page("Tiru pako meno.", "/gone"),
        "/robots.txt": ROBOTS,
    }
    with web_site(lambda path, _: pages.get(path)) as site:
        project = make(tmp_path, {"source": "site", "start": [f"{site.url}/"], **FOLLOW})
        result = crawl.run(project)
        assert site.paths() == ["/robots.txt", "/", "/a", "/b", "/gone"]
        agents = {headers["user-agent"] for _, _, headers in site.asked}
        assert len(agents) == 1 and "seshat/" in (agent := agents.pop()) and "me@example.org" in agent
        report = json.loads((tmp_path / "reports" / "crawl.json").read_text())["sites"][0]["left_out"]
        assert {reason: found["count"] for reason, found in report.items()} == {
            "robots.txt forbids it": 1,
            "it is on another server than those of start": 1,
            "the server answers 404": 1,
        }
        assert result["table"][0]["fetched"] == 3
        crawl.run(project)
        assert site.paths().count("/a") == 1, "a second run asks for nothing that is done"
    assert fetched(project) == [f"{site.url}{path}" for path in ("/", "/a", "/b")]
    texts = records(project)
    assert {"Kuno mira talo.", "Pesi veta sala.", "Tiru pako meno."} <= {one.texts["qlm"] for one in texts}
    first = next(one for one in texts if one.texts["qlm"] == "Kuno mira talo.")
    assert first.meta.extra["url"] == f"{site.url}/"
    assert first.meta.extra["fetched"].startswith("20")
    assert (first.meta.licence, first.meta.access.value) == ("CC0-1.0", "public")


@pytest.mark.parametrize("robots", [Answer(status=500), Answer(status=503), Answer(b"User-a", cut=True)])
def test_where_robots_cannot_be_had_nothing_is_fetched(tmp_path: Path, robots: Answer) -> None:
    with web_site(lambda path, _: robots if path == "/robots.txt" else page("Kuno.")) as site:
        project = make(tmp_path, {"source": "site", "start": [f"{site.url}/"]})
        result = crawl.run(project)
        assert site.paths() == ["/robots.txt"]
    assert "robots.txt cannot be had" in result["warnings"][0]
    assert fetched(project) == []


def test_requests_to_a_server_are_apart_and_robots_can_ask_for_more(tmp_path: Path) -> None:
    pages = {f"/{number}": page(f"kuno {number}") for number in range(4)}
    with web_site(lambda path, _: "User-agent: *\nCrawl-delay: 0.3\n" if "robots" in path else pages[path]) as site:
        start = [f"{site.url}{path}" for path in pages]
        crawl.run(make(tmp_path, {"source": "a", "start": start[:2]}, {"source": "b", "start": start[2:]}, delay=0.1))
        times = [when for when, _, _ in site.asked]
    assert len(times) == 5, "both sources share the server and its robots.txt"
    assert all(later - earlier >= 0.29 for earlier, later in pairwise(times))


def test_pages_that_have_not_changed_are_not_sent_again(tmp_path: Path) -> None:
    texts = {"/a": "Kuno mira.", "/b": "Pesi veta."}

    def say(path: str, headers: Mapping[str, str]) -> Answer | None:
        if path not in texts:
            return None
        tag = f'"{texts[path]}"'
        if headers.get("if-none-match") == tag:
            return Answer(status=304)
        return Answer(page(texts[path]).encode(), headers={**HTML, "ETag": tag})

    with web_site(say) as site:
        project = make(tmp_path, {"source": "site", "start": [f"{site.url}/a", f"{site.url}/b"]})
        crawl.run(project)
        texts["/b"] = "Pesi veta sala."
        row = crawl.run(project, again=True)["table"][0]
    assert (row["fetched"], row["unchanged"]) == (1, 1)
    assert {one.texts["qlm"] for one in records(project)} == {"Kuno mira.", "Pesi veta sala."}


def test_sitemaps_and_feeds(tmp_path: Path) -> None:
    with web_site(lambda path, _: said.get(path)) as site:
        inner = (
            f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{site.url}/a</loc></url></urlset>"
        )
        said: dict[str, Answer | str] = {
            "/sitemap.xml": f"<sitemapindex><sitemap><loc>{site.url}/more.xml.gz</loc></sitemap></sitemapindex>",
            "/more.xml.gz": Answer(gzip.compress(inner.encode()), headers={"Content-Type": "application/gzip"}),
            "/feed": f"<rss><channel><item><link>{site.url}/b</link></item></channel></rss>",
            "/atom": f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='{site.url}/c'/></entry></feed>",
            "/bad": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><rss><link>&e;</link></rss>",
            **{path: page(f"kuno {path}") for path in ("/a", "/b", "/c")},
        }
        feeds = [f"{site.url}{path}" for path in ("/feed", "/atom", "/bad")]
        project = make(
            tmp_path,
            {"source": "map", "kind": "sitemap", "start": [f"{site.url}/sitemap.xml"]},
            {"source": "news", "kind": "feed", "start": feeds},
        )
        crawl.run(project)
    assert fetched(project, "map") == [f"{site.url}/a"]
    assert fetched(project, "news") == [f"{site.url}/b", f"{site.url}/c"]


def test_a_wiki_is_asked_through_its_api(tmp_path: Path) -> None:
    pytest.importorskip("mwparserfromhell")
    texts = [
        "'''Kuno''' is {{lang|x}} a [[mira|talo]].<ref>n</ref>\n\n== Sala ==\n* pesi\n"
        "{| class=x\n| cell\n|}\n[[Category:X]]",
        "#REDIRECT [[Kuno]]",
        "Veta tiru.",
    ]

    def say(path: str, _headers: Mapping[str, str]) -> Answer | None:
        if "api.php" not in path:
            return None
        number = int(parse_qs(urlsplit(path).query).get("gapcontinue", ["0"])[0])
        slots = {"slots": {"main": {"content": texts[number]}}}
        said: dict[str, Any] = {"query": {"pages": [{"title": f"Page {number}", "revisions": [slots]}]}}
        if number + 1 < len(texts):
            said["continue"] = {"gapcontinue": str(number + 1), "continue": "gapcontinue||"}
        return Answer(json.dumps(said).encode(), headers={"Content-Type": "application/json; charset=utf-8"})

    with web_site(say) as site:
        project = make(tmp_path, {"source": "site", "kind": "mediawiki", "start": [f"{site.url}/w/api.php"]})
        crawl.run(project)
        assert all("maxlag=5" in path for path in site.paths())
        assert len(site.paths()) == 3
    found = [(one.meta.extra["title"], one.texts["qlm"]) for one in records(project)]
    assert found == [("Page 0", "Kuno is a talo."), ("Page 0", "Sala"), ("Page 0", "pesi"), ("Page 2", "Veta tiru.")]


def test_sitemaps_and_feeds_name_pages_and_more(tmp_path: Path) -> None:
    with web_site(lambda path, _: said.get(path)) as site:
        names = "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:i='urn:image' xmlns:x='urn:xhtml'"
        entry = (
            f"<url><loc>{site.url}/a</loc><i:image><i:loc>{site.url}/i.png</i:loc></i:image>"
            f"<x:link rel='alternate' hreflang='en' href='{site.url}/en'/></url>"
        )
        feed = f"<rss><channel><link>{site.url}/front</link><item><link>{site.url}/b</link></item></channel></rss>"
        said = {"/map": f"<urlset {names}>{entry}</urlset>", "/feed": feed, "/a": page("Kuno."), "/b": page("Mira.")}
        crawl.run(
            make(
                tmp_path,
                {"source": "map", "kind": "sitemap", "start": [f"{site.url}/map"]},
                {"source": "news", "kind": "feed", "start": [f"{site.url}/feed"]},
            )
        )
        assert sorted(site.paths()) == ["/a", "/b", "/feed", "/map", "/robots.txt"]


def test_a_wiki_that_lags_is_asked_again(tmp_path: Path) -> None:
    lag = Answer(
        json.dumps({"error": {"code": "maxlag", "info": "Waiting: 6 seconds lagged."}}).encode(),
        headers={"Content-Type": "application/json", "Retry-After": "0", "MediaWiki-API-Error": "maxlag"},
    )
    pages = Answer(json.dumps({"query": {"pages": []}}).encode(), headers={"Content-Type": "application/json"})
    answers = [lag, pages]
    with web_site(lambda _path, _headers: answers.pop(0)) as site:
        project = make(tmp_path, {"source": "site", "kind": "mediawiki", "start": [f"{site.url}/w/api.php"]})
        result = crawl.run(project)
    assert (result["table"][0]["fetched"], result["warnings"]) == (1, [])


def test_slow_long_broken_and_busy_answers(tmp_path: Path) -> None:
    busy = Counter[str]()

    def say(path: str, _headers: Mapping[str, str]) -> Answer | str | None:
        busy[path] += 1
        return {
            "/slow": Answer(b"x" * 5_000, pause=0.5),
            "/long": Answer(b"x" * 300_000),
            "/cut": Answer(page("kuno").encode(), cut=True),
            "/bomb": Answer(gzip.compress(b"x" * 5_000_000), headers={**HTML, "Content-Encoding": "gzip"}),
            "/picture": Answer(b"\x89PNG", headers={"Content-Type": "image/png"}),
            "/busy": page("Mira talo.") if busy[path] > 1 else Answer(status=429, headers={"Retry-After": "0"}),
            "/round": Answer(status=302, headers={"Location": "/round"}),
            "/away": Answer(status=301, headers={"Location": "http://169.254.169.254/secrets"}),
            "/moved": Answer(status=301, headers={"Location": "/new"}),
            "/new": page("Pesi veta."),
        }.get(path)

    with web_site(say) as site:
        paths = ("slow", "long", "cut", "bomb", "picture", "busy", "round", "away", "moved")
        start = [f"{site.url}/{path}" for path in paths]
        project = make(tmp_path, {"source": "site", "start": start}, page_megabytes=0.2, page_seconds=1.0)
        began = time.monotonic()
        crawl.run(project)
        assert time.monotonic() - began < 60
        assert sorted(fetched(project)) == [f"{site.url}/busy", f"{site.url}/new"]
    left_out = json.loads((tmp_path / "reports" / "crawl.json").read_text())["sites"][0]["left_out"]
    said = "\n".join(left_out)
    for words in ("longer than 200,000 bytes", "takes longer than 1 seconds", "image/png", "another server"):
        assert words in said


def test_traps() -> None:
    traps = Traps()
    assert traps.reason("http://a.org/b/c") is None
    assert "repeats" in (traps.reason("http://a.org/x/x/x/x") or "")
    assert "long" in (traps.reason(f"http://a.org/{'x' * 2_000}") or "")
    assert "deep" in (traps.reason(f"http://a.org/{'/'.join(map(str, range(30)))}") or "")
    reasons = [traps.reason(f"http://a.org/calendar?month={number}") for number in range(400)]
    assert reasons[0] is None and reasons[-1] is not None
    assert canonical("javascript:alert(1)") is None
    assert canonical("http://a.org/x#part") == "http://a.org/x"


def test_limits(tmp_path: Path) -> None:
    with web_site(lambda path, _: None if "robots" in path else page("kuno", f"{path}1")) as site:
        project = make(tmp_path, {"source": "site", "start": [f"{site.url}/"], "max_pages": 5, **FOLLOW})
        warnings = crawl.run(project)["warnings"]
    assert len(fetched(project)) == 5
    assert "max_pages is 5" in warnings[0]


def test_rights_contact_and_social_networks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="whom a site can write to"):
        make(tmp_path, {"source": "site", "start": ["https://example.org"]}, contact=None)
    with pytest.raises(ConfigError, match="social network"):
        make(tmp_path, {"source": "site", "start": ["https://www.facebook.com/x"]})
    source = {"name": "site", "path": "crawl/site.warc.gz"}
    site = {"contact": "me@example.org", "sources": [{"source": "site", "start": ["https://example.org"]}]}
    project = {"language": "qlm"}
    for more, words in (({}, "licence"), ({"licence": "CC0-1.0"}, "access")):
        with pytest.raises(ValueError, match=f"rights have to be stated.*{words}"):
            Config.model_validate({"project": project, "crawl": site, "ingest": {"sources": [{**source, **more}]}})
    with pytest.raises(DataError, match="nothing to crawl"):
        crawl.run(make(tmp_path))


def test_servers_of_a_list_have_to_be_allowed(tmp_path: Path) -> None:
    project = make(tmp_path, {"source": "site", "addresses": "list.txt"})
    project.raw.mkdir(parents=True)
    (project.raw / "list.txt").write_text("http://10.1.2.3/inside\n")
    with pytest.raises(UsageError, match="nobody has allowed"):
        crawl.run(project)
    (project.raw / "list.txt").write_text("file:///etc/passwd\n")
    with pytest.raises(DataError, match="no address of the web"):
        crawl.run(project)


def _command(project: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-m", "seshat", "crawl", "-p", str(project), "--quiet"]
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _twice(site: Site) -> dict[str, int]:
    return {path: count for path, count in Counter(site.paths()).items() if count > 1 and path != "/robots.txt"}


def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    def say(path: str, _headers: Mapping[str, str]) -> str | None:
        number = int(path.strip("/") or 0) if "robots" not in path else -1
        return page(f"Kuno {number} mira.", f"/{number + 1}", f"/{number + 2}") if 0 <= number < 120 else None

    with web_site(say) as site:
        make(tmp_path, {"source": "site", "start": [f"{site.url}/0"], **FOLLOW}, delay=0.01)
        kills = 0
        for wait in (30, 60, 90):
            running = _command(tmp_path)
            while running.poll() is None and len(site.asked) < wait:
                time.sleep(0.01)
            if running.poll() is None:
                running.send_signal(signal.SIGKILL)
                kills += 1
            running.wait()
        with (tmp_path / "data/raw/crawl/site.warc.gz").open("ab") as stream:
            stream.write(b"\x1f\x8b half a record")
        assert _command(tmp_path).wait() == 0
    assert kills == 3
    project = open_project(tmp_path)
    assert sorted(fetched(project)) == sorted(f"{site.url}/{number}" for number in range(120)), "each page once"
    assert len(_twice(site)) <= kills, "only what was on its way at a kill is asked for twice"
