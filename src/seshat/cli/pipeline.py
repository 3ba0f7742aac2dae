"""``run``, ``status``, ``download`` and one command per stage."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from seshat.cli import completion, evaluate
from seshat.cli.common import Context, verb
from seshat.cli.evaluate import AllowOtherPrompt, Checkpoints, NoAdapter, Quick
from seshat.core.processes import alone, is_main_process
from seshat.pipeline import stages

if TYPE_CHECKING:
    from rich.table import Table

    from seshat.data.handover import Tool
    from seshat.pipeline.engine import Outcome, Status

PANEL = "Stages, in the order in which they run"
_SAMPLES = 5
_STATES = {"current": "up to date", "will-run": "will run", "may-run": "may run", "off": "off"}


class _StageCommand(TyperCommand):
    """A command whose help ends with the settings of its section, read from the schema when somebody asks."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, then the settings."""
        from rich.console import Console

        from seshat.config.render import main_settings
        from seshat.report.terminal import settings

        super().format_help(ctx, formatter)
        assert self.name is not None
        rows = main_settings(self.name)
        title = f"Settings, such as {self.name}.{rows[0][0]}=VALUE; all of them: seshat config init"
        Console(highlight=False).print(settings(rows, title))


@verb("run", help="Bring the project up to date: run the stages whose input, settings or code changed.")
def _run(
    context: Context,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE",
            autocompletion=completion.stages,
            help="Stop after this stage: `--until format` leaves only the training to do.",
        ),
    ] = None,
) -> None:
    from seshat.pipeline.engine import engine
    from seshat.project import provenance

    project = context.open()
    alone("seshat run")
    outcomes: list[Outcome] = []
    with context.progress(), engine(project) as running:
        for outcome in running.update(until):
            outcomes.append(outcome)
            context.note(_line(outcome))
        provenance.record_run(project, provenance.snapshot(project, sys.argv[1:]))
    last = outcomes[-1].summary
    context.result([asdict(outcome) for outcome in outcomes], *_closing(last))


def _line(outcome: Outcome) -> str:
    from rich.markup import escape

    from seshat.report import terminal

    if outcome.state == "current":
        return f"{outcome.stage:<10} [dim]up to date[/dim]"
    took = f"{outcome.seconds:6.1f} s" if outcome.state == "ran" else " cached "
    figures = {k: v for k, v in outcome.summary.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    line = f"[bold]{outcome.stage:<10}[/bold] {took}  {escape(terminal.text(figures))}"
    warnings = outcome.summary.get("warnings") or []
    return "\n".join([line, *(f"           {terminal.warning(str(one))}" for one in warnings)])


def _closing(summary: dict[str, Any]) -> list[Table | str]:
    """What a run ends with: the table of the evaluation, a few translations, the report's path."""
    from rich.markup import escape

    from seshat.report.terminal import table

    shown: list[Table | str] = []
    if summary.get("table"):
        shown += ["", table(evaluate.scores(summary["table"]))]
    if summary.get("by_genre"):
        title, rows = evaluate.by_genre(summary["by_genre"])
        shown += ["", table(rows, title=title)]
    for key in ("postprocess", "perplexity", "tasks", "fill"):
        if summary.get(key):
            shown += ["", table(summary[key], title=key.capitalize())]
    if summary.get("samples"):
        shown += ["", table(summary["samples"][:_SAMPLES], title="Sample translations")]
    if summary.get("report"):
        shown += ["", f"Report: {escape(str(summary['report']))}"]
    return shown


@verb("status", help="Say which stages would run, and why, without running them.")
def _status(context: Context) -> None:
    from rich.markup import escape

    from seshat.data.ingest import unread
    from seshat.pipeline.engine import engine
    from seshat.report.terminal import table

    project = context.open()
    with engine(project) as running:
        found = running.status()
    rows = [{"stage": one.stage, "state": _STATES[one.state], "why": _why(one)} for one in found]
    context.result([one.as_dict() for one in found], table(rows))
    context.note(*(escape(sentence) for sentence in unread(project.config, project.raw)))


def _why(status: Status) -> str:
    shown = list(status.reasons[:4])
    if len(status.reasons) > 4:
        shown.append(f"and {len(status.reasons) - 4} more")
    if status.state == "may-run":
        shown.append(f"runs when {' or '.join(status.after)} gives another result")
    return "\n".join(shown)


@verb("download", help="Fetch the raw files that the configuration lists, or a base model.")
def _download(
    context: Context,
    from_folder: Annotated[
        Path | None, typer.Option("--from", help="Take the files from this folder instead of the network.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Fetch this model of the Hugging Face Hub instead, for use without a network."),
    ] = None,
) -> None:
    from seshat.data import download
    from seshat.report.terminal import summary

    if model is not None:
        from seshat.models.neural import base

        with context.progress():
            folder = base.fetch(model)
        context.result({"model": model, "folder": str(folder)}, *summary({"model": model, "folder": str(folder)}))
        return
    project = context.open()
    with context.progress():
        values = download.run(project, from_folder)
    context.result(values, *summary(values))


Resolved = Annotated[
    bool,
    typer.Option("--resolved", hidden=True, help="With exactly the last resolved configuration (for dvc.yaml)."),
]


def _stage_command(stage: str) -> Any:
    def command(context: Context, resolved: Resolved = False) -> None:
        _run_stage(context, stage, resolved)

    return command


def _ingest_command(stage: str) -> Any:
    def command(
        context: Context,
        inspect: Annotated[
            bool,
            typer.Option(
                "--inspect",
                help="Only look: tiers, markers, languages and counts per file, and a mapping to start from.",
            ),
        ] = False,
        resolved: Resolved = False,
    ) -> None:
        if inspect:
            _inspect(context)
        else:
            _run_stage(context, stage, resolved)

    return command


def _transcribe_command(stage: str) -> Any:
    def command(
        context: Context,
        train: Annotated[
            bool,
            typer.Option("--train", help="Train a model on what people have transcribed instead (transcribe.train)."),
        ] = False,
        resolved: Resolved = False,
    ) -> None:
        if not train:
            _run_stage(context, stage, resolved)
            return
        from seshat.media.speech_training import train as train_speech
        from seshat.report.terminal import summary

        project = context.open()
        with context.progress():
            values = train_speech(project)
        context.result(values, *summary(values, title="a model for speech"))

    return command


def _inspect(context: Context) -> None:
    from rich.markup import escape

    from seshat.formats.inspection import inspect_all
    from seshat.report.terminal import table

    project = context.open()
    found = []
    for one in inspect_all(project.raw, project.config):
        found.append(asdict(one))
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in one.counts.items())
        context.note(f"[bold]{escape(one.file)}[/bold]  {one.reader or 'not read'}  {counts}")
        context.note(*(escape(f"- {problem}") for problem in one.problems))
        if one.parts:
            rows = [
                {
                    "name": part.name,
                    "texts": part.count,
                    "read as": part.field or "?",
                    "label": part.label,
                    "reads like": part.reads_like,
                    "for example": part.examples[0][:50] if part.examples else "",
                }
                for part in one.parts
            ]
            context.note(table(rows))
        if one.settings and not context.as_json and not context.quiet:
            typer.echo(_as_yaml(one.file, one.settings))
    if context.as_json:
        context.result(found)


def _as_yaml(file: str, settings: dict[str, Any]) -> str:
    """Settings of a source on one line, to be pasted under ``ingest: sources:``."""
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width, yaml.sort_base_mapping_type_on_output = True, 10_000, False  # type: ignore[assignment]
    stream = StringIO()
    yaml.dump({"name": Path(file).stem, "path": file, **settings}, stream)
    return f"- {stream.getvalue().strip()}\n"


def _format_command(stage: str) -> Any:
    def command(
        context: Context,
        tool: Annotated[
            Literal["axolotl", "llama-factory", "mlx"] | None,
            typer.Option(
                "--for", help="Then hand the instruction data over to this program, with a configuration for it."
            ),
        ] = None,
        resolved: Resolved = False,
    ) -> None:
        _run_stage(context, stage, resolved, tool)

    return command


def _evaluate_command(stage: str) -> Any:
    def command(
        context: Context,
        no_adapter: NoAdapter = False,
        checkpoint: Checkpoints = None,
        allow_other_prompt: AllowOtherPrompt = False,
        quick: Quick = False,
        resolved: Resolved = False,
    ) -> None:
        context.overrides += evaluate.overrides(no_adapter, checkpoint, allow_other_prompt)
        if quick:
            evaluate.run_quick(context)
            return
        _run_stage(context, stage, resolved)

    return command


def _run_stage(context: Context, stage: str, resolved: bool, tool: Tool | None = None) -> None:
    from seshat.pipeline.engine import engine
    from seshat.report.terminal import summary

    project = context.open()
    if stage != "train":
        alone(f"seshat {stage}")
    with context.progress():
        if not is_main_process():  # the first one holds the project, keeps the books and prints
            stages.stage(stage).run(project)
            return
        if resolved:
            values = _run_resolved(stage, project.root)
        else:
            with engine(project) as running:
                values = running.run(stage).summary
                if tool is not None:
                    from seshat.data import handover

                    values = {**values, "handover": handover.run(project, tool)}
    handed = values.get("handover")
    printed = evaluate.shown(values) if stage == "evaluate" else values
    shown = {key: value for key, value in printed.items() if key != "handover"}
    context.result(values, *summary(shown, title=stage), *(summary(handed, title="handover") if handed else ()))


def _run_resolved(stage: str, root: Path) -> dict[str, Any]:
    """What ``dvc repro`` calls: DVC itself keeps the books, so the engine stays out of it."""
    from seshat.pipeline.graph import read_resolved
    from seshat.project.folder import Project

    return stages.stage(stage).run(Project(root, read_resolved(root)))


_OWN = {
    "ingest": _ingest_command,
    "transcribe": _transcribe_command,
    "format": _format_command,
    "evaluate": _evaluate_command,
}
"""Stages whose commands have options of their own."""
for _name, _about in stages.DETAILS.items():
    verb(_name, help=_about, rich_help_panel=PANEL, cls=_StageCommand)(_OWN.get(_name, _stage_command)(_name))
