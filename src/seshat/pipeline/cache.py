"""DVC seen from the engine: is a stage up to date, remember that it ran, bring back what an earlier run made.

Everything Seshat asks of DVC's Python code is in this module.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import structlog

from seshat.errors import SeshatError
from seshat.pipeline.graph import RESOLVED

log = structlog.get_logger(__name__)

_CONFIG = """\
[core]
    no_scm = true
    analytics = false
    check_update = false
"""
_IGNORED = "/config.local\n/tmp\n/cache\n"
_WORDS = {"modified": "changed", "deleted": "is missing", "new": "is new", "not in cache": "is not in the cache"}


class Cache:
    """The DVC repository of a project."""

    def __init__(self, root: Path) -> None:
        os.environ.setdefault("DVC_NO_ANALYTICS", "1")
        _prepare(root)
        from dvc.repo import Repo

        logging.getLogger("dvc").setLevel(logging.CRITICAL)
        # By default DVC keeps its database of hashes in a folder of the system; the project keeps it to itself.
        self._repo = Repo(str(root), config={"core": {"site_cache_dir": str(root / ".dvc" / "tmp" / "site")}})
        self._stages = {stage.name: stage for stage in self._repo.index.stages if getattr(stage, "name", None)}

    def close(self) -> None:
        """Let go of DVC's files."""
        self._repo.close()

    def reasons(self, name: str) -> list[str]:
        """Why a stage has to run, in plain words; empty when it is up to date."""
        stage = self._stages[name]
        with self._locked():
            status = stage.status().get(stage.addressing, [])
        if not status:
            return []
        known = self._known(name)
        if not known:
            return ["it has not run yet"]
        reasons: list[str] = []
        for part in status:
            if part == "changed checksum":
                continue
            for changed in part.values():
                reasons += _plain(changed, known, self._settings(name))
        return reasons or ["its definition changed"]

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
                if not found or not found.outs_cached() or found.checkout(force=True).get("failed"):
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

    def key(self, name: str) -> str | None:
        """A name for the state a stage was last remembered in; ``None`` when it was not."""
        known = self._known(name)
        if not known:
            return None
        return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:16]

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

    def _known(self, name: str) -> dict[str, Any]:
        """What ``dvc.lock`` says of a stage."""
        from dvc.utils.serialize import load_yaml

        path = Path(self._repo.root_dir, "dvc.lock")
        content = load_yaml(str(path)) if path.exists() else {}
        known: dict[str, Any] = (content.get("stages") or {}).get(name, {})
        return known

    def _settings(self, name: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for dependency in self._stages[name].deps:
            if hasattr(dependency, "read_params"):
                values |= dependency.read_params()
        return values


def _hashes(stage: Any) -> dict[str, str]:
    return {str(dependency): str(dependency.hash_info) for dependency in stage.deps}


def _plain(changed: dict[str, Any], known: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """What DVC says of the files and settings of a stage, in words a person uses."""
    before = known.get("params", {}).get(RESOLVED, {})
    for path, what in changed.items():
        if isinstance(what, str):
            yield f"{path} {_WORDS.get(what, what)}"
            continue
        for key in what:
            if key.startswith("versions."):
                yield f"its code changed (version {before.get(key)} -> {now.get(key)})"
            else:
                yield from (f"{place}: {old} -> {new}" for place, old, new in _differences(key, before, now))


def _differences(key: str, before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The leaves in which two values differ, as (dotted name, old, new)."""
    old, new = before.get(key), now.get(key)
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for inner in dict.fromkeys((*old, *new)):
            for place, was, becomes in _differences(inner, old, new):
                yield f"{key}.{place}", was, becomes
        return
    yield key, _short(old, key in before), _short(new, key in now)


def _short(value: Any, given: bool) -> str:
    text = json.dumps(value, ensure_ascii=False) if given else "nothing"
    return text if len(text) <= 60 else text[:57] + "…"


def _prepare(root: Path) -> None:
    """Make the folder a DVC repository, and clear away what a killed run may have left of DVC's own files."""
    folder = root / ".dvc"
    if not (folder / "config").exists():
        _init(root, folder)
    # Held only while a DVC command runs, by process id. We hold the project's lock, so nobody of ours is in there,
    # and a file that a kill cut in half would stop every later run.
    (folder / "tmp" / "rwlock").unlink(missing_ok=True)
    _mend_lock_file(root / "dvc.lock")


def _init(root: Path, folder: Path) -> None:
    """What ``dvc init --no-scm`` writes, but all at once."""
    made = Path(tempfile.mkdtemp(prefix=".dvc.", suffix=".tmp", dir=root))
    (made / "config").write_text(_CONFIG, encoding="utf-8")
    (made / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    (made / "tmp").mkdir()
    if folder.exists():
        shutil.rmtree(folder)
    made.chmod(0o755)
    made.rename(folder)


def _mend_lock_file(path: Path) -> None:
    """Put a ``dvc.lock`` aside that a kill cut in half: DVC does not write it atomically."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import YAMLFileCorruptedError, load_yaml
    from voluptuous import Invalid

    if not path.exists():
        return
    try:
        COMPILED_LOCKFILE_SCHEMA(load_yaml(str(path)))
    except (YAMLFileCorruptedError, Invalid, UnicodeDecodeError):
        path.replace(path.with_suffix(".lock.broken"))
