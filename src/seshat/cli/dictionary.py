"""``dictionary``: the lexicon as something to print, to archive, or to type and spell with; and what it lacks."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from seshat.cli.common import Context, verb
from seshat.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seshat.project.folder import Project


class Form(StrEnum):
    """What can be written."""

    HTML = "html"
    CLDF = "cldf"
    HUNSPELL = "hunspell"
    KEYMAN = "keyman"
    GAPS = "gaps"


@verb("dictionary", help="Write the lexicon: a dictionary to print, CLDF, word lists to spell with; or what it lacks.")
def _dictionary(
    context: Context,
    form: Annotated[
        Form, typer.Option("--to", help="A page, a CLDF dataset, word lists, or frequent forms without an entry.")
    ] = Form.HTML,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder. Default: reports/dictionary.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many gaps.")] = 200,
) -> None:
    from seshat.core.jsonl import write_text
    from seshat.formats import wordlists
    from seshat.report import dictionary
    from seshat.report.terminal import table

    project = context.open()
    settings = project.config.project
    tag, folder = settings.language, output or project.reports / "dictionary"
    entries = [entry for entry in project.entries() if entry.lang == tag]
    if not entries and form is not Form.KEYMAN:
        raise UsageError("There are no entries of the language that this run may use.", "seshat run --until format")
    if form is Form.GAPS:
        found = dictionary.gaps(_texts(project, tag), entries, limit)
        context.result([asdict(one) for one in found], table([asdict(one) for one in found]))
        return
    names = {one: settings.language_name(one) for one in settings.tags}
    if form is Form.HTML:
        written = [folder / "dictionary.html"]
        write_text(written[0], dictionary.dictionary_page(entries, names, settings.pivot, settings.name))
    elif form is Form.CLDF:
        written = wordlists.write_cldf(folder / "cldf", entries, names, settings.name)
    else:
        seen = wordlists.counted(_texts(project, tag), entries)
        if form is Form.HUNSPELL:
            written = wordlists.write_hunspell(folder, tag, seen)
        else:
            written = [folder / f"{tag}.wordlist.tsv"]
            wordlists.write_keyman(written[0], seen)
    context.result(
        {"files": list(map(str, written)), "entries": len(entries)}, *(escape(str(path)) for path in written)
    )


def _texts(project: Project, tag: str) -> Iterator[str]:
    """What the run may use of the language: never the test set, which a word list would give away."""
    for name in ("train", "monolingual"):
        for segment in project.segments(name):
            if text := segment.texts.get(tag):
                yield text
