"""Limits of measures for a language: fitted from trusted text, written as YAML, by profile of genre.

A document is tagged ``measure:NAME`` where a number lies outside its limits. Its genre chooses the profile; one that
has none uses ``default``. FineWeb-2's file of a language can be read as a profile, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seshat.core.errors import DataError
from seshat.core.jsonl import atomic_path, cannot_read

DEFAULT = "default"
"""The profile of genres that have none of their own."""
SIDES: dict[str, Literal["low", "high", "both"]] = {
    "words": "low", "word_length": "both", "line_length": "both", "bullets": "high", "repeated_lines": "high",
    "script_share": "low", "letter_share": "low", "digit_share": "high", "sign_share": "high", "repetition": "high",
    "repeated_runs": "high", "top_pair": "high", "top_word": "high", "boilerplate": "high", "bits": "high",
    "word_order": "low", "language_share": "low", "urls": "high",
}  # fmt: skip
"""Measures that are fitted, and on which side odd text lies."""
_SHARES = frozenset({"script_share", "letter_share", "language_share"})
KEEP = 0.98
"""Share of the trusted documents that fitted limits keep at least."""
_TAILS = (0.02, 0.01, 0.005, 0.002, 0.001, 0.0)
_SLACK = 0.1
"""By how much of the distance between the two outer percentiles limits are moved outward: a sample never holds all."""
_LEAST_SLACK = 0.05
"""By how much of the percentile itself they are moved at least."""


class Limit(BaseModel):
    """The least and the most that a measure may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: float | None = None
    max: float | None = None

    def admits(self, number: float) -> bool:
        """Whether a number lies within."""
        return (self.min is None or number >= self.min) and (self.max is None or number <= self.max)


class Odd(NamedTuple):
    """A measure that lies outside its limits, and why, for people."""

    measure: str
    reason: str

    @property
    def tag(self) -> str:
        """The tag of the document."""
        return f"measure:{self.measure}"


class Thresholds(BaseModel):
    """The limits of a language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    fitted_from: str = ""
    """What trusted text, and how much of it."""
    lists: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Lists of words that measures ``list:NAME`` and ``count:NAME`` look for."""
    profiles: dict[str, dict[str, Limit]] = Field(default_factory=dict)

    def odd(self, numbers: Mapping[str, float], genre: str | None) -> list[Odd]:
        """The measures of a document that lie outside its profile, in the order of the profile."""
        profile = self.profiles.get(genre or DEFAULT, self.profiles.get(DEFAULT, {}))
        return [
            Odd(name, f"{name} {numbers[name]:.4g} is {_side(limit, numbers[name])}")
            for name, limit in profile.items()
            if name in numbers and not limit.admits(numbers[name])
        ]

    def save(self, path: Path) -> None:
        """Write the file, atomically."""
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.width = 120
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
            yaml.dump(self.model_dump(mode="json", exclude_none=True), stream)

    @classmethod
    def load(cls, path: Path) -> Thresholds:
        """Read a file that :meth:`save` or a person wrote.

        Raises:
            DataError: it is not there, or no such file.
        """
        try:
            return cls.model_validate(_yaml(path))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{path}: {where}: {first['msg']}.", "Fit it again: seshat fit.") from error


def _side(limit: Limit, number: float) -> str:
    if limit.min is not None and number < limit.min:
        return f"below {limit.min:.4g}"
    return f"above {limit.max:.4g}"


def _yaml(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise cannot_read(path, error) from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: this is no YAML: {error}.") from error


def fit(measured: Sequence[Mapping[str, float]], keep: float = KEEP) -> dict[str, Limit]:
    """Limits that keep a share of trusted documents, as narrow as they can be.

    Each limit is a percentile of its measure, moved outward by a tenth of the distance between the outer ones; the
    percentiles are the innermost of a few at which all limits together keep the share.

    Args:
        measured: the numbers of each document; better measured by models that have not seen it.
        keep: the share to keep, 0 to 1.

    Raises:
        DataError: there are no documents.
    """
    if not measured:
        raise DataError("there is no trusted text to fit limits from.", "Name sources in measure.trusted.")
    limits: dict[str, Limit] = {}
    for tail in _TAILS:
        limits = {name: limit for name in SIDES if (limit := _fitted(name, measured, tail)) is not None}
        kept = sum(all(limit.admits(one[name]) for name, limit in limits.items() if name in one) for one in measured)
        if kept >= keep * len(measured):
            break
    return limits


def _fitted(name: str, measured: Sequence[Mapping[str, float]], tail: float) -> Limit | None:
    import numpy as np

    found = np.array([one[name] for one in measured if name in one])
    if not len(found):
        return None
    low, high = (float(one) for one in np.quantile(found, [tail, 1 - tail]))
    slack = max(_SLACK * (high - low), _LEAST_SLACK * abs(high)) + 1e-6
    side = SIDES[name]
    if name in _SHARES:
        slack = max(slack, 0.02)
    if side == "high" and name != "urls":
        slack = max(slack, 0.02)
    least = round(low - slack, 6) if side in ("low", "both") else None
    most = round(high + slack, 6) if side in ("high", "both") else None
    return Limit(min=least if least is None or least > 0 else 0.0, max=most)


_FINEWEB = {
    "dup_line_frac": ("repeated_lines", "max"), "language_score": ("language_share", "min"),
    "line_punct_thr": ("line_ends", "min"), "max_avg_word_length": ("word_length", "max"),
    "min_avg_word_length": ("word_length", "min"), "max_non_alpha_words_ratio": ("letter_words", "min"),
    "new_line_ratio": ("lines_per_word", "max"),
}  # fmt: skip
"""Setting of FineWeb-2 -> the measure that comes next to it, and which end it bounds."""
_FEWEST_STOPWORDS = 2.0


def from_fineweb(path: Path, language: str) -> Thresholds:
    """The limits in FineWeb-2's file of a language (``configs/LANGUAGE.yml``; Penedo et al. 2025).

    Runs of other lengths than five words and pairs, ``dup_n_grams`` and ``top_n_grams``, have no measure here and are
    left out.

    Raises:
        DataError: the file is none of these.
    """
    given = _yaml(path)
    if not isinstance(given, dict) or not _FINEWEB.keys() & given.keys():
        raise DataError(f"{path}: this is no file of FineWeb-2: none of {', '.join(_FINEWEB)} stands in it.")
    limits: dict[str, dict[str, float]] = {}
    try:
        for setting, (name, end) in _FINEWEB.items():
            if setting in given and float(given[setting]) >= 0:
                limits.setdefault(name, {})[end] = float(given[setting])
        for setting, wanted, name in (("dup_n_grams", 5, "repeated_runs"), ("top_n_grams", 2, "top_pair")):
            if wanted in (runs := dict(given.get(setting, ()))):
                limits[name] = {"max": float(runs[wanted])}
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: not as FineWeb-2 writes it: {error}.") from error
    stopwords = tuple(map(str, given.get("stopwords", ())))
    if stopwords:
        limits["count:stopwords"] = {"min": _FEWEST_STOPWORDS}
    profile = {name: Limit(**ends) for name, ends in limits.items()}
    lists = {"stopwords": stopwords} if stopwords else {}
    return Thresholds(
        language=language, fitted_from=f"FineWeb-2, {path.name}", lists=lists, profiles={DEFAULT: profile}
    )
