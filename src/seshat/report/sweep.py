"""What a search over settings found: rows for a table, and a page with plots."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from seshat import scores
from seshat.config.sweep import RangeSection
from seshat.report.charts import Bar, bars, lines_chart
from seshat.report.page import page
from seshat.scores import worse

LABELS: dict[str, str] = {
    "geometric_mean": scores.LABELS["geomean"],
    "chrf2": scores.LABELS["chrf2"],
    "chrf++": scores.LABELS["chrf++"],
    "bleu": scores.LABELS["bleu"],
    "loss": "loss",
}
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


def render(found: Mapping[str, Any]) -> str:
    """The report as one self-contained page: no script, no network.

    Args:
        found: what ``reports/sweep.json`` holds.
    """
    metric = found["metric"]
    names = short_names(list(found["parameters"]))
    done = [trial for trial in found["trials"] if trial["score"] is not None]
    return page(
        "sweep.html.j2",
        shown=_shown,
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


def _spaces(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, values) for name, values in found["parameters"].items() if isinstance(values, dict) or values[1:]]


def _shown(value: Any) -> str:
    """A value as it stands in YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _history(done: Sequence[Mapping[str, Any]], metric: str) -> Any:
    """Each trial's score, and the best until then."""
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
