"""Leaks between the sets of a language alone: the recipe of a public Tamil corpus beside our split."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from seshat.config import Config
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Meta, Segment
from seshat.corpus.duplicates import TextIndex, near_leaks
from seshat.data.split import run as split
from seshat.project.folder import Project

SUMMARY = "Leaks of a language alone: test lines that stand in train, by the recipe of a public corpus and by our split"

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared")) / "data" / "tamil"
LINES = 8_000
SEED = 42

Sets = Mapping[str, Sequence[str]]


def tamil_lines() -> list[str]:
    """Common Voice sentences and the lines of the Thirukkural, at most :data:`LINES`, none twice."""
    found = [text for path in sorted((DATA / "commonvoice").glob("*.txt")) for text in _read(path)]
    for row in _read(DATA / "thirukkural" / "kural_ta_en.tsv")[1:]:
        found += row.split("\t")[1:3]
    return list(dict.fromkeys(text.strip() for text in found if text.strip()))[:LINES]


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def public_recipe(lines: Sequence[str]) -> dict[str, list[str]]:
    """As ``yazhi-lem/adhan`` did in February 2026 (``src/data_scraper/merge_corpora.py``).

    Exact duplicates are removed, then three quarters as many lines (6,000 of 8,000) are drawn *with replacement*,
    shuffled, and cut 80/10/10 line by line.
    """
    rng = random.Random(SEED)
    drawn = rng.choices(lines, k=3 * len(lines) // 4)
    rng.shuffle(drawn)
    train, validation = int(0.8 * len(drawn)), int(0.9 * len(drawn))
    return {"train": drawn[:train], "validation": drawn[train:validation], "test": drawn[validation:]}


def our_split(lines: Sequence[str]) -> dict[str, list[str]]:
    """The stage ``split`` with the same shares."""
    settings = {
        "project": {"language": "ta", "max_access": "public", "seed": SEED},
        "split": {"validation": 0.1, "test": 0.1},
    }
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), Config.model_validate(settings))
        meta = Meta(source="lines", access="public")
        segments = (Segment(id=str(n), texts={"ta": text}, meta=meta) for n, text in enumerate(lines))
        write_jsonl(project.cleaned / "segments.jsonl", segments)
        split(project)
        names = ("train", "validation", "test")
        files = {name: read_jsonl(project.processed / f"{name}.jsonl", Segment) for name in names}
        return {name: [one.texts["ta"] for one in found] for name, found in files.items()}


def leaks(sets: Sets) -> dict[str, Any]:
    """Lines of each set, how many of all are different, and the shares of test lines that stand in train."""
    import numpy as np

    index = TextIndex()
    for name in ("train", "test"):
        for text in sets[name]:
            index.add({"ta": text})
    row = np.arange(len(index))
    train, test = row < len(sets["train"]), row >= len(sets["train"])
    exact = index.exact_leaks(test, train)
    near = near_leaks(index.clusters(Config().split.similarity), test, train) | exact
    return {
        **{name: len(found) for name, found in sets.items()},
        "different": len({text for found in sets.values() for text in found}),
        "leak_exact": round(float(exact.sum()) / len(sets["test"]), 4),
        "leak_near": round(float(near.sum()) / len(sets["test"]), 4),
    }


def main() -> dict[str, Any]:
    """Measure, print a table, return the figures."""
    lines = tamil_lines()
    figures = {"the public recipe": leaks(public_recipe(lines)), "seshat split": leaks(our_split(lines))}
    table = Table("", *next(iter(figures.values())), title=f"{len(lines):,} different lines of Tamil")
    for name, row in figures.items():
        table.add_row(name, *map(str, row.values()))
    Console().print(table)
    return {"lines": len(lines), **figures}
