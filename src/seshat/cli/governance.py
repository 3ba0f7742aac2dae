"""``trace``, ``withdraw``, ``probe``: whose data it is."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from seshat.cli.common import Context, verb
from seshat.core.errors import UsageError

if TYPE_CHECKING:
    from seshat.governance.trace import Found
    from seshat.inference.chain import Chain

_ANSWERS = {True: "yes", False: "no", None: "not known: it has no list of its records"}


class Kind(StrEnum):
    """What can be taken back."""

    RECORD = "record"
    DOCUMENT = "document"
    SOURCE = "source"
    SPEAKER = "speaker"


@verb("trace", overrides=False, help="Say which models and exports a record or a text is in.")
def _trace(
    context: Context,
    wanted: Annotated[str, typer.Argument(metavar="ID", help="A record's id; with --text a text.")],
    models: Annotated[list[str] | None, typer.Option("--model", help="Only this model; repeatable.")] = None,
    text: Annotated[bool, typer.Option("--text", help="Look for this text, whatever its id.")] = False,
) -> None:
    from seshat.governance import trace
    from seshat.project import members

    project = context.open()
    found = trace.trace(project, [members.of_text(wanted) if text else members.of_id(wanted)], models or ())
    if not found:
        raise UsageError("There are no models yet.", "seshat train makes one.")
    context.result([asdict(one) for one in found], _shown(found))


def _shown(found: list[Found]) -> Any:
    from seshat.report.terminal import table

    return table(
        [{"model": one.model, "is it in it": _ANSWERS[one.holds], "as": ", ".join(one.files)} for one in found]
    )


@verb("withdraw", overrides=False, help="Take a record, document, source or speaker back: out of every run.")
def _withdraw(
    context: Context,
    value: Annotated[str, typer.Argument(metavar="ID", help="Of the record, or the name of what --kind says.")],
    kind: Annotated[Kind, typer.Option(help="What is taken back.")] = Kind.RECORD,
    by: Annotated[str, typer.Option(help="Who asked for it.")] = "",
    reason: Annotated[str, typer.Option(help="Why, if they said.")] = "",
) -> None:
    from seshat.governance import trace
    from seshat.project import members, withdrawals
    from seshat.project.speakers import Speakers

    project = context.open()
    if kind is Kind.SPEAKER:
        value = Speakers(project.state).known_as(value)
    made = withdrawals.Withdrawal(kind=kind.value, value=value, at=date.today().isoformat(), by=by, reason=reason)
    ids = trace.ids_of(project, made)
    if kind is not Kind.RECORD and not ids:
        raise UsageError(f"No record has the {kind.value} '{value}'.", "Names as they stand in the records' meta.")
    withdrawals.add(project.root, made)
    concerned = [one for one in trace.trace(project, [members.of_id(one) for one in ids]) if one.holds is not False]
    lines = [escape(f"{kind.value} {value}: {len(ids)} records take part in no run from now on ({withdrawals.FILE}).")]
    if concerned:
        lines += [
            "These hold some of them, or may; train them again, and take exports of them back:",
            _shown(concerned),
        ]
    lines.append("Next: seshat run. The raw files were not touched.")
    context.result(
        {"withdrawn": made.model_dump(), "records": ids, "models": [asdict(one) for one in concerned]}, *lines
    )


@verb("probe", help="Ask a model for texts that it must not know, and report which it completes.")
def _probe(
    context: Context,
    model: Annotated[str | None, typer.Option(help="A folder below models/. Default: train.name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many closed records.")] = 1_000,
) -> None:
    from seshat.governance.probe import probe
    from seshat.inference.opening import open_chain
    from seshat.report.terminal import table

    project = context.open()
    with context.progress(), ExitStack() as opened:
        chains: list[Chain] = []
        for direction in project.config.directions:
            chain = open_chain(project, model, direction)
            opened.callback(chain.close)
            chains += [chain]
        found = probe(project, chains, limit)
    shown: list[Any] = [
        f"{len(found.completed)} of {found.asked} closed texts came out as they are, and {found.control_completed} of "
        f"{found.control_asked} open ones of the test set: "
        + ("[red]it knows texts that it must not[/red]." if found.leaks else "no more than chance makes.")
    ]
    if found.leaks:
        shown.append(table([asdict(one) for one in found.completed]))
    context.result({**asdict(found), "leaks": found.leaks}, *shown)
    if found.leaks:
        raise typer.Exit(1)
