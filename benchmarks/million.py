"""A million synthetic rows through ingest, clean, dedup and split, beside a plain loop and datasketch.

The rows are made up (random syllables, seeded), in documents of ten; three in a hundred repeat an earlier row, half of
them in other case and punctuation, half with one side changed by a letter and the other side new. Each step runs in
a process of its own, so that its peak memory is its own.

``ROWS`` in the environment sets the number of rows; the default is a million.
"""

from __future__ import annotations

import csv
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SUMMARY = "A million rows through ingest, clean, dedup and split, beside a plain loop in Python and datasketch"

ROWS = int(os.environ.get("ROWS", 1_000_000))
SUBSET = min(ROWS, 50_000)
"""Rows on which datasketch is measured."""
PAIRS_SUBSET = min(ROWS, 2_000)
"""Rows on which comparing all pairs is measured."""
PER_DOCUMENT = 10
REPEATED = 0.03
"""Share of rows that repeat an earlier one; much more, and documents of ten would hang together in one piece."""
SIMILARITY = 0.8
CONFIG = {
    "project": {"language": "xx", "pivot": "es"},
    "ingest": {"sources": [{"name": "rows", "path": "rows.tsv", "access": "public"}]},
    "clean": {
        "profiles": {
            "xx": {
                "rules": [
                    {"name": "apostrophe", "type": "map", "map": {"’": "'"}},
                    {"name": "space", "type": "whitespace"},
                ]
            },
            "es": {"rules": [{"name": "space", "type": "whitespace"}]},
        }
    },
}


# --- the rows -------------------------------------------------------------------------------------------------------


def vocabulary(letters: str, vowels: str, source: random.Random) -> list[str]:
    """20,000 words of two to four syllables."""
    syllables = [a + b for a in letters for b in vowels]
    return ["".join(source.choices(syllables, k=source.randint(2, 4))) for _ in range(20_000)]


def rows(count: int, seed: int = 1) -> Iterator[tuple[str, str, int | None, str]]:
    """Both texts of a row, the row that it repeats, and how (``exact``, ``near`` or nothing)."""
    source = random.Random(seed)
    words = vocabulary("bchjkmnprstwxy", "aeio", source), vocabulary("bcdfglmnprstvz", "aeiouáé", source)
    past: list[tuple[int, str, str]] = []

    def new(side: int) -> str:
        return " ".join(source.choices(words[side], k=source.randint(7, 13))) + "."

    for number in range(count):
        kind = source.random() if past else 1.0
        if kind < REPEATED:
            original, one, other = source.choice(past)
            if kind < REPEATED / 2:
                yield f"{one[0].upper()}{one[1:-1]} !", other.upper(), original, "exact"
            else:
                place = source.randrange(len(one) // 4, len(one) - 1)
                yield one[:place] + source.choice("aeio") + one[place + 1 :], new(1), original, "near"
        else:
            past.append((number, new(0), new(1)))
            yield *past[-1][1:], None, ""


def generate(folder: Path) -> dict[str, Any]:
    """Write the project; the truth (which row repeats which, and how) goes into ``truth.json``."""
    (folder / "data" / "raw").mkdir(parents=True)
    truth = []
    with (folder / "data" / "raw" / "rows.tsv").open("w", encoding="utf-8", newline="") as stream:
        stream.write("doc_id\txx\tes\n")
        for number, (one, other, original, kind) in enumerate(rows(ROWS)):
            stream.write(f"d{number // PER_DOCUMENT}\t{one}\t{other}\n")
            if original is not None:
                truth.append((number, original, kind))
    (folder / "truth.json").write_text(json.dumps(truth))
    return {"repeats": len(truth)}


# --- the steps, each in a process of its own ------------------------------------------------------------------------


def project(folder: Path) -> Any:
    """The project of the rows."""
    from seshat.config import Config
    from seshat.project.folder import Project

    return Project(folder, Config.model_validate(CONFIG))


def stage(name: str) -> Callable[[Path], dict[str, Any]]:
    """A stage of the pipeline as a step."""

    def step(folder: Path) -> dict[str, Any]:
        import importlib

        report: dict[str, Any] = importlib.import_module(f"seshat.data.{name}").run(project(folder))
        return {key: report[key] for key in ("counts", "leaks", "excluded") if key in report}

    return step


def _texts(folder: Path, limit: int) -> Iterator[tuple[str, str]]:
    with (folder / "data" / "raw" / "rows.tsv").open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)):
            if number == limit:
                return
            yield row["xx"], row["es"]


def dedup(folder: Path, limit: int = ROWS) -> dict[str, Any]:
    """Clusters of exact and near-duplicates, as ``split`` makes them, compared with the truth."""
    from seshat.corpus.duplicates import TextIndex

    index = TextIndex(3)
    for one, other in _texts(folder, limit):
        index.add({"xx": one, "es": other})
    started = time.process_time()
    clusters = index.clusters(SIMILARITY, seed=13)
    seconds = time.process_time() - started
    return {"processor_seconds_clustering": seconds, **accuracy(folder, clusters.tolist(), limit)}


def dedup_subset(folder: Path) -> dict[str, Any]:
    """The same on as many rows as datasketch gets."""
    return dedup(folder, SUBSET)


def accuracy(folder: Path, clusters: list[int], limit: int) -> dict[str, Any]:
    """Recall of the planted repeats, and precision: share of the joined rows that were planted together.

    A planted near-duplicate counts when its exact Jaccard similarity reaches the threshold; one letter changes a
    short sentence by more than that.
    """
    from seshat.corpus.duplicates import normalise
    from seshat.corpus.minhash import jaccard

    texts = [one for one, _ in _texts(folder, limit)]
    planted = {"exact": [0, 0], "near": [0, 0]}
    parent = list(range(limit))
    for row, original, kind in json.loads((folder / "truth.json").read_text()):
        if row >= limit:
            continue
        parent[row] = parent[original]
        if kind == "exact" or jaccard(normalise(texts[row]), normalise(texts[original])) >= SIMILARITY:
            planted[kind][0] += clusters[row] == clusters[original]
            planted[kind][1] += 1
    joined = [row for row in range(limit) if clusters[row] != row]
    right = sum(parent[row] == parent[clusters[row]] for row in joined)
    return {
        "recall_exact": planted["exact"][0] / max(1, planted["exact"][1]),
        "recall_near": planted["near"][0] / max(1, planted["near"][1]),
        "planted": planted["exact"][1] + planted["near"][1],
        "precision": right / max(1, len(joined)),
    }


def datasketch(folder: Path) -> dict[str, Any]:
    """MinHash and LSH of datasketch: the same n-grams, bands and rows, each language apart, candidates checked."""
    import numpy as np
    from datasketch import MinHash, MinHashLSH

    from seshat.corpus.duplicates import normalise
    from seshat.corpus.minhash import bands_for, components, ngrams

    bands = bands_for(SIMILARITY)
    keys = [[normalise(text) for text in pair] for pair in _texts(folder, SUBSET)]
    links: list[tuple[int, int]] = []
    for side in (0, 1):
        lsh = MinHashLSH(num_perm=math.prod(bands), params=bands)
        sets = [ngrams(pair[side]) for pair in keys]
        for row, signature in enumerate(
            MinHash.generator(([g.encode() for g in grams] for grams in sets), num_perm=math.prod(bands))
        ):
            links += [
                (other, row)
                for other in lsh.query(signature)
                if len(sets[row] & sets[other]) >= SIMILARITY * len(sets[row] | sets[other])
            ]
            lsh.insert(row, signature)
    clusters = components(len(keys), np.array(links, dtype=np.int64).reshape(-1, 2))
    return accuracy(folder, clusters.tolist(), SUBSET)


def all_pairs(folder: Path) -> dict[str, Any]:
    """Near-duplicates by comparing every text with every other, one language."""
    from seshat.corpus.duplicates import normalise
    from seshat.corpus.minhash import ngrams

    sets = [ngrams(normalise(one)) for one, _ in _texts(folder, PAIRS_SUBSET)]
    started = time.process_time()
    found = 0
    for row, grams in enumerate(sets):
        for other in range(row):
            found += len(grams & sets[other]) >= SIMILARITY * len(grams | sets[other])
    return {"found": found, "processor_seconds_comparing": time.process_time() - started}


def plain_loop(folder: Path) -> dict[str, Any]:
    """What a first script does: read all, tidy, drop exact repeats by a dictionary, shuffle lines, write.

    It checks nothing, keeps no origin, no reason and no rejects, and knows no near-duplicates and no documents.
    """
    seen: dict[tuple[str, str], dict[str, str]] = {}
    with (folder / "data" / "raw" / "rows.tsv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            for lang in ("xx", "es"):
                row[lang] = " ".join(unicodedata.normalize("NFC", row[lang]).split())
            row["xx"] = row["xx"].replace("’", "'")
            if 1 <= len(row["xx"]) <= 2000 and 1 <= len(row["es"]) <= 2000:
                seen.setdefault((row["xx"], row["es"]), row)
    kept = list(seen.values())
    random.Random(13).shuffle(kept)
    test, validation = len(kept) // 10, len(kept) // 20
    sets = {"test": kept[:test], "validation": kept[test : test + validation], "train": kept[test + validation :]}
    (folder / "plain").mkdir()
    for name, records in sets.items():
        with (folder / "plain" / f"{name}.jsonl").open("w", encoding="utf-8") as out:
            for record in records:
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
    return {"counts": {name: len(records) for name, records in sets.items()}}


def plain_leaks(folder: Path) -> dict[str, Any]:
    """Leak rate of what the plain loop wrote."""
    import numpy as np

    from seshat.corpus.duplicates import TextIndex, near_leaks

    index, test = TextIndex(3), []
    for name in ("train", "test"):
        for line in (folder / "plain" / f"{name}.jsonl").open(encoding="utf-8"):
            record = json.loads(line)
            index.add({"xx": record["xx"], "es": record["es"]})
            test.append(name == "test")
    held_out = np.array(test)
    exact = index.exact_leaks(held_out, ~held_out)
    near = near_leaks(index.clusters(SIMILARITY), held_out, ~held_out) | exact
    return {"exact": float(exact.sum() / held_out.sum()), "near": float(near.sum() / held_out.sum())}


STEPS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "generate": generate,
    "ingest": stage("ingest"),
    "clean": stage("clean"),
    "dedup": dedup,
    "split": stage("split"),
    "plain loop": plain_loop,
    "leaks of the plain loop": plain_leaks,
    "dedup, subset": dedup_subset,
    "datasketch, subset": datasketch,
    "all pairs, subset": all_pairs,
}
_ROWS = {"dedup, subset": SUBSET, "datasketch, subset": SUBSET, "all pairs, subset": PAIRS_SUBSET}


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Run a step in a process of its own: its figures, seconds, processor seconds and peak memory."""
    out = folder / "figures.json"
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.million", name, str(folder)])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"the step '{name}' ended with exit code {child.returncode}")
    seconds, count = time.perf_counter() - started, _ROWS.get(name, ROWS)
    processor = usage.ru_utime + usage.ru_stime
    return {
        "rows": count,
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "rows_per_processor_second": round(count / processor),
        "peak_mb": round(usage.ru_maxrss / 1024),
        **json.loads(out.read_text()),
    }


def compared(steps: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The figures that compare: the pipeline as a whole, dedup beside its alternatives."""
    ours = [steps[name] for name in ("ingest", "clean", "split")]
    ratio = steps["datasketch, subset"]["processor_seconds"] / steps["dedup, subset"]["processor_seconds"]
    pairs = steps["all pairs, subset"]["processor_seconds_comparing"] * (ROWS / PAIRS_SUBSET) ** 2
    return {
        "pipeline_processor_seconds": round(sum(step["processor_seconds"] for step in ours), 1),
        "pipeline_peak_mb": max(step["peak_mb"] for step in ours),
        "plain_loop_processor_seconds": steps["plain loop"]["processor_seconds"],
        "plain_loop_peak_mb": steps["plain loop"]["peak_mb"],
        "datasketch_times_slower": round(ratio, 1),
        "all_pairs_processor_days_scaled": round(pairs / 86_400, 1),
    }


def main() -> dict[str, Any]:
    """Run all steps and print the table."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="seshat-million-") as name:
        steps = {step: measure(step, Path(name) / "project") for step in STEPS}
    table = Table(title=f"{ROWS:,} rows")
    for column in ("step", "rows", "seconds", "processor seconds", "rows a processor second", "peak MB"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for step, figures in steps.items():
        table.add_row(
            step,
            f"{figures['rows']:,}",
            f"{figures['seconds']:.1f}",
            f"{figures['processor_seconds']:.1f}",
            f"{figures['rows_per_processor_second']:,}",
            f"{figures['peak_mb']:,}",
        )
    console.print(table)
    found, plain = steps["dedup"], steps["leaks of the plain loop"]
    console.print(
        f"Planted repeats found: exact {found['recall_exact']:.4f}, near {found['recall_near']:.4f}; "
        f"joined rows that were planted: {found['precision']:.4f}"
    )
    console.print(
        f"Test rows that stand in train, exactly / nearly: plain loop {plain['exact']:.4f} / {plain['near']:.4f}, "
        f"split {steps['split']['leaks']['test']['exact']:.4f} / {steps['split']['leaks']['test']['near']:.4f}"
    )
    result = compared(steps)
    console.print(
        f"datasketch takes {result['datasketch_times_slower']} times the processor time of dedup ({SUBSET:,} rows); "
        f"comparing all pairs would take {result['all_pairs_processor_days_scaled']} days of processor "
        f"time (scaled from {PAIRS_SUBSET:,} rows)"
    )
    return {"rows": ROWS, "steps": steps, "compared": result}


if __name__ == "__main__":
    step_name, where = sys.argv[1], Path(sys.argv[2])
    result_of_step = STEPS[step_name](where)
    (where / "figures.json").write_text(json.dumps(result_of_step))
