"""Several models and baselines on the same test set: one table, one chart, each against each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from seshat.config.evaluate import Baseline, EvaluateSection
from seshat.core.errors import UsageError
from seshat.core.jsonl import write_text
from seshat.core.paths import remove
from seshat.evaluation import systems
from seshat.evaluation.assess import Assessment
from seshat.evaluation.summary import summary
from seshat.project.folder import Project
from seshat.report.evaluation import render_comparison
from seshat.report.results import Against, DirectionResult
from seshat.scores import METRICS
from seshat.scores.metrics import Scorer, scores
from seshat.scores.significance import TRIALS_PER_SAMPLE, paired_randomisation

BASELINES: tuple[str, ...] = get_args(Baseline)
"""Floors by name."""


def run(
    project: Project, models: Sequence[str], baselines: Sequence[str] = (), reference: str | None = None
) -> dict[str, Any]:
    """Compare models of any family.

    Writes ``reports/comparison.json`` and ``reports/comparison.html``.

    Args:
        project: the project.
        models: names below ``models/``.
        baselines: floors beside them; default: those of ``evaluate.baselines``.
        reference: the system that the table compares with; default: the first of ``baselines``, or else
            ``evaluate.reference``.

    Returns:
        As :func:`seshat.evaluation.evaluate.run`, with ``pairs``: each against each.

    Raises:
        DataError: there is no test set, or a model is not there.
        UsageError: a baseline or the reference is none.
    """
    settings = _settings(project, models, baselines, reference)
    chosen, notes = systems.chosen(project, list(dict.fromkeys(models)))
    assessment = Assessment(project, chosen, settings)
    assessment.found.notes += notes
    comparison = assessment.evaluation()
    for result in comparison.directions:
        result.pairs = _pairs(assessment, result.direction, result.target)
        result.samples, result.slices, result.lengths = [], [], None  # these are in the evaluation of each
    comparison.write(project.reports / "comparison.json")
    write_text(project.reports / "comparison.html", render_comparison(comparison))
    remove(project.state / "evaluate")
    return summary(comparison) | {
        "pairs": [row for result in comparison.directions for row in _rows(result, comparison.headline)],
        "report": str((project.reports / "comparison.html").relative_to(project.root)),
        "warnings": comparison.warnings,
    }


def _settings(
    project: Project, models: Sequence[str], baselines: Sequence[str], reference: str | None
) -> EvaluateSection:
    settings = project.config.evaluate
    if unknown := [name for name in baselines if name not in BASELINES]:
        raise UsageError(f"There is no baseline '{unknown[0]}'.", f"Baselines: {', '.join(BASELINES)}.")
    floors = tuple(dict.fromkeys(baselines)) or settings.baselines
    known = (*models, *floors)
    against = reference or (baselines[0] if baselines else settings.reference)
    if reference and reference not in known:
        raise UsageError(f"The reference '{reference}' is not compared.", f"Name one of: {', '.join(known)}.")
    against = against if against in known else known[-1]
    return settings.model_copy(update={"baselines": floors, "reference": against, "confidence_texts": 0})


def _pairs(assessment: Assessment, direction: str, target: str) -> dict[str, dict[str, Against]]:
    """The difference in the headline of each system from each other, with its p-value."""
    scorer = Scorer(assessment.test.texts(target), assessment.settings.bleu_tokenizer)
    made = assessment.translations[direction]
    counts = {name: scorer.count([one.text for one in found]) for name, found in made.items()}
    column = METRICS.index(assessment.settings.headline)
    totals = {name: float(scores(rows.sum(axis=0))[column]) for name, rows in counts.items()}
    trials, seed = assessment.settings.bootstrap * TRIALS_PER_SAMPLE, assessment.project.config.project.seed
    found: dict[str, dict[str, Against]] = {name: {} for name in made}
    names = list(made)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            chance = round(float(paired_randomisation(counts[one], counts[other], trials, seed)[column]), 6)
            difference = round(totals[one] - totals[other], 4)
            found[one][other] = Against(score=difference, p=chance)
            found[other][one] = Against(score=-difference, p=chance)
    return found


def _rows(result: DirectionResult, metric: str) -> list[dict[str, Any]]:
    """Each against each on a terminal: a line per pair."""
    names = list(result.pairs)
    return [
        {
            "direction": result.direction,
            "system": one,
            "against": other,
            metric: f"{result.pairs[one][other].score:+.1f}",
            "p": f"{result.pairs[one][other].p:.3f}",
        }
        for place, one in enumerate(names)
        for other in names[place + 1 :]
    ]
