"""Speed of translation: plain ``model.generate``, as people write it, beside `seshat translate`, in one run.

The encoder-decoder from scratch is trained on the sample project for a while (``STEPS``); then ``SENTENCES`` new
sentences of its language, all different, are translated: by Transformers in batches of 32 in the order of the file, and
by what `seshat translate --output` runs, through Transformers and through CTranslate2 in int8. The models are open
already when the clock starts; everything else counts: tokens, batches, post-processing, the file of partial results.
The ways take turns, and each counts with its fastest of ``ROUNDS``. ``PROJECT`` names a copy of the sample project with
a model from scratch (``seshat run --profile scratch``, ``seshat export``), to be measured instead of one of its own.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from seshat.config import Direction
from seshat.inference.job import Job
from seshat.project.folder import Project, open_project
from seshat.prompt.request import requests

SUMMARY = "`seshat translate` against plain model.generate, greedy and beam 4: sentences a second, and what int8 costs"
SENTENCES = int(os.environ.get("SENTENCES", "4000"))
STEPS = int(os.environ.get("STEPS", "1500"))
ROUNDS = int(os.environ.get("ROUNDS", "2"))
TRAINED = os.environ.get("PROJECT")
BATCH, LONGEST = 32, 256
BEAMS = {"greedy": 1, "beam 4": 4}
ENGINES = ("transformers", "ctranslate2")
WAY = Direction("qlm", "es")
SAMPLE = Path(__file__).resolve().parents[1] / "projects" / "sample"
Translate = Callable[[Sequence[str]], list[str]]


def train(root: Path) -> Project:
    """A copy of the sample project with a model from scratch, into Spanish only."""
    from seshat.data import clean, ingest, split, tokenizer
    from seshat.data import format as formatting
    from seshat.data.align import stage as align
    from seshat.export import export
    from seshat.models import train as training

    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("data", "models", "reports", ".seshat", ".dvc"))
    subprocess.run([sys.executable, SAMPLE / "generate.py", "--folder", root / "data"], check=True, capture_output=True)
    steps = [f"train.finetune.max_steps={STEPS}", f"train.finetune.validate_every={min(STEPS, max(300, STEPS // 5))}"]
    project = open_project(root, ["scratch"], ["train.directions=to-pivot", "evaluate.compare=[]", *steps])
    for stage in (ingest, clean, align, split, formatting, tokenizer, training, export):
        stage.run(project)
    return project


def sentences(project: Project) -> tuple[list[str], list[str]]:
    """New sentences of the sample's language, all different, none of them in its data, and what they mean."""
    sys.path.insert(0, str(SAMPLE))
    import generate
    import grammar

    from seshat.core.jsonl import read_jsonl
    from seshat.core.records import Segment

    lexicon = grammar.Lexicon(random.Random(generate.SEED))
    speaker = grammar.Speaker(random.Random(99), lexicon.by_kind)
    seen = {one.texts.get("qlm") for one in read_jsonl(project.training / "train.jsonl", Segment)}
    found: dict[str, str] = {}
    while len(found) < SENTENCES:
        made = speaker.sentence()
        if made.lumeko_text not in seen:
            found[made.lumeko_text] = made.spanish_text
    return list(found), list(found.values())


def plain(folder: Path, beams: int) -> Translate:
    """As most people would write it."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    with warnings.catch_warnings():  # it would rather split punctuation with a package that is not needed
        warnings.simplefilter("ignore")
        tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()

    def translate(texts: Sequence[str]) -> list[str]:
        out: list[str] = []
        for start in range(0, len(texts), BATCH):
            rows = tokenizer(list(texts[start : start + BATCH]), return_tensors="pt", padding=True)
            with torch.inference_mode():
                made = model.generate(**rows, num_beams=beams, do_sample=False, max_new_tokens=LONGEST)
            out += tokenizer.batch_decode(made, skip_special_tokens=True)
        return out

    return translate


def ours(project: Project, engine: str, beams: int, work: Path) -> Translate:
    """What `seshat translate --output` does once the model is open."""
    settings = project.config.translate.model_copy(
        update={
            "engine": engine,
            "decoding": project.config.translate.decoding.model_copy(update={"beams": beams}),
        }
    )
    config = project.config.model_copy(update={"translate": settings})
    name = f"{project.config.train.name}-ctranslate2" if engine == "ctranslate2" else None
    job = Job(Project(project.root, config), name, WAY)
    _ = job.translator

    def translate(texts: Sequence[str]) -> list[str]:
        output = work / "out.txt"
        job.into_file(requests(texts), output, lambda _number, _text, hypothesis: f"{hypothesis.text}\n")
        return output.read_text(encoding="utf-8").splitlines()

    return translate


def main() -> dict[str, Any]:
    """Train, translate, compare."""
    from seshat.scores import METRICS
    from seshat.scores.metrics import Scorer, corpus_scores

    with tempfile.TemporaryDirectory() as name:
        project = open_project(Path(TRAINED), ["scratch"]) if TRAINED else train(Path(name) / "sample")
        texts, references = sentences(project)
        ways: dict[tuple[str, str], Translate] = {}
        for search, beams in BEAMS.items():
            ways["plain", search] = plain(project.model() / "weights", beams)
            for engine in ENGINES:
                ways[engine, search] = ours(project, engine, beams, Path(name))
        made, seconds = _measure(ways, texts)
    scorer = Scorer(references)
    chrf = METRICS.index("chrf2")
    rows = []
    for (engine, search), said in made.items():
        took, before = seconds[engine, search], seconds["plain", search]
        score, base = (corpus_scores(scorer.count(one))[chrf] for one in (said, made["plain", search]))
        rows.append(
            {
                "with": "model.generate" if engine == "plain" else f"seshat, {engine}",
                "search": search,
                "sentences a second": round(len(texts) / took, 1),
                "times as fast": round(before / took, 2),
                "chrF2": round(score, 2),
                "difference": round(score - base, 2),
                "same texts": round(
                    sum(a == b for a, b in zip(said, made["plain", search], strict=True)) / len(said), 3
                ),
            }
        )
    _show(rows)
    return {"sentences": len(texts), "steps": STEPS, "rounds": ROUNDS, "batch of plain": BATCH, "rows": rows}


def _measure(
    ways: dict[tuple[str, str], Translate], texts: list[str]
) -> tuple[dict[tuple[str, str], list[str]], dict[tuple[str, str], float]]:
    """What each way makes of the texts, and its seconds in its fastest round."""
    made: dict[tuple[str, str], list[str]] = {}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in ways}
    for translate in ways.values():
        translate(texts[:BATCH])
    for _ in range(ROUNDS):
        for key, translate in ways.items():
            began = time.perf_counter()
            made[key] = translate(texts)
            seconds[key].append(time.perf_counter() - began)
    return made, {key: min(found) for key, found in seconds.items()}


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(title=f"{SENTENCES:,} sentences of the sample's language into Spanish")
    for column in rows[0]:
        table.add_column(column, justify="left" if column in ("with", "search") else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=150).print(table)
