"""An evaluation in the few lines that fit on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seshat.evaluation.slices import GENRE
from seshat.report.results import (
    Confidence,
    DirectionResult,
    Evaluation,
    Level,
    Postprocessing,
    Sample,
    Step,
    SystemResult,
)
from seshat.report.tables import FillTable, LikelihoodTable, SurpriseResult, TaskResult, TaskTable
from seshat.scores import Metric, columns
from seshat.scores.table import Score, Scored

_SHOWN = 3
"""Sample translations per direction."""


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """What there is of an evaluation, as rows.

    ``table`` of translation and the same ``by_genre``, ``confidence``, ``postprocess``, ``perplexity``, ``tasks``,
    ``fill`` and ``samples``.
    """
    results, metric, filled = evaluation.directions, evaluation.headline, evaluation.fill
    parts: dict[str, Any] = {
        "table": [_translation(result, row, metric) for result in results for row in result.systems],
        "by_genre": [row for result in results for row in _genres(result, metric)],
        "confidence": [
            _level(result.direction, found, row)
            for result in results
            if (found := result.confidence)
            for row in found.levels
        ],
        "postprocess": [
            _step(result.direction, mended, step, metric)
            for result in results
            if (mended := result.postprocess)
            for step in mended.working
        ],
        "perplexity": [_surprise(table, row) for table in evaluation.likelihood for row in table.systems],
        "tasks": [_task(table, row) for table in evaluation.tasks for row in table.systems],
        "fill": [_fill(filled, row) for row in filled.systems] if filled else [],
        "samples": [line for result in results for line in _few(result.direction, result.samples)],
    }
    return {name: rows for name, rows in parts.items() if rows}


def _translation(result: DirectionResult, system: SystemResult, metric: Metric) -> dict[str, Any]:
    """A system: the headline first, what is compared by it, then the other scores."""
    values: dict[str, float] = {name: round(system.scores[name].score, 1) for name in columns(metric)}
    return {
        "direction": result.direction,
        "system": system.name,
        metric: values.pop(metric),
        **_interval(metric, system.scores[metric]),
        "p": system.difference[metric].p if system.difference else None,
        "length": f"{system.behaviour.length_ratio:.2f}",
        **values,
        "chrf2_spaces": round(system.scores["chrf2_spaces"].score, 1) if "chrf2_spaces" in system.scores else None,
        **({"marks %": round(system.marks.score, 1)} if system.marks else {}),
        **({"terms %": round(system.terms.score, 1)} if system.terms else {}),
    }


def _interval(metric: Metric, value: Score) -> dict[str, float]:
    return {f"{metric} low": round(value.low, 1), f"{metric} high": round(value.high, 1)}


def _genres(result: DirectionResult, metric: Metric) -> list[dict[str, Any]]:
    """Every system on every genre of the test set, where there are several."""
    return [
        {
            "direction": result.direction,
            "genre": part.name,
            "segments": part.segments,
            "system": name,
            metric: round(value.score, 1),
            **_interval(metric, value),
        }
        for part in result.slices
        if part.group == GENRE
        for name, value in part.systems.items()
    ]


def _level(direction: str, confidence: Confidence, row: Level) -> dict[str, Any]:
    """A level of confidence, as the test set judges it."""
    return {
        "direction": direction,
        "confidence": row.level,
        "sentences": row.segments,
        "chrf2 expected": "" if row.expected is None else f"{row.expected:.1f}",
        "measured": "" if row.measured is None else f"{row.measured:.1f}",
        "correlation": "" if confidence.correlation is None else f"{confidence.correlation:.2f}",
    }


def _step(direction: str, found: Postprocessing, step: Step, metric: Metric) -> dict[str, Any]:
    """A step of post-processing, as validation judges it."""
    return {
        "direction": direction,
        "step": step.name,
        "changed in test": found.test.get(step.name, 0),
        "in validation": f"{step.changed} of {found.segments}",
        f"{metric} without": f"{step.without[metric]:.1f}",
        "with": f"{found.all[metric]:.1f}",
        "p": f"{step.p:.3f}",
        "on validation it": step.verdict,
    }


def _surprise(table: LikelihoodTable, row: SurpriseResult) -> dict[str, Any]:
    value = row.scores["bits_per_byte"]
    return {
        "text": f"{table.measure} {table.of}",
        "system": row.name,
        "bits per byte": f"{value.score:.3f}",
        "95 %": f"{value.low:.3f}-{value.high:.3f}",
        "perplexity per token": f"{row.perplexity:,.1f}",
    }


def _task(table: TaskTable, row: TaskResult) -> dict[str, Any]:
    first = table.measures[0]
    value, difference = row.scores[first.name], row.difference.get(first.name)
    return {
        "task": table.task,
        "from": table.origin,
        "questions": table.questions,
        "system": row.name,
        "measure": first.label,
        "score": f"{value.score:.1f}",
        "95 %": f"{value.low:.1f}-{value.high:.1f}",
        "p": f"{difference.p:.3f}" if difference else "",
    }


def _fill(table: FillTable, row: Scored) -> dict[str, Any]:
    first, among = row.scores["first"], row.scores["among"]
    return {
        "system": row.name,
        "hidden words": table.blanks,
        "right at once %": f"{first.score:.1f}",
        "95 %": f"{first.low:.1f}-{first.high:.1f}",
        f"among {table.candidates} %": f"{among.score:.1f}",
        "p": f"{row.difference['first'].p:.3f}" if row.difference else "",
    }


def _few(direction: str, samples: Sequence[Sample]) -> list[dict[str, str]]:
    """A few samples of the main model, from good to bad."""
    step = max(1, len(samples) // _SHOWN)
    return [
        {
            "direction": direction,
            "source": sample.source,
            "translation": sample.systems[0].text,
            "reference": sample.reference,
        }
        for sample in samples[::step][:_SHOWN]
    ]
