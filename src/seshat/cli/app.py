"""The commands, put together in the order in which a project needs them."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from seshat.cli import (
    allow,
    annotate,
    audit,
    corpus,
    demo,
    evaluate,
    export,
    gloss,
    induce,
    pipeline,
    plan,
    presets,
    remote,
    review,
    serve,
    submit,
    sweep,
    tools,
    translate,
)
from seshat.core.errors import SeshatError
from seshat.core.jsonl import umask

app = typer.Typer(
    name="seshat",
    help="From a folder of materials in a low-resource language to a clean dataset, a trained translator and an "
    "honest measurement of it.",
    epilog="Start with: seshat init mylang",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


pipeline.add(app)
export.add(app)
submit.add(app)
translate.add(app)
annotate.add(app)
gloss.add(app)
serve.add(app)
demo.add(app)
evaluate.add(app)
sweep.add(app)
remote.add(app)
induce.add(app)
audit.add(app)
corpus.add(app)
review.add(app)
tools.add(app)
allow.add(app)
presets.add(app)
plan.add(app)
