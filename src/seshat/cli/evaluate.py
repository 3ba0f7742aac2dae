"""``evaluate``, a stage with options of its own, and ``compare``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

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

Quick = Annotated[
    bool,
    typer.Option(
        "--quick", help="A first look, on 200 sentences of the test set; reports/evaluation.* stay as they are."
    ),
]


def overrides(no_adapter: bool, checkpoints: list[str] | None, other_prompt: bool) -> list[str]:
    """The options of ``evaluate`` as settings."""
    found = ["evaluate.zero_shot=alone"] if no_adapter else []
    found += ["evaluate.allow_other_prompt=true"] if other_prompt else []
    return [*found, f"evaluate.checkpoints={json.dumps(checkpoints)}"] if checkpoints else found


def run_quick(context: Context) -> None:
    """A first look at the models of a project, on the terminal and as a page."""
    from seshat.evaluation.evaluate import quick
    from seshat.pipeline.lock import hold
    from seshat.report.terminal import summary

    project = context.open()
    with context.progress(), hold(project.state):
        values = quick(project)
    context.result(values, *summary(shown(values), title="evaluate"))


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """The summary of an evaluation or a comparison as it is printed; ``--json`` has it as it is."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        title, rows = by_genre(value) if key == "by_genre" else (key, scores(value) if key == "table" else value)
        found[title] = rows
    return found


def scores(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The scores of systems with their intervals in one column: `chrf2 low`, `chrf2 high` as `chrf2 95 %`."""
    return [_scores(row) for row in rows]


def _scores(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key.endswith(" low"):
            found[f"{key.removesuffix(' low')} 95 %"] = f"{value:.1f}-{row[key.removesuffix('low') + 'high']:.1f}"
        elif key == "p" and isinstance(value, float):
            found[key] = "<0.001" if value < 0.001 else f"{value:.3f}"
        elif not key.endswith(" high"):
            found[key] = f"{value:.1f}" if isinstance(value, float) else value
    return found


def by_genre(rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """The scores by genre as a title, which names the score, and a line per genre with a column per system."""
    metric = next(key for key in rows[0] if f"{key} low" in rows[0])
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        place = {key: row[key] for key in ("direction", "genre", "segments")}
        line = lines.setdefault((row["direction"], row["genre"]), place)
        line[row["system"]] = f"{row[metric]:.1f} {row[f'{metric} low']:.1f}-{row[f'{metric} high']:.1f}"
    return f"{metric} by genre, with 95 % intervals", list(lines.values())


@verb("compare", overrides=False, help="Several models and baselines on the same test set: one table.")
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
    from seshat.report.terminal import summary

    context.overrides = settings or []
    project = context.open()
    with context.progress(), hold(project.state):
        values = compare.run(project, models, baseline or (), reference)
    context.result(values, *summary(shown(values)))
