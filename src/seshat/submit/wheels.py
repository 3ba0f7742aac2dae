"""Wheels for machines without a network: Seshat's own, made of what is installed, and those of other packages."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from email.parser import Parser
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import seshat
from seshat.core.errors import DISTRIBUTION, DataError, require

_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
"""Platforms of wheels that run on Kaggle, any of which a wheel may have (PEP 599, PEP 600)."""
_NOT_NAME = re.compile(r"[-_.]+")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time that archives without times carry, so that the same source gives the same bytes."""


def own_wheel(folder: Path) -> Path:
    """Write the wheel of this Seshat; works offline.

    From a checkout it is built with hatchling, of the source as it is now; an installed copy is packed up again.

    Raises:
        MissingPackage: a checkout without hatchling.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(seshat.__file__).parents[2]
    if not (root / "pyproject.toml").is_file():
        return pack(DISTRIBUTION, folder)
    builder = require("hatchling.builders.wheel", extra="kaggle", purpose="Building the wheel of Seshat")
    built = builder.WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])
    return Path(next(iter(built)))


def pack(name: str, folder: Path) -> Path:
    """An installed package as a wheel again, for this version of Python and this platform.

    Raises:
        DataError: it is not installed, or not from a wheel.
    """
    try:
        installed = distribution(name)
    except PackageNotFoundError as error:
        raise DataError(f"{name} is not installed.", f"pip install {name}, or --fetch-wheels") from error
    described = Parser().parsestr(installed.read_text("WHEEL") or "")
    tags = [tag.split("-") for tag in described.get_all("Tag", [])]
    if not tags or installed.files is None:
        raise DataError(f"{name} was not installed from a wheel.", "Give wheels: --wheels FOLDER, or --fetch-wheels")
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))
    stem = f"{installed.name.replace('-', '_')}-{installed.version}"
    target = folder / f"{stem}-{tag}.whl"
    info = next(file.parts[0] for file in installed.files if file.parts[0].endswith(".dist-info"))
    record = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in _content(installed, info):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), content, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(content)}\n")
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD", _EPOCH), "".join([*record, f"{info}/RECORD,,\n"]))
    return target


def _content(installed: Distribution, info: str) -> Iterator[tuple[str, bytes]]:
    """The files of a package without those that its installation added; programs are made anew from entry points."""
    added = {f"{info}/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")}
    for file in sorted(installed.files or (), key=str):
        path = file.as_posix()
        if ".." not in file.parts and "__pycache__" not in file.parts and path not in added:
            yield path, Path(str(installed.locate_file(file))).read_bytes()


def same_name(name: str) -> str:
    """A package name as indexes compare them: ``ruamel.yaml`` and ``ruamel_yaml`` are the same."""
    return _NOT_NAME.sub("-", name).lower()


def copy_wheels(names: Sequence[str], source: Path, folder: Path) -> list[Path]:
    """Copy the wheels of some packages from a folder: all versions of Python that are there.

    Raises:
        DataError: there is none for a package; lists them all.
    """
    found = _by_name(names, source)
    missing = [name for name, wheels in found.items() if not wheels]
    if missing:
        raise DataError(
            f"{source}: no wheels of {', '.join(missing)}.",
            f"Fetch them: --fetch-wheels, or pip download --no-deps -d {source} {' '.join(missing)}",
        )
    return [Path(shutil.copy(one, folder)) for wheels in found.values() for one in wheels]


def has_wheels(names: Sequence[str], source: Path) -> bool:
    """Whether a folder holds wheels of all these packages."""
    return all(_by_name(names, source).values())


def _by_name(names: Sequence[str], source: Path) -> dict[str, list[Path]]:
    return {name: [one for one in sorted(source.glob("*.whl")) if _is_of(one, name)] for name in names}


def _is_of(wheel: Path, name: str) -> bool:
    return same_name(wheel.name.split("-")[0]) == same_name(name)


def fetch_wheels(names: Sequence[str], folder: Path, versions: Sequence[str]) -> None:
    """Fetch wheels with ``pip download``, for every version of Python; wheels alone, nothing is built.

    Args:
        names: packages; what Seshat's wheel in ``folder`` asks of them is respected.
        folder: where they go.
        versions: of Python, such as 3.12.

    Raises:
        DataError: pip cannot get them.
    """
    wanted = _required(folder)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder)]
    command += [part for platform in _PLATFORMS for part in ("--platform", platform)]
    for version in versions:
        packages = [wanted.get(same_name(name), name) for name in names]
        done = subprocess.run(
            [*command, "--python-version", version, *packages], capture_output=True, text=True, check=False
        )
        if done.returncode:
            reason = next((line for line in done.stderr.splitlines() if "ERROR" in line), "no reason given")
            raise DataError(
                f"pip download for Python {version} failed: {reason.strip()}",
                "Check the connection and the names in submit.kaggle.wheels, or give a folder: --wheels FOLDER.",
            )


def _required(folder: Path) -> dict[str, str]:
    """Name -> requirement, as Seshat's wheel in a folder states them."""
    from packaging.requirements import Requirement

    wheel = next(folder.glob("seshat_toolkit-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        path = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(path).decode().splitlines()
    needs = [Requirement(line.partition(": ")[2]) for line in lines if line.startswith("Requires-Dist: ")]
    return {same_name(one.name): f"{one.name}{one.specifier}" for one in needs if "extra" not in str(one.marker or "")}
