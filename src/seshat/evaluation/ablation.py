"""Does each step of post-processing help? All steps, and all but one, on validation.

The model translates once, and is asked for other candidates where that says nothing, as in use; the steps are then
applied to what it said. A step that does not help here says so: rules that tidy a translation often cost more than they
bring.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice

from seshat.core.records import Segment
from seshat.inference.postprocess import Postprocessor, changed_steps
from seshat.inference.translator import Hypothesis
from seshat.project.folder import Project
from seshat.report.results import Postprocessing, Step
from seshat.scores import LABELS, METRICS, Metric
from seshat.scores.metrics import Counts, Scorer, scores
from seshat.scores.significance import SIGNIFICANT, paired_randomisation

TRIALS = 2_000
"""Trials of the paired test: the smallest p-value is 0.0005."""


def validation(project: Project, count: int | None = None) -> list[Segment]:
    """The validation segments in both languages that this run may use: all, or ``count`` evenly from all of them."""
    found = list(project.pairs("validation"))
    if count is None:
        return found
    step = max(1, -(-len(found) // count)) if count else 1
    return list(islice(found[::step], count))


def ablate(
    postprocessor: Postprocessor,
    sources: Sequence[str],
    references: Sequence[str],
    raw: Sequence[Hypothesis],
    headline: Metric,
    seed: int,
    tokenizer: str = "13a",
) -> Postprocessing:
    """Score the translations with all steps, with none, and with each step left out.

    Args:
        postprocessor: all steps.
        sources: texts of validation.
        references: their human translations.
        raw: what the model said, not mended, with other candidates where a step may want them.
        headline: the score that the steps are judged by.
        seed: start of the random numbers.
        tokenizer: how BLEU cuts words.
    """
    mended = [postprocessor.hypothesis(one, source) for one, source in zip(raw, sources, strict=True)]
    changed = [changed_steps(one.changes) for one in mended]
    texts = {"all": [one.text for one in mended], "none": [one.text for one in raw]}
    for step in postprocessor.steps:
        less = postprocessor.without(step.name)
        texts[f"-{step.name}"] = [less.hypothesis(one, source).text for one, source in zip(raw, sources, strict=True)]
    count = cache(Scorer(references, tokenizer).count)  # most steps change nothing, so that most of these are the same
    counts = {name: count(tuple(found)) for name, found in texts.items()}
    reached = {name: _scores(rows) for name, rows in counts.items()}
    column = METRICS.index(headline)

    def judged(step: str) -> Step:
        name = f"-{step}"
        times = sum(step in names for names in changed)
        difference = reached["all"][headline] - reached[name][headline]
        same = texts[name] == texts["all"]
        p = 1.0 if same else float(paired_randomisation(counts["all"], counts[name], TRIALS, seed)[column])
        return Step(
            name=step,
            changed=times,
            without=reached[name],
            difference=round(difference, 4),
            p=round(p, 6),
            verdict=verdict(times, difference, p),
        )

    return Postprocessing(
        segments=len(raw),
        all=reached["all"],
        none=reached["none"],
        difference=round(reached["all"][headline] - reached["none"][headline], 4),
        steps=[judged(step.name) for step in postprocessor.steps],
    )


def _scores(rows: Counts) -> dict[Metric, float]:
    return {name: round(float(value), 4) for name, value in zip(METRICS, scores(rows.sum(axis=0)), strict=True)}


def verdict(changed: int, difference: float, p: float) -> str:
    """What is to be thought of a step, in a few words.

    Args:
        changed: how many translations it changed.
        difference: what it brings in the headline.
        p: how probable such a difference is by chance.
    """
    if not changed:
        return "changed nothing here"
    if p >= SIGNIFICANT:
        return "does not help measurably here"
    return "helps" if difference > 0 else "hurts: leave it out"


def remarks(direction: str, found: Postprocessing, headline: Metric) -> list[str]:
    """What a reader should know about the steps, one line for each that changed something and did not help.

    Args:
        direction: from and into which language.
        found: what :func:`ablate` returned.
        headline: the score that it was told to judge by.
    """
    return [
        f"{direction}: the step '{one.name}' of post-processing changed {one.changed} of {found.segments} "
        f"validation translations and {_said(one, LABELS[headline])}"
        for one in found.steps
        if one.changed and not (one.difference > 0 and one.p < SIGNIFICANT)
    ]


def _said(step: Step, label: str) -> str:
    by = f"{label} {step.difference:+.2f}, p = {step.p:.2f}"
    if step.p < SIGNIFICANT:
        return f"made them worse ({by}). Leave it out of translate.postprocess.steps."
    return f"did not help measurably ({by})."
