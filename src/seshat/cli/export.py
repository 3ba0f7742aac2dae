"""The verb ``export``: a trained model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seshat.cli.common import Context, verb


@verb(
    "export",
    overrides=False,
    help="Write a trained model in the form that another program takes, and prove that it translates as before.",
)
def _export(
    context: Context,
    wanted: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FORM | SECTION.KEY=VALUE",
            help="merged, adapter, gguf, ctranslate2, ollama; default: what the family is used with. Settings win over "
            "seshat.yaml.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A folder below models/. Default: train.name.")] = None,
    quantization: Annotated[
        list[str] | None,
        typer.Option(help="Type of GGUF weights: f16, q8_0, q4_k_m …; may be repeated.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the folders go. Default: models/.")
    ] = None,
) -> None:
    from rich.markup import escape

    from seshat.cli.failures import say
    from seshat.export.export import run
    from seshat.pipeline.lock import hold
    from seshat.report.terminal import table

    words = wanted or []
    forms = [word for word in words if "=" not in word]
    context.overrides = [word for word in words if "=" in word]
    if forms:
        context.overrides.append(f"export.formats=[{', '.join(forms)}]")
    if quantization:
        context.overrides.append(f"export.quantization=[{', '.join(quantization).lower()}]")
    project = context.open()
    with context.progress(), hold(project.state):
        found = run(project, model, output)
    people = [table(found["table"], title="Before and after, on validation")] if found["table"] else []
    people += [table(found["exports"])] if found["exports"] else []
    context.result(found, *people, *(escape(f"- {warning}") for warning in found["warnings"]))
    for refusal in found["refused"]:
        say(f"seshat: {refusal}")
    if found["refused"]:
        raise typer.Exit(1)
