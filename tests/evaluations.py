"""Evaluations as small as they may be."""

from __future__ import annotations

from typing import Any

from seshat.report.results import Evaluation

_INVENTED = {"words": 0, "invented": 0, "per_100": 0.0, "listed": []}
_BEHAVIOUR = {"empty": 0, "copied": 0, "looping": 0, "copied_words": 0.0, "length_ratio": 1.0}


def an_evaluation(systems: list[dict[str, Any]], headline: str = "chrf2", segments: int = 1, **more: Any) -> Evaluation:
    """An evaluation of one direction.

    Args:
        systems: name and scores of each, and what else there is.
        headline: the score that it goes by.
        segments: of the test set.
        more: parts of the direction, and ``quoted``.
    """
    judged = {"behaviour": _BEHAVIOUR, "invented": _INVENTED}
    rows = [{"kind": "model", **judged, **system} for system in systems]
    quoted = more.pop("quoted", ["public"])
    direction = {"direction": "qsm-es", "source": "qsm", "target": "es", "signatures": {}, "references": judged}
    return Evaluation.model_validate(
        {
            "project": "A small language",
            "languages": {"qsm": "Sample", "es": "Spanish"},
            "purpose": "research",
            "test": {"segments": segments, "access": {}, "licences": {}, "in_train": {"pair": 0}},
            "quoted": quoted,
            "training": {"pairs": 1, "entries": 0, "words": {}},
            "settings": {"headline": headline, "reference": "copy", "bootstrap": 100, "seed": 1, "test": "none"},
            "systems": [],
            "warnings": [],
            "directions": [{**direction, "systems": rows, **more}],
        }
    )
