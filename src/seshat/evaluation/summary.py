"""An evaluation in the few lines that fit on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seshat.evaluation.slices import GENRE
from seshat.scores import METRICS, Metric
from seshat.scores.metrics import headline

_SHOWN = 3
"""Sample translations per direction."""


def summary(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What there is of an evaluation, as rows.

    ``table`` of translation and the same ``by_genre``, ``confidence``, ``postprocess``, ``perplexity``, ``tasks``,
    ``fill`` and ``samples``.
    """
    results, metric = evaluation["directions"], headline(evaluation)
    parts: dict[str, Any] = {
        "table": [_translation(result, row, metric) for result in results for row in result["systems"]],
        "by_genre": [row for result in results for row in _genres(result, metric)],
        "confidence": [
            _level(result, row) for result in results for row in result.get("confidence", {}).get("levels", ())
        ],
        "postprocess": [_step(result, step, metric) for result in results for step in _working(result)],
        "perplexity": [_surprise(table, row) for table in evaluation.get("likelihood", ()) for row in table["systems"]],
        "tasks": [_task(table, row) for table in evaluation.get("tasks", ()) for row in table["systems"]],
        "fill": [_fill(evaluation["fill"], row) for row in evaluation.get("fill", {}).get("systems", ())],
        "samples": [line for result in results for line in _few(result["direction"], result.get("samples", ()))],
    }
    return {name: rows for name, rows in parts.items() if rows}


def _translation(result: Mapping[str, Any], system: Mapping[str, Any], metric: Metric) -> dict[str, Any]:
    values = system["scores"]
    return {
        "direction": result["direction"],
        "system": system["name"],
        **{name: round(values[name]["score"], 1) for name in METRICS},
        **_interval(metric, values[metric]),
        "p": system["difference"][metric]["p"] if "difference" in system else None,
        **({"terms %": round(system["terms"]["score"], 1)} if "terms" in system else {}),
    }


def _interval(metric: Metric, value: Mapping[str, float]) -> dict[str, float]:
    return {f"{metric} {bound}": round(value[bound], 1) for bound in ("low", "high")}


def _genres(result: Mapping[str, Any], metric: Metric) -> list[dict[str, Any]]:
    """Every system on every genre of the test set, where there are several."""
    return [
        {
            "direction": result["direction"],
            "genre": part["name"],
            "segments": part["segments"],
            "system": name,
            metric: round(value["score"], 1),
            **_interval(metric, value),
        }
        for part in result.get("slices", ())
        if part["group"] == GENRE
        for name, value in part["systems"].items()
    ]


def _working(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps of post-processing that changed anything; the page lists all."""
    found = result.get("postprocess", {"steps": (), "test": {}})
    return [step for step in found["steps"] if step["changed"] or step["name"] in found["test"]]


def _level(result: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """A level of confidence, as the test set judges it."""
    found = result["confidence"]["correlation"]
    return {
        "direction": result["direction"],
        "confidence": row["level"],
        "sentences": row["segments"],
        "chrf2 expected": "" if row["expected"] is None else f"{row['expected']:.1f}",
        "measured": "" if row["measured"] is None else f"{row['measured']:.1f}",
        "correlation": "" if found is None else f"{found:.2f}",
    }


def _step(result: Mapping[str, Any], step: Mapping[str, Any], metric: Metric) -> dict[str, Any]:
    """A step of post-processing, as validation judges it."""
    return {
        "direction": result["direction"],
        "step": step["name"],
        "changed in test": result["postprocess"]["test"].get(step["name"], 0),
        "in validation": f"{step['changed']} of {result['postprocess']['segments']}",
        f"{metric} without": f"{step['without'][metric]:.1f}",
        "with": f"{result['postprocess']['all'][metric]:.1f}",
        "p": f"{step['p']:.3f}",
        "on validation it": step["verdict"],
    }


def _surprise(table: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    value = row["scores"]["bits_per_byte"]
    return {
        "text": f"{table['measure']} {table['of']}",
        "system": row["name"],
        "bits per byte": f"{value['score']:.3f}",
        "95 %": f"{value['low']:.3f}-{value['high']:.3f}",
        "perplexity per token": f"{row['perplexity']:,.1f}",
    }


def _task(table: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    first = table["measures"][0]
    value = row["scores"][first["name"]]
    difference = row["difference"].get(first["name"])
    return {
        "task": table["task"],
        "from": table["origin"],
        "questions": table["questions"],
        "system": row["name"],
        "measure": first["label"],
        "score": f"{value['score']:.1f}",
        "95 %": f"{value['low']:.1f}-{value['high']:.1f}",
        "p": f"{difference['p']:.3f}" if difference else "",
    }


def _fill(table: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    first, among = row["scores"]["first"], row["scores"]["among"]
    return {
        "system": row["name"],
        "hidden words": table["blanks"],
        "right at once %": f"{first['score']:.1f}",
        "95 %": f"{first['low']:.1f}-{first['high']:.1f}",
        f"among {table['candidates']} %": f"{among['score']:.1f}",
        "p": f"{row['difference']['first']['p']:.3f}" if "difference" in row else "",
    }


def _few(direction: str, samples: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """A few samples of the main model, from good to bad."""
    step = max(1, len(samples) // _SHOWN)
    return [
        {
            "direction": direction,
            "source": sample["source"],
            "translation": sample["systems"][0]["text"],
            "reference": sample["reference"],
        }
        for sample in samples[::step][:_SHOWN]
    ]
