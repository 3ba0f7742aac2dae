"""The verb ``presets``: which there are, and what one says."""

from __future__ import annotations

from typing import Annotated

import typer

from seshat.cli.common import Context, verb


def add(app: typer.Typer) -> None:
    """Add the command to the program."""
    verb(
        app,
        "presets",
        project=False,
        overrides=False,
        help="The named sets of values that model.preset can take; with a name, that one with its reasons.",
    )(_presets)


def _presets(
    context: Context,
    name: Annotated[str | None, typer.Argument(help="Show this one.", show_default=False)] = None,
) -> None:
    from seshat.config import presets

    if name is not None:
        context.result({"preset": name, "yaml": _text(name)}, _text(name).rstrip("\n"))
        return
    rows = [{"preset": one, "what": presets.summary(one)} for one in presets.names()]
    if context.as_json:
        context.result(rows)
        return
    from seshat.report.terminal import table

    context.result(rows, table(rows), "Take one with `model: {preset: NAME}` in seshat.yaml, or model.preset=NAME.")


def _text(name: str) -> str:
    from seshat.config import presets
    from seshat.config.explain import did_you_mean
    from seshat.core.errors import UsageError

    if name not in presets.names():
        raise UsageError(
            f"There is no preset '{name}'{did_you_mean(name, presets.names()) or '.'}", "`seshat presets` lists them."
        )
    return presets.text(name)
