"""``sweep``: a search over settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from seshat.cli.common import Context, verb


@verb("sweep", help="Search over settings: train with many, compare them on validation.")
def _sweep(
    context: Context,
    write_best: Annotated[
        bool, typer.Option("--write-best", help="Write the best settings to profiles/best.yaml.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run trials that failed once more.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only show what was found so far.")] = False,
) -> None:
    from seshat.core.processes import alone
    from seshat.sweep.run import run

    project = context.open()
    alone("seshat sweep")
    with context.progress():
        found = run(
            project.root,
            context.profiles,
            context.overrides,
            write_best=write_best,
            retry_failed=retry_failed,
            show=show,
        )
    table = found.pop("table")
    context.result(found, *_people(found, table))


def _people(found: dict[str, Any], rows: list[dict[str, Any]]) -> list[Any]:
    from rich.markup import escape

    from seshat.report.terminal import table, text

    shown: list[Any] = [table(rows, title=f"Sweep {found['study']}, on {found['segments']} validation segments")]
    shown += [escape(f"- {warning}") for warning in found["warnings"]]
    if best := found["best"]:
        settings = " ".join(f"{name}={text(value)}" for name, value in best["settings"].items())
        shown.append(escape(f"Best: trial {best['trial']}, {found['metric']} {best['score']:.2f}: {settings}"))
    if profile := found.get("profile"):
        shown.append(escape(f"Written: {profile} (use it with --profile best)"))
    shown.append(escape(f"Report: {found['report']}"))
    return shown
