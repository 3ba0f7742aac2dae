"""``gloss``: learns interlinear glosses from the project's own, and says how good they are."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from seshat.cli.common import Context, verb


@verb(
    "gloss",
    help="Learn to gloss from the sentences that people have glossed, and measure it on the test set beside "
    "looking every morpheme up. What was learned is used by: seshat annotate FILE --with gloss",
)
def _gloss(context: Context) -> None:
    from seshat.models.glossing.project import run
    from seshat.pipeline.lock import hold

    project = context.open()
    with context.progress(), hold(project.state):
        found = run(project)
    notes = ["The test set has no glosses: every tenth sentence was held out."] if found["held_out"] else []
    if not found["test"]:
        notes = ["There is nothing to measure on: the test set has no glosses, and there are too few to hold out."]
    context.result(found, *([_table(found), _labels(found)] if found["test"] else []), *notes)


def _table(found: dict[str, Any]) -> Table:
    """Systems and their scores in percent, with the interval of words."""
    table = Table(title=f"glosses of {found['test']:,} sentences, learned from {found['sentences']:,}")
    for column in ("system", "words", "95 %", "morphemes", "stems", "categories", "errors per morpheme"):
        table.add_column(column, justify="left" if column == "system" else "right")
    for name, one in found.items():
        if isinstance(one, dict):
            words = one["words"]
            interval = f"{100 * words['low']:.1f}-{100 * words['high']:.1f}"
            shares = (f"{100 * one[part]['value']:.1f}" for part in ("morphemes", "stems", "categories"))
            table.add_row(name, f"{100 * words['value']:.1f}", interval, *shares, f"{one['error']:.3f}")
    return table


def _labels(found: dict[str, Any]) -> Table:
    """The grammatical glosses that occur most, and how many of each are found."""
    table = Table(title="grammatical glosses, morphemes given")
    for column in ("gloss", "in the test set", "found, %", "95 %"):
        table.add_column(column, justify="left" if column == "gloss" else "right")
    for label, one in list(found["glosser, segmented"]["labels"].items())[:12]:
        interval = f"{100 * one['low']:.0f}-{100 * one['high']:.0f}"
        table.add_row(escape(label), str(one["of"]), f"{100 * one['value']:.0f}", interval)
    return table
