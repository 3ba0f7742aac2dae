"""``serve``: the API on a trained model, and ``demo``: its page."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from seshat.cli.common import Context, verb

if TYPE_CHECKING:
    from seshat.serving.service import Service


Host = Annotated[
    str | None,
    typer.Option("--host", help="Address to listen on; default: this machine only. Others need SESHAT_API_KEY."),
]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Default: serve.port; 0 takes a free one.")]
Level = Annotated[
    str | None, typer.Option("--access", metavar="LEVEL", help="The least open records that viewers may see.")
]


@verb(
    "serve",
    json=False,
    help="Answer translations, look-ups and corrections over HTTP. Stop with Ctrl-C: what runs is finished.",
)
def _serve(context: Context, host: Host = None, port: Port = None, access: Level = None) -> None:
    answer(context, host, port, access)


def answer(context: Context, host: str | None, port: int | None, access: str | None, *, page: bool = False) -> None:
    """Answer requests until the program is told to stop; with the web page at ``/`` where it is wanted."""
    given = {"host": host, "port": port, "access": access}
    # The last override wins: an option of the command line goes before seshat.yaml and `section.key=value` alike.
    context.overrides += [f"serve.{name}={value}" for name, value in given.items() if value is not None]
    _installed(page=page)
    project = context.open()

    from seshat.serving.run import api_key, listen, serve

    key = api_key(project, project.config.serve.host)
    with listen(project.config.serve.host, project.config.serve.port) as listening:
        from seshat.serving.app import create_app
        from seshat.serving.learning import learning_service
        from seshat.serving.service import Service

        with context.progress():
            service = learning_service(project) if project.config.serve.learn else Service(project)
            try:
                service.warm()
            except BaseException:
                service.close()
                raise
        app = create_app(service, key=key)
        if page:
            from seshat.serving.page import mount

            app = mount(app, service)
        serve(service, app, listening, ready=lambda: _say(context, service, listening, key))
    context.note("Stopped; nothing was left half done.")


def _installed(*, page: bool) -> None:
    """Whether all packages are there, asked before models are opened; nothing is imported yet.

    Raises:
        MissingPackage: one is not; names the extra that brings it.
    """
    from importlib.util import find_spec

    from seshat.core.errors import MissingPackage

    extra = "demo" if page else "serve"
    for package in ("fastapi", "uvicorn", "prometheus_client", *(["gradio"] if page else [])):
        if find_spec(package) is None:
            raise MissingPackage(package, extra, f"seshat {extra}")


def _say(context: Context, service: Service, listening: socket.socket, key: str | None) -> None:
    """Where it is, and what it shows; the address also where little is printed, for it may be a free port."""
    from seshat.report.terminal import output

    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    output().print(f"Seshat listens on {address}", soft_wrap=True)
    models = ", ".join(f"{one.name} ({', '.join(one.directions)})" for one in service.models) or "none"
    context.note(
        f"Models: {models}. Viewers see records up to '{service.viewer}'. "
        f"{'Every request needs the API key. ' if key else ''}Stop with Ctrl-C."
    )


@verb(
    "demo",
    json=False,
    help="Open the web page: translate, look words up, correct. The API of `seshat serve` answers there too.",
)
def _demo(context: Context, host: Host = None, port: Port = None, access: Level = None) -> None:
    answer(context, host, port, access, page=True)
