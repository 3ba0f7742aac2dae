"""The commands, put together in the order in which a project needs them."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Annotated

import typer

from seshat.cli.common import app
from seshat.core.errors import SeshatError
from seshat.core.jsonl import umask

__all__ = ["app"]
_MODULES = (
    "pipeline",
    "export",
    "submit",
    "translate",
    "annotate",
    "gloss",
    "governance",
    "dictionary",
    "serve",
    "evaluate",
    "sweep",
    "remote",
    "induce",
    "audit",
    "corpus",
    "review",
    "tools",
    "plan",
)
"""Where the commands are, in their order."""


def _version(wanted: bool) -> None:
    if wanted:
        from seshat import __version__

        typer.echo(f"seshat {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    try:
        os.umask(umask())
    except SeshatError as error:
        raise typer.BadParameter(str(error)) from error


def _place(module: str) -> int:
    return _MODULES.index(module.rpartition(".")[2])


for _name in _MODULES:
    import_module(f"seshat.cli.{_name}")
# A module that another one imports has added its commands too early.
app.registered_commands.sort(key=lambda one: _place(str(getattr(one.callback, "__module__", None))))
