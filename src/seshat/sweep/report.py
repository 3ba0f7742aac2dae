"""What a search found: rows for a table, ``sweep.json``, a page with plots, and a profile of the best settings."""

from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from seshat.config.neural import RangeSection
from seshat.core.errors import UsageError
from seshat.core.jsonl import write_text
from seshat.sweep.space import worse

LABELS = {
    "geometric_mean": "√(BLEU·chrF++)",
    "chrf2": "chrF2",
    "chrf++": "chrF++",
    "bleu": "BLEU",
    "loss": "loss",
}
WRITTEN_BY = "# Written by `seshat sweep --write-best`"
_BINS = 4
"""Bars for a setting that is drawn from a range."""


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Full names of settings to the shortest ends that still tell them apart."""
    found = {}
    for name in names:
        parts = name.split(".")
        for size in range(1, len(parts) + 1):
            end = ".".join(parts[-size:])
            if sum(other == end or other.endswith(f".{end}") for other in names) == 1:
                break
        found[name] = end
    return found


def rows(trials: Sequence[Mapping[str, Any]], metric: str) -> list[dict[str, Any]]:
    """The table: the best trial first, then as they score, those without a score last."""
    names = short_names(list(dict.fromkeys(name for trial in trials for name in trial["settings"])))
    shown = []
    keys = _metrics(trials, metric)
    for trial in _ranked(trials, metric):
        scores = trial["scores"] or {}
        shown.append(
            {
                "trial": trial["trial"],
                **{names[name]: value for name, value in trial["settings"].items()},
                **{key: scores.get(key) for key in keys},
                "seconds": trial["seconds"],
                "state": trial["state"] if trial["reason"] is None else f"failed: {trial['reason']}",
            }
        )
    return shown


def _ranked(trials: Sequence[Mapping[str, Any]], metric: str) -> list[Mapping[str, Any]]:
    """The best first, those without a score last."""

    def place(trial: Mapping[str, Any]) -> tuple[bool, float, float, int]:
        score, scores = trial["score"], trial["scores"] or {}
        worst = 0.0 if score is None else worse(score, metric)
        return score is None, worst, -scores.get("chrf2", 0.0), trial["trial"]

    return sorted(trials, key=place)


def _metrics(trials: Sequence[Mapping[str, Any]], metric: str) -> list[str]:
    """The metrics that trials have, the one that decides first."""
    there = {name for trial in trials for name in trial["scores"] or ()}
    return [metric, *(name for name in LABELS if name in there and name != metric)]


def page(found: Mapping[str, Any]) -> str:
    """The report as one self-contained page: no script, no network.

    Args:
        found: what ``reports/sweep.json`` holds.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader("seshat.sweep"), PackageLoader("seshat.evaluation")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = _shown
    metric = found["metric"]
    names = short_names(list(found["parameters"]))
    done = [trial for trial in found["trials"] if trial["score"] is not None]
    text = environment.get_template("sweep.html.j2").render(
        found=found,
        names=names,
        label=LABELS[metric],
        metrics=[(key, LABELS[key]) for key in _metrics(done, metric)],
        done=done,
        failed=[trial for trial in found["trials"] if trial["reason"] is not None],
        ranked=_ranked(done, metric),
        history=_history(done, metric),
        effects=[(names[name], _effect(name, values, done, metric)) for name, values in _spaces(found)],
    )
    return text.rstrip() + "\n"


def _spaces(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, values) for name, values in found["parameters"].items() if isinstance(values, dict) or values[1:]]


def _shown(value: Any) -> str:
    """A value as it stands in YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _history(done: Sequence[Mapping[str, Any]], metric: str) -> Any:
    """Each trial's score, and the best until then."""
    from seshat.evaluation.charts import lines_chart

    label = LABELS[metric]
    best: float | None = None
    until: list[tuple[float, float]] = []
    each = [(float(trial["trial"]), float(trial["score"])) for trial in done]
    for number, score in each:
        best = score if best is None or worse(score, metric) < worse(best, metric) else best
        until.append((number, best))
    return lines_chart({"each trial": each, "best until then": until}, f"{label} of the trials", "trial", label)


def _effect(name: str, values: Any, done: Sequence[Mapping[str, Any]], metric: str) -> Any:
    """The mean score for each value of a setting, with the lowest and the highest as a whisker."""
    from seshat.evaluation.charts import Bar, bars

    groups: dict[str, list[float]] = {}
    for trial in done:
        if name in trial["settings"]:
            groups.setdefault(_group(trial["settings"][name], values), []).append(trial["score"])
    order = [_group(value, values) for value in values] if not isinstance(values, dict) else _edges(values)[1]
    shown = {group: groups[group] for group in dict.fromkeys(order) if group in groups}
    best = min((fmean(scores) for scores in shown.values()), key=lambda one: worse(one, metric), default=0.0)
    drawn = [Bar(group, fmean(x), min(x), max(x), fmean(x) == best) for group, x in shown.items()]
    return bars(drawn, f"{LABELS[metric]} by {name}")


def _group(value: Any, values: Any) -> str:
    if not isinstance(values, dict):
        return _shown(value)
    edges, labels = _edges(values)
    return labels[sum(bool(value >= edge) for edge in edges[1:-1])]


def _edges(values: Mapping[str, Any]) -> tuple[list[float], list[str]]:
    """A range in equal parts, of its logarithm where it is drawn by that."""
    space = RangeSection.model_validate(values)
    low, high = (math.log(space.low), math.log(space.high)) if space.log else (space.low, space.high)
    edges = [low + (high - low) * part / _BINS for part in range(_BINS + 1)]
    edges = [math.exp(edge) for edge in edges] if space.log else edges
    return edges, [f"{a:.3g} – {b:.3g}" for a, b in itertools.pairwise(edges)]


def write_profile(path: Path, found: Mapping[str, Any]) -> None:
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
