"""Runs the notebook of a bundle here, as Kaggle would: a fresh environment, no network, the CPU.

Seshat and the packages that Kaggle's image lacks are installed from the wheels of the bundle, and from nothing else.
What the image has is lent by the environment that runs this: links to :data:`IMAGE` and what those packages need, so
that nothing else can be imported.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from seshat.core.errors import DISTRIBUTION, CheckFailed, DataError, require
from seshat.core.jsonl import write_text
from seshat.core.paths import fresh
from seshat.project.folder import Project
from seshat.submit import submission
from seshat.submit.kaggle import NOTEBOOK, time_budget
from seshat.submit.wheels import same_name

IMAGE = (
    *("charset-normalizer", "defusedxml", "httpx", "jinja2", "numpy", "openpyxl", "pydantic", "regex", "rich"),
    *("ruamel.yaml", "tabulate", "colorama", "lxml", "typer", "ipykernel", "pip"),
    *("torch", "transformers", "peft", "accelerate", "safetensors", "sentencepiece", "tokenizers"),
)
"""What Seshat uses of that which Kaggle's notebooks have (Kaggle/docker-python, ``installed_cpu_packages.txt``)."""
_GUARD = """\
# No network for this Python and those that it starts.
import sys

def _refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        if event == "socket.getaddrinfo" or not isinstance(args[1], (str, bytes)):
            raise OSError(101, "Network is unreachable (dry run)")

sys.addaudithook(_refuse)
"""


def run(
    project: Project, model: str | None, bundle: Path, budget: str | None = None, test: Path | None = None
) -> dict[str, Any]:
    """Run the notebook of a bundle, and compare its submission with that of ``seshat submit``.

    Args:
        project: the project of the bundle.
        model: as it was bundled.
        bundle: what :func:`seshat.submit.kaggle.run` wrote.
        budget: time for consensus decoding, in both.
        test: another test file, such as one with more rows to measure on.

    Returns:
        ``rows``, ``seconds_per_row``, ``rows_in_time`` (how many rows the hours of a notebook are enough for),
        ``hours`` (for ``submit.kaggle.rows`` rows, beside those that a notebook has),
        ``network`` and ``packages`` (what was cut off and installed, in words), ``same`` (byte for byte), ``executed``
        (the notebook with its outputs).

    Raises:
        CheckFailed: a cell failed; the message is its error.
        MissingPackage: nbclient is not installed.
    """
    section = project.config.submit
    work = project.state / "dry-run"
    fresh(work)
    budget = time_budget(project, budget)
    other, test = test, test or project.raw / section.test
    if not test.is_file():
        raise DataError(
            f"{test}: there is no test file.", "Say where it is (submit.test), or fetch it: seshat download"
        )
    lent = environment(work, [one.name for one in (bundle / "dataset" / "wheels").glob("*.whl")])
    cut, words = isolation(work)
    output = work / "submission.csv"
    variables = {
        "SESHAT_BUNDLE": str((bundle / "dataset").resolve()),
        "SESHAT_TEST": str(test.resolve()),
        "SESHAT_OUTPUT": str(output),
        "CUDA_VISIBLE_DEVICES": "",
    }
    if budget:
        variables["SESHAT_BUDGET"] = budget
    _execute(bundle / "notebooks" / NOTEBOOK, work, cut, variables)
    own = work / "command-line.csv"
    submission.run(project, model, own, budget, other)
    report = json.loads((work / submission.REPORT).read_text(encoding="utf-8"))
    per_row = report["seconds_per_row"]
    same = output.read_bytes() == own.read_bytes()
    limit, hidden = section.kaggle.hours, section.kaggle.rows
    return {
        **report,
        "hours": f"{hidden * per_row / 3600:.2f} of {limit:g} for {hidden:,} rows" if hidden else None,
        "rows_in_time": int(limit * 3600 / per_row) if per_row else None,
        "network": words,
        "packages": f"Seshat and {', '.join(section.kaggle.wheels)} from the wheels of the bundle; lent by this "
        f"environment, as Kaggle's image has them: {', '.join(lent)}",
        "same": same,
        "executed": str(work / NOTEBOOK),
    }


def environment(work: Path, wheels: Iterable[str]) -> list[str]:
    """Make a fresh virtual environment that sees what Kaggle's image has, and nothing else.

    Returns:
        The packages of :data:`IMAGE` that are lent.
    """
    brought = {same_name(name.split("-")[0]) for name in wheels}
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(work / "venv")], check=True)
    image = work / "image"
    image.mkdir()
    lent = [name for name in IMAGE if same_name(name) not in brought]
    for one in _closure(lent, brought):
        for source in _parts(one):
            link = image / source.name
            if not link.exists():
                link.symlink_to(source)
    (_site_packages(work) / "image.pth").write_text(f"{image}\n", encoding="utf-8")
    return [name for name in lent if _find(name)]


def _site_packages(work: Path) -> Path:
    return next((work / "venv").glob("lib/python*/site-packages"), work / "venv" / "Lib" / "site-packages")


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _closure(names: Iterable[str], without: Iterable[str]) -> Iterator[Distribution]:
    """Installed packages, and what they need; one that is not here is left out."""
    from packaging.requirements import Requirement

    seen = {*without, DISTRIBUTION}
    waiting = list(names)
    while waiting:
        key = same_name(waiting.pop())
        found = _find(key) if key not in seen else None
        seen.add(key)
        if found is None:
            continue
        yield found
        needs = (Requirement(line) for line in found.requires or ())
        waiting += [one.name for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]


def _parts(found: Distribution) -> Iterator[Path]:
    """The files and folders of a package in site-packages."""
    root = Path(str(found.locate_file(""))).resolve()
    for name in {
        file.parts[0] for file in found.files or () if file.parts and file.parts[0] not in ("..", "__pycache__")
    }:
        if (root / name).exists() and not name.endswith(".pth"):
            yield root / name


def isolation(work: Path) -> tuple[list[str], str]:
    """How the network is cut off: what a command is put behind, and what to say of it."""
    for command in (["unshare", "-rn"], ["unshare", "-n"]):
        if (
            shutil.which("unshare")
            and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        ):
            return [*command, "--"], f"cut off by the system ({' '.join(command)})"
    (_site_packages(work) / "sitecustomize.py").write_text(_GUARD, encoding="utf-8")
    return (
        [],
        "refused inside Python (unshare -n is not allowed here): programs that are not Python could still reach it",
    )


def _execute(path: Path, work: Path, cut: list[str], variables: dict[str, str]) -> None:
    """Run a notebook with a kernel of the fresh environment; its outputs are kept also when a cell fails."""
    nbclient = require("nbclient", extra="kaggle", purpose="Running the notebook")
    require("ipykernel", extra="kaggle", purpose="Running the notebook")
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    # The kernel is talked to through files: in its network there is nothing, not even the loopback interface.
    argv = [*cut, str(_python(work)), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "dry run", "language": "python"}
    write_text(work / "kernels" / "dryrun" / "kernel.json", json.dumps(spec))
    specs = KernelSpecManager(kernel_dirs=[str(work / "kernels")], ensure_native_kernel=False)
    manager = AsyncKernelManager(kernel_name="dryrun", kernel_spec_manager=specs, transport="ipc")
    # Names of sockets are short: at most 107 bytes.
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="seshat-"))
        manager.connection_file = str(Path(place) / "k.json")
        made = nbformat.read(path, as_version=4)
        log = stack.enter_context((work / "kernel.log").open("w", encoding="utf-8"))
        client = nbclient.NotebookClient(made, km=manager, timeout=None, resources={"metadata": {"path": str(work)}})
        try:
            client.execute(cleanup_kc=True, env=_environment(work, variables), stdout=log, stderr=log)
        except nbclient.exceptions.CellExecutionError as error:
            raise CheckFailed(
                f"the notebook failed: {error.ename}: {error.evalue}", f"Its outputs: {work / NOTEBOOK}"
            ) from error
        finally:
            nbformat.write(made, work / NOTEBOOK)


def _python(work: Path) -> Path:
    found = work / "venv" / "bin" / "python"
    return found if found.exists() else work / "venv" / "Scripts" / "python.exe"


def _environment(work: Path, variables: dict[str, str]) -> dict[str, str]:
    """The variables of this process without those that lead to other packages, and with a home of its own."""
    home = work / "home"
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV"))}
    offline = {"HF_HUB_OFFLINE": "1", "IPYTHONDIR": str(home), "HOME": str(home)}
    return {**kept, **offline, **variables}
