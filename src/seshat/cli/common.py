"""What every verb shares: the options, the project they name, logs, progress, printing."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seshat.cli import completion
from seshat.cli.failures import guard
from seshat.core.processes import is_main_process

if TYPE_CHECKING:
    from rich.console import RenderableType

    from seshat.project.folder import Project

app = typer.Typer(
    name="seshat",
    help="From a folder of materials in a low-resource language to a clean dataset, a trained translator and an "
    "honest measurement of it.",
    epilog="Start with: seshat init mylang",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only results and problems: no progress, no notes.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Logs as JSON lines.")]
Debug = Annotated[bool, typer.Option("--debug", help="Detailed logs; a traceback when Seshat itself fails.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]
Folder = Annotated[
    Path | None,
    typer.Option("--project", "-p", help="The project folder.", show_default="this folder or one above it"),
]
Profiles = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        autocompletion=completion.profiles,
        help="Lay profiles/NAME.yaml, or a file, over seshat.yaml; repeatable.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SECTION.KEY=VALUE]...",
        autocompletion=completion.settings,
        help="Settings that win over seshat.yaml.",
        show_default=False,
    ),
]

_QUIET: dict[str, Any] = {"quiet": Quiet, "log_json": LogJson, "debug": Debug}
_PROJECT: dict[str, Any] = {"folder": Folder, "profiles": Profiles}


@dataclass
class Context:
    """The shared options of one command, and what can be done with them."""

    quiet: bool = False
    log_json: bool = False
    debug: bool = False
    as_json: bool = False
    folder: Path | None = None
    profiles: list[str] = field(default_factory=list)
    overrides: list[str] = field(default_factory=list)
    root: Path | None = None
    """The project folder, once it is open."""
    _aside: Callable[[], AbstractContextManager[None]] = nullcontext
    """Takes progress bars away while something is printed."""

    def open(self) -> Project:
        """The project that the options name.

        Raises:
            ConfigError: its configuration is wrong.
            UsageError: there is no project there.
        """
        from seshat.project.folder import open_project

        project = open_project(self.folder, self.profiles, self.overrides)
        self.root = project.root
        return project

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Draw progress bars while the block runs, on a terminal."""
        from seshat.core.progress import reporting
        from seshat.report.terminal import Bars

        with Bars(quiet=self.quiet or self.log_json) as bars, reporting(bars):
            self._aside = bars.aside
            try:
                yield
            finally:
                self._aside = nullcontext

    def result(self, value: Any, *people: RenderableType) -> None:
        """Print a result: ``value`` as JSON where asked for, otherwise what is meant for ``people``."""
        if self.as_json:
            typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
            return
        from seshat.report.terminal import output

        console = output()
        with self._aside():
            for one in people:
                console.print(one)

    def note(self, *people: RenderableType) -> None:
        """Print what is for people only: nothing with ``--json`` or ``--quiet``."""
        if not self.as_json and not self.quiet:
            self.result(None, *people)


def verb(
    name: str,
    *,
    group: typer.Typer = app,
    project: bool = True,
    overrides: bool = True,
    json: bool = True,
    **settings: Any,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command with the shared options.

    The function gets a :class:`Context` first and its own parameters by name. Exceptions become messages and exit
    codes.

    Args:
        name: what people type.
        group: where the command belongs.
        project: give it ``--project`` and ``--profile``.
        overrides: let it take ``section.key=value`` as its last arguments.
        json: give it ``--json``.
        settings: passed to :meth:`typer.Typer.command`.
    """
    shared = dict(_QUIET)
    if project:
        shared |= _PROJECT
    if json:
        shared["as_json"] = AsJson
    if overrides:
        shared["overrides"] = Overrides

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(**values: Any) -> None:
            given = {key: values.pop(key) for key in shared}
            context = Context(**{key: value for key, value in given.items() if value is not None})
            context.quiet |= not is_main_process()
            _configure_logs(context)
            code = guard(lambda: function(context, **values), debug=lambda: context.debug, root=lambda: context.root)
            if code:
                raise typer.Exit(code)

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        added = [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=kind,
                default=None if kind in (Folder, Profiles, Overrides) else False,
            )
            for key, kind in shared.items()
        ]
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + added
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        del command.__wrapped__
        group.command(name, **settings)(command)
        return function

    return decorate


def _configure_logs(context: Context) -> None:
    import logging

    from seshat.core.logs import configure

    level = logging.DEBUG if context.debug else logging.WARNING if context.quiet else logging.INFO
    level = level if is_main_process() else logging.ERROR
    configure(json=context.log_json, level=level)
