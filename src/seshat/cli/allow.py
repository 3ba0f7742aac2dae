"""``allow``: servers that projects may make this machine contact."""

from __future__ import annotations

from typing import Annotated

import typer

from seshat.cli.common import Context, verb


def add(app: typer.Typer) -> None:
    """Add the command to the program."""
    verb(
        app,
        "allow",
        project=False,
        overrides=False,
        help="Allow, once for this machine, that projects contact a server that their files name.",
    )(_allow)


def _allow(
    context: Context, address: Annotated[str, typer.Argument(help="Such as https://models.example.org")]
) -> None:
    from seshat.core.trust import allow, server

    path = allow(address)
    context.result({"allowed": server(address), "file": str(path)}, f"{server(address)} may be contacted: {path}")
