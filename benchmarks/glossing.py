"""Interlinear glosses of the SIGMORPHON 2023 shared task: train on its training data, measured on development data.

``SESHAT_IGT`` names another folder of the same files, ``SESHAT_IGT_SET`` another set than ``dev``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from seshat.config import Config
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Segment
from seshat.data import ingest
from seshat.models.glossing.glosser import Glosser, LookUp
from seshat.models.glossing.sentences import Sentence, is_grammatical, sentences
from seshat.project.folder import Project
from seshat.scores.glossing import gloss_scores

SUMMARY = "Interlinear glosses, morphemes given (track 2) and not (track 1): the glosser beside look-up, six languages"

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared")) / "data" / "igt"
DATA = Path(os.environ.get("SESHAT_IGT", SHARED))
SET = os.environ.get("SESHAT_IGT_SET", "dev")
LANGUAGES = {
    "ddo": ("Tsez", "en"),
    "git": ("Gitksan", "en"),
    "lez": ("Lezgi", "en"),
    "ntu": ("Natugu", "en"),
    "nyb": ("Nyangbo", "en"),
    "usp": ("Uspanteko", "es"),
}
"""Language tag -> folder, and the language of the translations."""
PUBLISHED = {
    2: {"lez": 85.4, "ntu": 89.3, "nyb": 88.0, "ddo": 85.8, "usp": 78.5, "git": 31.5},
    1: {"ddo": 81.0, "git": 21.1, "lez": 78.8, "ntu": 81.0, "nyb": 85.3, "usp": 73.4},
}
"""Best word accuracy on the test data, by track (Ginn et al. 2023, "Findings of the SIGMORPHON 2023 Shared Task on
Interlinear Glossing", tables of results)."""


def read(tag: str, name: str, work: Path) -> list[Sentence]:
    """A file of the shared task, through the reader of interlinear texts."""
    folder, pivot = LANGUAGES[tag]
    source = DATA / folder / f"{tag}-{name}-track2-uncovered"
    if not source.is_file():
        source = SHARED / folder / source.name
    project = Project(work / f"{tag}-{name}", Config.model_validate(_settings(tag, pivot)))
    project.raw.mkdir(parents=True)
    shutil.copyfile(source, project.raw / "texts.txt")
    ingest.run(project)
    return list(sentences(read_jsonl(project.ingested / "segments.jsonl", Segment), pivot))


def _settings(tag: str, pivot: str) -> dict[str, Any]:
    markers = {tag: "t", "gloss.morphemes": "m", "gloss.glosses": "g", pivot: "l"}
    source = {"name": "texts", "path": "texts.txt", "reader": "sfm", "access": "public", "markers": markers}
    return {"project": {"language": tag, "pivot": pivot}, "ingest": {"sources": [source]}}


def main() -> dict[str, Any]:
    """Train and measure; prints a table."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        for tag in LANGUAGES:
            found[tag] = measure(read(tag, "train", Path(work)), read(tag, SET, Path(work)))
    table = Table(title=f"word accuracy in %, trained on train, measured on {SET}")
    for column in ("language", "track", "look-up", "glosser", "95 %", "best published (test)", "error per morpheme"):
        table.add_column(column, justify="left" if column == "language" else "right")
    for tag, figures in found.items():
        for track in (2, 1):
            one = figures[f"track {track}"]
            low, high = one["interval"]
            published = str(PUBLISHED[track][tag])
            row = (
                f"{one['look-up']:.1f}",
                f"{one['words']:.1f}",
                f"{low:.1f}-{high:.1f}",
                published,
                f"{one['error']:.3f}",
            )
            table.add_row(tag, str(track), *row)
    Console().print(table)
    return found


def measure(training: Sequence[Sentence], gold: Sequence[Sentence]) -> dict[str, Any]:
    """One language: seconds, and the scores of both tracks."""
    began = time.process_time()
    glosser = Glosser.train(training)
    seconds = round(time.process_time() - began, 1)
    look_up = LookUp(training)
    tracks = {
        "track 2": [replace(one, glosses=()) for one in gold],
        "track 1": [replace(one, glosses=(), morphemes=()) for one in gold],
    }
    figures: dict[str, Any] = {"sentences": len(training), "seconds of processor time": seconds}
    right = [one.glosses for one in gold]
    for name, asked in tracks.items():
        ours = gloss_scores(right, [one.glosses for one in glosser.gloss(asked)], is_grammatical)
        floor = gloss_scores(right, [look_up.gloss(one) for one in asked], is_grammatical)
        figures[name] = {
            "words": round(100 * ours.words.value, 2),
            "interval": [round(100 * ours.words.low, 2), round(100 * ours.words.high, 2)],
            "morphemes": round(100 * ours.morphemes.value, 2),
            "stems": round(100 * ours.stems.value, 2),
            "categories": round(100 * ours.categories.value, 2),
            "error": round(ours.error, 4),
            "look-up": round(100 * floor.words.value, 2),
        }
    return figures
