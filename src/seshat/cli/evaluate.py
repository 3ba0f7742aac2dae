"""``evaluate``, a stage with options of its own, and ``compare``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from seshat.cli.common import Context, verb

NoAdapter = Annotated[
    bool,
    typer.Option("--no-adapter", help="The untrained base of the model alone (zero-shot): evaluate.zero_shot=alone."),
]
Checkpoints = Annotated[
    list[str] | None,
    typer.Option("--checkpoint", metavar="NAME", help="A checkpoint beside the model, or its folder; may be repeated."),
]
AllowOtherPrompt = Annotated[
    bool,
    typer.Option("--allow-other-prompt", help="Ask the model as configured, though it was trained otherwise."),
]


def add(app: typer.Typer) -> None:
    """Add ``compare`` to the program; ``evaluate`` is added with the stages."""
    verb(app, "compare", overrides=False, help="Several models and baselines on the same test set: one table.")(
        _compare
    )


def overrides(no_adapter: bool, checkpoints: list[str] | None, other_prompt: bool) -> list[str]:
    """The options of ``evaluate`` as settings."""
    found = ["evaluate.zero_shot=alone"] if no_adapter else []
    found += ["evaluate.allow_other_prompt=true"] if other_prompt else []
    return [*found, f"evaluate.checkpoints={json.dumps(checkpoints)}"] if checkpoints else found


def _compare(
    context: Context,
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Folders below models/.", show_default=False)],
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            help="A floor beside them: copy, nearest, word-by-word; may be repeated. Default: evaluate.baselines."
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="The system that the table compares with. Default: the first baseline, or evaluate.reference."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Settings that win over seshat.yaml.")
    ] = None,
) -> None:
    from seshat.evaluation import compare
    from seshat.pipeline.lock import hold
    from seshat.terminal import summary

    context.overrides = settings or []
    project = context.open()
    with context.progress(), hold(project.state):
        values = compare.run(project, models, baseline or (), reference)
    context.result(values, *summary(values))
