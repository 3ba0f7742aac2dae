"""``seshat download``: the fetch recipe of a project, carried out when the user asks for it.

Stages never use the network. Files come over HTTP(S) through :mod:`seshat.core.net`, or are copied from a folder. A
file appears under its name only when it is whole and its hash right.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from seshat.config.download import DownloadFile, DownloadSection
from seshat.core.errors import DataError, SeshatError
from seshat.core.net import Client
from seshat.core.transfer import digest
from seshat.data.archives import below, copy
from seshat.project.folder import Project


def run(project: Project, from_folder: Path | None = None) -> dict[str, Any]:
    """Fetch the files of the recipe that are not there yet.

    Args:
        project: its ``download`` section is the recipe.
        from_folder: copy the files from this folder instead of fetching them.

    Returns:
        The files by what became of them, with licence and citation of the data.

    Raises:
        DataError: files could not be fetched, or are not those the recipe means; lists all of them.
    """
    recipe = project.config.download
    if not recipe.files and not recipe.kaggle:
        raise DataError("there is no fetch recipe: download.files is empty.", "Put your own files below data/raw.")
    if from_folder is not None and not from_folder.is_dir():
        raise DataError(f"{from_folder}: there is no such folder.")
    fetched, present, failed = [], [], []
    for file in recipe.files:
        try:
            target = below(project.raw, file.path)
            if _is_there(target, file):
                present.append(file.path)
                continue
            if from_folder is None:
                _fetch(file, target, project.state / "download")
            else:
                _find(file, target, from_folder)
            fetched.append(file.path)
        except SeshatError as error:
            failed.append(error)
    warnings = _warnings(recipe)
    for source in recipe.kaggle:
        from seshat.data import kaggle

        try:
            outcome = kaggle.get(project, source, from_folder)
        except SeshatError as error:
            failed.append(error)
        else:
            fetched += outcome.fetched
            present += outcome.present
            warnings += outcome.warnings
    if failed:
        raise _together(failed, len(fetched) + len(present))
    return {**_terms(recipe), "fetched": fetched, "already_there": present, "warnings": warnings}


def _terms(recipe: DownloadSection) -> dict[str, str]:
    return {
        "licence": recipe.licence or "not stated: ask whoever made the data before you pass it on",
        "citation": recipe.citation or "not stated",
    }


def _warnings(recipe: DownloadSection) -> list[str]:
    unchecked = sum(file.sha256 is None for file in recipe.files)
    return [f"{unchecked} of {len(recipe.files)} files have no sha256 in the recipe: not checked"] if unchecked else []


def _together(failed: list[SeshatError], done: int) -> DataError:
    listed = "\n".join(f"- {error.message}" + (f"\n  {error.hint}" if error.hint else "") for error in failed)
    return DataError(
        f"{len(failed)} files could not be had:\n{listed}",
        f"{done} files are in place and will not be fetched again. Run the same command once more, or copy the files "
        "from a folder: seshat download --from FOLDER",
    )


def _is_there(target: Path, file: DownloadFile) -> bool:
    """Whether the file is in place; a file with another hash is fetched anew."""
    if not target.is_file():
        return False
    return file.sha256 is None or digest(target) == file.sha256.lower()


def _fetch(file: DownloadFile, target: Path, work: Path) -> None:
    """Bring one file to its place, by way of a folder for what is on its way."""
    part = work / hashlib.sha256(file.url.encode()).hexdigest()[:20]
    with Client(file.url) as client, client.download(file.url, part, file.path, sha256=file.sha256) as whole:
        copy(whole, target)


def _find(file: DownloadFile, target: Path, folder: Path) -> None:
    """Copy one file from a folder."""
    name = file.local or unquote(urlsplit(file.url).path.rpartition("/")[2])
    source = folder / name
    if not name or not source.is_file():
        raise DataError(
            f"{file.path}: {folder} holds no file '{name}'.", "Name it in the recipe, with local: path/below/folder."
        )
    found = digest(source)
    if file.sha256 is not None and found != file.sha256.lower():
        raise DataError(f"{source}: not the file that was meant: sha256 {found}, expected {file.sha256.lower()}.")
    copy(source, target)
