"""How far a translation may be trusted: the score that translations like it reach on validation.

A linear regression from what is known about a translation without a reference - the model's score, the agreement of
the candidates, the source - to the chrF2 of the sentence, and a monotone curve on top of it that brings the guesses to
the scale of what was measured. The levels low, medium and high are thirds of the validation set. How good the guess is
on the test set, the evaluation reports.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seshat.config import Direction
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.inference.postprocess import is_filled
from seshat.inference.translator import Hypothesis
from seshat.project import manifest
from seshat.text.words import words

Floats = NDArray[np.float64]
Level = Literal["low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("low", "medium", "high")
FEATURES = ("score", "score per word", "words of the source", "unknown words", "length", "copied words", "agreement")
"""What the regression sees; agreement only where several candidates were compared."""
FEWEST = 30
"""With fewer validation sentences nothing can be learnt about the scores of others."""
_FOLDS = 5
_RIDGE = 1.0  # as strong as one more sentence for every weight; keeps related features from running away


@dataclass(frozen=True)
class Confidence:
    """What to expect of one translation."""

    value: float
    """The chrF2 that translations like this one reach on validation, 0 to 1."""
    level: Level
    """The third of the validation set that this is as good as."""


class Vocabulary:
    """Words known by their hashes: small, and nothing can be read from it."""

    def __init__(self, hashes: Iterable[int]) -> None:
        self._hashes = frozenset(hashes)

    @classmethod
    def of(cls, known: Iterable[str]) -> Vocabulary:
        """Those of some case-folded words."""
        return cls(map(_hash, known))

    def __contains__(self, word: str) -> bool:
        return _hash(word) in self._hashes

    def pack(self) -> str:
        """As text."""
        return base64.b64encode(np.array(sorted(self._hashes), dtype="<u4").tobytes()).decode("ascii")

    @classmethod
    def unpack(cls, text: str) -> Vocabulary:
        """What :meth:`pack` made."""
        return cls(np.frombuffer(base64.b64decode(text), dtype="<u4").tolist())


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "little")


def features(hypothesis: Hypothesis, source: str, known: Vocabulary) -> list[float]:
    """What is known about a translation, in the order of :data:`FEATURES`."""
    asked, said = words(source.casefold()), words(hypothesis.text.casefold())
    own = set(asked)
    return [
        hypothesis.score,
        hypothesis.score / (1 + len(said)),
        math.log(1 + len(asked)),
        sum(word not in known for word in asked) / max(len(asked), 1),
        math.log((1 + len(hypothesis.text)) / (1 + len(source))),
        sum(word in own for word in said) / max(len(said), 1),
        *([] if hypothesis.agreement is None else [hypothesis.agreement]),
    ]


@dataclass(frozen=True)
class Curve:
    """From features to the expected score."""

    means: tuple[float, ...]
    """Of each feature on validation."""
    spreads: tuple[float, ...]
    """Standard deviations; 1 for a feature that never changes."""
    weights: tuple[float, ...]
    """Of the features in standard deviations; the last is the constant."""
    guesses: tuple[float, ...]
    """Where the monotone curve has its corners; between them it is straight."""
    values: tuple[float, ...]
    """The expected chrF2 at the corners, 0 to 100."""
    cuts: tuple[float, float]
    """Below the first: low; from the second on: high. 0 to 100."""
    segments: int
    """Validation sentences that it was learnt from."""

    @classmethod
    def fit(cls, rows: Floats, scores: Floats) -> Curve:
        """Learn from validation.

        The monotone curve and the levels come from guesses about sentences that the regression behind them had not
        seen: five parts, each guessed from the other four.

        Args:
            rows: features, (sentences, features).
            scores: chrF2 of each sentence, 0 to 100.
        """
        means, spreads = rows.mean(axis=0), rows.std(axis=0)
        spreads = np.where(spreads > 1e-9, spreads, 1.0)
        scaled = np.hstack([(rows - means) / spreads, np.ones((len(rows), 1))])
        held_out = np.zeros(len(rows))
        for part in np.array_split(np.arange(len(rows)), _FOLDS):
            others = np.setdiff1d(np.arange(len(rows)), part)
            held_out[part] = scaled[part] @ _ridge(scaled[others], scores[others])
        guesses, values = isotonic(held_out, scores)
        expected = np.interp(held_out, guesses, values)
        low, high = np.quantile(expected, [1 / 3, 2 / 3])
        return cls(
            _rounded(means),
            _rounded(spreads),
            _rounded(_ridge(scaled, scores)),
            _rounded(guesses),
            _rounded(values),
            (round(float(low), 6), round(float(high), 6)),
            len(rows),
        )

    def expect(self, row: Sequence[float]) -> Confidence:
        """What to expect of a translation with these features."""
        scaled = [(value - mean) / spread for value, mean, spread in zip(row, self.means, self.spreads, strict=True)]
        guess = sum(value * weight for value, weight in zip([*scaled, 1.0], self.weights, strict=True))
        return self.graded(float(np.interp(guess, self.guesses, self.values)))

    def graded(self, expected: float) -> Confidence:
        """An expected chrF2, 0 to 100, with its level."""
        level = LEVELS[sum(expected >= cut for cut in self.cuts)]
        return Confidence(round(min(max(expected / 100, 0.0), 1.0), 4), level)


@dataclass(frozen=True)
class Calibration:
    """What was learnt on validation about the translations of one model in one direction."""

    known: Vocabulary
    """The source words of the training data."""
    curves: Mapping[bool, Curve]
    """By whether there is an agreement of candidates to go by."""

    @classmethod
    def fit(
        cls, sources: Sequence[str], hypotheses: Sequence[Hypothesis], scores: Floats, known: Iterable[str]
    ) -> Calibration | None:
        """Learn from the translations of a validation set; ``None`` when there are fewer than :data:`FEWEST`.

        Args:
            sources: what was translated.
            hypotheses: the translations.
            scores: chrF2 of each, 0 to 100.
            known: the source words of the training data, case-folded.
        """
        if len(sources) < FEWEST:
            return None
        vocabulary = Vocabulary.of(known)
        pairs = zip(hypotheses, sources, strict=True)
        rows = [features(hypothesis, source, vocabulary) for hypothesis, source in pairs]
        curves = {}
        compared = [place for place, row in enumerate(rows) if len(row) == len(FEATURES)]
        if len(compared) >= FEWEST:
            curves[True] = Curve.fit(np.array([rows[place] for place in compared]), scores[compared])
        # A translation without candidates to compare is judged by all the rest.
        curves[False] = Curve.fit(np.array([row[: len(FEATURES) - 1] for row in rows]), scores)
        return cls(vocabulary, curves)

    @property
    def segments(self) -> int:
        """Validation sentences that it was learnt from."""
        return self.curves[False].segments

    def grade(self, hypothesis: Hypothesis, source: str) -> Confidence:
        """How far a translation may be trusted.

        Nothing can be said well of a text without words, nor of one that the model did not make, so: low.
        """
        if not hypothesis.text.strip() or not words(source) or is_filled(hypothesis.changes):
            return Confidence(0.0, "low")
        row = features(hypothesis, source, self.known)
        agreed = len(row) == len(FEATURES) and True in self.curves
        return self.curves[agreed].expect(row if agreed else row[: len(FEATURES) - 1])

    def document(self, grades: Sequence[Confidence]) -> Confidence:
        """How far a document may be trusted: the mean over its texts, on the levels of single sentences."""
        return self.curves[False].graded(100 * sum(one.value for one in grades) / len(grades))

    @classmethod
    def load(cls, model_dir: Path, direction: Direction) -> Calibration | None:
        """That of a model; ``None`` when nothing was measured since its training, or by another version.

        Raises:
            DataError: the file is damaged.
        """
        path = file_of(model_dir)
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            part = found["directions"].get(str(direction))
            if part is None or found["model"] != _digest(model_dir) or tuple(part["features"]) != FEATURES:
                return None
            curves = {
                name == "with agreement": Curve(**{key: _tuple(value) for key, value in curve.items()})
                for name, curve in part["curves"].items()
            }
            return cls(Vocabulary.unpack(part["known"]), curves)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{path}: damaged: {error}.", "Write it anew with: seshat evaluate") from error

    def as_json(self) -> dict[str, Any]:
        """What stands in the file of a model for its direction."""
        curves = {"with agreement" if agreed else "alone": dict(vars(curve)) for agreed, curve in self.curves.items()}
        return {"features": FEATURES, "curves": curves, "known": self.known.pack()}


def file_of(model_dir: Path) -> Path:
    """Where the calibration of a model stands: beside its folder, which belongs to the stage ``train``."""
    return model_dir.parent / f"{model_dir.name}.confidence.json"


def save(model_dir: Path, found: Mapping[str, Calibration]) -> None:
    """Write the calibrations of a model, by direction."""
    directions = {name: one.as_json() for name, one in found.items()}
    write_json(file_of(model_dir), {"model": _digest(model_dir), "directions": directions})


def _digest(model_dir: Path) -> str:
    """Of the description of a model, which another training changes."""
    return manifest.digest(model_dir)


def isotonic(guesses: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """The never falling curve nearest to some points, by the least squares: pool adjacent violators.

    Returns:
        Corners: where each pooled block has its middle, and its mean score.
    """
    order = np.argsort(guesses, kind="stable")
    blocks: list[tuple[float, float, int]] = []  # sum of guesses, sum of scores, how many
    for guess, score in zip(guesses[order].tolist(), scores[order].tolist(), strict=True):
        blocks.append((guess, score, 1))
        while len(blocks) > 1 and blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]:
            (one, first, many), (other, second, more) = blocks[-2:]
            blocks[-2:] = [(one + other, first + second, many + more)]
    return (
        np.array([guess / count for guess, _, count in blocks]),
        np.array([score / count for _, score, count in blocks]),
    )


def _ridge(rows: Floats, scores: Floats) -> Floats:
    penalty: Floats = _RIDGE * np.eye(rows.shape[1], dtype=np.float64)
    penalty[-1, -1] = 0.0  # the constant may be what it must
    found: Floats = np.asarray(np.linalg.solve(rows.T @ rows + penalty, rows.T @ scores), dtype=np.float64)
    return found


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
