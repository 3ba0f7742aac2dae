"""``seshat sweep``: from a configuration to results on disk."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seshat.config.sweep import RangeSection
from seshat.core.errors import UsageError
from seshat.core.jsonl import write_json, write_text
from seshat.pipeline.engine import engine
from seshat.pipeline.stages import STAGES
from seshat.project.folder import Project
from seshat.project.provenance import masked
from seshat.report.sweep import LABELS, render, rows
from seshat.sweep.space import check, grid, open_source
from seshat.sweep.study import Search
from seshat.sweep.trial import MODEL, trial_name, validation

BEST = "best"
WRITTEN_BY = "# Written by `seshat sweep --write-best`"
_LEAST = 100
"""Fewer validation segments than this hardly tell settings apart."""


def run(
    root: Path,
    profiles: Sequence[str],
    overrides: Sequence[str],
    *,
    write_best: bool = False,
    retry_failed: bool = False,
    show: bool = False,
) -> dict[str, Any]:
    """Search over settings, and write ``reports/sweep.json`` and ``reports/sweep.html``.

    Args:
        root: the project folder.
        profiles: as in :func:`~seshat.project.folder.open_project`; without ``sweep.parameters`` ``sweep`` comes.
        overrides: as there.
        write_best: write the best settings to ``profiles/best.yaml``.
        retry_failed: run trials that failed once more.
        show: only report what was found so far.

    Returns:
        What ``reports/sweep.json`` holds, with the ``table`` to show and the path of the ``report``.

    Raises:
        ConfigError: a setting that is to be searched does not exist, or does not take a value.
        ProjectBusy: another run is working in the project.
    """
    source, loaded = open_source(root, profiles, overrides)
    check(source, loaded)
    project = Project(root, loaded.config)
    with engine(project) as running:
        if not show:
            _bring_up_to_date(running)
        search = Search(project, source)
        try:
            if not show:
                search.run(retry_failed=retry_failed)
        finally:  # also when somebody stops it: what was found so far is a result
            found = results(project, search)
            write_json(project.reports / "sweep.json", found)
            write_text(project.reports / "sweep.html", render(found))
    if write_best:
        _write_profile(root / "profiles" / f"{BEST}.yaml", found)
        found["profile"] = f"profiles/{BEST}.yaml"
    return {**found, "table": rows(found["trials"], found["metric"]), "report": str(project.reports / "sweep.html")}


def _bring_up_to_date(running: Any) -> None:
    """Run the stages before ``train``, as far as they are not up to date."""
    last = STAGES[[stage.name for stage in STAGES].index("train") - 1].name
    for outcome in running.update():
        if outcome.stage == last:
            return


def results(project: Project, search: Search) -> dict[str, Any]:
    """Everything that ``sweep.json`` says; the page is made from it alone."""
    section = project.config.sweep
    segments = len(validation(project))
    trials = [_trial(one, search) for one in search.trials()]
    best = search.best()
    found = next((trial for trial in trials if best is not None and trial["trial"] == best.number), None)
    model = search.home / trial_name(found["settings"]) / "models" / MODEL if found else None
    seen = {name for one in search.trials() for name in one.user_attrs.get("result", {}).get("directions", {})}
    ways = [str(one) for one in project.config.project.directions]
    return {
        "project": project.config.project.name,
        "study": search.name,
        "storage": masked(section.storage) if section.storage else f"reports/{search.url.rpartition('/')[2]}",
        "family": project.config.train.family,
        "metric": section.metric,
        "sampler": section.sampler,
        "directions": [way for way in ways if way in seen] or ways,
        "segments": min(segments, section.segments),
        "of": segments,
        "parameters": {
            name: values.model_dump() if isinstance(values, RangeSection) else list(values)
            for name, values in section.parameters.items()
        },
        "best": found,
        "model": model.relative_to(project.root).as_posix() if model and model.is_dir() else None,
        "trials": trials,
        "warnings": _warnings(project, segments),
    }


def _trial(one: Any, search: Search) -> dict[str, Any]:
    noted = one.user_attrs.get("result", {})
    state = one.state.name.lower()
    failed = (one.user_attrs.get("reason") or "it was stopped") if state == "fail" else None
    return {
        "trial": one.number,
        "settings": search.values(one),
        "state": {"complete": "done", "fail": "failed"}.get(state, state),
        "score": one.value,
        "scores": noted.get("scores"),
        "directions": noted.get("directions"),
        "seconds": noted.get("seconds"),
        "reason": failed,
    }


def _warnings(project: Project, segments: int) -> list[str]:
    section = project.config.sweep
    found = []
    if segments < _LEAST:
        found.append(
            f"The validation set has only {segments} segments: small differences between trials are chance. "
            "Set split.validation higher."
        )
    if section.sampler == "grid" and (size := len(grid(section.parameters))) > section.trials:
        found.append(f"The grid has {size} combinations, and sweep.trials allows {section.trials}: the first ones ran.")
    return found


def _write_profile(path: Path, found: Mapping[str, Any]) -> None:
    """Write the best settings as a profile.

    Raises:
        UsageError: no trial has a score, or the file was written by somebody else.
    """
    from ruamel.yaml import YAML

    best = found["best"]
    if best is None:
        raise UsageError("No trial of the sweep has a score: there are no best settings.", "Run `seshat sweep` first.")
    if path.exists() and not path.read_text(encoding="utf-8").startswith(WRITTEN_BY):
        raise UsageError(
            f"{path}: this profile was not written by the sweep; it is left as it is.",
            "Give it another name, or remove it.",
        )
    tree: dict[str, Any] = {}
    for name, value in best["settings"].items():
        *sections, key = name.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = value
    stream = io.StringIO()
    YAML().dump(tree, stream)
    measured = f"{LABELS[found['metric']]} {best['score']:.2f} on {found['segments']} validation segments"
    header = f"{WRITTEN_BY}: trial {best['trial']}, the best of {len(found['trials'])}: {measured}.\n"
    write_text(path, header + stream.getvalue())
