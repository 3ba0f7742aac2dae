"""A machine that ssh reaches: commands run there, files brought there and back."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

from seshat.core.errors import DataError, UsageError
from seshat.core.progress import task

_ADDRESS = re.compile(r"(?:(?P<user>[\w.-]+)@)?(?P<name>[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:]+\])(?::(?P<port>\d+))?")
_FOLDER = re.compile(r"/?[\w.-]+(?:/[\w.-]+)*")
_BROKEN = 255
"""What ssh ends with when the connection is at fault and not the command."""
_TRIES, _PAUSE = 6, 2.0
_OPTIONS = (
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=20",
    "-o",
    "ServerAliveInterval=15",
    "-o",
    "ServerAliveCountMax=4",
)
_HINT = "Try it by hand: ssh {address}. A key must let you in without a password (ssh-copy-id)."


class ConnectionLost(DataError):
    """The machine could not be reached, or the connection broke."""


@dataclass(frozen=True)
class Host:
    """An address of ssh, and the folder in which Seshat works there.

    Attributes:
        address: ``user@name``, as ssh takes it.
        port: of the server; by default what ssh's own configuration says.
        folder: from the home folder, or absolute.
        options: further options of ssh, such as ``-i KEY``.
    """

    address: str
    port: int | None
    folder: PurePosixPath
    options: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str, folder: str = "seshat", options: Sequence[str] = ()) -> Self:
        """A host as people write it: ``root@203.0.113.7:2222``, or a name of ssh's own configuration.

        Raises:
            UsageError: it is no such address, or the folder has letters that a shell would read.
        """
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise UsageError(
                f"'{text}' is no address of ssh.",
                "Name the machine with --host or SESHAT_REMOTE: root@203.0.113.7:2222, or a name of ~/.ssh/config.",
            )
        if not _FOLDER.fullmatch(folder) or ".." in folder.split("/"):
            raise UsageError(f"'{folder}' is no plain folder name.", "Letters, digits, dots, dashes and slashes.")
        user = f"{match['user']}@" if match["user"] else ""
        return cls(
            user + match["name"], int(match["port"]) if match["port"] else None, PurePosixPath(folder), tuple(options)
        )

    def run(self, script: str, *, content: bytes | None = None) -> bytes:
        """Run a line of shell in the home folder there; what it printed. Tried again when the connection breaks.

        Args:
            script: every value in it quoted by :func:`shlex.quote`.
            content: what it reads on standard input.

        Raises:
            ConnectionLost: the machine does not answer.
            DataError: the command failed there; with the end of what it said.
        """
        command = [*self.ssh(), script]
        done = self._tried(lambda: subprocess.run(command, input=content or b"", capture_output=True, check=False))
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise DataError(f"{self.address}: a command failed there ({done.returncode}): {' '.join(said[-3:])}")
        return done.stdout

    def ssh(self, *options: str) -> list[str]:
        """The beginning of a command line that runs something there."""
        port = ["-p", str(self.port)] if self.port is not None else []
        return [_program("ssh"), *_OPTIONS, *self.options, *port, *options, "--", self.address]

    def send(self, root: Path, names: Sequence[str], target: PurePosixPath) -> None:
        """Bring files there; what arrived before a connection broke is not sent again.

        Args:
            root: a folder here.
            names: files below it, with slashes.
            target: a folder there, from the home folder or absolute.
        """
        listed = "\0".join(names).encode()
        self._rsync(["--files-from=-", "--from0", f"{root}/", f"{self.address}:{target}/"], listed)

    def fetch(self, source: PurePosixPath, target: Path) -> None:
        """Bring a folder here; links are left out."""
        self._rsync([f"{self.address}:{source}/", f"{target}/"], b"")

    def _rsync(self, arguments: Sequence[str], content: bytes) -> None:
        remote_shell = shlex.join(self.ssh()[:-2])
        kept = ["--recursive", "--times", "--partial", "--no-links", "--no-devices", "--chmod=D700,F600"]
        command = [_program("rsync"), *kept, "-e", remote_shell, *arguments]
        with task("copy", None):
            done = self._tried(lambda: subprocess.run(command, input=content, capture_output=True, check=False))
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise DataError(f"{self.address}: rsync failed ({done.returncode}): {' '.join(said[:2])}")

    def _tried(self, attempt: Callable[[], subprocess.CompletedProcess[bytes]]) -> subprocess.CompletedProcess[bytes]:
        """Again, with longer and longer pauses, while the connection is at fault."""
        for count in range(_TRIES):
            done = attempt()
            if done.returncode not in (
                _BROKEN,
                12,
                30,
            ):  # rsync's words for a stream that ended and for time that is over
                return done
            if count + 1 < _TRIES:
                time.sleep(_PAUSE * 2**count / 4)
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConnectionLost(
            f"{self.address} cannot be reached: {said[-1] if said else 'no answer'}", _HINT.format(address=self.address)
        )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UsageError(
            f"{name} is not installed.", f"On Debian: apt-get install {'openssh-client' if name == 'ssh' else name}"
        )
    return found
