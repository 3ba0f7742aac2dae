"""A small encoder-decoder from scratch on the sentences of the Deep Past files: with the sentence before, with more.

The statistical family cannot read the sentence before, so what that brings is measured here. The network is small
enough for a CPU and far below the statistical model; all variants take the same steps.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.akkadian import CUT, FINAL, LISTED, WAY, Counted, differences, measure, neo_assyrian, prepare, report
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Segment
from seshat.data import tokenizer
from seshat.inference.opening import open_chain
from seshat.models import train
from seshat.project.folder import Project, open_project

SUMMARY = (
    "Old Assyrian sentences -> English with a small encoder-decoder from scratch: what the sentence before brings, and "
    "what Neo-Assyrian pairs bring"
)
SETTINGS = (
    "model.preset=scratch-small",
    "train.name=scratch",
    "train.seq2seq.dim=128",
    "train.seq2seq.ffn=512",
    "train.seq2seq.layers=2",
    "train.finetune.max_steps=1800",
    "train.finetune.validate_every=300",
    "tokenizer.vocabulary=2000",
)
"""About ten minutes on one idle core."""
VALIDATED = 100
"""Sentences of validation that choose the checkpoints."""
VARIANTS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "sentences": (False, ()),
    "with the sentence before": (False, ("prompt.context=1",)),
    "with Neo-Assyrian": (True, ()),
}
"""Whether pairs of Neo-Assyrian are added, and settings."""


def chosen(prepared: Project, folder: Path, name: str) -> Project:
    """The project of a variant: sentences alone."""
    more, overrides = VARIANTS[name]
    shutil.copytree(prepared.root, folder, ignore=shutil.ignore_patterns("raw", "interim", "processed", "models"))
    project = open_project(folder, [], (*SETTINGS, *overrides))
    for part, most in (("train", None), ("validation", VALIDATED)):
        path = project.training / f"{part}.jsonl"
        some = [one for one in read_jsonl(path, Segment) if one.meta.genre in (CUT, LISTED)][:most]
        write_jsonl(path, [*some, *(neo_assyrian(project) if more and part == "train" else ())])
    tokenizer.run(project)
    return project


def main() -> dict[str, Any]:
    """Every variant."""
    rows: list[dict[str, Any]] = []
    training: dict[str, Any] = {}
    counted: Counted = {}
    with tempfile.TemporaryDirectory(prefix="seshat-scratch-") as folder:
        prepared = prepare(Path(folder) / FINAL, FINAL)
        for number, name in enumerate(VARIANTS):
            project = chosen(prepared, Path(folder) / str(number), name)
            training[name] = train.run(project)
            more, texts = measure(project, [(name, open_chain(project, None, WAY))], (CUT, LISTED))
            rows += more
            for level, systems in texts.items():
                counted.setdefault(level, {}).update(systems)
            report(rows)
    return {"rows": rows, "against sentences": differences(counted, next(iter(VARIANTS))), "training": training}
