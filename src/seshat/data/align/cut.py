"""Cuts a text without sentence marks to fit the sentences of its translation.

Transliterations of tablets, and transcriptions of speech, run on without full stops; the translation has them. Both are
in one order, so the text is cut into as many runs of words as the translation has sentences. A run is scored by

* the words: the likelihood of the run under IBM model 1 given its sentence (Brown et al. 1993, section 4.1);
* its length: the logarithm of the ratio to what the sentence's share of the translation leads one to expect, normal;
* its first word: how much more often than others it begins a sentence.

The best cut and the posterior of every run come from dynamic programming over the places of the cuts (a semi-Markov
model; forward-backward as in Rabiner 1989). What the cuts teach about words, lengths and beginnings goes into the next
pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from seshat.core.progress import track
from seshat.text.wordtable import NULL, WordTable

Floats = NDArray[np.float64]
Words = Sequence[str]
Pair = tuple[Words, Words]

PASSES = 3
_FLOOR = 1e-4
"""Probability of a word under a sentence that does not explain it."""
_SPREAD = 0.6
"""Standard deviation of the logarithm of the length ratio before the texts are seen."""
_SMOOTHING = 20.0
"""A word's share of beginnings counts as if it had been seen so often more, at the average."""
_IMPOSSIBLE = -1e30


@dataclass(frozen=True)
class Text:
    """A text in words, and the words of every sentence of its translation."""

    words: Words
    sentences: Sequence[Words]


@dataclass(frozen=True)
class Run:
    """Words ``start`` to ``end`` (exclusive) of a text: the counterpart of one sentence."""

    start: int
    end: int
    confidence: float
    """Posterior of just this run, 0 to 1."""


@dataclass(frozen=True)
class _Model:
    table: WordTable
    """P(word of the text | word of the translation)."""
    begins: dict[str, float]
    """Log ratio: how much more often a word begins a sentence than a word on average."""
    spread: float
    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    """Rows of the table that were looked up before."""

    def row(self, word: str) -> dict[str, float]:
        """P(word of the text | this word of the translation), by word of the text."""
        found = self.rows.get(word)
        if found is None:
            found = self.rows[word] = dict(self.table.candidates(word, len(self.table)))
        return found


def cut(texts: Sequence[Text], examples: Sequence[Pair] = (), passes: int = PASSES) -> list[list[Run]]:
    """Cut texts to fit their translations.

    Args:
        texts: what to cut; they teach one another.
        examples: sentence pairs known beforehand (words of the text, words of its translation).
        passes: how often everything is learned anew.

    Returns:
        For each text one run a sentence, in order, covering all its words; none for a text with fewer words than
        sentences.
    """
    whole = [(text.words, list(chain.from_iterable(text.sentences))) for text in texts]
    model = _Model(_table([*whole, *examples]), _beginnings(words for words, _ in examples), _SPREAD)
    runs: list[list[Run]] = []
    for number in range(passes):
        runs = [_cut(text, model) for text in track(texts, f"cutting, pass {number + 1} of {passes}")]
        if number + 1 < passes:
            model = _learned(texts, runs, examples)
    return runs


def _learned(texts: Sequence[Text], runs: Sequence[Sequence[Run]], examples: Sequence[Pair]) -> _Model:
    found = [
        (text.words[run.start : run.end], sentence)
        for text, cuts in zip(texts, runs, strict=True)
        for run, sentence in zip(cuts, text.sentences, strict=False)
    ]
    rest = [
        (text.words, list(chain.from_iterable(text.sentences)))
        for text, cuts in zip(texts, runs, strict=True)
        if not cuts
    ]
    ratios = [
        np.log(len(run) / max(1.0, _expected(text, place)))
        for text, cuts in zip(texts, runs, strict=True)
        for place, run in enumerate(text.words[r.start : r.end] for r in cuts)
        if len(text.sentences) > 1
    ]
    spread = float(np.clip(np.std(ratios), 0.25, 1.0)) if len(ratios) > 50 else _SPREAD
    begins = _beginnings(words for words, _ in chain(found, examples))
    return _Model(_table([*found, *rest, *examples]), begins, spread)


def _table(pairs: Sequence[Pair]) -> WordTable:
    return WordTable.train([(translation, words) for words, translation in pairs])


def _beginnings(sentences: Iterable[Words]) -> dict[str, float]:
    """Log of how much more often each word begins a sentence than the average word does."""
    first: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for words in sentences:
        if words:
            first[words[0]] += 1
            count.update(words)
    total = count.total()
    if not total:
        return {}
    share = first.total() / total
    return {
        word: float(np.log((first[word] + share * _SMOOTHING) / (seen + _SMOOTHING) / share))
        for word, seen in count.items()
    }


def _expected(text: Text, place: int) -> float:
    lengths = [len(sentence) for sentence in text.sentences]
    return len(text.words) * max(1, lengths[place]) / max(1, sum(lengths))


def _cut(text: Text, model: _Model) -> list[Run]:
    words, count = len(text.words), len(text.sentences)
    if not count or words < count:
        return []
    if count == 1:
        return [Run(0, words, 1.0)]
    scores = [_scores(text, place, model) for place in range(count)]
    best = np.full(words + 1, _IMPOSSIBLE)
    best[0] = 0.0
    forward, backs = [best], []
    sums = best
    for score in scores:
        moves = best[:, None] + score
        backs.append(moves.argmax(axis=0))
        best = moves.max(axis=0)
        sums = _log_sum(sums[:, None] + score, axis=0)
        forward.append(sums)
    behind = np.full(words + 1, _IMPOSSIBLE)
    behind[words] = 0.0
    total = forward[-1][words]
    runs: list[Run] = []
    end = words
    for place in range(count - 1, -1, -1):
        start = int(backs[place][end])
        posterior = forward[place][start] + scores[place][start, end] + behind[end] - total
        runs.append(Run(start, end, float(np.exp(min(0.0, posterior)))))
        behind = _log_sum(scores[place] + behind[None, :], axis=1)
        end = start
    return runs[::-1]


def _scores(text: Text, place: int, model: _Model) -> Floats:
    """Log score of every run as the counterpart of one sentence: start x end, impossible where it is empty."""
    words = len(text.words)
    likely = np.concatenate([[0.0], np.cumsum(_likelihood(text.words, text.sentences[place], model))])
    start, end = np.arange(words + 1)[:, None], np.arange(words + 1)[None, :]
    length = np.maximum(end - start, 1)
    ratio = np.log(length / _expected(text, place)) / model.spread
    score = likely[None, :] - likely[:, None] - 0.5 * ratio**2
    if place:
        begins = np.array([model.begins.get(word, 0.0) for word in text.words] + [0.0])
        score = score + begins[:, None]
    return np.where(end > start, score, _IMPOSSIBLE)


def _likelihood(words: Words, sentence: Words, model: _Model) -> Floats:
    rows = [model.row(source) for source in (*dict.fromkeys(sentence), NULL)]
    return np.array([np.log(_FLOOR + sum(row.get(word, 0.0) for row in rows) / len(rows)) for word in words])


def _log_sum(values: Floats, axis: int) -> Floats:
    highest = values.max(axis=axis, keepdims=True)
    total: Floats = np.log(np.exp(values - highest).sum(axis=axis)) + highest.squeeze(axis)
    return total
