"""A corpus of Tamil: what reading pages keeps, identification, limits of measures, duplicates, and how quick it is.

``SESHAT_SHARED`` names the folder with ``data/tamil``. ``SESHAT_DATATROVE`` names the Python of an environment with
``datatrove[processing]`` and ``indic-nlp-library``: its filters and MinHash then run on the same documents.
"""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import regex
from rich.console import Console

from seshat.config import Config
from seshat.config.ingest import IngestSection, Source
from seshat.config.project import LanguageInfo, ProjectSection
from seshat.core.records import Segment
from seshat.corpus.dedup import Deduplicator
from seshat.corpus.measure import fit_profiles, pieces
from seshat.corpus.measures import documents_of
from seshat.corpus.registry import MEASURES, Tools, View, numbers
from seshat.corpus.thresholds import Thresholds, from_fineweb
from seshat.formats import html
from seshat.formats.context import Context
from seshat.project.folder import Project
from seshat.text.charmodel import CharModel
from seshat.text.identify import Identifier
from seshat.text.legacy import ENCODINGS, recognise
from seshat.text.wordorder import WordOrder

SUMMARY = "A corpus of Tamil: pages read, languages told, odd text and duplicates found; beside FineWeb-2 and datatrove"

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared")) / "data"
TAMIL = DATA / "tamil"
PEER = os.environ.get("SESHAT_DATATROVE", "")
OWN = regex.compile(r"\p{Script=Tamil}")
DOCUMENTS = int(os.environ.get("SESHAT_CORPUS_DOCUMENTS", "10000"))
"""Documents for the speed; the memory is measured at ten times as many."""
CHARACTERS = 600

VOWELS = dict(zip("அ ஆ இ ஈ உ ஊ எ ஏ ஐ ஒ ஓ ஔ ஃ".split(), "a aa i ee u oo e e ai o o au h".split(), strict=True))  # noqa: SIM905
SIGNS = dict(zip("ா ி ீ ு ூ ெ ே ை ொ ோ ௌ".split(), "aa i ee u oo e e ai o o au".split(), strict=True))  # noqa: SIM905
LETTERS = "க ங ச ஞ ட ண த ந ப ம ய ர ல வ ழ ள ற ன ஜ ஷ ஸ ஹ"
SOUNDS = "k ng s nj d n th n p m y r l v zh l r n j sh s h"
CONSONANTS = dict(zip(LETTERS.split(), SOUNDS.split(), strict=True))


def romanised(text: str) -> str:
    """Tamil in Latin letters, as people write it who have no Tamil keyboard."""
    out = []
    text = unicodedata.normalize("NFC", text)
    for place, one in enumerate(text):
        following = text[place + 1 : place + 2]
        if one in CONSONANTS:
            out.append(CONSONANTS[one] + ("" if following in SIGNS or following == "்" else "a"))
        elif one != "்":
            out.append(SIGNS.get(one) or VOWELS.get(one, one))
    return "".join(out)


def lines_of(path: Path) -> list[str]:
    """The lines of a file, without blank ones."""
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def pages() -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The lines of each page of literature, and how much of the Tamil came through."""
    source = Source(name="pm", path="project_madurai_html/*.html", reader="html")
    tamil = {"ta": LanguageInfo(name="Tamil", script="Tamil")}
    context = Context(TAMIL, source, IngestSection(), ProjectSection(language="ta", languages=tamil))
    found: dict[str, list[str]] = {}
    kept = raw = alone = 0.0
    started = time.process_time()
    for path in sorted(TAMIL.glob("project_madurai_html/*.html")):
        page = path.read_text("utf-8", "replace")
        found[path.stem] = [one.texts["ta"] for one in html.read([path], context) if isinstance(one, Segment)]
        size = len(OWN.findall(page))
        raw, kept = raw + size, kept + len(OWN.findall("".join(found[path.stem])))
        alone += size * context.report(path).details["trafilatura_kept"]
    figures = {
        "pages": len(found),
        "tamil_characters": int(raw),
        "kept": round(kept / raw, 4),
        "trafilatura_alone": round(alone / raw, 4),
        "megabytes_a_second": round(
            sum(p.stat().st_size for p in TAMIL.glob("project_madurai_html/*.html"))
            / 1e6
            / (time.process_time() - started),
            1,
        ),
    }
    return found, figures


def legacy() -> dict[str, Any]:
    """TSCII against its Unicode twins, line by line."""
    folder = TAMIL / "legacy_encoding"
    lines = same = faulty = 0
    for name, twin in (("tscii.sample1", "tscii.sample1.unicode"), ("project_madurai_tscii", "project_madurai_utf8")):
        text = (folder / f"{name}.txt").read_text("utf-8")
        wanted = unicodedata.normalize("NFC", (folder / f"{twin}.txt").read_text("utf-8")).rstrip().splitlines()
        for one, other in zip(ENCODINGS["tscii"].repair(text).rstrip().splitlines(), wanted, strict=True):
            lines += 1
            same += one.rstrip() == other.rstrip()
            faulty += one.rstrip() != other.rstrip() and any("\xa1" <= sign <= "\xff" for sign in other)
    found = recognise((folder / "project_madurai_tscii.txt").read_text("utf-8"), ["ta"])
    named = found.name if found else None
    return {"lines": lines, "same": same, "twin_holds_tscii_signs": faulty, "recognised_as": named}


def identification() -> dict[str, Any]:
    """Romanised Tamil among languages in the same letters: every fifth line is kept from learning."""
    speech = lines_of(TAMIL / "commonvoice" / "sentence-collector.ta.txt")
    texts = {"ta-Latn": [romanised(line) for line in speech], "ta": speech}
    for tag in ("shp", "gn", "aym", "nah"):
        texts[tag] = lines_of(DATA / "americasnlp" / tag / f"train.{tag}")[:6_000]
    texts["es"] = lines_of(DATA / "americasnlp" / "shp" / "train.es")[:6_000]
    with (TAMIL / "thirukkural" / "kural_ta_en.tsv").open(encoding="utf-8") as stream:
        texts["en"] = [row["explanation_en_drew_lazarus"] for row in csv.DictReader(stream, delimiter="\t")]
    texts = {tag: [line for line in lines if len(line) >= 20] for tag, lines in texts.items()}
    identifier = Identifier.learn({tag: [one for n, one in enumerate(lines) if n % 5] for tag, lines in texts.items()})
    small = Identifier()
    figures = {}
    for tag, lines in texts.items():
        held = lines[::5][:800]
        right = sum(identifier.identify(line).tag == tag for line in held) / len(held)
        lid = sum(small.identify(line).tag == tag for line in held[:200]) / len(held[:200])
        figures[tag] = {"lines": len(held), "right": round(right, 4), "lid176": round(lid, 4)}
    return figures


def genres(literature: dict[str, list[str]]) -> dict[str, list[list[list[str]]]]:
    """Genre -> two halves of documents, parted by page or by stretch, of about 600 characters each."""
    speech = list(pieces(lines_of(TAMIL / "commonvoice" / "sentence-collector.ta.txt")))
    with (TAMIL / "thirukkural" / "kural_ta_en.tsv").open(encoding="utf-8") as stream:
        couplets = [[row["line1_ta"], row["line2_ta"]] for row in csv.DictReader(stream, delimiter="\t")]
    verse = [[line for couplet in couplets[half::2] for line in couplet] for half in (0, 1)]
    news = [line[9:] for line in lines_of(TAMIL / "ud" / "ta_mwtt-ud-test.conllu") if line.startswith("# text = ")]
    halves = {
        "speech": [speech[::2], speech[1::2]],
        "verse": [list(pieces(lines)) for lines in verse],
        "grammar": [list(pieces(news[::2])), list(pieces(news[1::2]))],
    }
    books = [list(pieces(lines)) for lines in literature.values()]
    halves["literature"] = [[one for book in books[half::2] for one in book] for half in (0, 1)]
    return halves


def bad(texts: Sequence[list[str]]) -> dict[str, list[list[str]]]:
    """What a filter has to refuse, made from good documents and of self-written lines."""
    chance = random.Random(7)
    english = [
        "Our shop sells the best phones at the lowest prices, order now.",
        "He said that it would rain on Monday.",
        "This page was last changed in March.",
        "Please write to us if something is missing.",
    ]
    notices = ["முகப்பு | செய்திகள் | விளையாட்டு | தொடர்பு", "© 2021 அனைத்து உரிமைகளும் பாதுகாக்கப்பட்டவை", "Read more »",
               "Click here to subscribe", "உள்நுழைய | பதிவு செய்ய | உதவி", "Privacy policy | Terms of use"]  # fmt: skip

    def scrambled(word: str) -> str:
        return "".join(chance.sample(word, len(word)))

    def words_of(lines: list[str], change: Callable[[list[str]], Iterable[str]]) -> list[str]:
        return [" ".join(change(line.split())) for line in lines]

    return {
        "repeated": [[lines[0]] * 12 for lines in texts],
        "shuffled_letters": [words_of(lines, lambda found: map(scrambled, found)) for lines in texts],
        "boilerplate": [[chance.choice(notices) for _ in range(12)] for _ in texts],
        "english": [[chance.choice(english) for _ in range(10)] for _ in texts],
        "romanised": [[romanised(line) for line in lines] for lines in texts],
        "wrong_script": [
            ["".join(chr(ord(c) + 0x180) if OWN.match(c) else c for c in line) for line in lines] for lines in texts
        ],
        "shuffled_words": [words_of(lines, lambda found: chance.sample(found, len(found))) for lines in texts],
    }


def filters(literature: dict[str, list[str]], work: Path) -> dict[str, Any]:
    """Limits fitted on one half of each genre: how much of the other half they keep, and refuse of bad documents."""
    settings = {"project": {"language": "ta", "languages": {"ta": {"name": "Tamil", "script": "Tamil"}}}}
    project = Project(work, Config.model_validate(settings))
    halves = genres(literature)
    profiles, _ = fit_profiles(project, {genre: first for genre, (first, _) in halves.items()})
    fitted = Thresholds(language="ta", profiles=profiles)
    trusted = [piece for first, _ in halves.values() for piece in first]
    model, order = CharModel.learn(map("\n".join, trusted)), WordOrder.learn(trusted)
    fineweb = from_fineweb(TAMIL / "fineweb2_tamil" / "tam_Taml.yml", "ta")
    tools = Tools({name: frozenset(words) for name, words in fineweb.lists.items()}, model, order)
    names = (*documents_of({}), "count:stopwords")

    def measured(lines: list[str]) -> dict[str, float]:
        return numbers(View(lines, "ta", "Tamil", tools), names)

    kept = {}
    for genre, (_, second) in halves.items():
        found = [measured(lines) for lines in second]
        kept[genre] = {
            "documents": len(found),
            "kept": round(sum(not fitted.odd(one, genre) for one in found) / len(found), 4),
            "kept_without_genre": round(sum(not fitted.odd(one, None) for one in found) / len(found), 4),
            "kept_by_fineweb2": round(sum(not fineweb.odd(one, None) for one in found) / len(found), 4),
        }
    refused: dict[str, dict[str, float]] = {}
    for genre, (_, second) in halves.items():
        for kind, texts in bad(random.Random(3).sample(second, min(100, len(second)))).items():
            odd = sum(bool(fitted.odd(measured(lines), genre)) for lines in texts)
            refused.setdefault(kind, {})[genre] = round(odd / len(texts), 4)
    return {"kept": kept, "refused": refused}


def documents(count: int, seed: int) -> list[str]:
    """Documents of 600 characters, put together by chance from sentences that people have read aloud."""
    chance, speech = random.Random(seed), lines_of(TAMIL / "commonvoice" / "sentence-collector.ta.txt")
    found = []
    for _ in range(count):
        text = ""
        while len(text) < CHARACTERS:
            text += chance.choice(speech) + "\n"
        found.append(text[:CHARACTERS])
    return found


def edited(text: str, share: float, chance: random.Random, vocabulary: Sequence[str]) -> str:
    """A share of the words of a document replaced by others."""
    found = text.split(" ")
    for place in chance.sample(range(len(found)), max(1, int(share * len(found)))):
        found[place] = chance.choice(vocabulary)
    return " ".join(found)


def _deduplicated(texts: Sequence[str]) -> tuple[Any, float]:
    started = time.process_time()
    found = Deduplicator(0.6)
    for text in texts:
        found.add(text.split("\n"))
    return found.close(), time.process_time() - started


def duplicates(plain: list[str], work: Path) -> dict[str, Any]:
    """Planted edits found, pairs found that nobody has planted, and documents a second of one core."""
    chance = random.Random(11)
    vocabulary = " ".join(plain[:500]).split()
    planted = [edited(text, chance.uniform(0.01, 0.10), chance, vocabulary) for text in plain[:500]]
    texts = plain + planted
    first, seconds = _deduplicated(texts)
    hits = sum(first[len(plain) + place] == first[place] for place in range(len(planted)))
    joined = sum(int(one != place) for place, one in enumerate(first.tolist()))
    model = CharModel.learn(plain[:2_000])
    order = WordOrder.learn(text.split("\n") for text in plain[:2_000])
    tools, names = (
        Tools({"modern": frozenset(vocabulary[:300])}, model, order),
        tuple(documents_of({"modern": frozenset()})),
    )
    limits = Thresholds(language="ta", profiles={"default": {}})
    started = time.process_time()
    for text in plain[:4_000]:
        limits.odd(numbers(View(text.split("\n"), "ta", "Tamil", tools), names), None)
    measuring = min(4_000, len(plain)) / (time.process_time() - started)
    figures: dict[str, Any] = {
        "documents": len(texts),
        "planted": len(planted),
        "found": int(hits),
        "found_by_chance": int(joined - hits),
        "dedup_a_second": round(len(texts) / seconds),
        "measures": len(names),
        "measure_and_tag_a_second": round(measuring),
    }
    if PEER:
        figures["datatrove"] = _peer(texts, len(plain), figures, work)
    return figures


def _peer(texts: Sequence[str], originals: int, own: dict[str, Any], work: Path) -> dict[str, Any]:
    source = work / "peer" / "documents.jsonl"
    source.parent.mkdir()
    source.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)), "utf-8")
    (work / "peer.py").write_text(_PEER, "utf-8")
    done = subprocess.run([PEER, str(work / "peer.py"), str(source)], capture_output=True, text=True, check=True)
    said = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    kept = set(said["kept"])
    missed = sum(str(n) in kept and str(originals + n) in kept for n in range(len(texts) - originals))
    return {
        "version": said["version"],
        "found": len(texts) - originals - missed,
        "dedup_a_second": round(said["dedup"]),
        "filters_a_second": round(said["filters"]),
        "dedup_ratio": round(own["dedup_a_second"] / said["dedup"], 1),
        "measure_ratio": round(own["measure_and_tag_a_second"] / said["filters"], 1),
    }


_PEER = """
import json, os, resource, sys, tempfile
from importlib.metadata import version
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor as Run
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

def cpu():
    mine = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in mine)

if __name__ == "__main__":
    texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
    language, some = "tam_Taml", texts[:1000]
    judges = [kind(language=language) for kind in (GopherRepetitionFilter, FineWebQualityFilter, GopherQualityFilter)]
    menders = [FTFYFormatter(), PIIFormatter()]
    judges[0].filter(Document(text=texts[0], id="0"))
    started = cpu()
    for place, text in enumerate(some):
        for mender in menders:
            text = mender.format(text)
        for judge in judges:
            judge.filter(Document(text=text, id=str(place)))
    filters = len(some) / (cpu() - started)
    root, config = tempfile.mkdtemp(dir=os.path.dirname(os.path.dirname(sys.argv[1]))), MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    read = lambda: JsonlReader(os.path.dirname(sys.argv[1]), glob_pattern="documents.jsonl")
    started = cpu()
    for name, tasks, steps in (
        ("1", 1, [read(), MinhashDedupSignature(output_folder=root + "/signatures", config=config, language=language)]),
        ("2", 14, [MinhashDedupBuckets(input_folder=root + "/signatures", output_folder=root + "/buckets", config=config)]),
        ("3", 1, [MinhashDedupCluster(input_folder=root + "/buckets", output_folder=root + "/remove", config=config)]),
        ("4", 1, [read(), MinhashDedupFilter(input_folder=root + "/remove"), JsonlWriter(root + "/out", compression=None)]),
    ):
        Run(steps, tasks=tasks, workers=1, logging_dir=root + "/logs" + name).run()
    dedup = len(texts) / (cpu() - started)
    kept = [json.loads(line)["id"] for name in os.listdir(root + "/out") for line in open(root + "/out/" + name, encoding="utf-8")]
    print(json.dumps({"filters": filters, "dedup": dedup, "kept": kept, "version": version("datatrove")}))
"""  # noqa: E501


def memory(count: int) -> dict[str, Any]:
    """Peak memory of a process of its own that compares so many documents."""
    code = f"from benchmarks.corpus import _memory; _memory({count})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _memory(count: int) -> None:
    chance, speech = random.Random(5), lines_of(TAMIL / "commonvoice" / "sentence-collector.ta.txt")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = Deduplicator(0.6)
    started = time.process_time()
    for _ in range(count):
        found.add("\n".join(chance.sample(speech, 12))[:CHARACTERS].split("\n"))
    clusters = len(set(found.close().tolist()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "documents": count,
                "clusters": clusters,
                "megabytes": round(peak / 1024),
                "megabytes_before": round(before / 1024),
                "seconds": round(time.process_time() - started),
            }
        )
    )


def main() -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        literature, reading = pages()
        figures = {
            "pages": reading,
            "legacy": legacy(),
            "identification": identification(),
            "filters": filters(literature, work),
            "duplicates": duplicates(documents(DOCUMENTS, 1), work),
            "memory": memory(10 * DOCUMENTS),
            "registry": len(MEASURES),
        }
    Console().print_json(json.dumps(figures))
    return figures
