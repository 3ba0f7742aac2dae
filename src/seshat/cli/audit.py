"""The verb ``audit``: models re-translate their own training pairs; people look at the worst."""

from __future__ import annotations

from seshat.cli.common import Context, verb


@verb(
    "audit",
    help="Find training pairs that models trained on the others cannot believe, and list them for people.",
)
def _audit(context: Context) -> None:
    from seshat.augment import audit
    from seshat.core.processes import alone
    from seshat.pipeline.lock import hold
    from seshat.report.terminal import summary

    project = context.open()
    alone("seshat audit")
    with context.progress(), hold(project.state):
        values = audit.run(project)
    context.result(values, *summary(values, title="audit"))
