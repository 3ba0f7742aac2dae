"""``remote``: a training on a rented machine, and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from seshat.cli.common import Context, app, verb

if TYPE_CHECKING:
    from seshat.remote.host import Host
    from seshat.remote.job import Job

HostName = Annotated[
    str, typer.Option("--host", envvar="SESHAT_REMOTE", help="user@address:port, or a name of ssh's configuration.")
]
There = Annotated[str, typer.Option("--folder", help="Seshat's folder there, from the home folder.")]
Ssh = Annotated[list[str] | None, typer.Option("--ssh", metavar="OPTION", help="A further option of ssh; repeatable.")]


remote = typer.Typer(
    help="Train on a rented machine: up, push, run, logs, pull, down. Plain ssh, rsync and tmux.",
    no_args_is_help=True,
)
app.add_typer(remote, name="remote")


def _host(address: str, folder: str, options: list[str] | None) -> Host:
    from seshat.remote.host import Host

    return Host.parse(address, folder, options or ())


def _job(context: Context, address: str, folder: str, options: list[str] | None) -> Job:
    from seshat.remote import job

    host = _host(address, folder, options)
    return job.Job(host, context.open())


@verb(
    "up", group=remote, help="Make a machine ready: tools, torch for its GPU, Seshat.", project=False, overrides=False
)
def _up(
    context: Context,
    host: HostName = "",
    there: There = "seshat",
    ssh: Ssh = None,
    python: Annotated[
        str | None, typer.Option(help="A Python there that has Seshat and torch already: nothing is installed.")
    ] = None,
    torch_index: Annotated[
        str | None, typer.Option(help="Address of PyTorch's packages for ROCm or the CPU; see PyTorch's own page.")
    ] = None,
    extras: Annotated[str, typer.Option(help="Groups of packages to install.")] = "tokenizer,train",
) -> None:
    from seshat.remote.job import prepare

    with context.progress():
        kind = prepare(_host(host, there, ssh), python=python, torch_index=torch_index, extras=extras)
    context.result({"host": host, "device": kind}, f"{escape(host)} is ready ({kind}).")


@verb("push", group=remote, help="Send settings and training files; nothing above the access level, never .env.")
def _push(
    context: Context,
    host: HostName = "",
    there: There = "seshat",
    ssh: Ssh = None,
    models: Annotated[list[str] | None, typer.Option("--model", help="A model that goes along; repeatable.")] = None,
    env: Annotated[
        Path | None,
        typer.Option(help="A file of NAME=value lines for the job; sent by itself, readable to nobody else."),
    ] = None,
) -> None:
    from seshat.remote.parcel import pack

    job = _job(context, host, there, ssh)
    parcel = pack(job.project, tuple(models or ()))
    with context.progress():
        job.push(parcel, env)
    context.result(
        {"host": host, "files": list(parcel.names)}, f"{len(parcel.names)} files and the settings are there."
    )


@verb("run", group=remote, overrides=False, help="Start a command of Seshat there, detached.")
def _run(
    context: Context,
    arguments: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="Such as: train, or: -- evaluate --json")
    ],
    host: HostName = "",
    there: There = "seshat",
    ssh: Ssh = None,
) -> None:
    from seshat.remote.job import check

    job = _job(context, host, there, ssh)
    check(job.host)
    job.start(arguments)
    context.result({"host": host, "session": job.session}, "It runs there. Follow it: seshat remote logs")


@verb("logs", group=remote, overrides=False, help="Follow the job, through broken connections, to its end.")
def _logs(context: Context, host: HostName = "", there: There = "seshat", ssh: Ssh = None) -> None:
    job = _job(context, host, there, ssh)
    for said in job.log():
        sys.stdout.buffer.write(said)
        sys.stdout.buffer.flush()
    code = job.status().code
    if code:
        raise typer.Exit(code)


@verb("attach", group=remote, overrides=False, json=False, help="Open the job's terminal (Ctrl-B D leaves it).")
def _attach(context: Context, host: HostName = "", there: There = "seshat", ssh: Ssh = None) -> None:
    raise typer.Exit(_job(context, host, there, ssh).attach())


@verb("pull", group=remote, overrides=False, help="Bring models and reports back.")
def _pull(context: Context, host: HostName = "", there: There = "seshat", ssh: Ssh = None) -> None:
    job = _job(context, host, there, ssh)
    with context.progress():
        names = job.pull()
    context.result({"models": names}, f"Models: {escape(', '.join(names)) or 'none'}. Reports: reports/remote")


@verb("down", group=remote, overrides=False, help="Stop the job; --forget removes what was sent and made there.")
def _down(
    context: Context,
    host: HostName = "",
    there: There = "seshat",
    ssh: Ssh = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Remove the project's folder there, with its models.")
    ] = False,
) -> None:
    _job(context, host, there, ssh).down(forget=forget)
    context.result(
        {"host": host, "forgotten": forget}, "Stopped." + (" Nothing of the project is left there." if forget else "")
    )


@verb("sky", group=remote, help="Print a task file for SkyPilot, which rents the machine itself.")
def _sky(
    context: Context,
    accelerator: Annotated[str, typer.Option(help="Such as A100:1, RTX4090:1.")] = "A100:1",
    command: Annotated[str, typer.Option(help="A command of Seshat.")] = "train",
) -> None:
    import shlex

    from seshat.remote.parcel import pack
    from seshat.remote.sky import task_yaml

    project = context.open()
    typer.echo(task_yaml(project, pack(project), shlex.split(command), accelerator), nl=False)
