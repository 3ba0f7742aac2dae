"""One direction measured: every system on the same sentences, in one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seshat.config import Direction
from seshat.config.evaluate import EvaluateSection
from seshat.evaluation.baselines import NearestTranslator
from seshat.evaluation.invented import behaviour, invention
from seshat.evaluation.slices import cut, score_slices
from seshat.evaluation.terms import Terms
from seshat.evaluation.testbed import Material, TestSet
from seshat.inference.translator import Hypothesis
from seshat.report.results import (
    DirectionResult,
    Floor,
    Lengths,
    Nearest,
    References,
    Sample,
    SampleText,
    Share,
    SystemResult,
    TermsResult,
)
from seshat.scores import METRICS, Metric
from seshat.scores.formulas import Floats
from seshat.scores.marks import Marks
from seshat.scores.metrics import Counts, Scorer, sentence_chrf2
from seshat.scores.significance import TRIALS_PER_SAMPLE, paired_randomisation, percent
from seshat.scores.table import score_table

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
) -> tuple[DirectionResult, dict[str, Floats]]:
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
        The result, and per system the chrF2 of every sentence.
    """
    sources, references = test.texts(direction.source), test.texts(direction.target)
    texts = {name: [hypothesis.text for hypothesis in found] for name, found in translations.items()}
    scorer = Scorer(references, settings.bleu_tokenizer)
    counts = {name: scorer.count(found) for name, found in texts.items()}
    quality = {name: sentence_chrf2(rows) for name, rows in counts.items()}
    terms, marked = Terms(material.entries, direction, sources, references), Marks(sources, references)
    shares = {
        asked: _shares({name: asked.count(found) for name, found in texts.items()}, settings.bootstrap, seed)
        for asked in (terms, marked)
        if len(asked)
    }
    attested = material.attested[direction.target]
    table = [
        SystemResult(
            **dict(row),
            kind="model" if row.name in models else "floor",
            behaviour=behaviour(texts[row.name], sources, references),
            invented=invention(texts[row.name], sources, attested),
            terms=shares[terms][row.name] if terms in shares else None,
            marks=shares[marked][row.name] if marked in shares else None,
        )
        for row in score_table(counts, settings.reference, settings.bootstrap, seed)
    ]
    _against_best_floor(table, counts, settings.headline, settings.bootstrap, seed)
    parts = cut(test.segments, direction, material)
    shown = choose(quality[models[0]], settings.samples)
    result = DirectionResult(
        direction=str(direction),
        source=direction.source,
        target=direction.target,
        signatures=scorer.signatures,
        systems=table,
        references=References(
            behaviour=behaviour(references, sources, references),
            invented=invention(references, sources, attested),
        ),
        terms=TermsResult(asked=len(terms), missed=terms.missed(texts[models[0]])) if len(terms) else None,
        slices=score_slices(parts, counts, settings.headline, settings.bootstrap, seed),
        lengths=length_histogram({"references": references, **{name: texts[name] for name in models}}),
        samples=[_sample(place, test, direction, texts, quality, nearest) for place in shown],
    )
    return result, quality


def _shares(counts: Mapping[str, Counts], samples: int, seed: int) -> dict[str, Share]:
    """Per system, how many of the things asked for it says, in per cent; rows of (said, asked)."""
    found = {}
    for row in score_table(counts, "", samples, seed, ("share",), percent):
        said, asked = counts[row.name].sum(axis=0).tolist()
        found[row.name] = Share(said=said, asked=asked, **row.scores["share"].model_dump())
    return found


def _against_best_floor(
    table: Sequence[SystemResult], counts: Mapping[str, Counts], headline: Metric, samples: int, seed: int
) -> None:
    """Adds to every model how it compares, in the headline, with the best of the floors."""
    floors = [row for row in table if row.kind == "floor"]
    if not floors:
        return
    best = max(floors, key=lambda row: row.scores[headline].score)
    score = best.scores[headline].score
    for row in table:
        if row.kind == "model":
            chances = paired_randomisation(counts[row.name], counts[best.name], samples * TRIALS_PER_SAMPLE, seed)
            row.best_floor = Floor(
                name=best.name,
                score=score,
                difference=_rounded(row.scores[headline].score - score),
                p=_rounded(chances[METRICS.index(headline)], 6),
            )


def length_histogram(texts: Mapping[str, Sequence[str]]) -> Lengths:
    """How long texts are. The bins end where 99 of 100 texts are shorter; longer ones count in the last bin."""
    sizes = {name: np.array([len(text) for text in found]) for name, found in texts.items()}
    width = max(1, math.ceil(float(np.quantile(np.concatenate(list(sizes.values())), 0.99)) / LENGTH_BINS))
    edges = np.arange(LENGTH_BINS + 1) * width
    shares = {}
    for name, found in sizes.items():
        counts = np.histogram(np.minimum(found, edges[-1]), edges)[0]
        shares[name] = [_rounded(count / len(found)) for count in counts]
    return Lengths(edges=edges.tolist(), shares=shares)


def _sample(
    place: int,
    test: TestSet,
    direction: Direction,
    texts: Mapping[str, Sequence[str]],
    quality: Mapping[str, Floats],
    nearest: NearestTranslator,
) -> Sample:
    segment = test.segments[place]
    example = nearest.nearest(segment.texts[direction.source])
    return Sample(
        id=segment.id,
        origin=str(segment.meta.origin) if segment.meta.origin else None,
        source=segment.texts[direction.source],
        reference=segment.texts[direction.target],
        nearest=example
        and Nearest(source=example.source, target=example.target, similarity=_rounded(example.similarity, 3)),
        systems=[
            SampleText(name=name, text=found[place], chrf2=_rounded(quality[name][place], 1))
            for name, found in texts.items()
        ],
    )


def choose(quality: Floats, count: int) -> list[int]:
    """Places of ``count`` sentences, evenly from the best to the worst: neither the good nor the bad are picked."""
    order = np.argsort(-quality, kind="stable")
    if count >= len(order):
        return [int(place) for place in order]
    steps = np.linspace(0, len(order) - 1, count).round().astype(int)
    return [int(order[step]) for step in steps]


def _rounded(value: Any, digits: int = 4) -> float:
    return round(float(value), digits)
