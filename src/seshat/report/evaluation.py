"""The report as one self-contained page: no script, no network, made from ``evaluation.json`` alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from seshat.report.charts import Bar, bars, grouped_bars, histogram, lines_chart
from seshat.report.page import page
from seshat.report.results import DirectionResult, Evaluation, History, SliceResult, SystemResult
from seshat.report.tables import LikelihoodTable
from seshat.scores import LABELS, Metric, columns
from seshat.scores.significance import SIGNIFICANT, TRIALS_PER_SAMPLE

_EXPLAINED = {
    "base (zero-shot)": "is the model before it was trained on these data",
    "copy": "gives the source sentence back, unchanged",
    "nearest": "looks for the most similar training sentence and gives its translation",
    "word-by-word": "replaces every word by its most likely translation, keeps unknown words, never changes the order",
}
_TEXTS = {
    "likelihood": "{of} by itself",
    "translation": "{source} → {target}: the translation of people, when the source and the question are known",
    "pseudo": "{of}, a word hidden from where it is expected (pseudo-likelihood)",
    "pseudo-token": "{of}, a single token hidden (pseudo-likelihood; not for comparing tokenizers)",
}
_TASKS = {
    "word-to-meaning": "Dictionary: what does the word mean?",
    "meaning-to-word": "Dictionary: which word means this?",
    "gloss": "Glossing",
    "segment": "Division into morphemes",
    "explain": "Explanation of the grammar",
    "cloze": "A missing word",
    "inflect": "The word for a gloss",
    "examples": "Example sentences",
}
_STEPS = ("step", "epoch", "iteration", "round")
_LISTED = 24
"""Invented words shown per system."""


def render(evaluation: Evaluation) -> str:
    """The page of an evaluation."""
    sections = [_section(evaluation, result) for result in evaluation.directions]
    return _page("report.html.j2", evaluation, sections=sections, files="evaluation")


def render_comparison(comparison: Evaluation) -> str:
    """The page of a comparison."""
    names, metric = comparison.languages, comparison.headline
    groups = [
        (f"{names[result.source]} → {names[result.target]}", [_bar(row, metric) for row in result.systems])
        for result in comparison.directions
    ]
    chart = grouped_bars(groups, f"{LABELS[metric]} of each system, with 95 % intervals") if groups else None
    return _page("comparison.html.j2", comparison, chart=chart, files="comparison")


def _page(template: str, evaluation: Evaluation, **values: Any) -> str:
    names = {row.name for result in evaluation.directions for row in result.systems}
    metric = evaluation.headline
    return page(
        template,
        evaluation=evaluation,
        metrics=[(name, LABELS[name]) for name in columns(metric)],
        labels=LABELS,
        headline=metric,
        label=LABELS[metric],
        signatures=evaluation.directions[0].signatures if evaluation.directions else {},
        explained={name: words for name, words in _EXPLAINED.items() if name in names},
        surprises=[_surprise(evaluation, table) for table in evaluation.likelihood],
        tasks=[(_TASKS[table.task], table) for table in evaluation.tasks],
        curves=[chart for name, rows in evaluation.history.items() for chart in _history_charts(name, rows)],
        families={system.name: system.family for system in evaluation.systems},
        listed=_LISTED,
        rows=_rows,
        trials=TRIALS_PER_SAMPLE,
        **values,
    )


def _rows(result: DirectionResult) -> list[tuple[str, str, SystemResult]]:
    return [(row.name, row.kind, row) for row in result.systems]


def _section(evaluation: Evaluation, result: DirectionResult) -> dict[str, Any]:
    """What the template needs for one direction beside the figures."""
    names, metric = evaluation.languages, evaluation.headline
    systems = {row.name: row for row in result.systems}
    models = [name for name, row in systems.items() if row.kind == "model"]
    reference = evaluation.settings.reference
    shown = [*models, *([reference] if reference in systems and reference not in models else [])]
    return {
        "result": result,
        "source_name": names[result.source],
        "target_name": names[result.target],
        "models": models,
        "shown": shown,
        "verdict": verdict(systems[models[0]], metric),
        "scores": _score_chart(result, metric),
        "lengths": _length_chart(result),
        "training": [chart for name in models for chart in _history_charts(name, result.history.get(name, []))],
        "groups": _groups(result.slices),
    }


def verdict(model: SystemResult, metric: Metric) -> str:
    """One sentence: is the model worth more than what costs nothing?"""
    score = model.scores[metric]
    value = f"{score.score:.1f} ({score.low:.1f} to {score.high:.1f})"
    reached = f"“{model.name}” reaches a {LABELS[metric]} of {value}"
    floor = model.best_floor
    if floor is None:
        return f"{reached}. No floor was measured beside it."
    against = f"the best floor, “{floor.name}” ({floor.score:.1f})"
    points = f"{abs(floor.difference):.1f} points"
    if floor.p >= SIGNIFICANT:
        return f"{reached}: on this test set it cannot be told apart from {against}."
    if floor.difference < 0:
        return f"{reached}: {points} less than {against}. It is not worth using yet."
    return f"{reached}: {points} more than {against}, which is more than chance explains."


def _surprise(evaluation: Evaluation, table: LikelihoodTable) -> dict[str, Any]:
    """A table of bits per byte, with its title and, of the main model, a sentence."""
    names = evaluation.languages
    source, _, target = table.of.partition("-") if table.measure == "translation" else (table.of, "", "")
    words = {"of": names.get(source, source), "source": names.get(source, source), "target": names.get(target, target)}
    return {"title": _TEXTS[table.measure].format(**words), "table": table, "verdict": surprise_verdict(table)}


def surprise_verdict(table: LikelihoodTable) -> str:
    """One sentence: does the first model expect the texts better than what it is compared with?"""
    model = next(row for row in table.systems if row.kind == "model")
    value = model.scores["bits_per_byte"]
    needs = f"“{model.name}” needs {value.score:.2f} bits per byte ({value.low:.2f} to {value.high:.2f})"
    difference = model.difference.get("bits_per_byte")
    if difference is None:
        return f"{needs}. Nothing was measured beside it."
    against = f"“{table.reference}”"
    if difference.p >= SIGNIFICANT:
        return f"{needs}: on these texts it cannot be told apart from {against}."
    fewer = "fewer" if difference.score < 0 else "more"
    return f"{needs}: {abs(difference.score):.2f} {fewer} than {against}."


def _bar(row: SystemResult, metric: Metric) -> Bar:
    value = row.scores[metric]
    return Bar(row.name, value.score, value.low, value.high, row.kind == "model")


def _score_chart(result: DirectionResult, metric: Metric) -> Markup:
    found = [_bar(row, metric) for row in result.systems]
    return bars(found, f"{LABELS[metric]} of each system, {result.direction}, with 95 % intervals")


def _length_chart(result: DirectionResult) -> Markup | None:
    title = f"Lengths of translations and references, {result.direction}"
    found = result.lengths
    return histogram(found.edges, found.shares, title, "characters") if found else None


def _history_charts(name: str, history: History) -> list[dict[str, Any]]:
    """One chart for the losses and one for each other number that a trainer wrote down."""
    if len(history) < 2:
        return []
    keys = list(dict.fromkeys(key for row in history for key in row))
    step = next((key for key in _STEPS if key in keys), None)
    groups: dict[str, list[str]] = {}
    for key in keys:
        if key not in _STEPS:
            groups.setdefault(_group_of(key), []).append(key)
    charts = []
    for title, members in groups.items():
        series = {
            key: [(row[step] if step else number, row[key]) for number, row in enumerate(history) if key in row]
            for key in members
        }
        drawn = lines_chart(series, f"{title} of {name} during training", step or "round", title)
        charts.append({"title": f"{name}: {title} during training", "svg": drawn})
    return charts


def _group_of(key: str) -> str:
    """The chart that a number of the log belongs to; those of the Trainer measured on validation begin with eval."""
    if "loss" in key:
        return "loss"
    return "scores on validation" if key.startswith("eval_") else key


def _groups(slices: Sequence[SliceResult]) -> list[tuple[str, list[SliceResult]]]:
    groups: dict[str, list[SliceResult]] = {}
    for part in slices:
        groups.setdefault(part.group, []).append(part)
    return list(groups.items())
