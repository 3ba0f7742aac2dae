"""A small project to serve, with records of two levels and a translator that only upper-cases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seshat.config import Config, Direction
from seshat.core.errors import DataError
from seshat.core.jsonl import write_jsonl, write_text
from seshat.core.records import Access, Entry, Example, GlossedWord, Meta, Segment, Sense
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.project.folder import Project
from seshat.prompt.request import Request

SECRET = "zarokum"
"""A word that stands in community records only."""


class Upper(Translator):
    """Upper-cases; ``boom`` breaks it, ``nonsense`` it cannot translate."""

    def __init__(self, name: str, direction: Direction) -> None:
        self.name, self.direction = name, direction
        self.batches: list[list[str]] = []

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts, n_best = [one.text for one in requests], max(one.n_best for one in requests)
        self.batches.append(list(texts))
        if any("boom" in text for text in texts):
            raise RuntimeError(f"cannot say {texts}")
        if any("nonsense" in text for text in texts):
            raise DataError("That is nonsense.", "Say something else.")
        return [self._one(text, n_best) for text in texts]

    def _one(self, text: str, n_best: int) -> Hypothesis:
        found = tuple(Candidate(f"{text.upper()}{'!' * n}", -float(n)) for n in range(n_best))
        return Hypothesis(text.upper(), 0.0, found if n_best > 1 else ())


def meta(access: str = "public") -> Meta:
    return Meta(access=Access(access), source="tales", doc_id="t", licence="CC0-1.0")


def serving_project(root: Path, *, max_access: str = "community", **serve: Any) -> Project:
    """Write the files of a project whose least open records are ``community``."""
    config = Config.model_validate(
        {"project": {"language": "qsm", "pivot": "es", "max_access": max_access}, "serve": serve}
    )
    project = Project(root, config)
    write_text(root / "seshat.yaml", f"project: {{language: qsm, pivot: es, max_access: {max_access}}}\n")
    glossed = (GlossedWord(form="palina", morphemes=("pali", "na"), glosses=("house", "LOC")),)
    train = [
        Segment(id="a", texts={"qsm": "mina palina basi", "es": "la niña ve la casa"}, gloss=glossed, meta=meta()),
        Segment(id="b", texts={"qsm": "tolo pali basi", "es": "el perro ve la casa"}, meta=meta()),
    ]
    secret = [
        Segment(id="s", texts={"qsm": f"{SECRET} palina basi", "es": f"el {SECRET} ve"}, meta=meta("community")),
    ]
    entries = [
        Entry(
            id="pali",
            lang="qsm",
            headword="pali",
            senses=(Sense(glosses={"es": ("casa",)}, examples=(Example(texts={"qsm": "pali", "es": "la morada"}),)),),
            meta=meta(),
        ),
        Entry(id="z", lang="qsm", headword=SECRET, senses=(Sense(glosses={"es": ("cosa",)}),), meta=meta("community")),
    ]
    closed = max_access != "public"
    write_jsonl(project.training / "train.jsonl", [*train, *(secret if closed else [])])
    write_jsonl(project.training / "lexicon.jsonl", entries[: 1 + closed])
    described = {"family": "statistical", "name": "statistical", "directions": ["qsm-es", "es-qsm"], "languages": {}}
    write_text(project.model() / "model.json", json.dumps(described))
    return project
