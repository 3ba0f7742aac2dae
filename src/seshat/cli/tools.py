"""The verbs around the pipeline: ``init``, ``check``, ``doctor``, ``config``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from seshat.cli.common import Context, verb

Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file instead.")]


def add(app: typer.Typer) -> None:
    """Add these commands to the program."""
    verb(app, "init", project=False, overrides=False, help="Make a project folder for a language.")(_init)
    verb(app, "check", help="Look over the data and say in plain words what is wrong with them.")(_check)
    verb(app, "doctor", project=False, overrides=False, help="Find out what this machine can do, by doing it.")(_doctor)
    config = typer.Typer(help="Show, explain or write the configuration.", no_args_is_help=True)
    verb(config, "show", help="The configuration as a run sees it: files, profiles and overrides put together.")(_show)
    verb(config, "schema", project=False, overrides=False, json=False, help="A JSON schema for editors.")(_schema)
    verb(config, "init", project=False, overrides=False, json=False, help="Print a commented configuration.")(
        _commented
    )
    app.add_typer(config, name="config")


def _init(
    context: Context,
    folder: Annotated[Path, typer.Argument(help="The folder to make.", show_default=False)],
    name: Annotated[str | None, typer.Option(help="The name of the language, as people read it.")] = None,
    language: Annotated[str, typer.Option(help="The language: its tag (shp) or its name (Shipibo).")] = "xx",
    pivot: Annotated[str, typer.Option(help="The language it is translated into and from, likewise.")] = "es",
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A folder of materials: copy its files, and propose how to read them."),
    ] = None,
    access: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="With --from: who may see the materials; public … sealed.")
    ] = None,
) -> None:
    from seshat.core.errors import UsageError
    from seshat.project.init import init_project, language_tag

    tag, pivot_tag = language_tag(language), language_tag(pivot)
    if source is None:
        made = init_project(folder, name or folder.name, tag, pivot_tag)
        next_step = f"put your files below {folder / 'data' / 'raw'}, name them in {folder / 'seshat.yaml'}, then"
        context.result({"project": str(folder), "files": list(map(str, made))}, *_made(folder, next_step))
        return
    if not source.is_dir():
        raise UsageError(f"{source}: there is no such folder.", "--from names a folder with materials.")
    from seshat.config.project import LanguageInfo, ProjectSection
    from seshat.core.records import Access
    from seshat.data import survey

    levels = ", ".join(level.value for level in Access)
    names = {tag: LanguageInfo(name=name or folder.name)}
    with context.progress():
        found = survey.survey(source, ProjectSection(language=tag, pivot=pivot_tag, languages=names))
        if access is None and not context.as_json and sys.stdin.isatty():
            access = typer.prompt(f"Who may see these materials ({levels})?", default="restricted")
        if access is not None and access not in levels.split(", "):
            raise UsageError(f"'{access}' is no access level.", f"There are: {levels}.")
        made = init_project(folder, name or folder.name, tag, pivot_tag, survey.as_yaml(found, access))
        survey.bring(source, found, folder / "data" / "raw")
    values = {
        "project": str(folder),
        "files": list(map(str, made)),
        "sources": [asdict(one) for one in found.proposals],
        "not_read": found.left,
    }
    lines = [f"  {one.name}: {one.path} ({one.why})" for one in found.proposals]
    left = [f"  not read: {file}: {why}" for file, why in found.left.items()]
    rights = [] if access else ["No access level is given, so nothing is trained on: say `access` for each source."]
    look = f"look at the sources in {folder / 'seshat.yaml'}, then"
    context.result(values, *map(escape, [*lines, *left, *rights]), *_made(folder, look))


def _made(folder: Path, next_step: str) -> list[str]:
    return [escape(f"Made {folder}."), escape(f"Next: {next_step}"), escape(f"  seshat run --project {folder}")]


def _check(context: Context) -> None:
    from seshat.data.check import run as check

    project = context.open()
    with context.progress():
        report = check.run(project)
    context.result(report, *map(escape, check.text(report)))
    if report["failed"]:
        raise typer.Exit(1)


def _doctor(context: Context) -> None:
    from dataclasses import asdict

    from seshat.project.doctor import examine
    from seshat.report.terminal import table

    with context.progress():
        found = [asdict(finding) for finding in examine()]
    advice = [f"- {finding['name']}: {finding['advice']}" for finding in found if finding["advice"]]
    rows = [{key: value for key, value in finding.items() if key != "advice"} for finding in found]
    context.result(found, table(rows), *map(escape, advice))
    if any(finding["status"] == "fail" for finding in found):
        raise typer.Exit(1)


def _show(context: Context) -> None:
    project = context.open()
    if context.as_json:
        context.result(project.config.model_dump(mode="json", by_alias=True))
        return
    from seshat.config.load import load_with_places
    from seshat.config.render import show_yaml

    loaded = load_with_places(project.root, context.profiles, context.overrides)
    typer.echo(show_yaml(loaded.config, loaded.places))


def _schema(_context: Context, output: Output = None) -> None:
    import json

    from seshat.config.render import json_schema

    _write(json.dumps(json_schema(), ensure_ascii=False, indent=2), output)


def _commented(_context: Context, output: Output = None) -> None:
    from seshat.config.render import commented_yaml

    _write(commented_yaml(), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text.rstrip("\n"))
        return
    from seshat.core.jsonl import write_text

    write_text(output, text.rstrip("\n") + "\n")
