"""How far to trust a guess about an unknown word, learned from the words that the training texts have once.

Such a word is as good as unknown: a guess about it is right when the target sentence has it, accents and capitals
apart. (To take what is spelt much like it for right as well makes cut-off words look good.) A logistic regression over
the clues gives the probability that the decoder sees. The frequency of the guess among the target texts is a clue in
training only: a common word stands in many sentences by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from seshat.models.statistical.tokens import fold, is_word
from seshat.models.statistical.unknown import CLUES, Guess, Guesser

Floats = NDArray[np.float64]
MOST = 4_000
"""Words seen once that the regression learns from."""
_PLACES = {clue: place for place, clue in enumerate(CLUES)}


def log_probability(guess: Guess, weights: Sequence[float]) -> float:
    """Natural log of the probability that a guess is right."""
    value = sum(weights[_PLACES[clue]] * amount for clue, amount in guess.clues.items())
    return -float(np.logaddexp(0.0, -value))


def learn(guesser: Guesser, once: Sequence[tuple[str, str, bool, Sequence[str]]], targets: Counter[str]) -> list[float]:
    """Weights of the clues.

    Args:
        guesser: makes the guesses.
        once: words seen once: key, surface, whether it is a name, and the tokens of its target sentence.
        targets: in how many sentences each target word stands, folded.
    """
    step = max(1, len(once) // MOST)
    sentences = max(1, sum(targets.values()) // 8)
    rows, right = [], []
    for key, surface, name, sentence in once[::step]:
        present = {fold(token) for token in sentence if is_word(token)}
        for guess in guesser.guess(key, surface, name=name):
            row = np.zeros(len(CLUES) + 1)
            for clue, amount in guess.clues.items():
                row[_PLACES[clue]] = amount
            folded = [fold(token) for token in guess.target if is_word(token)]
            row[-1] = max((log((1 + targets[token]) / sentences) for token in folded), default=0.0) + 8.0
            rows.append(row)
            right.append(bool(folded) and present.issuperset(folded))
    if not rows:
        return [0.0] * len(CLUES)
    return [round(float(value), 5) for value in _fit(np.array(rows), np.array(right, dtype=np.float64))[:-1]]


def _fit(rows: Floats, right: Floats, ridge: float = 1.0, iterations: int = 25) -> Floats:
    """Logistic regression by Newton's method with a ridge."""
    weights = np.zeros(rows.shape[1])
    for _ in range(iterations):
        probability = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (right - probability) - ridge * weights
        curvature = (rows * (probability * (1 - probability))[:, None]).T @ rows + ridge * np.eye(len(weights))
        weights = weights + np.linalg.solve(curvature, gradient)
    return weights
