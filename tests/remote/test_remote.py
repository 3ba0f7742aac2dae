"""A rented machine, as a second account of this one: a real ssh server on loopback, in a folder of its own."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.small_project import small_project

import seshat
from seshat.core.errors import DataError, UsageError
from seshat.project.folder import Project, open_project
from seshat.remote.host import Host
from seshat.remote.job import Job, check, prepare
from seshat.remote.parcel import pack
from seshat.remote.sky import task_yaml

TOOLS = ("ssh", "ssh-keygen", "rsync", "tmux")
SECRET = "s3cret $(touch stolen) value"


@dataclass
class Machine:
    """The address of an ssh server, and what kills its connections."""

    host: Host
    server: subprocess.Popen[bytes]
    folder: Path

    def cut(self) -> int:
        """End every connection that is open now; how many there were."""
        found = subprocess.run(["pgrep", "-P", str(self.server.pid)], capture_output=True, text=True, check=False)
        connections = [int(one) for one in found.stdout.split()]
        for one in connections:
            with contextlib.suppress(ProcessLookupError):  # ended by itself meanwhile
                os.kill(one, signal.SIGKILL)
        return len(connections)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    if not Path(sshd).exists() or not all(map(shutil.which, TOOLS)):
        pytest.skip("openssh-server, rsync or tmux is not installed (make system)")
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("server", "mine"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True)
    shutil.copy(keys / "mine.pub", keys / "allowed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = [
        *(f"HostKey={keys / 'server'}", f"AuthorizedKeysFile={keys / 'allowed'}", f"PidFile={keys / 'pid'}"),
        *("StrictModes=no", "UsePAM=no", "ListenAddress=127.0.0.1", "PermitRootLogin=yes", f"Port={port}"),
    ]
    Path("/run/sshd").mkdir(exist_ok=True)
    command = [sshd, "-D", "-e", "-f", "/dev/null", *(part for one in settings for part in ("-o", one))]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    options = ("-i", str(keys / "mine"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
    there = tmp_path / "there"
    there.mkdir()
    host = Host.parse(f"{getpass.getuser()}@127.0.0.1:{port}", str(there), (*options, "-o", "LogLevel=ERROR"))
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield Machine(host, server, there)
    server.terminate()
    server.wait(10)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = small_project(tmp_path / "lang")
    seshat.open(root).run(until="format")
    made = open_project(root)
    (root / ".env").write_text("HF_TOKEN=never sent\n")
    return made


def test_there_and_back(machine: Machine, project: Project, tmp_path: Path) -> None:
    secrets = tmp_path / "job.env"
    secrets.write_text(f'# for the job\nHF_TOKEN="{SECRET}"\n')
    assert prepare(machine.host, python=sys.executable) in ("cpu", "cuda", "rocm")
    check(machine.host)
    job = Job(machine.host, project)
    job.push(pack(project), secrets)
    there = machine.folder / "lang"
    assert (there / ".env").stat().st_mode & 0o777 == 0o600
    sent = {path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()}
    assert "data/training/train.jsonl" in sent
    assert not any(name.startswith(("data/raw", "data/interim", "data/processed")) for name in sent)
    assert not any(b"never sent" in (there / name).read_bytes() for name in sent)

    job.start(["train"])
    with pytest.raises(UsageError, match="is running"):
        job.start(["train"])
    said = b"".join(job.log())
    assert job.status().code == 0, said.decode()
    assert SECRET.encode() not in said
    assert not (there / "stolen").exists()
    assert job.pull() == [project.config.train.name]
    assert (project.model() / "model.json").is_file()
    job.down(forget=True)
    assert not there.exists()


def test_a_broken_connection_and_a_kill_lose_nothing(machine: Machine, project: Project) -> None:
    prepare(machine.host, python=sys.executable)
    job = Job(machine.host, project)
    job.push(pack(project))
    counting = "import sys,time\nfor n in range(60): print('line',n,flush=True); time.sleep(.1)"
    (machine.folder / "counter").write_text(f"#!{sys.executable}\n{counting}\n")
    (machine.folder / "counter").chmod(0o700)
    (machine.folder / "python").write_text(str(machine.folder / "counter"))
    job.start(["train"])
    said, cuts = b"", 0
    for block in job.log():
        said += block
        if cuts < 2 and said.count(b"line") > 10 * (cuts + 1):
            cuts += machine.cut() > 0 or 1
    assert cuts == 2
    assert said.decode().split("\n")[:-1] == [f"line {n}" for n in range(60)]

    job.start(["train"])
    job.down()  # killed in the middle
    assert not job.status().running
    job.start(["train"])
    assert b"".join(job.log()).count(b"line") == 60


def test_a_closed_record_is_not_sent(project: Project) -> None:
    path = project.training / "train.jsonl"
    lines = path.read_text().splitlines()
    record = json.loads(lines[0])
    record["meta"]["access"] = "sealed"
    path.write_text("\n".join([json.dumps(record), *lines[1:]]) + "\n")
    with pytest.raises(DataError, match="a record above"):
        pack(project)


@pytest.mark.parametrize("address", ["-oProxyCommand=touch x", "a b", "root@host;ls", ""])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        Host.parse(address)


def test_a_task_for_skypilot_mounts_what_would_be_sent(project: Project) -> None:
    from ruamel.yaml import YAML

    parcel = pack(project)
    task = YAML(typ="safe").load(task_yaml(project, parcel, ["train", "train.name=a b"], "A100:1"))
    assert set(task["file_mounts"]) == {f"~/project/{name}" for name in parcel.names}
    assert "seshat train 'train.name=a b'" in task["run"]
