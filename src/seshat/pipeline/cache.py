"""DVC seen from the engine: is a stage up to date, remember that it ran, bring back what an earlier run made.

Everything Seshat asks of DVC's Python code is in this module.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import structlog

from seshat.core.errors import SeshatError
from seshat.core.jsonl import cannot_write, umask
from seshat.core.paths import move, remove, sealed, strangers

log = structlog.get_logger(__name__)

_CONFIG = """\
[core]
    no_scm = true
    analytics = false
    check_update = false
"""
_IGNORED = "/config.local\n/tmp\n/cache\n"


def _stay_silent() -> None:
    """Take back what DVC asks for when it is imported: a code for the terminal written when the program ends."""
    from colorama import initialise

    atexit.unregister(initialise.reset_all)


class Cache:
    """The DVC repository of a project.

    Raises:
        SeshatError: DVC cannot read the graph.
    """

    def __init__(self, root: Path) -> None:
        os.environ.setdefault("DVC_NO_ANALYTICS", "1")
        for name in (".dvc", "dvc.lock", "dvc.yaml"):
            sealed(root / name)
        _prepare(root)
        from dvc.exceptions import DvcException

        _stay_silent()
        logging.getLogger("dvc").setLevel(logging.CRITICAL)
        try:
            self._load(root)
        except DvcException as error:
            # DVC does not write dvc.lock atomically: a kill can cut it in half. What it knew is found again.
            log.warning("dvc.lock cannot be read and is put aside as dvc.lock.broken", why=str(error))
            move(root / "dvc.lock", root / "dvc.lock.broken")
            self._load(root)

    def _load(self, root: Path) -> None:
        from dvc.repo import Repo

        self._repo = Repo(str(root), config=_config(root))
        # The graph of the project alone: its folders of data may hold those of other projects.
        self._stages = {stage.name: stage for stage in self._repo.stage.load_all(str(root / "dvc.yaml"))}
        self._keys = {name: _key(stage) for name, stage in self._stages.items()}

    def close(self) -> None:
        """Let go of DVC's files."""
        self._repo.close()
        # DVC opens its own databases to everybody (their names and hashes are those of the records).
        site = Path(self._repo.root_dir, ".dvc", "tmp", "site")
        for path in (site, *site.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o777 & ~umask())

    def key(self, name: str) -> str | None:
        """A name for the state that a stage was last remembered in; ``None`` when it was not."""
        return self._keys[name]

    def changes(self, name: str) -> list[tuple[str, str]]:
        """What makes a stage run: pairs of a file or setting, and ``modified``, ``deleted``, ``new`` or ``unknown``.

        Empty when the stage is up to date; settings are those of :mod:`seshat.pipeline.graph`.
        """
        stage = self._stages[name]
        with self._locked():
            status = stage.status().get(stage.addressing, [])
        found: list[tuple[str, str]] = []
        for part in status:
            if isinstance(part, str):
                found.append(("the command or the list of files", "modified"))
                continue
            for changed in part.values():
                for path, what in changed.items():
                    found += [(path, what)] if isinstance(what, str) else list(what.items())
        return found

    def restore(self, name: str) -> bool:
        """Bring back the outputs of an earlier run with the same input, settings and version, if there was one."""
        from dvc.exceptions import DvcException
        from dvc.stage.cache import _can_hash

        stage, runs = self._stages[name], self._repo.stage_cache
        with self._locked():
            try:
                stage.save_deps()
                # StageCache.restore refuses to replace a file it does not know, and does not say when it failed.
                entry = runs._load(stage) if _can_hash(stage) else None
                found = entry and runs._create_stage(entry, wdir=stage.wdir)
                if not found or not found.outs_cached():
                    return False
                if unknown := _unknown(stage):
                    log.info("not restored: DVC would remove what it did not write", stage=name, files=unknown[:3])
                    return False
                if found.checkout(force=True).get("failed"):
                    return False
                self._save(stage)
            except (DvcException, SeshatError) as error:
                log.debug("could not be restored from the cache", stage=name, why=str(error))
                return False
        return True

    def before(self, name: str) -> dict[str, str]:
        """The state of everything a stage reads, to be compared when it has run."""
        stage = self._stages[name]
        with self._locked():
            stage.save_deps()
            return _hashes(stage)

    def remember(self, name: str, before: dict[str, str]) -> list[str]:
        """Remember that a stage ran: what it read, which settings it had, what it wrote.

        Args:
            name: the stage.
            before: what :meth:`before` said.

        Returns:
            What changed while the stage ran. When there is anything, nothing is remembered: the outputs belong to
            input that is no longer there.
        """
        stage = self._stages[name]
        with self._locked():
            stage.save_deps()
            after = _hashes(stage)
            changed = [path for path in after if after[path] != before.get(path)]
            if not changed:
                self._save(stage)
        return changed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold DVC's lock in the project's folder: DVC reads some paths relative to the current one."""
        with chdir(self._repo.root_dir), self._repo.lock:
            yield

    def _save(self, stage: Any) -> None:
        from dvc.exceptions import DvcException

        try:
            stage.save()
            stage.commit()
            stage.dump(update_pipeline=False)
        except DvcException as error:
            raise SeshatError(f"{stage.name}: its results could not be recorded: {error}.") from error
        except OSError as error:
            raise cannot_write(Path(self._repo.root_dir) / ".dvc" / "cache", error) from error
        self._keys[stage.name] = _key(stage)


def _unknown(stage: Any) -> list[str]:
    """Files in the folders that a stage writes which its last run did not write: somebody has put them there."""
    found: list[str] = []
    for out in stage.outs:
        folder = Path(out.fs_path)
        if folder.is_dir():
            written = out.get_obj() if out.hash_info else None
            known = ["/".join(key) for key, _meta, _hash in written or ()]
            found += [str(folder / name) for name in strangers(folder, known)]
    return found


def _key(stage: Any) -> str | None:
    """A digest of what a stage read and wrote, as DVC remembers it."""
    from dvc.stage.serialize import to_single_stage_lockfile

    if not all(out.hash_info for out in stage.outs):
        return None
    known = to_single_stage_lockfile(stage)
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _hashes(stage: Any) -> dict[str, str]:
    return {str(dependency): str(dependency.hash_info) for dependency in stage.deps}


def _config(root: Path) -> dict[str, dict[str, Any]]:
    """What holds whatever ``.dvc/config`` says, which a stranger may have written: no git, nothing written elsewhere.

    By default DVC keeps its database of hashes in a folder of the system; the project keeps it to itself.
    """
    folder = root / ".dvc"
    core = {"no_scm": True, "analytics": False, "check_update": False, "autostage": False, "hardlink_lock": False}
    cache = {"dir": str(folder / "cache"), "type": "reflink,copy"}
    return {"core": {**core, "site_cache_dir": str(folder / "tmp" / "site")}, "cache": cache}


def _prepare(root: Path) -> None:
    """Make the folder a DVC repository, and clear away what a killed run may have left of DVC's own files."""
    folder = root / ".dvc"
    if not (folder / "config").exists():
        _init(root, folder)
    # Held only while a DVC command runs, by process id. We hold the project's lock, so nobody of ours is in there,
    # and a file that a kill cut in half would stop every later run.
    remove(folder / "tmp" / "rwlock")


def _init(root: Path, folder: Path) -> None:
    """What ``dvc init --no-scm`` writes, but all at once."""
    made = Path(tempfile.mkdtemp(prefix=".dvc.", suffix=".tmp", dir=root))
    (made / "config").write_text(_CONFIG, encoding="utf-8")
    (made / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    (made / "tmp").mkdir()
    if folder.exists():
        remove(folder)
    made.chmod(0o777 & ~umask())
    move(made, folder)
