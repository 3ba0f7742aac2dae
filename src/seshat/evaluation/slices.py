"""The test set cut by what makes sentences hard, and the score of every system on each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import regex

from seshat.config import Direction
from seshat.core.records import Segment
from seshat.evaluation.testbed import Material, folded
from seshat.report.results import SliceResult
from seshat.scores import METRICS, Metric
from seshat.scores.metrics import Counts, scores
from seshat.scores.significance import bootstrap
from seshat.scores.table import with_interval
from seshat.text.words import PLACEHOLDER, tokenize

SMALL = 20
"""A slice with fewer sentences says next to nothing; it is flagged."""

GENRE = "Genre"
"""The group that parts the test set by genre."""

_MOST_VALUES = 12
"""Genres or sources shown on their own; the rarer ones are put together."""
_NAME_TYPES = ("person", "place", "name", "deity")
_SENTENCE_START = regex.compile(r"[.!?…:;\"“”«»¿¡()\[\]።။।།—-]")
_DAMAGED = regex.compile(PLACEHOLDER)


@dataclass(frozen=True)
class Slice:
    """Some sentences of the test set that have something in common."""

    group: str
    """What the test set was cut by."""
    name: str
    """What these sentences have in common."""
    members: tuple[int, ...]
    """Their places in the test set."""


def cut(segments: Sequence[Segment], direction: Direction, material: Material) -> list[Slice]:
    """Cut the test set. A group in which all sentences are alike is left out.

    Args:
        segments: the test set.
        direction: the source language decides about words, names and length.
        material: what the training data hold.
    """
    sources = [segment.texts[direction.source] for segment in segments]
    trained = material.trained[direction.source]
    lexicon = material.lexicon_words(direction.source)
    names = material.lexicon_words(direction.source, _NAME_TYPES)
    groups: list[tuple[str, list[str], Callable[[int], str]]] = []

    low, high = (int(value) for value in np.quantile([len(text) for text in sources], [1 / 3, 2 / 3]))
    lengths = [f"short (up to {low} characters)", f"middle ({low + 1} to {high})", f"long (over {high})"]
    groups.append(
        ("Length of the source", lengths, lambda n: lengths[(len(sources[n]) > low) + (len(sources[n]) > high)])
    )

    unseen = ["no unseen word", "up to a quarter unseen", "up to half unseen", "more than half unseen"]
    shares = [_share_unseen(text, trained) for text in sources]
    groups.append(
        ("Words that training never saw", unseen, lambda n: unseen[int(np.searchsorted([0, 0.25, 0.5], shares[n]))])
    )

    only = ["has a word known only from the lexicon", "has none"]
    groups.append(
        (
            "Words only in the lexicon",
            only,
            lambda n: only[not any(w in lexicon and w not in trained for w in folded(sources[n]))],
        )
    )
    named = ["has a proper name", "has none"]
    groups.append(("Proper names", named, lambda n: named[not has_name(sources[n], names)]))

    damaged = ["has a damaged passage", "complete"]
    groups.append(("Damaged passages", damaged, lambda n: damaged[_DAMAGED.search(sources[n]) is None]))

    for title, values in (
        (GENRE, [segment.meta.genre or "not stated" for segment in segments]),
        ("Source", [segment.meta.source or "not stated" for segment in segments]),
        ("Speaker", [segment.meta.speaker or "not stated" for segment in segments]),
        ("Session", [segment.meta.extra.get("session.title") or "not stated" for segment in segments]),
    ):
        common = [value for value, _ in sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))]
        shown = common if len(common) <= _MOST_VALUES else [*common[: _MOST_VALUES - 1], "others"]
        groups.append((title, shown, _value_of(values, set(shown))))
    return [part for title, order, label in groups for part in _group(title, order, label, len(segments))]


def _value_of(values: list[str], shown: set[str]) -> Callable[[int], str]:
    return lambda n: values[n] if values[n] in shown else "others"


def _group(title: str, order: list[str], label: Callable[[int], str], size: int) -> list[Slice]:
    members: dict[str, list[int]] = {}
    for number in range(size):
        members.setdefault(label(number), []).append(number)
    if len(members) < 2:
        return []
    return [Slice(title, name, tuple(members[name])) for name in order if name in members]


def _share_unseen(text: str, trained: set[str]) -> float:
    found = folded(text)
    return sum(word not in trained for word in found) / len(found) if found else 0.0


def has_name(text: str, names: set[str]) -> bool:
    """Whether a text seems to hold a proper name.

    A word with a capital that does not begin a sentence (in scripts that have capitals), or a name of the lexicon.
    """
    starts = True
    shouting = text.isupper()
    for token in tokenize(text):
        if _SENTENCE_START.fullmatch(token):
            starts = True
            continue
        if token.casefold() in names:
            return True
        if not starts and not shouting and len(token) > 1 and token[0].isupper():
            return True
        starts = False
    return False


def score_slices(
    slices: Sequence[Slice], counts: Mapping[str, Counts], headline: Metric, samples: int, seed: int
) -> list[SliceResult]:
    """One score of every system on every slice, with its interval.

    Args:
        slices: the parts of the test set.
        counts: per system, counts per sentence of the whole test set.
        headline: which score.
        samples: resamples of the bootstrap.
        seed: start of the random numbers.
    """
    column = METRICS.index(headline)
    table = []
    for part in slices:
        members = np.array(part.members)
        chosen = {name: rows[members] for name, rows in counts.items()}
        resampled = bootstrap(chosen, samples, seed)
        systems = {
            name: with_interval(float(scores(rows.sum(axis=0))[column]), resampled[name][:, column])
            for name, rows in chosen.items()
        }
        size = len(members)
        table.append(SliceResult(group=part.group, name=part.name, segments=size, small=size < SMALL, systems=systems))
    return table
