"""The graph as DVC sees it: ``dvc.yaml`` and the resolved configuration it points into.

``dvc.yaml`` is generated from the table of stages and the configuration, so that a reader sees the real graph and
``dvc dag``, ``dvc repro``, ``dvc push`` work on it. The parameters of a stage are the settings its result depends on,
and its version; DVC compares their values, and the hashes of files, with what ``dvc.lock`` remembers.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from seshat.config import Config
from seshat.errors import UsageError
from seshat.jsonl import write_text
from seshat.pipeline.stages import STAGES, Stage
from seshat.project import Project

RESOLVED = ".seshat/resolved.json"
GRAPH = "dvc.yaml"
_HEADER = """\
# The stages of this project, for people and for DVC. Written by `seshat run` from seshat.yaml: do not edit, your
# changes would be lost. What a stage depends on: files, settings (in .seshat/resolved.json), the version of its code.
"""


def write(project: Project, *, extra: dict[str, Any] | None = None) -> None:
    """Write ``dvc.yaml`` and the resolved configuration, each only when it changed.

    Args:
        project: the project.
        extra: more values that stages depend on, by name, next to the sections.
    """
    _write_if_changed(project.root / RESOLVED, _json(resolved(project.config) | (extra or {})))
    _write_if_changed(project.root / GRAPH, _HEADER + _yaml(graph(project)))


def resolved(config: Config) -> dict[str, Any]:
    """The configuration as plain values, one mapping per section, and the versions of the stages."""
    return config.model_dump(mode="json", by_alias=True) | {"versions": {s.name: s.version for s in STAGES}}


def read_resolved(root: Path) -> Config:
    """The configuration that the last ``seshat run`` or ``seshat status`` resolved.

    Raises:
        UsageError: there is none yet.
    """
    try:
        values = json.loads((root / RESOLVED).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{root / RESOLVED}: cannot be read: {error}.", "`seshat status` writes it.") from error
    return Config.model_validate({name: value for name, value in values.items() if name in Config.model_fields})


def graph(project: Project) -> dict[str, Any]:
    """The content of ``dvc.yaml``."""
    return {"stages": {stage.name: _node(stage, project) for stage in STAGES}}


def _node(stage: Stage, project: Project) -> dict[str, Any]:
    settings = (*stage.settings(project.config), f"versions.{stage.name}")
    return {
        "desc": stage.summary,
        "cmd": f"seshat {stage.name} --resolved",
        "deps": [name(path, project) for path in stage.reads(project)],
        "params": [{RESOLVED: list(settings)}],
        "outs": [name(path, project) for path in stage.writes(project)],
    }


def name(path: Path, project: Project) -> str:
    """A path as people and DVC write it: relative to the project, with slashes."""
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else str(path)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _yaml(value: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    yaml, stream = YAML(), io.StringIO()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(value, stream)
    return stream.getvalue()


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
