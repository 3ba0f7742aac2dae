"""A site of 2,000 pages fetched by ``seshat crawl``, killed five times; the proof are the logs of its two servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from tests.web_site import Site, page, web_site

from seshat.formats.warc import responses

SUMMARY = "Crawl of a local site of 2,000 pages, killed five times: pages fetched once, robots.txt and delay respected"
PAGES = 2_000
"""Of them half on each server; a tenth more are forbidden by robots.txt."""
DELAY = 0.05
"""Seconds between two requests to a server, which its robots.txt asks for."""
KILLS = (150, 500, 900, 1_300, 1_700)
"""Requests after which the crawler is killed."""
_ROBOTS = f"User-agent: *\nDisallow: /closed/\nCrawl-delay: {DELAY}\n"


def say(path: str, _headers: object) -> str | None:
    """A page of text with links to those behind it, to a forbidden one, and to itself in other ways of writing."""
    if path == "/robots.txt":
        return _ROBOTS
    number = int(path.rpartition("/")[2]) if path.rpartition("/")[2].isdigit() else -1
    if path.startswith("/closed/") or not 0 <= number < PAGES // 2:
        return None
    closed = [f"/closed/{number}"] if number % 10 == 0 else []
    text = " ".join(f"kuno {number} mira talo {word}." for word in range(60))
    return page(text, f"/p/{number + 1}", f"/p/{number * 2}", f"/p/{number}#top", f"/p/{number}?utm_source=x", *closed)


def project(root: Path, sites: list[Site]) -> None:
    """A project that fetches both servers."""
    names = [f"site{number}" for number, _ in enumerate(sites)]
    sources = [
        {"source": name, "start": [f"{site.url}/p/0"], "follow": "."} for name, site in zip(names, sites, strict=True)
    ]
    read = [{"name": one, "path": f"crawl/{one}.warc.gz", "licence": "CC0-1.0", "access": "public"} for one in names]
    values = {
        "project": {"language": "qlm", "languages": {"qlm": {"name": "Lumeko", "script": "Latin"}}},
        "crawl": {"contact": "me@example.org", "delay": 0.0, "sources": sources},
        "ingest": {"sources": read},
    }
    (root / "seshat.yaml").write_text(json.dumps(values), encoding="utf-8")


def main() -> dict[str, Any]:
    """Fetch, kill, go on, and count what the servers were asked."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "seshat", "crawl", "--quiet", "-p"]
    with tempfile.TemporaryDirectory() as work, web_site(say) as one, web_site(say) as other:
        sites, root, kills = [one, other], Path(work), 0
        project(root, sites)
        began = time.monotonic()
        for most in KILLS:
            running = subprocess.Popen([*command, work], env=environment)
            while running.poll() is None and sum(len(site.asked) for site in sites) < most:
                time.sleep(0.005)
            if running.poll() is None:
                running.send_signal(signal.SIGKILL)
                kills += 1
            running.wait()
        subprocess.run([*command, work], env=environment, check=True)
        seconds = time.monotonic() - began
        kept = [found for path in (root / "data" / "raw" / "crawl").glob("*.warc.gz") for found in responses(path)]
        asked = [Counter(site.paths()) for site in sites]
        gaps = [late[0] - early[0] for site in sites for early, late in pairwise(site.asked)]
        figures = {
            "pages": PAGES,
            "kills": kills,
            "seconds": round(seconds, 1),
            "pages in the files": len({found.address for found in kept if found}),
            "pages in the files twice": len(kept) - len({found.address for found in kept if found}),
            "files damaged": sum(found is None for found in kept),
            "asked for twice, on their way at a kill": sum(
                count > 1 for counts in asked for path, count in counts.items() if path != "/robots.txt"
            ),
            "forbidden pages asked for": sum(path.startswith("/closed/") for counts in asked for path in counts),
            "delay asked for, ms": round(1_000 * DELAY),
            "shortest delay between two requests of one run, ms": round(1_000 * sorted(gaps)[0], 1),
            "requests": sum(len(site.asked) for site in sites),
        }
    Console().print(figures)
    return figures
