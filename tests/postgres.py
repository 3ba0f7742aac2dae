"""A PostgreSQL server of our own, for the tests that ask for one; where none can be started they skip and say why."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

POSTGRES = shutil.which("postgres") or "/usr/local/bin/postgres"
USER = "nobody"


def _run(*command: str, folder: Path) -> None:
    user: dict[str, Any] = {"user": USER, "extra_groups": []} if os.getuid() == 0 else {}
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env={"LC_ALL": "C", **os.environ}, **user)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the server."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    tools = Path(POSTGRES).resolve().parent if Path(POSTGRES).exists() else None
    found = {name: shutil.which(name, path=str(tools)) for name in ("initdb", "pg_ctl")}
    if not tools or not all(found.values()):
        pytest.skip("no PostgreSQL server on this machine")
    folder = Path(tempfile.mkdtemp(prefix="seshat-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, USER)
    data = str(folder / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        _run(str(found["initdb"]), "-D", data, "-U", "seshat", "-A", "trust", "--no-sync", "-E", "UTF8", folder=folder)
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
        _run(str(found["pg_ctl"]), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start", folder=folder)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL does not start here: {error.stderr.decode(errors='replace')[-300:]}")
    yield f"postgresql://seshat@127.0.0.1:{port}/postgres"
    _run(str(found["pg_ctl"]), "-D", data, "-m", "immediate", "stop", folder=folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: str, tmp_path: Path) -> str:
    """The address of an empty schema on it."""
    import psycopg

    name = f"test_{abs(hash(str(tmp_path)))}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{postgres_server}?options=-csearch_path%3D{name}"
