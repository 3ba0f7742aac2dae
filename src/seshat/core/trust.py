"""Whom a project may make this machine contact: its files propose an address, the person at the keyboard allows it.

A project may come from a stranger, and its configuration can name a server that texts would be sent to, with the key
from an environment variable that it names too. An address on the command line is the user's own; one from a file is
contacted when this machine has allowed its server once (``seshat allow``), or ``SESHAT_ALLOW`` names it.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from seshat.core.errors import UsageError
from seshat.core.jsonl import write_text
from seshat.core.paths import inside

ALLOW = "SESHAT_ALLOW"
"""Environment variable: servers that may be contacted, parted by spaces."""
_proposed: dict[str, str] = {}
"""Servers that files of this process's project name, and where."""


def propose(address: str, where: str) -> None:
    """Remember that a file names an address; it is not contacted until it is allowed."""
    _proposed[server(address)] = where


def chosen(address: str) -> None:
    """Remember that the user named an address for this run."""
    _proposed.pop(server(address), None)


def asked_for(address: str) -> str:
    """An address that may be contacted.

    Raises:
        UsageError: a file of the project names it, and nobody on this machine has allowed it.
    """
    name = server(address)
    where = _proposed.get(name)
    if where is not None and not urlsplit(name).hostname:
        return _of_the_project(address, where)
    if where is None or is_loopback(urlsplit(name).hostname or "") or name in _allowed():
        return address
    raise UsageError(
        f"{where}: the project wants to contact {name}, and nobody has allowed that on this machine; nothing was sent.",
        f"If you know this server: seshat allow {name} (once), or give the address on the command line.",
    )


def _of_the_project(address: str, where: str) -> str:
    """What is no server: a word such as ``auto``, or a database file, which lies inside the project that names it."""
    scheme, sign, path = address.partition(":///")
    word = re.fullmatch(r"\w+", address)
    file = scheme == "sqlite" and sign and re.fullmatch(r"[^/\\:?%#~]+(/[^/\\:?%#~]+)*", path)
    if word or (file and ".." not in path.split("/")):
        return address
    raise UsageError(
        f"{where}: a file of a project may name a database inside the project alone (sqlite:///reports/name.db), "
        f"not {address}.",
        "If you want it there, give the address on the command line.",
    )


def database(address: str, root: Path) -> str:
    """A database that may be used; a file by its full path, which a project names from its own folder.

    Args:
        address: ``sqlite:///models/name.db``, or that of a server.
        root: the folder of the project.

    Raises:
        UsageError: a file of the project names it, and it is outside of it, or nobody has allowed it.
        DataError: a link leads out of the project.
    """
    asked_for(address)
    prefix, found, path = address.partition("sqlite:///")
    if prefix or not found or not path or path == ":memory:":
        return address
    full = inside(root / path)
    full.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{full}"


def allow(address: str) -> Path:
    """Allow a server on this machine, for all projects of this user; gives the file that says so.

    Raises:
        UsageError: it is no address.
    """
    name = server(address)
    if not urlsplit(name).hostname:
        raise UsageError(f"{address} is no address of a server.", "Write it like https://models.example.org")
    path = _file()
    write_text(path, "".join(f"{one}\n" for one in sorted({*_listed(path), name})))
    return path


def is_loopback(host: str) -> bool:
    """Whether a name or number means this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def server(address: str) -> str:
    """Scheme, host and port of an address: what is allowed."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # what uses it says that it is none
        return address
    host = (parts.hostname or "").lower()
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def _allowed() -> set[str]:
    return {*_listed(_file()), *(server(one) for one in os.environ.get(ALLOW, "").split())}


def _listed(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError:
        return []


def _file() -> Path:
    """In the folder of this user's settings, which no project can write to."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "seshat" / "allowed"
