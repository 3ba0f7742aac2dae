"""The language models of an evaluation beside their floor: bits per byte of the test set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from math import log2
from typing import Any

import numpy as np

from seshat.config import Direction
from seshat.config.evaluate import EvaluateSection
from seshat.core.records import Segment
from seshat.evaluation import perplexity
from seshat.evaluation.languagemodel import LanguageModel
from seshat.evaluation.perplexity import Surprise
from seshat.evaluation.testbed import Material
from seshat.prompt.request import of_segments
from seshat.report.tables import LikelihoodTable, SurpriseResult
from seshat.scores.formulas import Floats
from seshat.scores.significance import rate
from seshat.scores.table import score_table
from seshat.text.ngrams import ByteNgrams

Found = dict[str, list[Surprise]]
"""What the texts of each kind cost: see :func:`kinds`."""
METRIC = "bits_per_byte"
FLOOR = "byte n-grams"
"""The floor of causal models: runs of bytes counted in the training texts."""
UNIGRAMS = "token unigrams"
"""The floor of masked models: how often each token stands in the training texts, whatever is around it."""
_LEARNED = 2_000_000
"""Characters of training text whose tokens are counted."""
_FEWEST = 8
"""Documents below which single texts are resampled: of a handful, the same few samples come again and again."""


def measure(opened: LanguageModel, segments: Sequence[Segment], languages: Sequence[str]) -> Found:
    """What one model makes of the test sentences.

    A causal model: the likelihood of the texts of each language by themselves (``likelihood/es``), and as the
    translation that the model is asked for (``translation/qlm-es``). A masked one: both pseudo-likelihoods
    (``pseudo/es``, of whole words, and ``pseudo-token/es``).
    """
    found: Found = {}
    name = f"{opened.name}: perplexity"
    for language in languages:
        texts = [segment.texts[language] for segment in segments]
        if opened.family.fills:
            for kind, whole in (("pseudo", True), ("pseudo-token", False)):
                found[f"{kind}/{language}"] = perplexity.masked(
                    opened.model, opened.tokenizer, texts, whole_words=whole, name=name
                )
        else:
            found[f"likelihood/{language}"] = perplexity.causal(opened.model, opened.tokenizer, texts, name=name)
    # What a model thinks before it answers cannot be left out, and is not known.
    if opened.family.instructed and not opened.prompt.thinking:
        for way in (Direction(*both) for both in permutations(languages, 2)):
            requests = of_segments(segments, way.source, opened.prompt.context)
            prompts = [opened.question(one, way) for one in requests]
            texts = [segment.texts[way.target] for segment in segments]
            found[f"translation/{way}"] = perplexity.causal(opened.model, opened.tokenizer, texts, prompts, name)
    return found


def unigrams(tokenizer: Any, training: Mapping[str, Iterable[str]], segments: Sequence[Segment]) -> Found:
    """What the test sentences cost the floor of masked models, cut by the tokenizer of one of them.

    The chance of a token is how often it stands in the training texts, one added for every token that there is.

    Args:
        tokenizer: of the model that is measured beside it.
        training: per language the training texts.
        segments: what is measured.
    """
    found: Found = {}
    for language, texts in training.items():
        counts: Counter[int] = Counter()
        left = _LEARNED
        for text in texts:
            counts.update(tokenizer(text[:left], add_special_tokens=False, verbose=False)["input_ids"])
            left -= len(text)
            if left <= 0:
                break
        whole = counts.total() + len(tokenizer)
        tested = [segment.texts[language] for segment in segments]
        rows = [tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"] for text in tested]
        costs = [
            Surprise(
                sum(log2(whole / (counts[token] + 1)) for token in row),
                len(text.encode()),
                len(row),
                row.count(tokenizer.unk_token_id),
            )
            for text, row in zip(tested, rows, strict=True)
        ]
        found |= {f"pseudo/{language}": costs, f"pseudo-token/{language}": costs}
    return found


def tables(
    found: Mapping[str, Found],
    models: Sequence[str],
    segments: Sequence[Segment],
    training: Mapping[str, Iterable[str]],
    settings: EvaluateSection,
    seed: int,
) -> list[LikelihoodTable]:
    """One table per kind of text.

    Args:
        found: per system what :func:`measure` gives.
        models: the names of those that are judged; the others are floors.
        segments: what was measured.
        training: per language the training texts, for the floor.
        settings: section ``evaluate``.
        seed: start of the random numbers.
    """
    kinds = list(dict.fromkeys(kind for one in found.values() for kind in one))
    made = []
    for kind in kinds:
        name, _, of = kind.partition("/")
        costs = {system: one[kind] for system, one in found.items() if kind in one}
        if name == "likelihood":
            costs[FLOOR] = _floor(ByteNgrams(training[of]), [segment.texts[of] for segment in segments])
        places = _documents(segments)
        rows = {system: _sums(perplexity.table(one), places) for system, one in costs.items()}
        # Against the counted floor; a masked model against what expects the texts best without having learned.
        floors = [system for system in costs if system not in models]
        if name != "likelihood":
            floors.sort(key=lambda system: -float(rate(rows[system].sum(axis=0))[0]))
        reference = floors[-1] if floors else next(iter(costs))
        base = next((system for system in floors if system not in (FLOOR, UNIGRAMS)), None)
        table = [
            SurpriseResult(
                **dict(row), **perplexity.summary(costs[row.name]), kind="model" if row.name in models else "floor"
            )
            for row in score_table(rows, reference, settings.bootstrap, seed, (METRIC,), rate)
        ]
        if base is not None and base != reference:
            against = score_table(rows, base, settings.bootstrap, seed, (METRIC,), rate)
            for row, other in zip(table, against, strict=True):
                row.gain = other.difference.get(METRIC) if row.kind == "model" else None
        documents = None if places is None else max(places) + 1
        made.append(
            LikelihoodTable(
                measure=name, of=of, texts=len(segments), documents=documents, reference=reference, systems=table
            )
        )
    return made


def _documents(segments: Sequence[Segment]) -> list[int] | None:
    """The number of the document of each text; ``None`` where there are too few, and texts are resampled one by one.

    The sentences of a document surprise a model alike, so that intervals over single ones are too narrow.
    """
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(one.meta.doc_id or one.id, len(numbers)) for one in segments]
    return places if _FEWEST <= len(numbers) < len(segments) else None


def _sums(rows: Floats, places: Sequence[int] | None) -> Floats:
    """Rows of texts as rows of their documents."""
    if places is None:
        return rows
    sums = np.zeros((max(places) + 1, rows.shape[1]))
    np.add.at(sums, places, rows)
    return sums


def _floor(model: ByteNgrams, texts: Sequence[str]) -> list[Surprise]:
    """What each text costs the counted runs of bytes; every byte is a token."""
    sizes = [len(text.encode()) for text in texts]
    return [Surprise(model.bits(text), size, size, 0) for text, size in zip(texts, sizes, strict=True)]


def training_texts(material: Material, languages: Sequence[str], more: Iterable[Segment]) -> dict[str, list[str]]:
    """Per language the texts of train, and monolingual ones."""
    texts = {language: [pair[place] for pair in material.pairs] for place, language in enumerate(languages)}
    for segment in more:
        for language, text in segment.texts.items():
            if language in texts:
                texts[language].append(text)
    return texts
