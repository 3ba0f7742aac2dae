"""``seshat download``: the fetch recipe of a project, carried out when the user asks for it.

Stages never use the network. Files come over HTTP(S) with the standard library, which respects the usual
proxy variables, or are copied from a folder. A file appears under its name only when it is whole and its hash right.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO

from seshat import __version__
from seshat.config.ingest import DownloadFile, DownloadSection
from seshat.core.errors import DataError, SeshatError
from seshat.core.jsonl import atomic_path, cannot_read
from seshat.core.progress import task
from seshat.project.folder import Project

TIMEOUT = 60
"""Seconds without a byte after which a server is given up."""
BLOCK = 1 << 18


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
            target = _target(project.raw, file)
            if _is_there(target, file):
                present.append(file.path)
                continue
            _get(file, target, from_folder)
            fetched.append(file.path)
        except SeshatError as error:
            failed.append(error)
    warnings = _warnings(recipe)
    for source in recipe.kaggle:
        from seshat.submit import data as kaggle

        try:
            outcome = kaggle.get(project, source, from_folder, _below)
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


def _target(raw: Path, file: DownloadFile) -> Path:
    """Where a file goes."""
    return _below(raw, file.path)


def _below(raw: Path, path: str) -> Path:
    """A place below ``data/raw``; refuses links that lead out of it."""
    target = raw / path
    if not target.resolve().is_relative_to(raw.resolve()):
        raise DataError(
            f"{path}: a link on the way leads out of data/raw; nothing is written there.",
            "Take the link away, or choose another path in the recipe.",
        )
    return target


def _is_there(target: Path, file: DownloadFile) -> bool:
    """Whether the file is in place; a file with another hash is fetched anew."""
    if not target.is_file():
        return False
    return file.sha256 is None or _hash(target) == file.sha256.lower()


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise cannot_read(path, error) from error


def _get(file: DownloadFile, target: Path, from_folder: Path | None) -> None:
    """Bring one file to its place by way of a temporary file."""
    with atomic_path(target) as temporary:
        if from_folder is None:
            _fetch(file.url, temporary)
        else:
            _copy(from_folder, file, temporary)
        found = _hash(temporary)
        if file.sha256 is not None and found != file.sha256.lower():
            raise DataError(
                f"{file.path}: not the file that the recipe means: sha256 {found}, expected {file.sha256.lower()}.",
                "It was changed where it comes from, or damaged on the way. Look at it before you change the recipe.",
            )


def _copy(folder: Path, file: DownloadFile, temporary: Path) -> None:
    name = file.local or urllib.parse.unquote(urllib.parse.urlsplit(file.url).path.rpartition("/")[2])
    source = folder / name
    if not name or not source.is_file():
        raise DataError(
            f"{file.path}: {folder} holds no file '{name}'.", "Name it in the recipe, with local: path/below/folder."
        )
    try:
        stream = source.open("rb")
    except OSError as error:
        raise cannot_read(source, error) from error
    with stream, temporary.open("wb") as out:
        shutil.copyfileobj(stream, out, BLOCK)


class _StayOnTheWeb(urllib.request.HTTPRedirectHandler):
    """Follows redirections to HTTP(S) alone, never from HTTPS to HTTP."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        secure = req.full_url.startswith("https://")
        if not newurl.startswith("https://" if secure else ("https://", "http://")):
            raise urllib.error.HTTPError(req.full_url, code, f"redirected to {newurl}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, temporary: Path) -> None:
    """Fetch an address into a file.

    Raises:
        DataError: no answer, an answer that is no file, or one that breaks off.
    """
    request = urllib.request.Request(_quoted(url), headers={"User-Agent": f"seshat/{__version__}"})  # noqa: S310
    opener = urllib.request.build_opener(_StayOnTheWeb)
    try:
        with opener.open(request, timeout=TIMEOUT) as answer, temporary.open("wb") as out:
            length = answer.headers.get("Content-Length")
            expected = int(length) if length and length.isdecimal() else None
            received = _receive(answer, out, url, expected)
    except urllib.error.HTTPError as error:
        with error:
            raise DataError(f"{url}: the server answered {error.code} ({error.reason}).", _http_hint(error)) from error
    except urllib.error.URLError as error:
        raise DataError(
            f"{url}: cannot be reached: {error.reason}.", "Check the address and the connection."
        ) from error
    except TimeoutError as error:
        raise DataError(f"{url}: no byte came for {TIMEOUT} seconds.", "Try again later.") from error
    except (http.client.HTTPException, ConnectionError, ssl.SSLError) as error:
        raise DataError(f"{url}: the connection broke off ({error}).", "Try again.") from error
    if expected is not None and received != expected:
        raise DataError(f"{url}: the connection broke off after {received:,} of {expected:,} bytes.", "Try again.")


def _receive(answer: Any, out: BinaryIO, url: str, expected: int | None) -> int:
    received = 0
    with task(url.rpartition("/")[2] or url, expected) as advance:
        while block := answer.read(BLOCK):
            out.write(block)
            received += len(block)
            advance(len(block))
    return received


def _quoted(url: str) -> str:
    """The address with spaces and letters outside ASCII in its path and query quoted."""
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = urllib.parse.quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _http_hint(error: urllib.error.HTTPError) -> str:
    if error.code in {401, 403}:
        return "The file may need a login: fetch it with a browser and use --from FOLDER."
    if error.code in {404, 410}:
        return "The file was moved or removed: look for its new address and mend the recipe."
    return "Try again later."
