"""Train one direction: align, extract and score phrases, count the language model, tune.

Every finished piece is kept below ``.seshat/`` under a key of its inputs and settings, so a run that was killed goes on
from the last finished piece and ends with the same files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from seshat.config import Direction as Way
from seshat.config.train import StatisticalSection
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json, write_text
from seshat.core.paths import remove
from seshat.core.progress import task
from seshat.models.statistical.alignment import Links, align
from seshat.models.statistical.corpus import Corpus, Texts, read_corpus
from seshat.models.statistical.features import FEATURES, start
from seshat.models.statistical.language import write_model
from seshat.models.statistical.model import (
    KNOWN,
    LANGUAGE_MODEL,
    PHRASES,
    PIECES,
    VOCABULARY,
    Direction,
    Settings,
    open_guesser,
    write_words,
)
from seshat.models.statistical.parallel import Workers
from seshat.models.statistical.phrases import PhraseTable, extract, score, write_table
from seshat.models.statistical.segmentation import Segmenter
from seshat.models.statistical.thot import Pair
from seshat.models.statistical.tokens import (
    GLUE,
    Spacing,
    Truecaser,
    first_is_capital,
    fold,
    is_name,
    is_verbatim,
    is_word,
    key_of,
    tokens_of,
)
from seshat.models.statistical.unknown import CLUES
from seshat.project.folder import Project

VERSION = 6
"""Raised when the same input makes another model."""
MAX_TOKENS = 100
"""Longer texts are not aligned: quadratic cost, and links that mean little."""
MIN_TUNING_TOKENS, MAX_TUNING_TOKENS = 5, 40
"""Weights are tuned on running sentences; headwords say nothing about order and length."""
WORD_FILES = (PIECES, KNOWN, VOCABULARY)
NO_GUESSES = [5.0 if clue == "copy" else -5.0 if ":" not in clue else 0.0 for clue in CLUES]
"""Weights of the clues that trust copying alone."""
_CHARACTERS = 2
"""Times as long may a phrase be where its tokens are characters."""


@dataclass(frozen=True)
class Prepared:
    """A corpus in tokens: keys of the source, truecased target, whole words."""

    pairs: list[tuple[list[str], list[str]]]
    surfaces: list[list[str]]
    """Source tokens as they are written."""
    extra: list[list[str]]
    spacing: Spacing
    capital: bool
    """Whether most targets begin with a capital."""
    characters: bool
    """Whether most tokens of a side are characters: it writes no spaces between words."""
    too_long: int


def train(project: Project, direction: Way, folder: Path) -> dict[str, Any]:
    """Train one direction into ``folder``, which is not there yet.

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
    segmented = tuple(project.config.project.language == language for language in direction)
    store = project.state / "train" / project.config.train.name
    work = store / f"{direction}-{_key(corpus, settings, seed, segmented)[:16]}"
    prepared = prepare(corpus, settings)
    numbers = _tables(Task(prepared, len(corpus.train), settings, seed, segmented), store, work)
    tuned = _weights(corpus, settings, seed, work)
    _copy(work, folder, tuned["weights"])
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
    pairs, surfaces, too_long = [], [], 0
    for (source, _), target in zip(texts, targets, strict=True):
        surface = tokens_of(source)
        keys = [key_of(token, fold_accents=settings.fold_accents) for token in surface]
        if not keys or not target:
            continue
        if max(len(keys), len(target)) > MAX_TOKENS:
            too_long += 1
            continue
        pairs.append((keys, truecaser.apply(target)))
        surfaces.append(surface)
    spacing = Spacing.train(target for _, target in corpus.train)
    capital = 2 * sum(first_is_capital(target) for _, target in corpus.train) > len(corpus.train)
    inside = [Counter(token.startswith(GLUE) for pair in pairs for token in pair[side]) for side in (0, 1)]
    characters = any(found[True] > found[False] for found in inside)
    return Prepared(
        pairs, surfaces, [truecaser.apply(tokens) for tokens in extra], spacing, capital, characters, too_long
    )


@dataclass(frozen=True)
class Task:
    """What the tables of one direction are made from."""

    prepared: Prepared
    sentences: int
    """How many of the pairs are sentences; the others come from the lexicon."""
    settings: StatisticalSection
    seed: int
    segmented: tuple[bool, ...]
    """Whether the words of the source and of the target are cut into pieces."""


def _tables(task_: Task, store: Path, work: Path) -> dict[str, int]:
    """Phrase table, language model, word lists and guesses in ``work``; if they are there, they are left alone."""
    done = work / "tables.json"
    if done.exists():
        found: dict[str, int] = json.loads(done.read_text(encoding="utf-8"))
        return found
    prepared, settings = task_.prepared, task_.settings
    with task("cut words into pieces"):
        cutters = [
            _segmenter((words for pair in prepared.pairs for words in (pair[side],)), task_, cut=task_.segmented[side])
            for side in (0, 1)
        ]
    pairs = [(cutters[0].cut_all(source), cutters[1].cut_all(target)) for source, target in prepared.pairs]
    links = _aligned(pairs, settings, task_.seed, store)
    if pairs != prepared.pairs:  # the alignment of whole words too: pieces that always stand together align badly
        whole = _aligned(prepared.pairs, settings, task_.seed, store)
        spread = [_of_pieces(one, pair, cutters) for one, pair in zip(whole, prepared.pairs, strict=True)]
        pairs, links = pairs + pairs, links + spread
    with task("extract phrases"):
        max_phrase = settings.max_phrase * (_CHARACTERS if prepared.characters else 1)
        counts = extract(pairs, links, max_phrase)
        numbers = {"phrase_pairs": write_table(work / PHRASES, score(counts))}
    texts = [target for _, target in prepared.pairs[: task_.sentences]] + prepared.extra
    with task("count n-grams"):
        cut = (cutters[1].cut_all(text) for text in texts)
        numbers["ngrams"] = write_model(work / LANGUAGE_MODEL, cut, settings.lm_order)
    cutters[0].write(work / PIECES)
    write_words(work / KNOWN, sorted({word for source, _ in prepared.pairs for word in source}))
    frequency = Counter(token for text in texts for token in text)
    write_words(work / VOCABULARY, sorted(frequency, key=lambda word: (-frequency[word], word)))
    guesses = _guesses(prepared, work, cutters[0]) if settings.stems else NO_GUESSES
    Settings(
        settings.fold_accents,
        max_phrase,
        settings.reordering,
        tuple(guesses),
        prepared.spacing,
        capital=prepared.capital,
    ).write(work)
    write_json(done, numbers)
    return numbers


def _of_pieces(links: Links, pair: Pair, cutters: Sequence[Segmenter]) -> Links:
    """Links between words as links between all their pieces."""
    places: list[list[range]] = []
    for side, cutter in zip(pair, cutters, strict=True):
        ends = [0, *accumulate(len(cutter.cut(word)) for word in side)]
        places.append([range(start, end) for start, end in pairwise(ends)])
    return sorted((i, j) for source, target in links for i in places[0][source] for j in places[1][target])


def _segmenter(texts: Iterable[Sequence[str]], task_: Task, *, cut: bool) -> Segmenter:
    if not cut or task_.settings.segmentation == "none":
        return Segmenter()
    return Segmenter.train((word for text in texts for word in text), task_.settings.segmentation, task_.seed)


def _guesses(prepared: Prepared, work: Path, segmenter: Segmenter) -> list[float]:
    """Learn from the words that stand once how far to trust guesses about unknown ones."""
    from seshat.models.statistical.guesses import learn

    total = Counter(key for source, _ in prepared.pairs for key in source)
    once = [
        (key, surface[place], is_name(surface, place), target)
        for (source, target), surface in zip(prepared.pairs, prepared.surfaces, strict=True)
        for place, key in enumerate(source)
        if total[key] == 1 and is_word(key) and not is_verbatim(key)
    ]
    targets = Counter(
        word for _, target in prepared.pairs for word in sorted({fold(token) for token in target if is_word(token)})
    )
    with task("learn about unknown words"):
        return learn(open_guesser(work, PhraseTable(work / PHRASES), segmenter), once, targets)


def _aligned(pairs: Sequence[Pair], settings: StatisticalSection, seed: int, store: Path) -> list[Links]:
    """Word links; computed once for the two directions, since they are symmetrised."""
    folded = [
        tuple([key_of(token, fold_accents=settings.fold_accents) for token in side] for side in pair) for pair in pairs
    ]
    swap = [target for _, target in folded] < [source for source, _ in folded]
    oriented = [(second, first) if swap else (first, second) for first, second in folded]
    content = json.dumps([settings.alignment, settings.iterations, seed, oriented], ensure_ascii=False)
    path = store / "alignment" / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.json"
    if path.exists():
        links: list[Links] = [[(i, j) for i, j in one] for one in json.loads(path.read_text(encoding="utf-8"))]
    else:
        links = align(oriented, settings.alignment, settings.iterations, seed)
        write_text(path, json.dumps(links) + "\n")
    return [sorted((j, i) for i, j in one) for one in links] if swap else links


def tuning_set(validation: Sequence[Texts], most: int) -> list[Texts]:
    """The validation pairs that are running sentences, at most so many, spread over the set."""
    long = [pair for pair in validation if MIN_TUNING_TOKENS <= len(tokens_of(pair[0])) <= MAX_TUNING_TOKENS]
    chosen = long if len(long) >= min(50, len(validation)) else list(validation)
    step = max(1.0, len(chosen) / most)
    return [chosen[int(place * step)] for place in range(min(most, len(chosen)))]


def _weights(corpus: Corpus, settings: StatisticalSection, seed: int, work: Path) -> dict[str, Any]:
    from seshat.models.statistical.tuning import Pool, tune

    done = work / "weights.json"
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return found
    chosen = tuning_set(corpus.validation, settings.tune_segments) if settings.tune else []
    initial = start(settings.copying)
    result: dict[str, Any] = {"weights": list(initial), "tuned_on": len(chosen), "validation_chrf": None}
    if chosen:
        direction = Direction(work)
        sources = [direction.source(text) for text, _ in chosen]
        pool = Pool([target for _, target in chosen], lambda i, tokens: direction.render(sources[i], tokens))
        with Workers(direction) as workers:
            weights, best = tune(
                lambda values: workers.translate(sources, values, settings.n_best), pool, seed, initial
            )
        result |= {"weights": list(weights), "validation_chrf": round(best, 2)}
    write_json(done, result)
    return result


def _copy(work: Path, folder: Path, weights: Sequence[float]) -> None:
    """Copy what translating needs; the work stays for a run that changes nothing."""
    folder.mkdir(parents=True)
    for name in (PHRASES, LANGUAGE_MODEL, f"{LANGUAGE_MODEL}.weights", f"{LANGUAGE_MODEL}.wp", *WORD_FILES):
        shutil.copyfile(work / name, folder / name)
    replace(Settings.read(work), weights=tuple(weights)).write(folder)


def _forget(store: Path, direction: Way, work: Path) -> None:
    """Drop the work of other inputs; what belongs to the present ones stays for a run that changes nothing."""
    for other in store.glob(f"{direction}-*"):
        if other != work:
            remove(other)


def _key(corpus: Corpus, settings: StatisticalSection, seed: int, segmented: tuple[bool, ...]) -> str:
    described = json.dumps(
        [VERSION, corpus.digest(), settings.model_dump(mode="json"), seed, segmented], sort_keys=True
    )
    return hashlib.sha256(described.encode()).hexdigest()
