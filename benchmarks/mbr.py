"""Consensus decoding: time and choices beside the double loop over sacreBLEU, and what it brings on validation."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from benchmarks.kill import SAMPLE, copy_project, finish, start
from seshat.config import Direction
from seshat.config.mbr import MbrSection
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Segment
from seshat.evaluation.ablation import validation
from seshat.inference.load import load_translator
from seshat.inference.mbr import Consensus, rank, utility_of
from seshat.inference.translator import Hypothesis, Translator
from seshat.project.folder import Project, open_project
from seshat.project.manifest import Manifest, is_model
from seshat.prompt.request import Request, requests
from seshat.scores import METRICS
from seshat.scores.metrics import Counts, Scorer, scores
from seshat.scores.significance import bootstrap, interval
from seshat.scores.utility import WEIGHTS

SUMMARY = "MBR: choices and time against the sacreBLEU double loop; gain on validation for the sample's model"
CANDIDATES = 32
SEGMENTS = int(os.environ.get("SEGMENTS", "1000"))
LOOPED = int(os.environ.get("LOOPED", "20"))
"""Segments that the double loop chooses for too; it takes about as long as all of them here."""
SCALES = (0.0, 0.25, 0.5, 1.0, 2.0)
SAMPLES = 1_000

Scored = tuple[str, float]


@contextmanager
def trained() -> Iterator[Project]:
    """The sample project with its statistical model: that of TRAINED, or one trained now (about two minutes).

    That of TRAINED may have more models, such as the one from scratch: `seshat run --profile scratch`.
    """
    if given := os.environ.get("TRAINED"):
        yield open_project(Path(given))
        return
    with tempfile.TemporaryDirectory() as folder:
        copy_project(SAMPLE, Path(folder) / "sample")
        finish(start(Path(folder) / "sample"))
        yield open_project(Path(folder) / "sample")


class Recorded(Translator):
    """Gives n-best lists that were made before."""

    def __init__(self, project: Project, direction: Direction, texts: Sequence[str]) -> None:
        self.name, self.direction = project.model().name, direction
        translator = load_translator(project.model(), direction)
        self.seconds = {}
        for count in (1, CANDIDATES):
            began = time.perf_counter()
            found = translator.translate(requests(texts, count))
            self.seconds[count] = round(time.perf_counter() - began, 2)
        translator.close()
        self.found = dict(zip(texts, found, strict=True))

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """What was recorded."""
        found = [(self.found[one.text], one.n_best) for one in requests]
        return [replace(one, alternatives=one.alternatives[:count] if count > 1 else ()) for one, count in found]

    def lists(self) -> list[list[Scored]]:
        """Candidates with their scores, of every text."""
        return [[(one.text, one.score) for one in found.alternatives] for found in self.found.values()]


def candidate_sets(lists: Sequence[Sequence[Scored]]) -> list[list[str]]:
    """Sets of 32 different candidates: the best combinations of those of two neighbours, as for a longer text."""
    found = []
    for step in range(1, len(lists)):
        for first, second in zip(lists, lists[step:], strict=False):
            both = sorted(((a + b, f"{one} {two}") for one, a in first for two, b in second), reverse=True)
            texts = list(dict.fromkeys(text for _, text in both))[:CANDIDATES]
            if len(texts) == CANDIDATES:
                found.append(texts)
            if len(found) == SEGMENTS:
                return found
    return found


def double_loop(texts: Sequence[str], score: Callable[[str, str], float]) -> int:
    """The choice of the plain loop."""
    means = [sum(score(one, other) for other in texts) / len(texts) for one in texts]
    return max(range(len(texts)), key=lambda place: means[place])


def plain_scores() -> dict[str, Callable[[str, str], float]]:
    """The utilities through sacreBLEU, one pair at a time."""
    chrf, bleu, weights = CHRF(word_order=2), BLEU(effective_order=True), WEIGHTS["mixture"]

    def mixture(one: str, other: str) -> float:
        first, second = set(one.split()), set(other.split())
        sizes = len(one.strip()), len(other.strip())
        total = weights["chrf"] * chrf.sentence_score(one, [other]).score
        total += weights["bleu"] * bleu.sentence_score(one, [other]).score
        total += weights["jaccard"] * (100 * len(first & second) / len(first | second) if first | second else 0.0)
        total += weights["length"] * (100 * min(sizes) / max(sizes) if max(sizes) else 0.0)
        return float(total / sum(weights.values()))

    return {
        "chrf++": lambda one, other: float(chrf.sentence_score(one, [other]).score),
        "bleu": lambda one, other: float(bleu.sentence_score(one, [other]).score),
        "mixture": mixture,
    }


def speed(sets: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Seconds per segment and choices, per utility; and the time of fastchrf, which has no word n-grams."""
    from fastchrf import pairwise_chrf

    found: dict[str, Any] = {}
    looped = sets[:: max(1, len(sets) // LOOPED)][:LOOPED]
    for name, score in plain_scores().items():
        utility = utility_of(MbrSection.model_validate({"utility": name}))
        began = time.perf_counter()
        slow = [double_loop(texts, score) for texts in looped]
        between = time.perf_counter()
        for texts in sets:
            rank(texts, utility)
        ended = time.perf_counter()
        each, own = (between - began) / len(looped), (ended - between) / len(sets)
        fast = [rank(texts, utility)[0][0] for texts in looped]
        found[name] = {
            "double_loop_ms": round(1000 * each, 3),
            "here_ms": round(1000 * own, 3),
            "times_as_fast": round(each / own, 1),
            "same_choices": sum(one == other for one, other in zip(slow, fast, strict=True)),
            "of": len(looped),
        }
    began = time.perf_counter()
    for texts in sets:
        pairwise_chrf([texts], [texts])
    found["fastchrf (chrF, no words)"] = {"here_ms": round(1000 * (time.perf_counter() - began) / len(sets), 3)}
    return found


def gain(
    translators: Sequence[Translator], settings: Sequence[MbrSection], pairs: dict[str, str], seed: int
) -> list[dict[str, Any]]:
    """Scores of the first translator's one best and of consensus, with the interval of the difference, paired."""
    texts, scorer = list(pairs), Scorer(list(pairs.values()))
    base = scorer.count([one.text for one in translators[0].translate(requests(texts))])
    column = METRICS.index("chrf++")
    rows: list[dict[str, Any]] = [_row(f"one best of {translators[0].name}", base, column)]
    for one in settings:
        began = time.perf_counter()
        said = Consensus(translators, one, seed=seed).translate(requests(texts))
        seconds = time.perf_counter() - began
        counts = scorer.count([hypothesis.text for hypothesis in said])
        resampled = bootstrap({"mbr": counts, "base": base}, SAMPLES, seed)
        low, high = interval((resampled["mbr"] - resampled["base"])[:, column])
        name = (
            f"{one.candidates} of {' + '.join(each.name for each in translators)}: {one.utility}, scale {one.scale:g}"
        )
        row = _row(name, counts, column)
        difference = {"gain": round(row["chrf++"] - rows[0]["chrf++"], 2), "low": round(low, 2), "high": round(high, 2)}
        rows.append(row | difference | {"seconds": round(seconds, 1)})
    return rows


def _row(name: str, counts: Counts, column: int) -> dict[str, Any]:
    return {"decoding": name, "chrf++": round(float(scores(counts.sum(axis=0))[column]), 2)}


def measured(project: Project, way: Direction, pairs: dict[str, str]) -> tuple[list[dict[str, Any]], Recorded]:
    """Gains on validation: candidates of the statistical model, of each neural one that there is, and of both."""
    seed = project.config.project.seed
    recorded = Recorded(project, way, list(pairs))
    settings = [MbrSection(candidates=CANDIDATES, scale=scale) for scale in SCALES]
    settings += [MbrSection(candidates=CANDIDATES, utility=name) for name in ("bleu", "mixture")]
    rows = gain([recorded], settings, pairs, seed)
    few = [MbrSection(candidates=CANDIDATES), MbrSection(candidates=CANDIDATES, utility="mixture")]
    for folder in sorted(path for path in project.models.glob("*") if is_model(path)):
        manifest = Manifest.read(folder)
        if manifest.family != "statistical" and str(way) in manifest.directions:
            neural = load_translator(folder, way)
            rows += gain([neural], few, pairs, seed)
            rows += gain([recorded, neural], few[:1], pairs, seed)[1:]
            neural.close()
    return rows, recorded


def main() -> dict[str, Any]:
    """Measure, print the tables, return the figures."""
    figures: dict[str, Any] = {"candidates": CANDIDATES, "gain": {}, "decoding_seconds": {}}
    lists: list[list[Scored]] = []
    with trained() as project:
        segments = validation(project, 10**9)
        more = list(read_jsonl(project.training / "test.jsonl", Segment))  # as texts to choose for; not measured on
        for way in project.config.project.directions:
            pairs = {one.texts[way.source]: one.texts[way.target] for one in segments}
            rows, recorded = measured(project, way, pairs)
            figures["decoding_seconds"][str(way)] = recorded.seconds
            figures["gain"][str(way)] = rows
            lists += recorded.lists()
        if len(lists) < SEGMENTS // 2:
            lists += Recorded(project, way, [one.texts[way.source] for one in more]).lists()
    sets = candidate_sets(lists)
    figures |= {"segments": len(sets), "speed": speed(sets)}
    _show(figures)
    return figures


def _show(figures: dict[str, Any]) -> None:
    console = Console()
    title = f"{figures['segments']:,} segments, {CANDIDATES} candidates each: milliseconds per segment"
    table = Table("utility", "double loop", "here", "times as fast", "same choices", title=title)
    for name, row in figures["speed"].items():
        same = f"{row['same_choices']} of {row['of']}" if "of" in row else ""
        table.add_row(name, *(str(row.get(key, "")) for key in ("double_loop_ms", "here_ms", "times_as_fast")), same)
    console.print(table)
    for way, rows in figures["gain"].items():
        table = Table("decoding", "chrF++", "gain", "95 %", title=f"{way}: validation")
        for row in rows:
            where = f"{row['low']:+.2f} to {row['high']:+.2f}" if "low" in row else ""
            table.add_row(
                row["decoding"], f"{row['chrf++']:.2f}", f"{row['gain']:+.2f}" if "gain" in row else "", where
            )
        console.print(table)
