"""The server under load from a second process: nothing lost, nothing wrong; beside the engine itself; and killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.kill import SAMPLE, copy_project

SUMMARY = "1,000 requests at 50 concurrent to a real server, compared with direct translation; then kill -9 under load"
REQUESTS = 1_000
CONCURRENT = 50
CLIENTS = (1, 10, 50, 200)
"""Clients that send one text each, beside the engine called directly in batches of as many."""
SINGLE = 400
"""Texts of each of these loads."""
KILLS = 3
SEED = 13
_PATIENCE = 300.0
_TEXTS_IN_A_REQUEST = (1, 1, 1, 1, 2, 4, 8)


@contextmanager
def server(root: Path, *settings: str) -> Any:
    """A real ``seshat serve`` process on a free port; gives the process and its address.

    Args:
        root: the project.
        settings: settings that win over its own, as ``section.key=value``.

    Raises:
        RuntimeError: it ended before it listened.
    """
    command = [sys.executable, "-m", "seshat", "serve", "--project", str(root), "--port", "0", "--quiet", *settings]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            if "http://" not in line:
                process.wait(10)
                errors.seek(0)
                raise RuntimeError(f"the server did not start: {errors.read().decode(errors='replace')}")
            yield process, line.split()[-1]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@dataclass(frozen=True)
class Request:
    """What is sent, and what has to come back."""

    direction: str
    texts: tuple[str, ...]
    expected: tuple[str, ...]


@dataclass
class Load:
    """What came of sending requests."""

    seconds: list[float] = field(default_factory=list)
    """Per request, with the waiting after a 429."""
    lost: int = 0
    wrong: int = 0
    texts: int = 0
    longest: float = 0.0
    """Seconds of the slowest answer, whatever it was."""
    turned_away: int = 0
    """429s; the request was sent again."""
    took: float = 0.0

    def figures(self) -> dict[str, Any]:
        """JSON-able."""
        cuts = statistics.quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [0.0] * 99
        return {
            "requests": len(self.seconds),
            "texts": self.texts,
            "lost": self.lost,
            "wrong": self.wrong,
            "turned_away_429": self.turned_away,
            "p50_ms": round(1000 * cuts[49], 1),
            "p95_ms": round(1000 * cuts[94], 1),
            "longest_answer_seconds": round(self.longest, 2),
            "seconds": round(self.took, 2),
            "requests_per_second": round(len(self.seconds) / self.took, 1),
            "texts_per_second": round(self.texts / self.took, 1),
        }


def prepare(root: Path, count: int, seed: int = SEED) -> list[Request]:
    """Requests of mixed lengths in both directions, with what the model says when it is asked directly."""
    from seshat.core.jsonl import read_jsonl
    from seshat.core.records import Segment
    from seshat.inference.batch import translate_all
    from seshat.inference.opening import open_chain
    from seshat.project.folder import open_project
    from seshat.prompt.request import requests

    project, rng = open_project(root), random.Random(seed)
    segments = list(read_jsonl(project.training / "test.jsonl", Segment))
    found: list[Request] = []
    for direction in project.config.project.directions:
        texts = [segment.texts[direction.source] for segment in segments]
        mixed = [*texts, *(text.split()[0] for text in texts)]
        mixed += [" ".join(rng.sample(texts, 3)) for _ in range(len(texts) // 4)]
        chosen = [tuple(rng.choices(mixed, k=rng.choice(_TEXTS_IN_A_REQUEST))) for _ in range(count // 2)]
        wanted = sorted({text for texts in chosen for text in texts})
        translator = open_chain(project, None, direction)
        said = {wanted[place]: one.text for place, one in translate_all(translator, requests(wanted))}
        translator.close()
        found += [Request(str(direction), texts, tuple(said[text] for text in texts)) for texts in chosen]
    rng.shuffle(found)
    return found


async def send(address: str, requests: Sequence[Request], concurrent: int) -> Load:
    """Send them all, so many at a time; what is turned away is sent again when it may."""
    load, waiting = Load(), iter(requests)
    limits = httpx.Limits(max_connections=concurrent, max_keepalive_connections=concurrent)

    async def one(client: httpx.AsyncClient, request: Request) -> None:
        began = time.monotonic()
        while True:
            body = {"texts": request.texts, "direction": request.direction}
            sent = time.monotonic()
            answer = await client.post("/translate", json=body)
            load.longest = max(load.longest, time.monotonic() - sent)
            if answer.status_code != 429:
                break
            load.turned_away += 1
            await asyncio.sleep(float(answer.headers["retry-after"]))
        load.seconds.append(time.monotonic() - began)
        load.texts += len(request.texts)
        if answer.status_code != 200:
            load.lost += 1
        elif [given["text"] for given in answer.json()["translations"]] != list(request.expected):
            load.wrong += 1

    async def work(client: httpx.AsyncClient) -> None:
        for request in waiting:
            try:
                await one(client, request)
            except httpx.HTTPError:
                load.lost += 1

    began = time.monotonic()
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=_PATIENCE) as client:
        await asyncio.gather(*(work(client) for _ in range(concurrent)))
    load.took = time.monotonic() - began
    return load


def beside(root: Path, texts: int, seed: int = SEED) -> dict[str, Any]:
    """One text a request at several numbers of clients, and the engine called directly with batches of as many.

    Args:
        root: a project with a trained model.
        texts: of each load.
        seed: of the choice of texts.

    Returns:
        By number of clients: figures, ``direct_texts_per_second`` and how many times ``dearer`` the server is.
    """
    from seshat.core.jsonl import read_jsonl
    from seshat.core.records import Segment
    from seshat.inference.opening import open_chain
    from seshat.project.folder import open_project
    from seshat.prompt.request import requests

    project, rng = open_project(root), random.Random(seed)
    direction = project.config.project.directions[0]
    known = [segment.texts[direction.source] for segment in read_jsonl(project.training / "test.jsonl", Segment)]
    chosen = rng.choices(known, k=texts)
    translator = open_chain(project, None, direction)
    translator.translate(requests(chosen[:4]))
    direct: dict[int, float] = {}
    said: dict[str, str] = {}
    for clients in CLIENTS:
        began = time.monotonic()
        for start in range(0, texts, clients):
            part = chosen[start : start + clients]
            found = translator.translate(requests(part))
            said |= {text: one.text for text, one in zip(part, found, strict=True)}
        direct[clients] = texts / (time.monotonic() - began)
    translator.close()
    sent = [Request(str(direction), (text,), (said[text],)) for text in chosen]
    found_figures: dict[str, Any] = {}
    with server(root) as (process, address):
        asyncio.run(send(address, sent[:20], 2))
        for clients in CLIENTS:
            figures = asyncio.run(send(address, sent, clients)).figures()
            dearer = round(direct[clients] / figures["texts_per_second"], 2)
            rate = round(direct[clients], 1)
            found_figures[str(clients)] = {**figures, "direct_texts_per_second": rate, "dearer": dearer}
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    return found_figures


async def correct(address: str, languages: tuple[str, str], concurrent: int, run: str) -> AsyncIterator[str]:
    """Send corrections until the server is gone; gives the ids that it acknowledged."""
    acknowledged: asyncio.Queue[str | None] = asyncio.Queue()

    async def work(client: httpx.AsyncClient, worker: int) -> None:
        number = 0
        while True:
            number += 1
            said = f"{run} {worker} {number}"
            body = {"source": languages[0], "target": languages[1], "text": said, "translation": said}
            try:
                answer = await client.post("/corrections", json=body)
            except httpx.HTTPError:
                break
            if answer.status_code == 201:
                acknowledged.put_nowait(answer.json()["id"])
        acknowledged.put_nowait(None)

    async with httpx.AsyncClient(base_url=address, timeout=_PATIENCE) as client:
        tasks = [asyncio.create_task(work(client, worker)) for worker in range(concurrent)]
        ended = 0
        while ended < concurrent:
            given = await acknowledged.get()
            if given is None:
                ended += 1
            else:
                yield given
        await asyncio.gather(*tasks)


def kill_under_load(root: Path, concurrent: int, enough: int, run: str) -> set[str]:
    """Kill a server while corrections come in; the ids that it had acknowledged.

    Args:
        root: the project.
        concurrent: how many send corrections at a time.
        enough: so many are acknowledged before the kill.
        run: makes the corrections different from those of other runs.
    """
    from seshat.project.folder import open_project

    languages = open_project(root).config.project.directions[0]

    async def until_killed(process: subprocess.Popen[bytes], address: str) -> set[str]:
        known: set[str] = set()
        async for given in correct(address, languages, concurrent, run):
            known.add(given)
            if len(known) == enough:
                os.killpg(process.pid, signal.SIGKILL)
        return known

    with server(root) as (process, address):
        return asyncio.run(until_killed(process, address))


def stored(root: Path) -> set[str]:
    """The corrections that are there once a new server has been started and stopped, by id."""
    from seshat.project.folder import open_project
    from seshat.review.corrections import open_corrections

    with server(root) as (process, address):
        httpx.get(f"{address}/health").raise_for_status()
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        if process.wait(60):
            raise RuntimeError("the server did not stop gracefully")
    store = open_corrections(open_project(root))
    try:
        return {one.id for one in store.all()}
    finally:
        store.close()


def measure(root: Path, requests: int, concurrent: int, kills: int) -> dict[str, Any]:
    """The figures for a project with a trained model."""
    prepared = prepare(root, requests)
    with server(root) as (process, address):
        load = asyncio.run(send(address, prepared, concurrent))
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        graceful = process.wait(60) == 0
    acknowledged: set[str] = set()
    for number in range(kills):
        acknowledged |= kill_under_load(root, concurrent, 4 * concurrent, f"run {number}")
    there = stored(root) if kills else set()
    return {
        "concurrent": concurrent,
        **load.figures(),
        "stopped_gracefully": graceful,
        "kills": kills,
        "corrections_acknowledged": len(acknowledged),
        "corrections_stored": len(there),
        "corrections_lost": len(acknowledged - there),
    }


def main() -> dict[str, Any]:
    """Train the sample's model, and measure."""
    subprocess.run([sys.executable, str(SAMPLE / "generate.py")], check=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "sample")
        copy_project(SAMPLE, root)
        subprocess.run(
            [sys.executable, "-m", "seshat", "run", "--project", str(root), "--quiet"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        figures = measure(root, REQUESTS, CONCURRENT, KILLS) | {"clients": beside(root, SINGLE)}
    table = Table(show_header=False)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    Console().print(table)
    return figures
