"""The page on which people accept, reject and correct the rows of a queue, by keyboard or by touch.

One self-contained HTML file. Opened from a folder it keeps what was decided in the browser and saves it as a copy of
the table; given out by ``seshat serve`` it stores every decision at once. Texts reach the page as data, never as HTML,
and it loads nothing but images and sounds of the project.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seshat.core.jsonl import write_text
from seshat.core.paths import inside
from seshat.project.words import page_words
from seshat.review.desk import Desk
from seshat.review.queue import ACCEPT, REJECT, Column, Kind
from seshat.review.table import Row


def write_page(desk: Desk) -> Path:
    """Write the page of a queue beside its table; returns where.

    Raises:
        DataError: the table cannot be read, or the page not be written.
    """
    path = page_path(desk)
    root = os.path.relpath(desk.project.root, path.parent)
    html, _ = render(desk, desk.rows(), media=f"{Path(root).as_posix()}/")
    write_text(inside(path), html)
    return path


def page_path(desk: Desk) -> Path:
    """Where the page of a queue is."""
    return desk.path.with_suffix(".html")


def render(desk: Desk, rows: Sequence[Row], *, media: str, server: bool = False) -> tuple[str, str]:
    """The page, and the content security policy under which it works.

    Args:
        desk: the queue, as its viewer may see it.
        rows: what to show.
        media: what stands before the paths of images and sounds; of a server, the address that gives them out.
        server: whether decisions are sent to the address of the page.
    """
    queue = desk.queue
    language, words = page_words(desk.project)
    data = {
        "name": queue.name,
        "file": desk.path.name,
        "version": hashlib.sha256(desk.path.read_bytes()).hexdigest()[:16] if desk.path.exists() else "",
        "columns": [_column(column, desk, words) for column in queue.columns],
        "added": list(dict.fromkeys(name for row in rows for name in row.cells if name not in queue.names)),
        "words": {**dict.fromkeys(sorted(ACCEPT), "accept"), **dict.fromkeys(sorted(REJECT), "reject")},
        "says": queue.words,
        "media": media,
        "server": server,
        "t": {name.removeprefix("review_"): text for name, text in words.items() if name.startswith("review_")},
        "rows": [{"key": queue.key(row), "seen": queue.mark(row), "cells": dict(row.cells)} for row in rows],
    }
    title = f"{words.get(f'title_{queue.name}', queue.title)}: {desk.project.root.resolve().name}"
    asks = words.get(f"asks_{queue.name}", queue.asks)
    known = {"words": words, "language": language, "server": server}
    return _filled("page.html.j2", title=title, name=queue.name, asks=asks, data=data, **known)


def index(desks: Sequence[Desk]) -> tuple[str, str]:
    """The list of the queues that have rows, for ``seshat serve``, and its content security policy.

    Args:
        desks: queues of one project, at least one.
    """
    language, words = page_words(desks[0].project)
    counted = [(one.queue, one.count()) for one in desks]
    listed = [
        (
            queue.name,
            words.get(f"title_{queue.name}", queue.title),
            words["review_count"].format(**vars(count), open=count.open),
        )
        for queue, count in counted
        if count.rows
    ]
    return _filled("index.html.j2", listed=listed, words=words, language=language)


def _filled(template: str, **values: Any) -> tuple[str, str]:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("seshat.review"), autoescape=True, undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    style, script = (_hash(environment.get_template(name).render()) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {style}; script-src {script}; "
        "img-src 'self' data: file:; media-src 'self' data: file:; connect-src 'self'"
    )
    return environment.get_template(template).render(policy=policy, **values), policy


def _hash(text: str) -> str:
    """How a content security policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _column(column: Column, desk: Desk, words: Mapping[str, str]) -> dict[str, str]:
    project = desk.project.config.project
    tag = {"language": project.language, "pivot": project.pivot}.get(column.language, column.language)
    label = words.get(f"column_{column.name}", column.name.replace("_", " "))
    if tag and column.kind in (Kind.TEXT, Kind.WORDS):
        label = f"{label} ({project.language_name(tag)})"
    return {"name": column.name, "kind": column.kind.value, "label": label, "language": tag or ""}
