"""The exceptions that Seshat raises on purpose.

    SeshatError                 exit 1: something went wrong and the message says what to do
    ├── UsageError              exit 2: the command line asks for something impossible
    │   └── ConfigError         exit 2: seshat.yaml (or a profile, or an override) is wrong
    ├── DataError               exit 1: an input file or a record cannot be used
    │   └── DiskFull            exit 1: there is no room for what has to be written
    ├── CheckFailed             exit 1: the data were read, and a check that must hold does not
    ├── PromptMismatch          exit 1: a model would be asked in another way than it was trained
    ├── MissingPackage          exit 1: an optional package is not installed; names the extra
    └── ProjectBusy             exit 1: another run is working in the same project

A message is written for the person at the keyboard: what is wrong, where (``file:line``), what to do next.
The command line prints it without a traceback.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

DISTRIBUTION = "seshat-toolkit"
"""The name of the package on the index, where ``seshat`` is another project."""


def install_command(*extras: str) -> str:
    """The command that adds optional groups of packages to the Python that is running.

    A checkout (``pip install -e``) is named by its folder, with the tested versions; otherwise the package is named.
    """
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    wanted = f"[{','.join(extras)}]" if extras else ""
    try:
        told = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        told = None
    url = urlsplit(json.loads(told or "{}").get("url", ""))
    pip = f"{shlex.quote(sys.executable)} -m pip install"
    if url.scheme != "file":
        return f"{pip} '{DISTRIBUTION}{wanted}'"
    root = Path(url2pathname(url.path))
    constraints = f"-c {shlex.quote(str(root / 'constraints.txt'))} " if (root / "constraints.txt").is_file() else ""
    return f"{pip} {constraints}-e {shlex.quote(f'{root}{wanted}')}"


class SeshatError(Exception):
    """Base of every error that Seshat raises on purpose.

    Args:
        message: what is wrong, and where.
        hint: what to do next; printed on its own line.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(SeshatError):
    """The command line asks for something impossible."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a configuration: ``where`` is ``file:line`` or ``command line``."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigError(UsageError):
    """The configuration is wrong. Carries every problem found, so that one run reports them all."""

    def __init__(self, problems: Sequence[Problem], hint: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems), hint)


class DataError(SeshatError):
    """An input file or a record cannot be used."""


class DiskFull(DataError):
    """There is no room left for what has to be written."""


class CheckFailed(SeshatError):
    """The data were read, and a check that must hold does not."""


class PromptMismatch(SeshatError):
    """A model would be asked in another way than it was trained."""


class MissingPackage(SeshatError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed.",
            f"Install it with: {install_command(extra)}",
        )


class ProjectBusy(SeshatError):
    """Another run is working in the same project."""


def require(package: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or raise an error that names the extra to install.

    Args:
        package: the name to import, such as ``ctranslate2``.
        extra: the optional dependency group of Seshat that brings it.
        purpose: what needs it, as the start of a sentence.

    Raises:
        MissingPackage: the package is not installed.
    """
    try:
        with warnings.catch_warnings():  # of what a library itself could do with: nothing that a user can mend
            warnings.simplefilter("ignore")
            return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != package.split(".")[0]:
            raise
        raise MissingPackage(package, extra, purpose) from error
