"""``demo``: the web page, on the same server as the API."""

from __future__ import annotations

import typer

from seshat.cli.common import Context, verb
from seshat.cli.serve import Host, Level, Port, answer


def add(app: typer.Typer) -> None:
    """Add this command to the program."""
    verb(
        app,
        "demo",
        json=False,
        help="Open the web page: translate, look words up, correct. The API of `seshat serve` answers there too.",
    )(_demo)


def _demo(context: Context, host: Host = None, port: Port = None, access: Level = None) -> None:
    answer(context, host, port, access, page=True)
