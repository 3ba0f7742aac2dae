"""Sentence alignment: F1 on gold documents, calibration of the confidences, and speed on 5,000 by 5,000 lines."""

from __future__ import annotations

import ast
import json
import math
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from seshat.data.align.aligner import Options, align
from seshat.data.align.anchors import Anchored, Side, anchor
from seshat.data.align.beads import Bead

SUMMARY = (
    "Sentence alignment: strict and lax F1 of Gale-Church, of ours without words and of ours, on text+berg and on "
    "documents joined and cut from parallel sets; calibration; speed on 5,000 x 5,000 lines"
)

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared")) / "data"
SETS = ("shp", "cni", "bzd", "agr", "nah", "gn", "hch", "ta")
"""Parallel sets that synthetic documents are made of: AmericasNLP with Spanish, and Tamil couplets with English."""
DOCUMENTS, PAIRS = 2, 300
"""Synthetic documents per set, and sentence pairs in each."""

Gold = set[tuple[tuple[int, ...], tuple[int, ...]]]
Aligner = Callable[[Sequence[Anchored]], list[list[Bead]]]


@dataclass(frozen=True)
class GoldSet:
    """Documents and the beads that people (or the generator) say are right; line numbers from 0."""

    documents: list[Anchored]
    gold: list[Gold]


def text_berg() -> GoldSet:
    """The development document of Text+Berg, German and French (Sennrich and Volk 2010)."""
    folder = DATA / "alignment" / "text+berg"
    beads = [tuple(map(ast.literal_eval, line.split(":"))) for line in _lines(folder / "dev.defr")]
    gold = {(tuple(source), tuple(target)) for source, target in beads}
    return GoldSet([_document(_lines(folder / "dev.de"), _lines(folder / "dev.fr"))], [gold])


def synthetic(name: str) -> GoldSet:
    """Documents made of consecutive sentence pairs, some of them joined, cut, shifted or left out on one side."""
    rng = random.Random(name)
    pairs = list(dict.fromkeys(_pairs(name)))
    documents, gold = [], []
    for _ in range(DOCUMENTS):
        start = rng.randrange(len(pairs) - PAIRS)
        source, target, beads = disturb(pairs[start : start + PAIRS], rng)
        documents.append(_document(source, target))
        gold.append(beads)
    return GoldSet(documents, gold)


def disturb(pairs: Sequence[tuple[str, str]], rng: random.Random) -> tuple[list[str], list[str], Gold]:
    """Turn sentence pairs into two documents whose alignment is known."""
    source: list[str] = []
    target: list[str] = []
    gold: Gold = set()
    place = 0
    while place < len(pairs):
        mine, theirs, used = _bead(pairs[place : place + 3], rng)
        rows, columns = range(len(source), len(source) + len(mine)), range(len(target), len(target) + len(theirs))
        gold.add((tuple(rows), tuple(columns)))
        source += mine
        target += theirs
        place += used
    return source, target, gold


def _bead(pairs: Sequence[tuple[str, str]], rng: random.Random) -> tuple[list[str], list[str], int]:
    """Lines of both sides of one bead, and how many pairs it took."""
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    kind = rng.choices(
        ("1-1", "0-1", "1-0", "2-1", "1-2", "3-1", "1-3", "2-2", "cut source", "cut target"),
        (59, 9, 2, 8, 8, 2, 2, 3, 3, 4),
    )[0]
    wanted = {"2-1": 2, "1-2": 2, "2-2": 2, "3-1": 3, "1-3": 3}.get(kind, 1)
    if len(pairs) >= wanted > 1:
        joined = " ".join(mine[:wanted]), " ".join(theirs[:wanted])
        if kind in ("2-1", "3-1"):
            return mine[:wanted], [joined[1]], wanted
        if kind in ("1-2", "1-3"):
            return [joined[0]], theirs[:wanted], wanted
        halves = _cut(joined[1], rng)
        if len(halves) == 2 and halves[0] != theirs[0]:
            return mine[:2], halves, 2
    if kind in ("0-1", "1-0"):
        return ([], theirs[:1], 1) if kind == "0-1" else (mine[:1], [], 1)
    if kind == "cut source":
        return _cut(mine[0], rng), theirs[:1], 1
    if kind == "cut target":
        return mine[:1], _cut(theirs[0], rng), 1
    return mine[:1], theirs[:1], 1


def _cut(text: str, rng: random.Random) -> list[str]:
    """A text in two, behind a punctuation mark where there is one near; too short ones stay whole."""
    parts = text.split()
    if len(parts) < 7:
        return [text]
    place = rng.randrange(2, len(parts) - 1)
    marks = [i for i in range(max(1, place - 4), min(len(parts), place + 5)) if parts[i - 1][-1] in ".,;:?!"]
    place = min(marks, key=lambda i: abs(i - place)) if marks else place
    return [" ".join(parts[:place]), " ".join(parts[place:])]


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    if name == "ta":
        rows = [line.split("\t") for line in _lines(DATA / "tamil" / "thirukkural" / "kural_ta_en.tsv")[1:]]
        pairs = [(f"{row[1]} {row[2]}", row[4]) for row in rows]
    else:
        folder = DATA / "americasnlp" / name
        pairs = list(zip(_lines(folder / f"train.{name}"), _lines(folder / "train.es"), strict=True))
    for source, target in pairs:
        source, target = " ".join(source.split()), " ".join(target.split())
        if len(source.split()) >= 3 and len(target.split()) >= 3 and len(source) < 600:
            yield source, target


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")


def _document(source: Sequence[str], target: Sequence[str]) -> Anchored:
    return anchor(Side.of(source), Side.of(target), "none")


def gale_church(documents: Sequence[Anchored]) -> list[list[Bead]]:
    """The program of Gale and Church 1993 (appendix), with the ratio of the document and 1-3 and 3-1 added."""
    return [_gale_church(document.source.lines, document.target.lines) for document in documents]


def _gale_church(source: Sequence[str], target: Sequence[str]) -> list[Bead]:
    priors = {(1, 1): 0.89, (1, 0): 0.005, (0, 1): 0.005, (2, 1): 0.0445, (1, 2): 0.0445, (2, 2): 0.011}
    priors |= {(1, 3): 0.002, (3, 1): 0.002}
    ratio = sum(map(len, target)) / sum(map(len, source))
    ends = [[0], [0]]
    for side, lines in zip(ends, (source, target), strict=True):
        for line in lines:
            side.append(side[-1] + len(line))
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for i in range(len(source) + 1):
        for j in range(len(target) + 1):
            costs = []
            for (a, b), prior in priors.items():
                if i >= a and j >= b:
                    cost = _mismatch(ends[0][i] - ends[0][i - a], ends[1][j] - ends[1][j - b], ratio)
                    costs.append((best[i - a, j - b][0] + cost - math.log(prior), (a, b)))
            if costs:
                best[i, j] = min(costs)
    beads = []
    i, j = len(source), len(target)
    while i or j:
        a, b = best[i, j][1]
        beads.append(Bead((i - a, i), (j - b, j)))
        i, j = i - a, j - b
    return beads[::-1]


def _mismatch(source: int, target: int, ratio: float) -> float:
    mean = (source + target / ratio) / 2
    deviation = abs(source * ratio - target) / math.sqrt(6.8 * mean) if mean else 0.0
    return -math.log(max(math.erfc(deviation / math.sqrt(2)), 1e-300))


ALIGNERS: dict[str, Aligner] = {
    "Gale-Church": gale_church,
    "ours, lengths only": lambda documents: align(documents, options=Options(lexical=False)),
    "ours": lambda documents: align(documents),
}


def score(data: GoldSet, found: Sequence[Sequence[Bead]]) -> dict[str, float]:
    """Precision, recall and F1 over the beads with both sides; and F1 as ``score.py`` of Vecalign counts it.

    Strict: the bead is one of the gold beads. Lax: it shares a source and a target line with one. Vecalign's precision
    also counts the lines that were left without a partner (right where the gold says so, too), its recall does not.
    """
    names = ("found", "gold", "strict", "lax", "gold_lax", "all", "all_strict")
    counts = dict.fromkeys(names, 0)
    for gold, beads in zip(data.gold, found, strict=True):
        paired = {bead for bead in gold if all(bead)}
        everything = {(tuple(range(*bead.source)), tuple(range(*bead.target))) for bead in beads}
        mine = {bead for bead in everything if all(bead)}
        counts["found"] += len(mine)
        counts["gold"] += len(paired)
        counts["strict"] += len(mine & paired)
        counts["lax"] += _touching(mine, paired)
        counts["gold_lax"] += _touching(paired, mine)
        counts["all"] += len(everything)
        counts["all_strict"] += len(everything & gold)
    precision, recall = counts["all_strict"] / max(1, counts["all"]), counts["strict"] / counts["gold"]
    return {
        "strict_p": counts["strict"] / max(1, counts["found"]),
        "strict_r": recall,
        "strict_f1": 2 * counts["strict"] / (counts["found"] + counts["gold"]),
        "lax_f1": (counts["lax"] + counts["gold_lax"]) / (counts["found"] + counts["gold"]),
        "score.py_f1": 2 * precision * recall / max(1e-9, precision + recall),
    }


def _touching(beads: Gold, others: Gold) -> int:
    cells = {(i, j) for source, target in others for i in source for j in target}
    return sum(any((i, j) in cells for i in source for j in target) for source, target in beads)


def calibration(sets: dict[str, GoldSet], found: dict[str, list[list[Bead]]]) -> list[dict[str, float]]:
    """Beads by confidence: what they say on average, and how many of them are right."""
    seen = [
        (bead.confidence, (tuple(range(*bead.source)), tuple(range(*bead.target))) in gold)
        for name, data in sets.items()
        for gold, beads in zip(data.gold, found[name], strict=True)
        for bead in beads
        if bead.paired
    ]
    rows = []
    for lowest in (0.0, 0.2, 0.4, 0.6, 0.8, 0.9):
        highest = {0.8: 0.9, 0.9: 1.01}.get(lowest, lowest + 0.2)
        inside = [(says, right) for says, right in seen if lowest <= says < highest]
        if inside:
            says, right = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            rows.append({"from": lowest, "beads": len(inside), "confidence": round(says, 3), "right": round(right, 3)})
    return rows


def speed() -> dict[str, float]:
    """Seconds and peak memory of two sides of 5,000 lines; run in a process of its own."""
    rng = random.Random(5)
    pairs = [pair for name in ("gn", "agr") for pair in list(dict.fromkeys(_pairs(name)))[:4000]]
    source, target, gold = disturb(pairs, rng)
    lines = min(5000, len(source), len(target))
    kept = {bead for bead in gold if all(line < lines for side in bead for line in side)}
    document = _document(source[:lines], target[:lines])
    started, busy = time.perf_counter(), time.process_time()
    found = align([document])
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = score(GoldSet([document], [kept]), found)
    return {
        "lines": lines,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(busy, 1),
        "peak_mb": round(peak),
        **figures,
    }


def main() -> dict[str, Any]:
    """Print the tables; returns the figures."""
    sets = {"text+berg": text_berg(), **{name: synthetic(name) for name in SETS}}
    figures: dict[str, Any] = {}
    found: dict[str, list[list[Bead]]] = {}  # of the last aligner: ours
    console = Console()
    table = Table("set", "aligner", "strict P", "R", "F1", "lax F1", "F1 by score.py", "seconds")
    for name, data in sets.items():
        for label, aligner in ALIGNERS.items():
            started = time.perf_counter()
            found[name] = aligner(data.documents)
            seconds = time.perf_counter() - started
            scores = {key: round(value, 4) for key, value in score(data, found[name]).items()}
            figures.setdefault(name, {})[label] = {**scores, "seconds": round(seconds, 2)}
            table.add_row(name, label, *(f"{value:.3f}" for value in scores.values()), f"{seconds:.1f}")
    console.print(table)
    means = {label: round(sum(figures[name][label]["strict_f1"] for name in SETS) / len(SETS), 4) for label in ALIGNERS}
    console.print("mean strict F1 of the synthetic sets:", means)
    bins = calibration(sets, found)
    table = Table("confidence from", "beads", "says", "right")
    for row in bins:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)
    done = subprocess.run([sys.executable, "-m", "benchmarks.alignment"], cwd=ROOT, capture_output=True, check=True)
    quick = json.loads(done.stdout)
    console.print("5,000 x 5,000 lines:", quick)
    published = {"hunalign, empty dictionary (text+berg dev)": 0.715, "prototype, dev and test pooled": 0.865}
    return {"sets": figures, "synthetic_mean": means, "calibration": bins, "speed": quick, "elsewhere": published}


if __name__ == "__main__":
    print(json.dumps(speed()))
