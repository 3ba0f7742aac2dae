"""``review``: the pages on which people judge what Seshat doubts, and the tables that come back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seshat.cli.common import Context, verb

if TYPE_CHECKING:
    from seshat.review.desk import Desk


Name = Annotated[str | None, typer.Argument(metavar="[QUEUE]", help="One queue; default: all.", show_default=False)]
Copy = Annotated[
    Path | None,
    typer.Option("--take", metavar="FILE", help="Take over a copy of the table that somebody has filled in."),
]


@verb(
    "review",
    overrides=False,
    help="Write the pages on which people accept, reject and correct, or take over what they have decided.",
)
def _review(context: Context, name: Name = None, take: Copy = None) -> None:
    from seshat.core.errors import UsageError
    from seshat.report.terminal import table
    from seshat.review import queues
    from seshat.review.desk import Desk
    from seshat.review.page import write_page

    project = context.open()
    chosen = [queues.queue(name)] if name else list(queues.queues().values())
    if take is not None:
        if name is None:
            known = ", ".join(queue.name for queue in chosen)
            raise UsageError(f"Say which table {take} is a copy of: seshat review QUEUE --take FILE ({known}).")
        _take(context, Desk(chosen[0], project), take)
        return
    rows = []
    for queue in chosen:
        desk = Desk(queue, project)
        count = desk.count()
        if count.rows or desk.path.exists():
            page = write_page(desk).relative_to(project.root).as_posix()
            rows.append({"queue": queue.name, "open": count.open, "decided": count.decided, "page": page})
    context.result(rows, table(rows) if rows else "There is nothing to review: no stage has written a table yet.")


def _take(context: Context, desk: Desk, path: Path) -> None:
    from rich.markup import escape

    taken = desk.take(path)
    lines = [f"{taken.taken} rows taken over into {desk.path}, {taken.known} were known."]
    lines += [f"Somebody else has decided otherwise about {one}: theirs stays." for one in taken.conflicts]
    context.result(asdict(taken), *map(escape, lines))
