"""What people see: progress bars on standard error, tables on standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from seshat.core.progress import Advance

REFRESH = 0.1
"""Seconds between two drawings of a bar; work that advances a million times a second is not slowed by it."""

WIDTH = 160
"""Columns of output that is not on a terminal."""
_FIGURES = ("", *"0123456789-<")
"""What a figure begins with."""


def output() -> Console:
    """The console for results: standard output; in a file or pipe without colours and wide enough for any table."""
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else WIDTH)


class Bars:
    """Draws the progress that :mod:`seshat.core.progress` reports, while it is entered. Silent off a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # What Rich takes it writes to standard error, its last piece too late: see aside().
            redirect_stdout=False,
            disable=quiet or not console.is_terminal,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bars away while something is printed on standard output, and draw them again below it."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    @contextmanager
    def task(self, description: str, total: float | None) -> Iterator[Advance]:
        """Open a bar of ``total`` units; gives the function that advances it."""
        number = self._progress.add_task(escape(description), total=total)
        pending, done, drawn = 0.0, 0.0, time.monotonic()

        def advance(amount: float) -> None:
            nonlocal pending, done, drawn
            pending, done = pending + amount, done + amount
            now = time.monotonic()
            if now - drawn >= REFRESH or done == total:
                self._progress.advance(number, pending)
                pending, drawn = 0.0, now

        try:
            yield advance
        finally:
            self._progress.remove_task(number)


class _Fitting(Table):
    """A table that is parted, its first columns repeated, where the terminal is too narrow for its figures."""

    heads: int = 0
    """The columns before the first of figures: what a row is about."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it whole, or in parts that fit."""
        title, columns = self.title, self.columns
        heads, left = columns[: self.heads], columns[self.heads :]
        anywhere = options.update(max_width=10_000)
        while True:
            taken = len(left)
            self.columns = [*heads, *left]
            while taken > 1 and Measurement.get(console, anywhere, self).minimum > options.max_width:
                taken -= 1
                self.columns = [*heads, *left[:taken]]
            yield from super().__rich_console__(console, options)
            left, self.title = left[taken:], None
            if not left:
                break
        self.title, self.columns = title, columns


def table(rows: Sequence[dict[str, Any]], title: str | None = None) -> Table:
    """A table of rows alike; the keys of all of them, in order of appearance, are the columns."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    drawn = _Fitting(title=title, title_justify="left", header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, column in enumerate(columns):
        cells = [text(row.get(column)) for row in rows]
        numeric = all(cell[:1] in _FIGURES for cell in cells)
        drawn.heads += not numeric and drawn.heads == place
        whole = numeric and not any(" " in cell for cell in cells)
        name = str(column).replace("_", " ")
        drawn.add_column(
            escape(name),
            justify="right" if numeric else "left",
            no_wrap=whole,
            min_width=max(map(cell_len, (name, *cells))) if whole else None,
        )
    for row in rows:
        drawn.add_row(*(escape(text(row.get(column))) for column in columns))
    return drawn


def settings(rows: Sequence[tuple[str, str, str]], title: str) -> Table:
    """Settings of a section for its help: key, default, what it is."""
    drawn = Table(title=title, title_justify="left", show_header=False, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    drawn.add_column(style="bold cyan", no_wrap=True)
    drawn.add_column(style="dim")
    drawn.add_column()
    for row in rows:
        drawn.add_row(*map(escape, row))
    return drawn


def warning(sentence: str) -> str:
    """A warning as a line in its colour."""
    return f"[yellow]- {escape(sentence)}[/yellow]"


def summary(values: dict[str, Any], title: str | None = None) -> list[Table | str]:
    """The summary of a stage as things to print: one small table, tables of rows, warnings as lines."""
    plain = Table(title=title, title_justify="left", show_header=False, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    plain.add_column(style="bold")
    plain.add_column()
    rest: list[Table | str] = []
    for key, value in values.items():
        name = key.replace("_", " ")
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            rest.append(table(value, title=escape(name)))
        elif isinstance(value, list) and key in ("warnings", "advice", "notes"):
            rest += [warning(str(item)) if key == "warnings" else escape(f"- {item}") for item in value]
        elif value not in (None, [], {}):
            plain.add_row(escape(name), escape(text(value)))
    return [plain, *rest] if plain.row_count else rest


def text(value: Any) -> str:
    """A value as people write it: thousands parted, no brackets."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text(inner) for inner in value)
    return str(value)
