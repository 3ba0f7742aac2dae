"""``submit``: the submission of a competition, the bundle for Kaggle, and the dry run of its notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seshat.cli.common import Context, verb
from seshat.core.errors import UsageError


@verb("submit", help="Translate the test file of a competition; bundle it all for an offline notebook.")
def _submit(
    context: Context,
    model: Annotated[str | None, typer.Option(help="A folder below models/. Default: translate.model.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: submit.output.")] = None,
    test: Annotated[
        Path | None, typer.Option(help="Another test file with the same columns. Default: submit.test.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Time that consensus decoding has, such as 8h30m.", show_default=False)
    ] = None,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Write the bundle for Kaggle, models/NAME-kaggle, and no submission.")
    ] = False,
    wheels: Annotated[
        Path | None, typer.Option(help="Folder with the wheels for the bundle. Default: those of this environment.")
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch-wheels", help="Fetch the wheels with `pip download`.")] = False,
    upload: Annotated[
        bool, typer.Option("--upload", help="Create the dataset and the notebook on Kaggle, or new versions of them.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Bundle, run the notebook here without a network, and compare.")
    ] = False,
) -> None:
    if wheels and fetch:
        raise UsageError("Give --wheels or --fetch-wheels, not both.")
    project = context.open()
    with context.progress():
        found: dict[str, Any] = {}
        if bundle or upload or dry_run:
            from seshat.submit import kaggle

            found |= kaggle.run(project, model, wheels=wheels, fetch=fetch, budget=budget)
        if upload:
            from seshat.submit.upload import upload_bundle

            found |= upload_bundle(Path(found["bundle"]))
        if dry_run:
            from seshat.submit import dryrun

            found |= dryrun.run(project, model, Path(found["bundle"]), budget, test)
        if not (bundle or upload or dry_run):
            from seshat.submit import submission

            found |= submission.run(project, model, output, budget, test)
    _show(context, found)


def _show(context: Context, found: dict[str, Any]) -> None:
    from rich.markup import escape

    from seshat.report.terminal import table

    shown = {key: value for key, value in found.items() if key != "warnings" and value not in (None, {})}
    rows = [{"": key.replace("_", " "), " ": value} for key, value in shown.items()]
    context.result(found, table(rows), *(escape(f"- {warning}") for warning in found.get("warnings", [])))
    if found.get("same") is False:
        raise typer.Exit(1)
