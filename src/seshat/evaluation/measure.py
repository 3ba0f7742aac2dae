"""One direction measured: every system on the same sentences, in one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seshat.config import Direction
from seshat.config.model import EvaluateSection
from seshat.evaluation.baselines import NearestTranslator
from seshat.evaluation.invented import behaviour, invention
from seshat.evaluation.slices import cut, score_slices
from seshat.evaluation.terms import METRIC as TERMS
from seshat.evaluation.terms import Terms, term_rate
from seshat.evaluation.testbed import Material, TestSet
from seshat.inference.translator import Hypothesis
from seshat.scores import METRICS, Metric
from seshat.scores.formulas import Floats
from seshat.scores.metrics import Counts, Scorer, scores, sentence_chrf2
from seshat.scores.significance import TRIALS_PER_SAMPLE, Rows, Score, bootstrap, interval, paired_randomisation

LENGTH_BINS = 14
"""Bars of the histogram of lengths."""


def measure(
    direction: Direction,
    test: TestSet,
    material: Material,
    translations: Mapping[str, Sequence[Hypothesis]],
    models: Sequence[str],
    settings: EvaluateSection,
    seed: int,
    nearest: NearestTranslator,
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Score all systems on one direction.

    Args:
        direction: from and into which language.
        test: the test set.
        material: what the training data hold.
        translations: per system, one hypothesis per test sentence.
        models: which of the systems are trained models, the main one first; the others are floors.
        settings: section ``evaluate``.
        seed: start of the random numbers.
        nearest: finds the training example beside each sample.

    Returns:
        The result as it stands in ``reports/evaluation.json``, and per system the chrF2 of every sentence.
    """
    sources, references = test.texts(direction.source), test.texts(direction.target)
    texts = {name: [hypothesis.text for hypothesis in found] for name, found in translations.items()}
    scorer = Scorer(references, settings.bleu_tokenizer)
    counts = {name: scorer.count(found) for name, found in texts.items()}
    quality = {name: sentence_chrf2(rows) for name, rows in counts.items()}
    table = score_table(counts, settings.reference, settings.bootstrap, seed)
    attested = material.attested[direction.target]
    for row in table:
        found = texts[row["name"]]
        row["kind"] = "model" if row["name"] in models else "floor"
        row["behaviour"] = behaviour(found, sources, references)
        row["invented"] = invention(found, sources, attested)
    terms = Terms(material.entries, direction, sources, references)
    if len(terms):
        _add_terms(table, terms, texts, settings.bootstrap, seed)
    _against_best_floor(table, counts, settings.headline, settings.bootstrap, seed)
    parts = cut(test.segments, direction, material)
    slices = score_slices(parts, counts, settings.headline, settings.bootstrap, seed)
    shown = choose(quality[models[0]], settings.samples)
    result = {
        "direction": str(direction),
        "source": direction.source,
        "target": direction.target,
        "signatures": scorer.signatures,
        "systems": table,
        "references": {
            "behaviour": behaviour(references, sources, references),
            "invented": invention(references, sources, attested),
        },
        **({"terms": {"asked": len(terms), "missed": terms.missed(texts[models[0]])}} if len(terms) else {}),
        "slices": slices,
        "lengths": length_histogram({"references": references, **{name: texts[name] for name in models}}),
        "samples": [_sample(place, test, direction, texts, quality, nearest) for place in shown],
    }
    return result, quality


def score_table(
    counts: Mapping[str, Rows],
    reference: str,
    samples: int,
    seed: int,
    metrics: Sequence[str] = METRICS,
    score: Score = scores,
) -> list[dict[str, Any]]:
    """Scores with intervals, and the difference from the reference system with interval and p-value.

    Args:
        counts: per system, counts per sentence.
        reference: the system to compare with; without it in ``counts`` there are no differences.
        samples: resamples of the bootstrap.
        seed: start of the random numbers.
        metrics: names of the scores.
        score: what gives the scores of sums of counts, in the order of ``metrics``.

    Returns:
        Per system ``{name, scores: {metric: {score, low, high}}, difference: {metric: {score, low, high, p}}}``; no
        ``difference`` for the reference itself.
    """
    resampled = bootstrap(counts, samples, seed, score)
    totals = {name: score(rows.sum(axis=0)) for name, rows in counts.items()}
    table = []
    for name, rows in counts.items():
        row: dict[str, Any] = {"name": name, "scores": _with_intervals(metrics, totals[name], resampled[name])}
        if reference in counts and name != reference:
            difference = _with_intervals(
                metrics, totals[name] - totals[reference], resampled[name] - resampled[reference]
            )
            chances = paired_randomisation(rows, counts[reference], samples * TRIALS_PER_SAMPLE, seed, score)
            for metric, chance in zip(metrics, chances, strict=True):
                difference[metric]["p"] = _rounded(chance, 6)
            row["difference"] = difference
        table.append(row)
    return table


def _add_terms(
    table: list[dict[str, Any]], terms: Terms, texts: Mapping[str, Sequence[str]], samples: int, seed: int
) -> None:
    """Adds to every system how many of the lexicon's terms it says: ``{said, asked, score, low, high}``."""
    counts = {name: terms.count(found) for name, found in texts.items()}
    rows = score_table(counts, "", samples, seed, (TERMS,), term_rate)
    for row, found in zip(table, rows, strict=True):
        said, asked = counts[row["name"]].sum(axis=0).tolist()
        row["terms"] = {"said": said, "asked": asked, **found["scores"][TERMS]}


def _with_intervals(metrics: Sequence[str], values: Floats, resampled: Floats) -> dict[str, dict[str, float]]:
    found = {}
    for column, metric in enumerate(metrics):
        low, high = interval(resampled[:, column])
        found[metric] = {"score": _rounded(values[column]), "low": _rounded(low), "high": _rounded(high)}
    return found


def _against_best_floor(
    table: list[dict[str, Any]], counts: Mapping[str, Counts], headline: Metric, samples: int, seed: int
) -> None:
    """Adds to every model how it compares, in the headline, with the best of the floors."""
    floors = [row for row in table if row["kind"] == "floor"]
    if not floors:
        return
    best = max(floors, key=lambda row: row["scores"][headline]["score"])
    for row in table:
        if row["kind"] == "model":
            difference = row["scores"][headline]["score"] - best["scores"][headline]["score"]
            chances = paired_randomisation(counts[row["name"]], counts[best["name"]], samples * TRIALS_PER_SAMPLE, seed)
            row["best_floor"] = {
                "name": best["name"],
                "score": best["scores"][headline]["score"],
                "difference": _rounded(difference),
                "p": _rounded(chances[METRICS.index(headline)], 6),
            }


def length_histogram(texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """How long texts are, in characters.

    Returns:
        ``edges`` of the bins, and ``shares``: per name, the part of the texts in each bin, 0 to 1. The bins end where
        99 of 100 texts are shorter; longer ones count in the last bin.
    """
    sizes = {name: np.array([len(text) for text in found]) for name, found in texts.items()}
    width = max(1, math.ceil(float(np.quantile(np.concatenate(list(sizes.values())), 0.99)) / LENGTH_BINS))
    edges = np.arange(LENGTH_BINS + 1) * width
    shares = {}
    for name, found in sizes.items():
        counts = np.histogram(np.minimum(found, edges[-1]), edges)[0]
        shares[name] = [_rounded(count / len(found)) for count in counts]
    return {"edges": edges.tolist(), "shares": shares}


def _sample(
    place: int,
    test: TestSet,
    direction: Direction,
    texts: Mapping[str, Sequence[str]],
    quality: Mapping[str, Floats],
    nearest: NearestTranslator,
) -> dict[str, Any]:
    segment = test.segments[place]
    example = nearest.nearest(segment.texts[direction.source])
    return {
        "id": segment.id,
        "origin": str(segment.meta.origin) if segment.meta.origin else None,
        "source": segment.texts[direction.source],
        "reference": segment.texts[direction.target],
        "nearest": None
        if example is None
        else {"source": example.source, "target": example.target, "similarity": _rounded(example.similarity, 3)},
        "systems": [
            {"name": name, "text": found[place], "chrf2": _rounded(quality[name][place], 1)}
            for name, found in texts.items()
        ],
    }


def choose(quality: Floats, count: int) -> list[int]:
    """Places of ``count`` sentences, evenly from the best to the worst: neither the good nor the bad are picked."""
    order = np.argsort(-quality, kind="stable")
    if count >= len(order):
        return [int(place) for place in order]
    steps = np.linspace(0, len(order) - 1, count).round().astype(int)
    return [int(order[step]) for step in steps]


def _rounded(value: Any, digits: int = 4) -> float:
    return round(float(value), digits)
