"""Which training records each phase of a fine-tuning sees: pure choices, the same in every process.

Noisy data first and the best last beats the two mixed (ByT5-base on Old Assyrian, "Deep Past" leaderboard, published
logs of one team: 33.4 against 30.9), so a phase names its data by ``where``. A model that goes on from an older one
learns what is new, and a share of what it has seen already, so that it does not forget.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from seshat.config import Config
from seshat.config.finetune import FineTuneSection, PhaseSection, WhereSection
from seshat.core.errors import DataError
from seshat.core.jsonl import write_text
from seshat.core.records import Meta, Segment

T = TypeVar("T")
SEEN = "seen.txt"
"""In the folder of a model: a digest per training record that it has learned from."""


@dataclass(frozen=True)
class Traits:
    """What a phase can choose a record by."""

    source: str | None = None
    method: str = "gold"
    score: float | None = None
    tags: tuple[str, ...] = ()
    task: str | None = None
    """Of an instruction; ``None`` for a pair or a text, which no list of tasks keeps out."""
    text: bool = False
    """Running text for a causal model, which phases of text alone learn from."""

    @classmethod
    def of(cls, record: Segment) -> Traits:
        """Those of a segment."""
        return cls.of_meta(record.meta)

    @classmethod
    def of_meta(cls, meta: Meta) -> Traits:
        """Those of what is known about a record."""
        return cls(meta.source, str(meta.method), meta.score, meta.tags)

    @classmethod
    def of_example(cls, example: Mapping[str, Any]) -> Traits:
        """Those of a line of ``data/training/messages``."""
        meta = example.get("meta") or {}
        tags = tuple(meta.get("tags") or ())
        return cls(meta.get("source"), meta.get("method") or "gold", meta.get("score"), tags, example.get("task"))


def admits(where: WhereSection, traits: Traits) -> bool:
    """Whether a record belongs to a phase. A record without a score passes any ``min_score``."""
    return not (
        (where.sources and traits.source not in where.sources)
        or (where.methods and traits.method not in where.methods)
        or (where.tags and not set(where.tags) & set(traits.tags))
        or set(where.without_tags) & set(traits.tags)
        or (where.min_score is not None and traits.score is not None and traits.score < where.min_score)
        or (where.tasks and traits.task is not None and traits.task not in where.tasks)
    )


@dataclass(frozen=True)
class Phase:
    """A phase with all its settings filled in."""

    name: str
    epochs: float
    learning_rate: float
    where: WhereSection = field(default_factory=WhereSection)
    text: bool = False
    """Whether it learns from running text."""


def phases(config: Config) -> tuple[Phase, ...]:
    """The phases of a training: those configured, or one with all data."""
    return tuple(_filled(phase, config.train.finetune) for phase in config.phases)


def _filled(phase: PhaseSection, usual: FineTuneSection) -> Phase:
    rate = usual.learning_rate if phase.learning_rate is None else phase.learning_rate
    epochs = usual.epochs if phase.epochs is None else phase.epochs
    return Phase(phase.name, epochs, rate, phase.where, phase.text)


def choose(records: Sequence[T], phase: Phase, traits: Callable[[T], Traits]) -> list[T]:
    """The records of a phase, in their order.

    Raises:
        DataError: there are none; says what there is instead.
    """
    records = [record for record in records if traits(record).text == phase.text]
    found = [record for record in records if admits(phase.where, traits(record))]
    if found:
        return found
    seen = [traits(record) for record in records]
    there = {
        "sources": Counter(one.source or "no name" for one in seen),
        "methods": Counter(one.method for one in seen),
        "tags": Counter(tag for one in seen for tag in one.tags),
        "tasks": Counter(one.task for one in seen if one.task),
    }
    described = "; ".join(
        f"{kind}: {', '.join(f'{name} ({count})' for name, count in counts.most_common(8))}"
        for kind, counts in there.items()
        if counts
    )
    raise DataError(
        f"train.phases: no training record belongs to the phase '{phase.name}' ({_written(phase.where)}).",
        f"Among the {len(records)} training records there are {described}."
        if records
        else f"There are no {'texts' if phase.text else 'training records'} at all: `seshat check` says why.",
    )


def _written(where: WhereSection) -> str:
    values = where.model_dump(mode="json", exclude_defaults=True)
    return "where: " + (", ".join(f"{key} {value}" for key, value in values.items()) or "everything")


def digest(record: Segment | Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits that stand for a training record: its id and what it says."""
    if isinstance(record, Segment):
        said: list[str] = [record.id, *(part for pair in sorted(record.texts.items()) for part in pair)]
    else:
        said = [str(record.get("id")), *(str(m["content"]) for m in record["messages"])]
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:16]


def with_replay(
    records: Sequence[T], seen: Collection[str], share: float, seed: int, key: Callable[[T], str]
) -> tuple[list[T], int]:
    """What a model that goes on learns from: all that is new, and a share of what it has seen.

    Which of the old records are taken depends on the seed and the record alone, never on what stands around it.

    Args:
        records: the training records of today.
        seen: digests of the records that the older model learned from.
        share: part of the old records to take, 0 to 1.
        seed: of the project.
        key: gives the digest of a record.

    Returns:
        The records in their order, and how many of them are old.
    """
    keys = [key(record) for record in records]
    old = [i for i, one in enumerate(keys) if one in seen]
    old.sort(key=lambda i: (hashlib.sha256(f"{seed} {keys[i]}".encode()).digest(), i))
    taken = set(old[: round(share * len(old))])
    left_out = set(old) - taken
    return [record for i, record in enumerate(records) if i not in left_out], len(taken)


def read_seen(model: Path) -> frozenset[str]:
    """Digests of what a model has learned from; none when it does not say."""
    path = model / SEEN
    return frozenset(path.read_text(encoding="utf-8").split()) if path.exists() else frozenset()


def write_seen(model: Path, digests: Iterable[str]) -> None:
    """Note beside a model what it has learned from, for models that go on from it."""
    write_text(model / SEEN, "".join(f"{one}\n" for one in sorted(set(digests))))
