"""``crawl``, ``identify`` and ``fit``: pages of the web, which language they are in, what is usual in good text."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from seshat.cli.common import Context, verb

_HELD_OUT = 5
"""Every fifth line is kept from learning, and measures it."""


@verb(
    "crawl",
    help="Fetch the pages of crawl.sources into data/raw: politely, and going on after an end by force.",
)
def _crawl(
    context: Context,
    again: Annotated[
        bool, typer.Option("--again", help="Ask about pages that are there, too, and fetch those that have changed.")
    ] = False,
) -> None:
    from seshat.corpus import crawl
    from seshat.pipeline.lock import hold
    from seshat.report.terminal import summary

    project = context.open()
    with context.progress(), hold(project.state):
        values = crawl.run(project, again)
    context.result(values, *summary(values), "Next: seshat run")


@verb(
    "fit",
    help="Fit limits of measures from the good text of measure.trusted, and the model of usual text; or take over the "
    "limits in a file of FineWeb-2.",
)
def _fit(
    context: Context,
    fineweb: Annotated[Path | None, typer.Option(help="A file of limits of FineWeb-2, such as tam_Taml.yml.")] = None,
) -> None:
    from seshat.corpus.measure import fit_and_save, thresholds_path
    from seshat.corpus.thresholds import from_fineweb
    from seshat.pipeline.lock import hold

    project = context.open()
    with context.progress(), hold(project.state):
        if fineweb is not None:
            limits = from_fineweb(fineweb, project.config.project.language)
            limits.save(thresholds_path(project))
            context.result(limits.model_dump(mode="json"), f"Written: {thresholds_path(project)}")
            return
        made = fit_and_save(project)
    profiles = ", ".join(made["profiles"])
    said = f"Written: {made['thresholds']} and {made['model']}, from {made['fitted_from']}; profiles: {profiles}."
    context.result(made, said, "Next: seshat run")


@verb(
    "identify",
    project=False,
    overrides=False,
    help="Say which language each line of a file is in: by its script, by a model of your own, by lid.176. "
    "With --learn make that model from text of the language, of its romanisation, and of its neighbours.",
)
def _identify(
    context: Context,
    file: Annotated[Path | None, typer.Argument(help="A text file, one text a line.", show_default=False)] = None,
    model: Annotated[Path | None, typer.Option(help="The model: read, or with --learn written.")] = None,
    learn: Annotated[
        list[str] | None, typer.Option(metavar="TAG=FILE", help="Text of one language; once for each.")
    ] = None,
) -> None:
    from seshat.core.errors import UsageError
    from seshat.text.identify import Identifier

    if learn:
        if model is None:
            raise UsageError("--learn writes a model.", "Say where: --model languages.npz")
        return _learn(context, model, dict(_named(one) for one in learn))
    if file is None:
        raise UsageError("There is nothing to identify.", "Name a file, or learn a model with --learn TAG=FILE.")
    identifier = Identifier.load(model) if model else Identifier()
    found = [(line, identifier.identify(line)) for line in _lines(file)]
    people = [f"{one.tag}\t{one.confidence:.2f}\t{one.by}\t{line}" for line, one in found]
    for line in people if not context.as_json else ():
        typer.echo(line)
    return context.result([{"text": line, **one._asdict()} for line, one in found])


def _named(given: str) -> tuple[str, Path]:
    from seshat.core.errors import UsageError

    tag, sign, path = given.partition("=")
    if not sign or not tag or not path:
        raise UsageError(f"'{given}' is no language and file.", "Write it as: --learn ta-Latn=romanised.txt")
    return tag, Path(path)


def _lines(path: Path) -> list[str]:
    from seshat.core.jsonl import cannot_read

    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise cannot_read(path, error) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


@dataclass(frozen=True)
class _Told:
    """How many lines of a language were taken for it."""

    language: str
    lines: int
    right: float
    taken_for: dict[str, int]


def _learn(context: Context, model: Path, files: dict[str, Path]) -> None:
    """Learn on four fifths and measure on the rest; what was measured is what is written."""
    from seshat.text.identify import Identifier

    texts = {tag: _lines(path) for tag, path in files.items()}
    kept = {tag: [one for place, one in enumerate(lines) if place % _HELD_OUT] for tag, lines in texts.items()}
    identifier = Identifier.learn(kept)
    identifier.save(model)
    rows = []
    for tag, lines in texts.items():
        taken = Counter(identifier.identify(line).tag for line in lines[::_HELD_OUT])
        wrong = {other: count for other, count in taken.most_common(4) if other != tag}
        rows.append(_Told(tag, taken.total(), taken[tag] / max(1, taken.total()), wrong))
    table = Table(title=f"lines that were not learned ({model})")
    for column in ("language", "lines", "right, %", "taken for"):
        table.add_column(column)
    for row in rows:
        others = ", ".join(f"{tag} {count}" for tag, count in row.taken_for.items())
        table.add_row(row.language, str(row.lines), f"{100 * row.right:.1f}", others)
    context.result({"model": str(model), "languages": [asdict(row) for row in rows]}, table)
