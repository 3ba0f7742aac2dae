"""The verb ``plan``: what a training would be, before anything is downloaded or computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from seshat.cli.common import Context, verb

if TYPE_CHECKING:
    from rich.console import RenderableType

_GB = 1_000_000_000
_PARTS = ("weights", "adapters", "gradients", "optimizer", "activations", "logits", "cache", "runtime")
_SHOWN = 2_000
"""Characters of the example."""
Here = Annotated[bool, typer.Option("--here", help="This machine alone, not those that people ask about.")]


@verb("plan", help="What a training would be: size, steps, memory, an example; nothing is fetched or trained.")
def _plan(context: Context, here: Here = False) -> None:
    from seshat.models import plan

    project = context.open()
    with context.progress():
        made = plan.run(project, elsewhere=not here)
    context.result(made, *_shown(made))


def _shown(made: dict[str, Any]) -> list[RenderableType]:
    """For people."""
    from seshat.report.terminal import summary, table

    shown: list[RenderableType] = [*summary(_head(made))]
    if len(made["phases"]) > 1:
        shown.append(table(made["phases"], title="phases"))
    parts = [part for part in _PARTS if any(row[part] for row in made["memory"])]
    if made["memory"]:
        shown.append(table([_row(row, parts) for row in made["memory"]], title="memory at the worst moment, in GB"))
    for row in made["memory"]:
        if not row["fits"]:
            change = " ".join(row["change"])
            advice = f"with {change}" if change else "not with these adapters and lengths: take a smaller base"
            shown.append(escape(f"- {row['machine']}: {advice}"))
    shown += [escape(f"- {warning}") for warning in made["warnings"]]
    if made["example"] and made["example"]["spans"]:
        shown.append(_example(made["example"]))
    return shown


def _head(made: dict[str, Any]) -> dict[str, Any]:
    model, size, data = made["model"], made["parameters"], made["data"]
    settings = made["settings"]
    head = {
        "model": f"{model['name']} ({model['family']}), from {model['base']}",
        "known_from": model["known_from"],
        **({"parameters": f"{size['total']:,}, trained {size['trainable']:,} ({size['share']:.2%})"} if size else {}),
        "settings": ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items()),
    }
    if data:
        about = "" if data["counted"] else "about "
        head |= {
            "examples": f"{data['examples']:,}, {about}{data['tokens']:,} tokens, {data['trained_tokens']:,} of them "
            f"trained; the longest has {about}{data['longest']:,}",
            "left_out": f"{data['left_out']:,} ({data['truncation']:.2%}) longer than max_length",
            "steps": f"{made['steps']:,}, {about}{made['tokens']:,} tokens in all",
        }
    return head


def _row(row: dict[str, Any], parts: list[str]) -> dict[str, Any]:
    """A machine in the table."""
    bits = "" if row["quantization"] == "none" else f", {row['quantization']}"
    return {
        "machine": row["machine"],
        "computes": f"{row['device']} {row['dtype']}{bits}",
        **{part: _gb(row[part]) for part in parts},
        "total": _gb(row["total"]),
        "there_is": _gb(row["available"]),
        "worst_at": row["moment"],
        "fits": "yes" if row["fits"] else "no",
    }


def _gb(size: int) -> str:
    return f"{size / _GB:.2f}" if size < 10 * _GB else f"{size / _GB:.1f}"


def _example(example: dict[str, Any]) -> RenderableType:
    """The example, what is trained in green."""
    from rich.panel import Panel
    from rich.text import Text

    text = Text()
    for piece, trained in example["spans"]:
        text.append(piece[:_SHOWN], style="bold green" if trained else "dim")
    return Panel(text, title=escape(f"{example['where']}: green is trained, grey is given"), title_align="left")
