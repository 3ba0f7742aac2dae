"""A job on a rented machine: started in tmux, so that it outlives the connection; followed; brought back."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seshat.core.errors import DataError, UsageError
from seshat.core.paths import fresh, inside, move, remove
from seshat.core.progress import task
from seshat.project import manifest
from seshat.project.folder import Project
from seshat.remote.host import ConnectionLost, Host
from seshat.remote.parcel import Parcel

_PAUSE = 1.0
_PATIENCE = 300.0
"""Seconds without a connection after which following a job is given up; the job goes on."""


@dataclass(frozen=True)
class Status:
    """Where a job stands."""

    running: bool
    code: int | None
    """What it ended with, when it has."""


class Job:
    """A project on a host.

    Args:
        host: where.
        project: which; its folder there has the name of its folder here.
    """

    def __init__(self, host: Host, project: Project) -> None:
        self.host, self.project = host, project
        name = "".join(one if one.isalnum() or one in "-_" else "-" for one in project.root.resolve().name)
        self.folder: PurePosixPath = host.folder / name
        self.session = f"seshat-{name}"
        self._place = shlex.quote(str(self.folder))

    def push(self, parcel: Parcel, secrets: Path | None = None) -> None:
        """Send what a training needs.

        Args:
            parcel: what.
            secrets: a file of ``NAME=value`` lines that the job reads as its environment; goes by a way of its own.
        """
        self.host.run(f"umask 077; mkdir -p {self._place}/.seshat")
        self.host.send(self.project.root, parcel.names, self.folder)
        self._write("seshat.yaml", parcel.settings.encode())
        if secrets is not None:
            self._write(".env", _exports(secrets).encode())

    def start(self, arguments: Sequence[str]) -> None:
        """Start ``seshat`` there, detached.

        Args:
            arguments: a command of Seshat and its options, such as ``["train", "train.finetune.epochs=1"]``.

        Raises:
            UsageError: a job of this project is running, or nothing was sent yet.
        """
        if self.status().running:
            raise UsageError(
                f"A job of this project is running on {self.host.address}.",
                "Follow it: seshat remote logs. Stop it: seshat remote down",
            )
        script = "\n".join(
            [
                "umask 077",
                f"python=$(cat {shlex.quote(f'{self.host.folder}/python')})",
                f"cd {self._place} || exit 1",
                "[ ! -f .env ] || . ./.env",
                f'"$python" -m seshat {shlex.join(arguments)} --project . > .seshat/log 2>&1',
                "echo $? > .seshat/exit",
            ]
        )
        self._write(".seshat/job.sh", script.encode())
        clean = f"rm -f {self._place}/.seshat/exit; : > {self._place}/.seshat/log"
        start = f"tmux new-session -d -s {shlex.quote(self.session)} sh {self._place}/.seshat/job.sh"
        self.host.run(f"test -f {self._place}/seshat.yaml && {{ {clean}; {start}; }}")

    def status(self) -> Status:
        """Whether the job runs, and what it ended with."""
        session = shlex.quote(f"={self.session}")
        ended = f"cat {self._place}/.seshat/exit 2>/dev/null"
        said = self.host.run(f"tmux has-session -t {session} 2>/dev/null && echo running || {ended} || :").strip()
        return Status(said == b"running", int(said) if said.isdigit() else None)

    def log(self, *, follow: bool = True) -> Iterator[bytes]:
        """What the job says, each byte once, through broken connections, until it ends.

        Raises:
            ConnectionLost: there is no connection for five minutes; the job goes on.
        """
        have, lost_at = 0, None
        while True:
            try:
                status = self.status()
                said = self.host.run(f"tail -c +{have + 1} {self._place}/.seshat/log 2>/dev/null || :")
                have += len(said)
                yield said
                lost_at = None
            except ConnectionLost:
                lost_at = lost_at or time.monotonic()
                if time.monotonic() - lost_at > _PATIENCE:
                    raise
                continue
            if not follow or not status.running:
                return
            time.sleep(_PAUSE)

    def attach(self) -> int:
        """Hand the terminal to the job; what ssh ended with."""
        session = shlex.quote(f"={self.session}")
        return subprocess.run([*self.host.ssh("-t"), f"tmux attach -t {session}"], check=False).returncode

    def pull(self) -> list[str]:
        """Bring models and reports back; names of the models.

        Each arrives beside its place, is compared with its manifest, and then takes it.

        Raises:
            DataError: a model is not whole yet, or something else stands in its place here.
        """
        arrived = self.project.state / "remote"
        inside(arrived)
        arrived.mkdir(parents=True, exist_ok=True)
        there = self.host.run(f"cd {self._place} && ls -d models reports 2>/dev/null || :").decode().split()
        for name in there:
            (arrived / name).mkdir(exist_ok=True)
            self.host.fetch(self.folder / name, arrived / name)
        names = []
        for folder in sorted((arrived / "models").glob("*")):
            if not (folder / manifest.FILE).is_file():
                continue
            manifest.Manifest.open(folder)
            manifest.publish(folder, self.project.models / folder.name)
            names.append(folder.name)
        if (arrived / "reports").is_dir():
            self._take_reports(arrived / "reports")
        remove(arrived)
        return names

    def _take_reports(self, arrived: Path) -> None:
        """Reports under the name of the host's, so that none of here is written over."""
        target = self.project.reports / "remote"
        fresh(target)
        for path in sorted(arrived.iterdir()):
            move(path, target / path.name)

    def down(self, *, forget: bool = False) -> None:
        """Stop the job; with ``forget`` what was sent and made there goes."""
        session = shlex.quote(f"={self.session}")
        self.host.run(f"tmux kill-session -t {session} 2>/dev/null || :")
        if forget:
            self.host.run(f"rm -rf {self._place}")

    def _write(self, name: str, content: bytes) -> None:
        target = shlex.quote(str(self.folder / name))
        self.host.run(f"umask 077; cat > {target}.part && mv {target}.part {target}", content=content)


def _exports(secrets: Path) -> str:
    """Lines ``NAME=value`` as a shell reads them, with nothing in the values carried out.

    Raises:
        DataError: a line is no such one.
    """
    lines = []
    for number, line in enumerate(secrets.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise DataError(f"{secrets}:{number}: no line such as NAME=value.")
        lines.append(f"export {name}={shlex.quote(value.strip().strip(chr(34)).strip(chr(39)))}\n")
    return "".join(lines)


def prepare(host: Host, *, python: str | None = None, torch_index: str | None = None, extras: str = "train") -> str:
    """Make a machine ready: tools, an environment with the right torch, Seshat.

    Args:
        host: the machine.
        python: a Python there that has all of it already; nothing is installed then.
        torch_index: address of PyTorch's packages for its GPU (ROCm, CPU); by default those of the package index.
        extras: groups of packages.

    Returns:
        What kind of GPU was found, and what was done.

    Raises:
        DataError: something cannot be installed; with what the machine said.
    """
    place = shlex.quote(str(host.folder))
    with task("prepare the machine", None):
        found = host.run(_LOOK).decode().split()
        missing = [tool for tool in ("rsync", "tmux") if tool not in found]
        if missing:
            host.run(f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {' '.join(missing)}")
        host.run(f"umask 077; mkdir -p {place}")
        if python is not None:
            host.run(f"{shlex.quote(python)} -c 'import seshat'")
            host.run(f"echo {shlex.quote(python)} > {place}/python")
        else:
            _install(host, torch_index, extras)
    return next((kind for kind in ("cuda", "rocm") if kind in found), "cpu")


_LOOK = (
    "for tool in rsync tmux; do command -v $tool > /dev/null && echo $tool; done; "
    "command -v nvidia-smi > /dev/null && nvidia-smi -L > /dev/null 2>&1 && echo cuda; [ -e /dev/kfd ] && echo rocm; :"
)


def _install(host: Host, torch_index: str | None, extras: str) -> None:
    """A virtual environment there, with the code of here."""
    source = Path(__file__).parents[3]
    place = shlex.quote(str(host.folder))
    pip = f"{place}/.venv/bin/pip install --quiet --disable-pip-version-check"
    if not (source / "pyproject.toml").is_file():
        raise UsageError(
            "The code to send is not here: this Seshat was installed as a package.",
            "Install seshat-toolkit on the machine and name its Python: seshat remote up --python /path/to/python",
        )
    code = [path for path in sorted((source / "src").rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    files = [source / name for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt")]
    host.send(source, [path.relative_to(source).as_posix() for path in [*files, *code]], host.folder / "code")
    index = f" --index-url {shlex.quote(torch_index)}" if torch_index else ""
    host.run(
        f"test -d {place}/.venv || python3 -m venv {place}/.venv; "
        f"{pip} -c {place}/code/constraints.txt torch{index} && "
        f"{pip} -c {place}/code/constraints.txt -e {place}/code[{shlex.quote(extras)}] && "
        f'cd {place} && echo "$PWD/.venv/bin/python" > python'
    )


def check(host: Host) -> None:
    """Refuse a machine that was not made ready.

    Raises:
        DataError: says how.
    """
    try:
        host.run(f"test -s {shlex.quote(str(host.folder))}/python")
    except ConnectionLost:
        raise
    except DataError as error:
        raise DataError(f"{host.address} is not ready.", "Prepare it once: seshat remote up --host ADDRESS") from error
