"""The graph as DVC sees it: ``dvc.yaml`` and the resolved configuration it points into.

``dvc.yaml`` is generated from the table of stages and the configuration, so that a reader sees the real graph and
``dvc dag``, ``dvc repro``, ``dvc push`` work on it. The parameters of a stage are the settings its result depends on,
and its version; DVC compares their values, and the hashes of files, with what ``dvc.lock`` remembers.
"""

from __future__ import annotations

import hashlib
import io
import json
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from seshat.config import Config
from seshat.core.errors import UsageError
from seshat.core.jsonl import write_text
from seshat.pipeline.stages import SUMMARIES, stages_of
from seshat.project.folder import Project
from seshat.project.provenance import masked
from seshat.project.stage import Stage

RESOLVED = ".seshat/resolved.json"
"""The whole configuration, defaults, profiles and overrides put together."""
PARAMS = ".seshat/params.json"
"""The settings that stages depend on, as DVC compares them: a mapping or a list stands there as its digest, so that
``dvc.lock`` stays short (DVC reads and writes it for every stage), and passwords in addresses are masked, because
people publish ``dvc.lock``."""
GRAPH = "dvc.yaml"
_HEADER = """\
# The stages of this project, for people and for DVC. Written by `seshat run` from seshat.yaml: do not edit, your
# changes would be lost. A stage depends on files, on settings (in .seshat/params.json, the long ones as digests) and on
# the version of its code.
"""


def write(project: Project) -> None:
    """Write ``dvc.yaml``, the resolved configuration and the parameters, each only when it changed."""
    _write_if_changed(project.root / RESOLVED, _json(project.config.model_dump(mode="json", by_alias=True)))
    _write_if_changed(project.root / PARAMS, _json(params(project)))
    _write_if_changed(project.root / GRAPH, _HEADER + _yaml(graph(project)))


def params(project: Project) -> dict[str, Any]:
    """The content of :data:`PARAMS`.

    The sections of the configuration, with mappings and lists as digests; the ``versions`` of the stages; the
    ``decisions`` of people in files that a stage and people both write.
    """
    values = project.config.model_dump(mode="json", by_alias=True)
    return _digested(project.config, values) | {
        "versions": {stage.name: stage.version for stage in stages_of(project.config)},
        "decisions": {one.name: one.shared.decisions(project) for one in stages_of(project.config) if one.shared},
    }


def _digested(section: BaseModel, values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        inner = getattr(section, key, None)
        if isinstance(inner, BaseModel):
            found[key] = _digested(inner, value)
        else:
            found[key] = _digest(value) if isinstance(value, dict | list) else masked(value)
    return found


def settings(stage: Stage, project: Project) -> dict[str, Any]:
    """The settings that the result of a stage depends on, by dotted name; the version of its code; decisions."""
    values = project.config.model_dump(mode="json", by_alias=True)
    found: dict[str, Any] = {key: reduce(getitem, key.split("."), values) for key in stage.settings(project.config)}
    found = {key: masked(value) if isinstance(value, str) else value for key, value in found.items()}
    found[f"versions.{stage.name}"] = stage.version
    if stage.shared:
        found[f"decisions.{stage.name}"] = stage.shared.decisions(project)
    return found


def read_resolved(root: Path) -> Config:
    """The configuration that the last ``seshat run`` or ``seshat status`` resolved.

    Raises:
        UsageError: there is none yet.
    """
    try:
        values = json.loads((root / RESOLVED).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{root / RESOLVED}: cannot be read: {error}.", "`seshat status` writes it.") from error
    return Config.model_validate(values)


def graph(project: Project) -> dict[str, Any]:
    """The content of ``dvc.yaml``."""
    return {"stages": {stage.name: _node(stage, project) for stage in stages_of(project.config)}}


def _node(stage: Stage, project: Project) -> dict[str, Any]:
    return {
        "desc": SUMMARIES[stage.name],
        "cmd": f"seshat {stage.name} --resolved",
        "deps": [name(path, project) for path in stage.reads(project)],
        "params": [{PARAMS: list(settings(stage, project))}],
        "outs": [name(path, project) for path in stage.writes(project)],
    }


def name(path: Path, project: Project) -> str:
    """A path as people and DVC write it: relative to the project, with slashes."""
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else str(path)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()


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
