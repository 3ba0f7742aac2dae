"""Brings the files of a Kaggle competition or dataset below ``data/raw``: through the API, or from a folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from seshat.config.download import KaggleSource
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.transfer import digest
from seshat.data import archives
from seshat.data.archives import below, copy
from seshat.data.kaggle_api import Kaggle, Subject
from seshat.project.folder import Project

CHECKSUMS = "checksums.json"
"""Below ``data/raw``: size and SHA-256 of every file that came from Kaggle, by competition or dataset."""


@dataclass
class Outcome:
    """What became of one competition or dataset."""

    fetched: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def subject(source: KaggleSource) -> Subject:
    """What a source names."""
    return Subject("competition", source.competition) if source.competition else Subject("dataset", str(source.dataset))


def get(project: Project, source: KaggleSource, from_folder: Path | None) -> Outcome:
    """Bring what is missing of one source to its place.

    Args:
        project: for its folders.
        source: the competition or dataset.
        from_folder: take the files, or the archive ``NAME.zip``, from there; nothing is fetched.

    Raises:
        DataError: no credentials, a refusal, a broken connection, an unsafe archive, a file that is not there.
    """
    outcome, raw = Outcome(), project.raw
    known = _read_checksums(raw).get(str(subject(source)), {})
    wanted = dict(source.files) or dict.fromkeys(known)
    missing = [path for path in (source.files.values() or known) if not below(raw, path).is_file()]
    for path in source.files.values() or known:
        if path not in missing:
            outcome.present.append(path)
            if path in known and _digest(raw / path) != known[path]:
                outcome.warnings.append(f"{path} is not as it was fetched; take it away to fetch it again")
    if wanted and not missing:
        return outcome
    bring = _Bringing(project, source)
    try:
        if from_folder is not None:
            bring.copied(from_folder, missing)
        else:
            bring.fetched(missing)
    except BaseException:
        if source.files:  # what is recorded of a whole archive is taken for all of it
            _add_checksums(raw, str(subject(source)), bring.done)
        raise
    _add_checksums(raw, str(subject(source)), bring.done)
    outcome.fetched = bring.done
    return outcome


@dataclass
class _Bringing:
    project: Project
    source: KaggleSource
    done: list[str] = field(default_factory=list)
    """What came, in its place, also when the rest did not."""

    @property
    def name(self) -> str:
        """The last part of the name: that of the archive."""
        return subject(self.source).name.rpartition("/")[2]

    def fetched(self, missing: list[str]) -> None:
        """Fetch the missing files one by one, or everything as one archive when none are named."""
        about = subject(self.source)
        kind = "competitions/data" if about.kind == "competition" else "datasets"
        work = self.project.state / "download"
        with Kaggle() as client:
            if not self.source.files:
                part = work / f"{about.kind}-{self.name}.zip"
                all_of_it = "download-all" if self.source.competition else "download"
                with client.download(f"{kind}/{all_of_it}/{about.name}", part, about, f"{self.name}.zip") as whole:
                    self._unpack(whole)
            for name, path in self.source.files.items():
                if path in missing:
                    part = work / f"{about.kind}-{self.name}-{name.replace('/', '-')}"
                    with client.download(f"{kind}/download/{about.name}/{name}", part, about, name) as whole:
                        self._place(whole, name, path)

    def copied(self, folder: Path, missing: list[str]) -> None:
        """Take files from a folder, or from the archive in it."""
        archive = folder / f"{self.name}.zip"
        if not self.source.files:
            if archive.is_file():
                self._unpack(archive)
                return
            for name, file in _files(folder):
                self._copy(file, f"{self.source.path}/{name}")
            return
        with ExitStack() as stack:
            opened: zipfile.ZipFile | None = None
            for name, path in self.source.files.items():
                if path not in missing:
                    continue
                found = next((one for one in (folder / name, folder / path) if one.is_file()), None)
                if found is not None:
                    self._copy(found, path)
                elif archive.is_file():
                    opened = opened or stack.enter_context(archives.opened(archive, self.source.most_bytes))
                    self._extract(opened, name, path)
                else:
                    raise DataError(
                        f"{subject(self.source)}: {folder} holds neither '{name}' nor {archive.name}.",
                        f"Fetch it with a browser from {subject(self.source).page}/data",
                    )

    def _unpack(self, archive: Path) -> None:
        with archives.opened(archive, self.source.most_bytes) as found:
            places = {one.filename: f"{self.source.path}/{one.filename}" for one in archives.members(found)}
            for path in places.values():
                below(self.project.raw, path)  # refuses before anything is written
            for name, path in places.items():
                self._extract(found, name, path)

    def _place(self, part: Path, name: str, path: str) -> None:
        """Kaggle sends larger files packed, without saying so in the name."""
        if not name.casefold().endswith(".zip") and zipfile.is_zipfile(part) and not _is_packed_format(name):
            with archives.opened(part, self.source.most_bytes) as found:
                self._extract(found, PurePosixPath(name).name, path)
        else:
            self._copy(part, path)

    def _extract(self, archive: zipfile.ZipFile, name: str, path: str) -> None:
        member = next((one for one in archives.members(archive) if one.filename == name), None)
        if member is None:
            held = ", ".join(one.filename for one in archives.members(archive)[:20])
            raise DataError(f"{subject(self.source)}: there is no '{name}' in the archive, only: {held}.")
        archives.extract(archive, member, below(self.project.raw, path))
        self.done.append(path)

    def _copy(self, file: Path, path: str) -> None:
        copy(file, below(self.project.raw, path))
        self.done.append(path)


def _is_packed_format(name: str) -> bool:
    """Formats that are zip archives themselves."""
    return name.casefold().endswith((".xlsx", ".xlsm", ".docx", ".whl", ".npz"))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            yield file.relative_to(folder).as_posix(), file


def _digest(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": digest(path)}


def _read_checksums(raw: Path) -> dict[str, dict[str, Any]]:
    path = raw / CHECKSUMS
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}.", "Take it away; the files are then taken as they are.") from error
    return found


def _add_checksums(raw: Path, name: str, paths: list[str]) -> None:
    if paths:
        known = _read_checksums(raw)
        known[name] = {**known.get(name, {}), **{path: _digest(raw / path) for path in paths}}
        write_json(raw / CHECKSUMS, known)
