"""Translation of three languages of the Amazon and Costa Rica: the statistical family on the AmericasNLP dev sets."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from seshat.config import Direction
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Segment
from seshat.data import clean, download, ingest, split
from seshat.data import format as formatting
from seshat.evaluation.baselines import CopyTranslator, train_word_by_word
from seshat.inference.load import load_translator
from seshat.inference.translator import Translator
from seshat.models import train
from seshat.project.folder import Project, open_project
from seshat.prompt.request import requests
from seshat.scores import METRICS
from seshat.scores.metrics import Scorer, corpus_scores
from seshat.scores.significance import bootstrap, interval

SUMMARY = (
    "Statistical family on Shipibo, Asháninka and Bribri <-> Spanish (AmericasNLP dev sets; pairs of train only, the "
    "language model also has the Spanish training texts of the other languages): chrF2 and BLEU with intervals beside "
    "copy and word by word"
)
ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared")) / "data" / "americasnlp"
LANGUAGES = {"shp": (), "cni": ("ashaninka",), "bzd": ("bribri",)}
"""Language -> profiles of projects/shipibo."""
DESIGN = {"shp-es": 29.6, "cni-es": 19.5, "bzd-es": 25.6}
"""chrF2 of the prototype, DESIGN section 4: the figures to beat."""


def prepare(language: str, folder: Path, overrides: tuple[str, ...] = ()) -> Project:
    """A copy of the project with its data, taken through the pipeline up to the training files."""
    shutil.copytree(ROOT / "projects" / "shipibo", folder, ignore=shutil.ignore_patterns("data", "models", "reports"))
    project = open_project(folder, LANGUAGES[language], overrides)
    download.run(project, DATA / language)
    _more_spanish(project, language)
    for stage in (ingest, clean, split, formatting):
        stage.run(project)
    return project


def _more_spanish(project: Project, language: str) -> None:
    """The Spanish training texts of the other languages, for the language model; no line of a development set."""
    unwanted = {line for path in DATA.glob("*/dev.es") for line in _lines(path)}
    for path in sorted(DATA.glob("*/train.es")):
        if path.parent.name != language:
            kept = dict.fromkeys(line for line in _lines(path) if line and line not in unwanted)
            target = project.raw / "spanish" / f"{path.parent.name}.es.txt"
            target.parent.mkdir(exist_ok=True)
            target.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]


def systems(project: Project, direction: Direction) -> Iterator[Translator]:
    """Copy, word by word and the trained model."""
    yield CopyTranslator(direction)
    segments = read_jsonl(project.training / "train.jsonl", Segment)
    pairs = ((segment.texts[direction.source], segment.texts[direction.target]) for segment in segments)
    yield train_word_by_word(direction, pairs, ())
    yield load_translator(project.model(), direction)


def measure(project: Project, language: str, direction: Direction) -> list[dict[str, Any]]:
    """Scores on the dev set: texts and references as they are in its files."""
    sources, references = (
        (DATA / language / f"dev.{tag}").read_text(encoding="utf-8").split("\n")[:-1] for tag in direction
    )
    scorer = Scorer(references)
    rows: list[dict[str, Any]] = []
    counts = {}
    for system in systems(project, direction):
        began = time.perf_counter()
        texts = [hypothesis.text for hypothesis in system.translate(requests(sources))]
        seconds = time.perf_counter() - began
        counts[system.name] = scorer.count(texts)
        length = sum(map(len, texts)) / sum(map(len, references))
        rows.append({"direction": str(direction), "system": system.name, "seconds": seconds, "length": length})
    resampled = bootstrap(counts, 1_000, seed=13)
    for row, (name, counted) in zip(rows, counts.items(), strict=True):
        found = corpus_scores(counted)
        low, high = interval(resampled[name][:, METRICS.index("chrf2")])
        row |= {"chrf2": found.chrf2, "chrf2_low": low, "chrf2_high": high, "bleu": found.bleu}
    return rows


def main() -> dict[str, Any]:
    """Train and score every language both ways."""
    rows: list[dict[str, Any]] = []
    training: dict[str, Any] = {}
    for language in LANGUAGES:
        with tempfile.TemporaryDirectory(prefix="seshat-americasnlp-") as folder:
            project = prepare(language, Path(folder) / language)
            training[language] = train.run(project)["directions"]
            for direction in project.config.project.directions:
                rows += measure(project, language, direction)
    _print(rows, training)
    return {"rows": rows, "training": training, "design_chrf2": DESIGN}


def _print(rows: list[dict[str, Any]], training: dict[str, Any]) -> None:
    table = Table(title="AmericasNLP dev, mixed case, raw references")
    for column in ("direction", "system", "chrF2", "95 %", "DESIGN", "BLEU", "length", "train s", "translate s"):
        table.add_column(column)
    for row in rows:
        model = row["system"] not in ("copy", "word-by-word")
        trained = training[next(tag for tag in row["direction"].split("-") if tag in training)]
        table.add_row(
            row["direction"],
            row["system"],
            f"{row['chrf2']:.1f}",
            f"{row['chrf2_low']:.1f}-{row['chrf2_high']:.1f}",
            str(DESIGN.get(row["direction"], "")) if model else "",
            f"{row['bleu']:.1f}",
            f"{row['length']:.2f}",
            f"{trained[row['direction']]['seconds']:.0f}" if model else "",
            f"{row['seconds']:.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
