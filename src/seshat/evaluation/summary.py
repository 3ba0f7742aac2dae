"""An evaluation in the few lines that fit on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seshat.evaluation.metrics import METRICS

_SHOWN = 3
"""Sample translations per direction."""


def summary(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """``table`` of translation, ``perplexity``, ``tasks``, ``fill`` and ``samples``; only those that there are."""
    results = evaluation["directions"]
    parts: dict[str, Any] = {
        "table": [_translation(result, row) for result in results for row in result["systems"]],
        "perplexity": [_surprise(table, row) for table in evaluation.get("likelihood", ()) for row in table["systems"]],
        "tasks": [_task(table, row) for table in evaluation.get("tasks", ()) for row in table["systems"]],
        "fill": [_fill(evaluation["fill"], row) for row in evaluation.get("fill", {}).get("systems", ())],
        "samples": [line for result in results for line in _few(result["direction"], result.get("samples", ()))],
    }
    return {name: rows for name, rows in parts.items() if rows}


def _translation(result: Mapping[str, Any], system: Mapping[str, Any]) -> dict[str, Any]:
    values = system["scores"]
    return {
        "direction": result["direction"],
        "system": system["name"],
        **{metric: round(values[metric]["score"], 1) for metric in METRICS},
        "chrf2 low": round(values["chrf2"]["low"], 1),
        "chrf2 high": round(values["chrf2"]["high"], 1),
        "p": system["difference"]["chrf2"]["p"] if "difference" in system else None,
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
