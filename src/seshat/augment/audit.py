"""The self-audit: models trained on parts of the data re-translate its pairs; people look at the worst.

After the loop of the winners of "Deep Past" (four cross-validation models re-translate, tablets with low scores are
extracted anew and checked). A pair is suspect when its score (chrF2 of the re-translation against its own translation)
lies far below what pairs of its length with as many unknown words get.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regex

from seshat.augment.made import similarities
from seshat.config import Config, Direction
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.progress import track
from seshat.core.records import Method, Segment
from seshat.data.groups import fold
from seshat.project.folder import Project
from seshat.review.queues.audit import QUEUE
from seshat.review.segments import fingerprint
from seshat.review.table import Row
from seshat.text.words import words

MODEL = "audit"
_MADE_LATER = regex.compile(r":example-\d+$|#\d+$")
"""Ids of examples of lexicon entries and of copies: what people decide about them would find nothing."""
_BATCH = 64
_LEAST = 0.05
"""chrF2 (0 to 1) by which a pair must lie below what was to be expected."""


@dataclass(frozen=True)
class AuditProject(Project):
    """A project that trains on a part of its data, in a folder of its own."""

    home: Path

    @property
    def training(self) -> Path:
        """The part."""
        return self.home / "training"

    @property
    def models(self) -> Path:
        """Where its model goes."""
        return self.home / "models"

    @property
    def state(self) -> Path:
        """Where the training keeps its notes."""
        return self.home / "state"


@dataclass(frozen=True)
class Judged:
    """A pair, what a model made of it, and how that compares."""

    segment: Segment
    machine: str
    chrf: float
    """0 to 1."""
    unknown: float
    """Share of the words of the source that the model had never seen."""
    expected: float = 0.0
    """chrF2 of pairs like it."""

    @property
    def surprise(self) -> float:
        """How far it lies below what was to be expected."""
        return self.expected - self.chrf


def run(project: Project) -> dict[str, Any]:
    """Audit the training pairs and write the review file; what people have written in it stays.

    Returns:
        ``pairs`` judged, ``listed`` in the file, ``chrf`` (mean), ``decided`` rows, the file.

    Raises:
        DataError: there are no training files yet, too few documents, or somebody has just saved the review file.
    """
    settings, section = project.config.project, project.config.augment.audit
    path = QUEUE.path(project)
    rows, before = QUEUE.read(path)
    direction = Direction(*settings.pair)
    pairs = _pairs(project, direction)
    judged = expected(judge(project, pairs, direction))
    count = min(section.most, round(section.share * len(judged)))
    suspect = [one for one in judged if one.surprise >= _LEAST]
    worst = sorted(suspect, key=lambda one: (-one.surprise, one.segment.id))[:count]
    both = QUEUE.merged(rows, (_row(one, direction) for one in worst))
    decided = sum(map(QUEUE.touched, both))
    QUEUE.write(path, both, before)
    return {
        "pairs": len(judged),
        "listed": len(both) - decided,
        "decided": decided,
        "chrf": round(100 * sum(one.chrf for one in judged) / max(1, len(judged)), 2),
        "review": path.relative_to(project.root).as_posix(),
        "warnings": [],
    }


def _pairs(project: Project, direction: Direction) -> list[Segment]:
    path = project.training / "train.jsonl"
    if not path.exists():
        raise DataError(f"{path}: there are no training files yet.", "Bring the project up to date first: seshat run")
    return [
        one
        for one in project.segments("train")
        if all(one.texts.get(tag, "").strip() for tag in direction)
        and one.meta.method is not Method.SYNTHETIC
        and not _MADE_LATER.search(one.id)
    ]


def parts(pairs: Sequence[Segment], folds: int) -> list[frozenset[str]]:
    """Ids of each part: whole documents, parts of about equal size.

    Raises:
        DataError: there are fewer documents than parts.
    """
    of = {one.id: f"{one.meta.source}\t{one.meta.doc_id or one.id}" for one in pairs}
    units = set(of.values())
    if len(units) < folds:
        raise DataError(
            f"{len(units)} documents cannot be parted into {folds}.", "Lower augment.audit.folds, or give doc_id."
        )
    members = [fold(of, folds, number) for number in range(folds)]
    return [frozenset(name for name, unit in of.items() if unit in mine) for mine in members]


def judge(project: Project, pairs: Sequence[Segment], direction: Direction) -> list[Judged]:
    """Train a model without each part in turn, and let it re-translate."""
    found: dict[str, Judged] = {}
    for number, part in enumerate(track(parts(pairs, project.config.augment.audit.folds), "auditing")):
        seen, asked = ([one for one in pairs if (one.id in part) is inside] for inside in (False, True))
        made = _retranslated(project, number, seen, asked, direction)
        known = {word.casefold() for one in seen for word in words(one.texts[direction.source])}
        scores = similarities(made, [one.texts[direction.target] for one in asked])
        for one, text, score in zip(asked, made, scores, strict=True):
            own = words(one.texts[direction.source])
            unknown = sum(word.casefold() not in known for word in own) / max(1, len(own))
            found[one.id] = Judged(one, text, score, unknown)
    return [found[one.id] for one in pairs if one.id in found]


def expected(judged: Sequence[Judged]) -> list[Judged]:
    """The same with the score that a pair of this length and share of unknown words gets: least squares over all."""
    import numpy as np

    if not judged:
        return []
    sizes = np.log([1 + sum(map(len, one.segment.texts.values())) for one in judged])
    unknown = np.array([one.unknown for one in judged])
    columns = np.stack([np.ones(len(judged)), sizes, unknown], axis=1)
    scores = np.array([one.chrf for one in judged])
    weights, *_ = np.linalg.lstsq(columns, scores, rcond=None)
    guesses = np.clip(columns @ weights, 0.0, 1.0)
    return [
        Judged(one.segment, one.machine, one.chrf, one.unknown, round(float(guess), 4))
        for one, guess in zip(judged, guesses, strict=True)
    ]


def _retranslated(
    project: Project, number: int, seen: Sequence[Segment], asked: Sequence[Segment], direction: Direction
) -> list[str]:
    """The re-translations of one model; kept, so that a killed audit goes on with the next model."""
    home = project.state / "audit" / f"part-{number}"
    done = home / "translations.json"
    key = _key(project.config, seen, asked)
    if done.exists():
        kept: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return [str(text) for text in kept["texts"]]
    mine = AuditProject(project.root, _settings(project.config), home)
    _write_training(project, mine, seen)
    made = _train_and_translate(mine, [one.texts[direction.source] for one in asked], direction)
    write_json(done, {"key": key, "texts": made})
    return made


def _train_and_translate(mine: AuditProject, texts: Sequence[str], direction: Direction) -> list[str]:
    from seshat.inference.batch import in_order, translate_all
    from seshat.inference.load import load_translator
    from seshat.models import train
    from seshat.prompt.request import requests

    train.run(mine)
    translator = load_translator(mine.model(), direction)
    found = in_order(translate_all(translator, requests(texts), batch=_BATCH), len(texts))
    return [hypothesis.text for hypothesis in found]


def _settings(config: Config) -> Config:
    """The configuration of an audit's model: statistical, one way, untuned - minutes for all models together."""
    statistical = config.train.statistical.model_copy(update={"tune": False})
    known = {"family": "statistical", "name": MODEL, "directions": "to-pivot", "statistical": statistical}
    model = config.model.model_copy(update={"base": None})
    tracking = config.tracking.model_copy(update={"report_to": ()})
    train = config.train.model_copy(update=known)
    return config.model_copy(update={"train": train, "model": model, "tracking": tracking})


def _write_training(project: Project, mine: AuditProject, seen: Iterable[Segment]) -> None:
    write_jsonl(mine.training / "train.jsonl", seen)
    for name in ("validation", "monolingual"):
        write_jsonl(mine.training / f"{name}.jsonl", project.segments(name))
    write_jsonl(mine.training / "lexicon.jsonl", project.entries())


def _key(config: Config, seen: Sequence[Segment], asked: Sequence[Segment]) -> str:
    told = [config.train.statistical.model_dump(mode="json"), config.project.seed]
    digest = hashlib.sha256(json.dumps(told).encode())
    for one in (*seen, *asked):
        digest.update(f"{one.id}\t{fingerprint(one.texts)}\n".encode())
    return digest.hexdigest()


def _row(one: Judged, direction: Direction) -> Row:
    segment = one.segment
    return Row(
        {
            "id": segment.id,
            "document": segment.meta.doc_id or "",
            "source_text": segment.texts[direction.source],
            "target_text": segment.texts[direction.target],
            "machine_text": one.machine,
            "chrf": f"{100 * one.chrf:.1f}",
            "expected": f"{100 * one.expected:.1f}",
            "status": "",
            "fingerprint": fingerprint(segment.texts),
            "access": segment.meta.access.value,
        }
    )
