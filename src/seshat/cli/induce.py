"""``induce``: likely new word pairs of the corpus, as a list for people to check."""

from __future__ import annotations

from typing import Annotated

import typer

from seshat.cli.common import Context, verb


@verb("induce", help="Find likely new word pairs in the corpus and write them to a list for people to check.")
def _induce(
    context: Context,
    limit: Annotated[int, typer.Option(min=1, help="Most new pairs in the list.")] = 500,
    min_support: Annotated[int, typer.Option(min=1, help="Sentence pairs that have to have both words.")] = 3,
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0, help="Pairs below are left out.")] = 0.4,
) -> None:
    from seshat.data import lexicon_review
    from seshat.pipeline.lock import hold
    from seshat.report.terminal import summary

    project = context.open()
    with context.progress(), hold(project.state):
        values = lexicon_review.run(project, limit=limit, min_support=min_support, min_score=min_score)
    context.result(values, *summary(values))
