"""Old Assyrian into English, from the files of the Deep Past competition, on a publication that training has not seen.

Three things: what the normalisation does to the marks of two versions of the files; how well the tablets are cut into
sentences, against the starts that the competition lists; and the score of the statistical family beside what costs
nothing, with one step left out at a time. ``VARIANTS`` in the environment names some of the variants.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import regex
from rich.console import Console
from rich.table import Table

from seshat.augment import stage as augment
from seshat.config import Direction
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Entry, Meta, Segment
from seshat.data import clean, ingest, split
from seshat.data import format as formatting
from seshat.data.align import stage as align
from seshat.evaluation.baselines import CopyTranslator, NearestTranslator, train_word_by_word
from seshat.inference.opening import open_chain
from seshat.inference.translator import Translator
from seshat.models import train
from seshat.project.folder import Project, open_project
from seshat.prompt.request import of_segments
from seshat.scores import METRICS
from seshat.scores.metrics import Scorer, corpus_scores
from seshat.scores.significance import Rows, bootstrap, interval
from seshat.text.normalise import Normaliser

SUMMARY = (
    "Old Assyrian -> English on an unseen publication: geometric mean of BLEU and chrF++ beside copy, nearest and word "
    "by word, one step left out at a time; boundaries of sentences against the list; marks before and after"
)
ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared")) / "data" / "akkadian"
FINAL, FIRST = "kaggle_v3_final_feb2026", "kaggle_v1_dec2025"
PROFILES = {FINAL: (), FIRST: ("v1",)}
"""The rules that go with a version of the files."""
WAY = Direction("akk", "en")
TABLET, LISTED, CUT = "tablet", "sentence, listed", "sentence"
"""Genres of the three kinds of pairs: whole tablets, sentences of the list, sentences that the aligner cut."""
MARKS = {
    "x or ... alone": r"(?<![\p{L}\d])(?:x+|…|\.\.\.)(?![\p{L}\d])",
    "<gap>": r"<gap>",
    "<big_gap>": r"<big_gap>",
    "( )": r"[()]",
    "[ ] ˹ ˺": r"[\[\]˹˺]",
    "{ }": r"[{}]",
    "h with breve": r"[ḫḪ]",
    "subscripts": r"[₀-₉ₓ]",
    "decimals": r"\d\.\d",
    "vulgar fractions": r"[¼½¾⅓⅔⅙⅚⅝]",
    "! ?": r"[!?]",
}
"""What the rules are about, and how to find it."""
AKKADEMIA = 15_000
"""Pairs of Neo-Assyrian, the shortest, that one variant adds: all 50,478 would take an hour."""
TRANSLATED = 2_000
"""Published texts without a translation that another variant translates: all 5,000 would take half an hour."""
Keep = Callable[[Segment], bool]
Counted = dict[str, dict[str, Rows]]
"""Level -> system -> counts per text."""


def _of(*genres: str) -> Keep:
    return lambda segment: segment.meta.genre in genres


@dataclass(frozen=True)
class Variant:
    """Which training pairs, which settings, which version of the files."""

    keep: Keep = lambda _segment: True
    overrides: tuple[str, ...] = ()
    version: str = FINAL


PUBLISHED, NEO = "with published texts", "with Neo-Assyrian"
VARIANTS: dict[str, Variant] = {
    "all": Variant(),
    "tablets alone": Variant(_of(TABLET)),
    "without the list": Variant(_of(TABLET, CUT)),
    "without cutting": Variant(_of(TABLET, LISTED)),
    "without lexicon": Variant(overrides=("train.statistical.lexicon=false",)),
    "tuned": Variant(overrides=("train.statistical.tune=true",)),
    "first rules and files": Variant(version=FIRST),
    NEO: Variant(),
    PUBLISHED: Variant(
        overrides=(
            "augment.pseudo_labels.model=models/first",
            "augment.pseudo_labels.sources=[published]",
            f"augment.pseudo_labels.most={TRANSLATED}",
        )
    ),
}
"""What is left out, or added. A model as that of ``all`` translates the published texts."""


# --- the data -------------------------------------------------------------------------------------------------------


def prepare(folder: Path, version: str) -> Project:
    """A copy of the project with its data, taken through the pipeline up to the training files."""
    shutil.copytree(ROOT / "projects" / "akkadian", folder, ignore=shutil.ignore_patterns("data", "models", "reports"))
    raw = {
        DATA / version / "train.csv": "translations",
        DATA / FINAL / "Sentences_Oare_FirstWord_LinNum.csv": "translations",
        DATA / FINAL / "OA_Lexicon_eBL.csv": "dictionary",
        DATA / FINAL / "eBL_Dictionary.csv": "dictionary",
        DATA / "published_texts" / "transliterations.csv": "monolingual",
        DATA / "publication_groups.csv": "",
    }
    for path, place in raw.items():
        (folder / "data" / "raw" / place).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / "data" / "raw" / place / path.name)
    project = open_project(folder, PROFILES[version])
    for stage in (ingest, clean, align, augment, split, formatting):
        stage.run(project)
    return project


def chosen(prepared: Project, folder: Path, name: str) -> Project:
    """The project of a variant: the same sets, fewer or more training pairs.

    Args:
        prepared: what :func:`prepare` made.
        folder: where to make it.
        name: of the variant.
    """
    variant = VARIANTS[name]
    profiles = PROFILES[variant.version]
    if name == PUBLISHED:
        shutil.copytree(prepared.root, folder)
        train.run(open_project(folder, profiles, ["train.name=first"]))
        project = open_project(folder, profiles, variant.overrides)
        for stage in (augment, split, formatting):
            stage.run(project)
        return project
    shutil.copytree(prepared.root, folder, ignore=shutil.ignore_patterns("raw", "interim", "processed", "models"))
    project = open_project(folder, profiles, variant.overrides)
    segments = [one for one in read_jsonl(project.training / "train.jsonl", Segment) if variant.keep(one)]
    write_jsonl(project.training / "train.jsonl", [*segments, *(neo_assyrian(project) if name == NEO else ())])
    return project


def neo_assyrian(project: Project) -> list[Segment]:
    """Pairs of Akkademia, a thousand years younger, brought to the same orthography."""
    profiles = project.config.clean
    ways = {tag: Normaliser(profiles.profiles[tag], profiles.placeholders) for tag in WAY}
    folder = DATA / "akkademia"
    sides = ((folder / f"decoded_train.{end}").read_text(encoding="utf-8").splitlines() for end in ("tr", "en"))
    pairs = sorted((pair for pair in zip(*sides, strict=True) if all(pair)), key=lambda pair: len(pair[0]))
    return [
        Segment(id=f"neo:{number}", texts={tag: ways[tag].apply(text) for tag, text in zip(WAY, pair, strict=True)},
                meta=Meta(access=project.config.project.max_access, source="akkademia"))
        for number, pair in enumerate(pairs[:AKKADEMIA])
    ]  # fmt: skip


# --- marks and boundaries -------------------------------------------------------------------------------------------


def marks(raw: Iterable[str], normaliser: Normaliser) -> dict[str, dict[str, int]]:
    """How many texts have a mark, before and after the normalisation."""
    before, after = Counter[str](), Counter[str]()
    for text in raw:
        done = normaliser.apply(text)
        for name, pattern in MARKS.items():
            before[name] += bool(regex.search(pattern, text))
            after[name] += bool(regex.search(pattern, done))
    return {name: {"before": before[name], "after": after[name]} for name in MARKS}


def all_marks() -> dict[str, Any]:
    """Of both versions of ``train.csv``, both sides, each under its own rules."""
    import csv

    found: dict[str, Any] = {}
    for version, profiles in PROFILES.items():
        clean_section = open_project(ROOT / "projects" / "akkadian", profiles).config.clean
        with (DATA / version / "train.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for tag, column in zip(WAY, ("transliteration", "translation"), strict=True):
            normaliser = Normaliser(clean_section.profiles[tag], clean_section.placeholders)
            found[f"{version}, {column}"] = marks((row[column] for row in rows), normaliser)
    return found


def boundaries(project: Project) -> dict[str, float]:
    """Starts of sentences that were cut, against those of the list, on the tablets that have both.

    The list was made after another translation with other sentences, so no cutting could reach 1.
    """
    tablets: dict[str, list[str]] = {}
    pieces: dict[str, dict[str, list[tuple[int, list[str]]]]] = {LISTED: defaultdict(list), CUT: defaultdict(list)}
    folders = project.cleaned, project.aligned
    for segment in chain.from_iterable(read_jsonl(folder / "segments.jsonl", Segment) for folder in folders):
        meta, said = segment.meta, segment.texts.get(WAY.source, "").split()
        if meta.genre == TABLET and meta.doc_id:
            tablets[meta.doc_id] = said
        elif meta.genre in pieces and meta.doc_id:
            pieces[meta.genre][meta.doc_id].append((meta.order or 0, said))
    hits = near = made = listed = 0
    for document in sorted(set(pieces[LISTED]) & set(pieces[CUT]) & set(tablets)):
        wanted, found = (starts(tablets[document], pieces[genre][document]) for genre in (LISTED, CUT))
        hits += len(wanted & found)
        near += sum(bool({start - 1, start, start + 1} & found) for start in wanted)
        made, listed = made + len(found), listed + len(wanted)
    return {
        "listed": listed,
        "cut": made,
        "precision": round(hits / max(1, made), 3),
        "recall": round(hits / max(1, listed), 3),
        "recall_within_one_word": round(near / max(1, listed), 3),
    }


def starts(words: list[str], pieces: list[tuple[int, list[str]]]) -> set[int]:
    """Places in a tablet at which its sentences begin, but for the first word of the tablet."""
    found, place = set(), 0
    for _, piece in sorted(pieces):
        at = next((n for n in range(place, len(words)) if words[n : n + len(piece)] == piece), None)
        if at is not None:
            found.add(at)
            place = at + 1
    return found - {0}


# --- scores ---------------------------------------------------------------------------------------------------------


def floors(project: Project) -> Iterator[Translator]:
    """What costs nothing."""
    yield CopyTranslator(WAY)
    segments = list(read_jsonl(project.training / "train.jsonl", Segment))
    pairs = [(one.texts[WAY.source], one.texts[WAY.target]) for one in segments if set(WAY) <= set(one.texts)]
    yield NearestTranslator(WAY, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    entries = list(read_jsonl(project.training / "lexicon.jsonl", Entry))
    yield train_word_by_word(WAY, pairs, entries)


def measure(
    project: Project,
    systems: Iterable[tuple[str, Translator]],
    levels: Sequence[str] = (TABLET, CUT, LISTED),
) -> tuple[list[dict[str, Any]], Counted]:
    """Scores on whole tablets, and on the sentences of each kind, of the unseen publication.

    Args:
        project: the sets.
        systems: names and translators; these are closed.
        levels: genres of test.

    Returns:
        A row per system and level, and what was counted (see :func:`differences`).
    """
    test = list(read_jsonl(project.training / "test.jsonl", Segment))
    rows: list[dict[str, Any]] = []
    counted: Counted = {}
    for name, system in systems:
        for level in levels:
            some = [one for one in test if one.meta.genre == level and set(WAY) <= set(one.texts)]
            requests = of_segments(some, WAY.source, system.context)
            began = time.perf_counter()
            texts = [found.text for found in system.translate(requests)]
            seconds = time.perf_counter() - began
            counts = Scorer([one.texts[WAY.target] for one in some]).count(texts)
            counted.setdefault(level, {})[name] = counts
            found = corpus_scores(counts)
            low, high = interval(bootstrap({name: counts}, 1_000, seed=13)[name][:, METRICS.index("geomean")])
            rows.append({"system": name, "level": level, "texts": len(some), "geomean": found.geomean, "low": low,
                         "high": high, "bleu": found.bleu, "chrf++": found.chrfpp, "seconds": seconds})  # fmt: skip
        system.close()
    return rows, counted


def differences(counted: Counted, base: str) -> list[dict[str, Any]]:
    """How much better than one system the others are, on the same texts, with 95 % intervals of paired resamples."""
    rows = []
    for level, systems in counted.items():
        for name in (one for one in systems if one != base and len(systems[one]) == len(systems[base])):
            pair = {base: systems[base], name: systems[name]}
            found = [bootstrap(pair, 1_000, seed=13)[one][:, METRICS.index("geomean")] for one in (name, base)]
            low, high = interval(found[0] - found[1])
            rows.append({"system": name, "level": level, "low": low, "high": high})
    return rows


def carried_out(prepared: Path, folder: Path, name: str) -> tuple[list[dict[str, Any]], Counted, dict[str, Any]]:
    """One variant, from its pairs to its scores: rows, counts, what the training reports."""
    project = chosen(open_project(prepared), folder, name)
    training = train.run(project)["directions"][str(WAY)]
    rows, counted = measure(project, [(name, open_chain(project, None, WAY))])
    return rows, counted, training


def main() -> dict[str, Any]:
    """Marks, boundaries, and every variant; as many variants at a time as there are processors."""
    names = [name for name in os.environ.get("VARIANTS", "").split(",") if name] or list(VARIANTS)
    training: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="seshat-akkadian-") as folder:
        versions = {VARIANTS[name].version for name in names}
        prepared = {version: prepare(Path(folder) / version, version) for version in sorted(versions)}
        base = prepared[VARIANTS[names[0]].version]
        cutting = boundaries(base)
        rows, counted = measure(base, ((floor.name, floor) for floor in floors(base)))
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:  # forks and threads do not mix
            jobs = {
                name: pool.submit(carried_out, prepared[VARIANTS[name].version].root, Path(folder) / str(number), name)
                for number, name in sorted(enumerate(names), key=lambda item: item[1] != PUBLISHED)  # it takes longest
            }
            for name in names:
                more, texts, training[name] = jobs[name].result()
                rows += more
                for level, systems in texts.items():
                    counted[level].update(systems)
                report(rows)
    against = differences(counted, names[0])
    return {"marks": all_marks(), "boundaries": cutting, "rows": rows, "against all": against, "training": training}


def report(rows: list[dict[str, Any]]) -> None:
    """Print the scores."""
    table = Table(title="Old Assyrian -> English, AKT 6b unseen: geometric mean of BLEU and chrF++")
    for column in ("system", "level", "texts", "geometric mean", "95 %", "BLEU", "chrF++", "seconds"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            row["system"],
            row["level"],
            str(row["texts"]),
            f"{row['geomean']:.1f}",
            f"{row['low']:.1f}-{row['high']:.1f}",
            f"{row['bleu']:.1f}",
            f"{row['chrf++']:.1f}",
            f"{row['seconds']:.0f}",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
