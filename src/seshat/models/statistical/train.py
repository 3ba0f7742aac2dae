"""Train one direction: align, extract and score phrases, count the language model, tune.

Every finished piece is kept below ``.seshat/`` under a key of its inputs and settings, so a run that was killed goes on
from the last finished piece and ends with the same files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from seshat.config import Direction as Way
from seshat.config.model import StatisticalSection
from seshat.errors import DataError
from seshat.jsonl import write_json
from seshat.models.statistical.alignment import Links, align
from seshat.models.statistical.corpus import Corpus, Texts, read_corpus
from seshat.models.statistical.features import FEATURES, START
from seshat.models.statistical.language import write_model
from seshat.models.statistical.model import (
    KNOWN,
    LANGUAGE_MODEL,
    PHRASES,
    VOCABULARY,
    Direction,
    Settings,
    write_words,
)
from seshat.models.statistical.parallel import Workers
from seshat.models.statistical.phrases import Counts, extract, score, write_table
from seshat.models.statistical.tokens import Spacing, Truecaser, key_of, tokens_of
from seshat.progress import task
from seshat.project import Project

VERSION = 1
"""Raised when the same input makes another model."""
MAX_TOKENS = 100
"""Longer texts are not aligned: quadratic cost, and links that mean little."""
MIN_TUNING_TOKENS, MAX_TUNING_TOKENS = 5, 40
"""Weights are tuned on running sentences; headwords say nothing about order and length."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A corpus in tokens: keys of the source, truecased target."""

    pairs: list[tuple[list[str], list[str]]]
    extra: list[list[str]]
    spacing: Spacing
    too_long: int


def train(project: Project, direction: Way, folder: Path) -> dict[str, Any]:
    """Train one direction into ``folder``.

    Returns:
        Pairs, phrase pairs, n-grams, chrF2 on validation, weights, the key of the inputs.

    Raises:
        DataError: there is nothing to train on.
    """
    settings, seed = project.config.train.statistical, project.config.project.seed
    corpus = read_corpus(project, direction)
    if not corpus.train and not corpus.lexicon:
        raise DataError(
            f"{project.training / 'train.jsonl'}: no pairs for {direction}.",
            "Run `seshat check` to see where the data went.",
        )
    key = _key(corpus, settings, seed)
    store = project.state / "train" / project.config.train.name
    work = store / f"{direction}-{key[:16]}"
    prepared = prepare(corpus, settings)
    numbers = _tables(prepared, corpus, settings, seed, store, work)
    plain = Settings(settings.fold_accents, settings.max_phrase, settings.stems, prepared.spacing)
    tuned = _weights(corpus, plain, settings, seed, work)
    _publish(work, folder, plain, tuned["weights"])
    _forget(store, direction, work)
    return {
        "pairs": len(prepared.pairs),
        "too_long": prepared.too_long,
        "lexicon_pairs": len(corpus.lexicon),
        **numbers,
        **{name: value for name, value in tuned.items() if name != "weights"},
        "weights": dict(zip(FEATURES, tuned["weights"], strict=True)),
        "data": corpus.digest(),
    }


def prepare(corpus: Corpus, settings: StatisticalSection) -> Prepared:
    """Tokenise, truecase and learn the spacing."""
    texts = corpus.train + corpus.lexicon
    targets = [tokens_of(target) for _, target in texts]
    extra = [tokens_of(text) for text in corpus.extra]
    truecaser = Truecaser.train([*targets[: len(corpus.train)], *extra])
    pairs, too_long = [], 0
    for (source, _), target in zip(texts, targets, strict=True):
        keys = [key_of(token, fold_accents=settings.fold_accents) for token in tokens_of(source)]
        if not keys or not target:
            continue
        if max(len(keys), len(target)) > MAX_TOKENS:
            too_long += 1
            continue
        pairs.append((keys, truecaser.apply(target)))
    spacing = Spacing.train(target for _, target in corpus.train)
    return Prepared(pairs, [truecaser.apply(tokens) for tokens in extra], spacing, too_long)


def _tables(
    prepared: Prepared, corpus: Corpus, settings: StatisticalSection, seed: int, store: Path, work: Path
) -> dict[str, int]:
    """Phrase table, language model and word lists in ``work``; those that are there already are left alone."""
    done = work / "tables.json"
    if done.exists():
        found: dict[str, int] = json.loads(done.read_text(encoding="utf-8"))
        return found
    links = _aligned(prepared, settings, seed, store)
    with task("extract phrases"):
        counts = extract(prepared.pairs, links, settings.max_phrase)
        numbers = {"phrase_pairs": write_table(work / PHRASES, score(counts))}
    texts = [target for _, target in prepared.pairs[: len(corpus.train)]] + prepared.extra
    with task("count n-grams"):
        numbers["ngrams"] = write_model(work / LANGUAGE_MODEL, texts, settings.lm_order)
    write_words(work / KNOWN, _known(counts))
    frequency = Counter(token for text in texts for token in text)
    write_words(work / VOCABULARY, sorted(frequency, key=lambda word: (-frequency[word], word)))
    write_json(done, numbers)
    return numbers


def _known(counts: Counts) -> list[str]:
    return sorted({source[0] for source, _ in counts.phrases if len(source) == 1})


def _aligned(prepared: Prepared, settings: StatisticalSection, seed: int, store: Path) -> list[Links]:
    """Word links; computed once for the two directions, since they are symmetrised."""
    folded = [
        (source, [key_of(token, fold_accents=settings.fold_accents) for token in target])
        for source, target in prepared.pairs
    ]
    swap = _second_first(folded)
    oriented = [(target, source) for source, target in folded] if swap else folded
    content = json.dumps([settings.alignment, settings.iterations, seed, oriented], ensure_ascii=False)
    path = store / "alignment" / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.json"
    if path.exists():
        links: list[Links] = [[(i, j) for i, j in one] for one in json.loads(path.read_text(encoding="utf-8"))]
    else:
        links = align(oriented, settings.alignment, settings.iterations, seed)
        write_json(path, links)
    return [sorted((j, i) for i, j in one) for one in links] if swap else links


def _second_first(pairs: Sequence[tuple[list[str], list[str]]]) -> bool:
    """Which side comes first in the alignment: one rule for both directions, from the data alone."""
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    return targets < sources


def tuning_set(validation: Sequence[Texts], most: int) -> list[Texts]:
    """The validation pairs that are running sentences, at most so many, spread over the set."""
    long = [pair for pair in validation if MIN_TUNING_TOKENS <= len(tokens_of(pair[0])) <= MAX_TUNING_TOKENS]
    chosen = long if len(long) >= min(50, len(validation)) else list(validation)
    step = max(1.0, len(chosen) / most)
    return [chosen[int(place * step)] for place in range(min(most, len(chosen)))]


def _weights(corpus: Corpus, plain: Settings, settings: StatisticalSection, seed: int, work: Path) -> dict[str, Any]:
    from seshat.models.statistical.tuning import Pool, tune

    done = work / "weights.json"
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return found
    plain.write(work)
    chosen = tuning_set(corpus.validation, settings.tune_segments) if settings.tune else []
    result: dict[str, Any] = {"weights": list(START), "tuned_on": len(chosen), "validation_chrf": None}
    if chosen:
        direction = Direction(work)
        sources = [direction.source(text) for text, _ in chosen]
        pool = Pool([target for _, target in chosen], lambda i, tokens: direction.render(sources[i], tokens))
        with Workers(direction) as workers:
            weights, best = tune(lambda values: workers.translate(sources, values, settings.n_best), pool, seed)
        result |= {"weights": list(weights), "validation_chrf": round(best, 2)}
    write_json(done, result)
    return result


def _publish(work: Path, folder: Path, plain: Settings, weights: Sequence[float]) -> None:
    """Put the finished direction in its place, whole."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in (PHRASES, LANGUAGE_MODEL, f"{LANGUAGE_MODEL}.weights", f"{LANGUAGE_MODEL}.wp", KNOWN, VOCABULARY):
        shutil.copyfile(work / name, fresh / name)
    Settings(plain.fold_accents, plain.max_phrase, plain.stems, plain.spacing, tuple(weights)).write(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def _forget(store: Path, direction: Way, work: Path) -> None:
    """Drop the work of other inputs; what belongs to the present ones stays for a run that changes nothing."""
    for other in store.glob(f"{direction}-*"):
        if other != work:
            shutil.rmtree(other, ignore_errors=True)


def _key(corpus: Corpus, settings: StatisticalSection, seed: int) -> str:
    described = json.dumps([VERSION, corpus.digest(), settings.model_dump(mode="json"), seed], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()
