"""The verbs around the pipeline: ``init``, ``check``, ``doctor``, ``config``, ``allow``, ``presets``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from seshat.cli.common import Context, app, verb

Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file instead.")]


config = typer.Typer(help="Show, explain or write the configuration.", no_args_is_help=True)
app.add_typer(config, name="config")


@verb("init", project=False, overrides=False, help="Make a project folder for a language.")
def _init(
    context: Context,
    folder: Annotated[Path, typer.Argument(help="The folder to make.", show_default=False)],
    name: Annotated[str | None, typer.Option(help="The name of the language, as people read it.")] = None,
    language: Annotated[str, typer.Option(help="The language: its tag (shp) or its name (Shipibo).")] = "xx",
    pivot: Annotated[
        str, typer.Option(help="The language it is translated into and from, likewise; none: a language alone.")
    ] = "es",
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

    tag, pivot_tag = language_tag(language), None if pivot == "none" else language_tag(pivot)
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


@verb("check", help="Look over the data and say in plain words what is wrong with them.")
def _check(
    context: Context,
    html: Annotated[bool, typer.Option("--html", help="Write it as a page, too: reports/check.html.")] = False,
) -> None:
    from seshat.core.jsonl import write_text
    from seshat.data.check import run as check

    project = context.open()
    with context.progress():
        report = check.run(project)
    lines = list(map(escape, check.text(report)))
    if html:
        write_text(project.reports / "check.html", check.page_of(report, project))
        lines.append("Page: reports/check.html")
    context.result(report, *lines)
    if report["failed"]:
        raise typer.Exit(1)


@verb("doctor", project=False, overrides=False, help="Find out what this machine can do, by doing it.")
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


@verb("show", group=config, help="The configuration as a run sees it: files, profiles and overrides put together.")
def _show(context: Context) -> None:
    project = context.open()
    if context.as_json:
        context.result(project.config.model_dump(mode="json", by_alias=True))
        return
    from seshat.config.load import load_with_places
    from seshat.config.render import show_yaml

    loaded = load_with_places(project.root, context.profiles, context.overrides)
    typer.echo(show_yaml(loaded.config, loaded.places))


@verb("schema", group=config, project=False, overrides=False, json=False, help="A JSON schema for editors.")
def _schema(_context: Context, output: Output = None) -> None:
    import json

    from seshat.config.render import json_schema

    _write(json.dumps(json_schema(), ensure_ascii=False, indent=2), output)


@verb("init", group=config, project=False, overrides=False, json=False, help="Print a commented configuration.")
def _commented(_context: Context, output: Output = None) -> None:
    from seshat.config.render import commented_yaml

    _write(commented_yaml(), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text.rstrip("\n"))
        return
    from seshat.core.jsonl import write_text

    write_text(output, text.rstrip("\n") + "\n")


@verb(
    "allow",
    project=False,
    overrides=False,
    help="Allow, once for this machine, that projects contact a server that their files name.",
)
def _allow(
    context: Context, address: Annotated[str, typer.Argument(help="Such as https://models.example.org")]
) -> None:
    from seshat.core.trust import allow, server

    path = allow(address)
    context.result({"allowed": server(address), "file": str(path)}, f"{server(address)} may be contacted: {path}")


@verb(
    "presets",
    project=False,
    overrides=False,
    help="The named sets of values that model.preset can take; with a name, that one with its reasons.",
)
def _presets(
    context: Context,
    name: Annotated[str | None, typer.Argument(help="Show this one.", show_default=False)] = None,
) -> None:
    from seshat.config import presets

    if name is not None:
        context.result({"preset": name, "yaml": _text(name)}, _text(name).rstrip("\n"))
        return
    rows = [{"preset": one, "what": presets.summary(one)} for one in presets.names()]
    if context.as_json:
        context.result(rows)
        return
    from seshat.report.terminal import table

    context.result(rows, table(rows), "Take one with `model: {preset: NAME}` in seshat.yaml, or model.preset=NAME.")


def _text(name: str) -> str:
    from seshat.config import presets
    from seshat.config.explain import did_you_mean
    from seshat.core.errors import UsageError

    if name not in presets.names():
        raise UsageError(
            f"There is no preset '{name}'{did_you_mean(name, presets.names()) or '.'}", "`seshat presets` lists them."
        )
    return presets.text(name)
