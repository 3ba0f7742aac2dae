"""Labels for sequences: a linear chain over sparse features, learned by the averaged perceptron (Collins 2002).

Training is CRFsuite's (Okazaki 2007), in C. What it learned is kept in plain arrays and decoded here, so that a model
needs no package to be used and a stranger's file is nothing but numbers and names.
"""

from __future__ import annotations

import ctypes
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seshat.core.errors import DataError, require

Features = Sequence[Sequence[str]]
"""For each place of a sequence the names of what is seen there."""
ROUNDS = 25
"""Passes over the training data. On Lezgi (SIGMORPHON 2023, development set) 12 passes give 88.0 % of the words, 25
passes 88.6, and L-BFGS after 80 iterations, in three times the time, 87.7."""
_SEED = 1


def _begin_anew() -> None:
    """Give the C library's ``rand`` its seed: CRFsuite shuffles by it and has none, and one training in twelve is bad.

    Where that library cannot be reached, trainings differ a little from each other.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None if sys.platform != "win32" else "msvcrt").srand(_SEED)


class Tagger:
    """Weights of features and of pairs of labels."""

    def __init__(
        self,
        labels: Sequence[str],
        rows: dict[str, int],
        starts: NDArray[np.int64],
        columns: NDArray[np.int32],
        weights: NDArray[np.float32],
        transitions: NDArray[np.float32],
    ) -> None:
        """Take what was learned.

        Args:
            labels: their names.
            rows: number of the row of each feature.
            starts: where the row of a feature begins in the two next; one more than there are rows.
            columns: numbers of labels.
            weights: of a feature with a label.
            transitions: weights of a label (row) before another (column).
        """
        self.labels = tuple(labels)
        self._rows, self._starts, self._columns, self._weights = rows, starts, columns, weights
        self._transitions = transitions

    @classmethod
    def train(cls, sequences: Iterable[tuple[Features, Sequence[str]]], rounds: int = ROUNDS) -> Tagger:
        """Learn from sequences and their labels.

        Raises:
            MissingPackage: ``python-crfsuite`` is not installed.
        """
        crfsuite = require("pycrfsuite", extra="gloss", purpose="Learning to gloss")
        trainer = crfsuite.Trainer(algorithm="ap", params={"max_iterations": rounds}, verbose=False)
        for features, labels in sequences:
            trainer.append(features, labels)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model")
            _begin_anew()
            trainer.train(path)
            tagger = crfsuite.Tagger()
            tagger.open(path)
            learned = tagger.info()
            tagger.close()
        return cls.of(learned.state_features, learned.transitions)

    @classmethod
    def of(cls, states: dict[tuple[str, str], float], pairs: dict[tuple[str, str], float]) -> Tagger:
        """Of weights of features with labels, and of labels before labels."""
        labels = sorted({label for _, label in states} | {label for pair in pairs for label in pair})
        number = {label: place for place, label in enumerate(labels)}
        kept = sorted((name, number[label], weight) for (name, label), weight in states.items() if weight)
        rows: dict[str, int] = {}
        starts = [0]
        for place, (name, _, _) in enumerate(kept):
            if name not in rows:
                rows[name] = len(rows)
                starts[-1:] = [place, place]
        starts[-1] = len(kept)
        transitions = np.zeros((len(labels), len(labels)), dtype=np.float32)
        for (before, after), weight in pairs.items():
            transitions[number[before], number[after]] = weight
        columns = np.array([column for _, column, _ in kept], dtype=np.int32)
        weights = np.array([weight for _, _, weight in kept], dtype=np.float32)
        return cls(labels, rows, np.array(starts, dtype=np.int64), columns, weights, transitions)

    def tag(self, features: Features) -> list[str]:
        """The best labels of a sequence (Viterbi 1967)."""
        if not features or not self.labels:
            return [""] * len(features)
        scores = self._scores(features)
        best = scores[0]
        back = np.zeros((len(features), len(self.labels)), dtype=np.int32)
        for place in range(1, len(features)):
            paths = best[:, None] + self._transitions
            back[place] = paths.argmax(axis=0)
            best = paths.max(axis=0) + scores[place]
        label = int(best.argmax())
        found = [label]
        for place in range(len(features) - 1, 0, -1):
            label = int(back[place, label])
            found.append(label)
        return [self.labels[label] for label in reversed(found)]

    def _scores(self, features: Features) -> NDArray[np.float32]:
        scores = np.zeros((len(features), len(self.labels)), dtype=np.float32)
        for place, names in enumerate(features):
            for name in names:
                row = self._rows.get(name)
                if row is not None:
                    span = slice(self._starts[row], self._starts[row + 1])
                    scores[place, self._columns[span]] += self._weights[span]
        return scores

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What was learned, for :func:`numpy.savez_compressed`."""
        return {
            "labels": _bytes(self.labels),
            "names": _bytes(self._rows),
            "starts": self._starts,
            "columns": self._columns,
            "weights": self._weights,
            "transitions": self._transitions,
        }

    @classmethod
    def of_arrays(cls, arrays: Any, path: Path) -> Tagger:
        """Take back what :meth:`arrays` gave.

        Args:
            arrays: name -> array.
            path: where they come from, for the error.

        Raises:
            DataError: they do not fit together.
        """
        labels, names = _names(arrays["labels"]), _names(arrays["names"])
        starts, columns, weights = arrays["starts"], arrays["columns"], arrays["weights"]
        fits = (
            len(starts) == len(names) + 1
            and len(columns) == len(weights) == int(starts[-1])
            and bool((np.diff(starts) >= 0).all())
            and arrays["transitions"].shape == (len(labels), len(labels))
            and (not len(columns) or (columns.min() >= 0 and columns.max() < len(labels)))
        )
        if not fits:
            raise DataError(f"{path}: the parts of this glosser do not fit together.", "Train it again: seshat gloss")
        rows = {name: place for place, name in enumerate(names)}
        return cls(labels, rows, starts, columns, weights, arrays["transitions"])


def _bytes(names: Iterable[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode(), dtype=np.uint8)


def _names(content: NDArray[np.uint8]) -> list[str]:
    text = content.tobytes().decode()
    return text.split("\n") if text else []
