"""The glosser of a project: learned from its training sentences, measured on those of its test set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from seshat.core.errors import DataError
from seshat.core.jsonl import write_json
from seshat.core.progress import task
from seshat.models.glossing.glosser import Glosser, LookUp
from seshat.models.glossing.sentences import Sentence, is_grammatical, sentences
from seshat.project.folder import Project
from seshat.scores.glossing import GlossScores, gloss_scores

NAME = "gloss"
"""Folder of the glosser below ``models/``, and of its figures below ``reports/``."""
VERSION = 1
"""Of the glosser: raised when the same sentences give another one."""
HELD_OUT = 10
"""Every tenth sentence is held out where the test set has no glosses."""
_KEY = "trained_on.json"
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Glossed:
    """The glossed sentences of a project."""

    training: list[Sentence]
    test: list[Sentence]
    held_out: bool
    """Whether the test sentences were taken from training, because the test set has no glosses."""

    @classmethod
    def of(cls, project: Project) -> Glossed:
        """Read them, as far as the run may use them."""
        _, pivot = project.config.project.pair
        training = [one for name in ("train", "monolingual") for one in sentences(project.segments(name), pivot)]
        test = list(sentences(project.segments("test"), pivot))
        if test or len(training) < HELD_OUT:
            return cls(training, test, held_out=False)
        rest = [one for place, one in enumerate(training) if place % HELD_OUT != HELD_OUT - 1]
        return cls(rest, training[HELD_OUT - 1 :: HELD_OUT], held_out=True)


def glosser(project: Project, training: Sequence[Sentence]) -> Glosser:
    """The glosser of these sentences: the one below ``models/`` when it was learned from them, else a new one.

    Raises:
        DataError: there are no glossed sentences.
        MissingPackage: ``python-crfsuite`` is not installed.
    """
    folder, seed = project.models / NAME, project.config.project.seed
    key = {"version": VERSION, "sha256": _digest(training, seed)}
    if _read(folder / _KEY) == key:
        try:
            return Glosser.load(folder)
        except DataError as error:
            log.warning("the glosser is learned again", why=error.message)
    with task("learning to gloss"):
        made = Glosser.train(training, seed)
    made.save(folder)
    write_json(folder / _KEY, key)
    return made


def run(project: Project) -> dict[str, Any]:
    """Learn to gloss, and measure it beside looking up; writes ``models/gloss`` and ``reports/glossing.json``.

    Returns:
        ``sentences``, ``test``, ``held_out`` and the scores (:class:`~seshat.scores.glossing.GlossScores`) of glosser
        and look-up, with the morphemes given and without (``raw``).

    Raises:
        DataError: there are no glossed sentences.
        MissingPackage: ``python-crfsuite`` is not installed.
    """
    data = Glossed.of(project)
    learned = glosser(project, data.training)
    look_up = LookUp(data.training)
    found: dict[str, Any] = {"sentences": len(data.training), "test": len(data.test), "held_out": data.held_out}
    gold = [one.glosses for one in data.test]
    for name, cut in (("segmented", True), ("raw", False)):
        asked = [replace(one, glosses=(), morphemes=one.morphemes if cut else ()) for one in data.test]
        with task(f"glossing {len(asked)} sentences, {name}"):
            answers = [one.glosses for one in learned.gloss(asked)]
        for system, said in (("glosser", answers), ("look-up", [look_up.gloss(one) for one in asked])):
            found[f"{system}, {name}"] = _plain(gloss_scores(gold, said, is_grammatical))
    write_json(project.reports / "glossing.json", found)
    return found


def _plain(scores: GlossScores) -> dict[str, Any]:
    """Scores as plain values, shares by name."""
    plain = asdict(scores)
    shares = {name: getattr(scores, name)._asdict() for name in ("words", "morphemes", "stems", "categories")}
    return {**plain, **shares, "labels": {label: one._asdict() for label, one in scores.labels.items()}}


def _digest(training: Sequence[Sentence], seed: int) -> str:
    return hashlib.sha256(json.dumps([seed, *map(asdict, training)], ensure_ascii=False).encode()).hexdigest()


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
