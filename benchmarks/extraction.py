"""What is found on pages of publications with known answers: by the layout, and by a language model behind a server.

Four invented publications (English, German, French, Turkish; :mod:`tests.ocr_pages`) at several rates of wrong signs.
Compared with what is easiest: take the next paragraph after a line that names a text. The language model is a server of
this process that reads perfectly, with a kill at every fourth question: what is measured is the plumbing - the
questions asked over all runs against the fewest possible, tokens and cost - not a model.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SUMMARY = (
    "extraction from OCR pages in four languages: precision and recall of ids and pairs; cost, resumed after kills"
)
RATES = (0.0, 0.05, 0.15)
SEEDS = (101, 102, 103)
"""None of them was looked at while the rules were written."""
_ALIKE = 0.9
"""Likeness, letter by letter, from which a side counts as found."""
_PRICES = {"price_in": 0.5, "price_out": 2.0}

Pair = tuple[str, str, str, str]
"""Publication, id, text, translation as printed."""


def main() -> dict[str, Any]:
    """Measure, print tables, return the figures."""
    rows = [row for loose in (False, True) for rate in RATES for row in _at_rate(rate, loose=loose)]
    languages = _by_language()
    sentences = [
        _sentences(loose=loose, align=align) for loose, align in ((False, "cut"), (True, "cut"), (True, "lines"))
    ]
    extractor = _extractor()
    console = Console()
    _print(console, "Pages: precision and recall, percent", rows)
    _print(console, "By language, wrong signs 1 %, both kinds of editions", languages)
    _print(console, "Pairs of sentences, wrong signs 1 %", sentences)
    _print(console, "Language model behind a server, killed at every fourth question", [extractor])
    return {"rates": rows, "languages": languages, "sentences": sentences, "extractor": extractor}


def _print(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)


def _at_rate(rate: float, *, loose: bool) -> list[dict[str, Any]]:
    from tests import ocr_pages

    found: dict[str, list[tuple[Any, list[Pair]]]] = {"layout": [], "next paragraph": []}
    seconds = {"layout": 0.0, "next paragraph": 0.0}
    for seed in SEEDS:
        made = ocr_pages.corpus(seed, rate=rate, loose=loose)
        for name, read in (("layout", by_layout), ("next paragraph", by_next_paragraph)):
            began = time.perf_counter()
            found[name].append((made, read(made)))
            seconds[name] += time.perf_counter() - began
    return [
        {
            "editions": "no headings" if loose else "headings",
            "wrong %": 100 * rate,
            "method": name,
            **_scores(runs),
            "seconds": round(seconds[name], 1),
        }
        for name, runs in found.items()
    ]


def _by_language() -> list[dict[str, Any]]:
    from tests import ocr_pages

    corpora = [ocr_pages.corpus(seed, loose=loose) for seed in SEEDS for loose in (False, True)]
    runs = [(made, by_layout(made)) for made in corpora]
    return [
        {"language": tag, **_scores([(made, _only(pairs, tag)) for made, pairs in runs], tag)}
        for tag in ocr_pages.LANGUAGES
    ]


def _only(pairs: Iterable[Pair], tag: str) -> list[Pair]:
    return [pair for pair in pairs if f"({tag})" in pair[0]]


def _scores(runs: list[tuple[Any, list[Pair]]], tag: str | None = None) -> dict[str, Any]:
    """Precision and recall of ids, and of pairs with both sides right, over several corpora."""
    from seshat.augment.pages import likeness

    wanted = told = right_ids = pairs = recalled = 0
    for made, found in runs:
        truth = {key: lang for key, lang in made.truth.items() if tag in (None, lang)}
        wanted, told = wanted + len(truth), told + len(found)
        recalled += len({(publication, name) for publication, name, *_ in found} & set(truth))
        for publication, name, own, means in found:
            if (publication, name) not in truth:
                continue
            right_ids += 1
            text = made.text(name)
            right = " ".join(text.own), " ".join(text.means[truth[publication, name]])
            pairs += likeness(own, right[0]) >= _ALIKE and likeness(means, right[1]) >= _ALIKE
    return {
        "texts": wanted,
        "found": told,
        "id P": 100 * right_ids / max(1, told),
        "id R": 100 * recalled / wanted,
        "pair P": 100 * pairs / max(1, told),
        "pair R": 100 * pairs / wanted,
    }


def _sentences(*, loose: bool, align: str) -> dict[str, Any]:
    """The whole stage with a translator that knows everything: how many pairs of sentences are right to the word."""
    from tests import ocr_pages
    from tests.augment.test_pages import run, write

    from seshat.core.jsonl import read_jsonl
    from seshat.core.records import Segment

    found = right = wanted = 0
    for seed in SEEDS:
        made = ocr_pages.corpus(seed, loose=loose)
        with tempfile.TemporaryDirectory() as folder:
            project = write(Path(folder, "project"), made, pages={"align": align})
            run(project)
            segments = read_jsonl(project.augmented / "segments.jsonl", Segment)
            pairs = [one for one in segments if "augment:sentence" in one.meta.tags]
        found += len(pairs)
        right += sum(_is_run(made.text(one.meta.doc_id or ""), one.texts["qot"], one.texts["en"]) for one in pairs)
        wanted += sum(len(made.text(name).own) for _, name in made.truth)
    editions = "no headings" if loose else "headings"
    return {"editions": editions, "align": align, "sentences": wanted, "pairs": found, "right %": 100 * right / found}


def _is_run(text: Any, own: str, means: str) -> bool:
    """Whether a pair is one sentence, or several on end, on both sides; wrong signs apart."""
    from seshat.augment.pages import likeness

    size = len(text.own)
    return any(
        likeness(" ".join(text.own[i:j]), own) > 0.93 and likeness(" ".join(text.means["en"][i:j]), means) > _ALIKE
        for i in range(size)
        for j in range(i + 1, size + 1)
    )


def by_layout(made: Any) -> list[Pair]:
    """What the stage finds."""
    from tests import ocr_pages

    from seshat.augment import tables
    from seshat.augment.material import Tally
    from seshat.augment.pages import Reader, read_all, selected
    from seshat.config.augment import PagesSection

    columns = {"document": "pdf_name", "page": "page", "text": "page_text"}
    texts = {"path": "l.csv", "id": "oid", "names": ["label", "aliases"], "text": "reading"}
    section = PagesSection.model_validate({"path": "p.csv", "columns": columns, "texts": texts})
    known = ocr_pages.known_pairs()
    own, means = [own for own, _ in known], [means for _, means in known]
    with tempfile.TemporaryDirectory() as folder:
        pages, listed = Path(folder, "p.csv"), Path(folder, "l.csv")
        pages.write_text(made.pages_csv(), encoding="utf-8")
        listed.write_text(made.list_csv(), encoding="utf-8")
        ratio = sum(map(len, means)) / sum(map(len, own))
        reader = Reader(section, tables.listed_texts(listed, section.texts), own, means, ratio)
        found = read_all(reader, selected(reader, pages), Tally())
    return [(one.publication, one.id, one.text, " ".join(part.text for part in one.passages)) for one in found]


def by_next_paragraph(made: Any) -> list[Pair]:
    """The easiest way: a line with the label or museum number, the paragraph below, and the one after it."""
    found = []
    names = {name: text.id for text in made.texts if text.id in made.listed for name in (text.label, text.museum)}
    for publication, _, page in made.pages:
        blocks = [" ".join(block.split()) for block in page.split("\n\n")]
        for number, block in enumerate(blocks[:-2]):
            hit = next((name for name in names if name in block), None)
            if hit is not None:
                found.append((publication, names[hit], blocks[number + 1], blocks[number + 2]))
    return found


def _extractor() -> dict[str, Any]:
    """Run, be killed at every fourth question, run again until done."""
    import json

    from tests import ocr_pages
    from tests.answering import serving

    from seshat.augment import stage as augment
    from seshat.core.jsonl import write_jsonl, write_text
    from seshat.core.records import Meta, Segment
    from seshat.project.folder import open_project

    made = ocr_pages.corpus(SEEDS[0])
    running: list[subprocess.Popen[bytes]] = []

    def answer(messages: list[dict[str, str]], number: int) -> str:
        if running and number % 4 == 0:
            os.kill(running[-1].pid, signal.SIGKILL)
        return ocr_pages.answer(messages[1]["content"], made)

    with serving(answer) as server, tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pages = {
            "path": "pages.csv",
            "columns": {"document": "pdf_name", "page": "page", "text": "page_text"},
            "texts": {"path": "texts.csv", "id": "oid", "names": ["label", "aliases"], "text": "reading"},
            "access": "public",
            "rules": False,
        }
        extractor = {"model": "m", "server": server.url, **_PRICES}
        config = {"project": {"language": "qot", "pivot": "en"}, "augment": {"pages": pages, "extractor": extractor}}
        write_text(root / "seshat.yaml", json.dumps(config))
        write_text(root / "data/raw/pages.csv", made.pages_csv())
        write_text(root / "data/raw/texts.csv", made.list_csv())
        project = open_project(root)
        known = enumerate(ocr_pages.known_pairs(60))
        meta = Meta.model_validate({"source": "known", "access": "public"})
        segments = [Segment(id=f"k{n}", texts={"qot": own, "en": means}, meta=meta) for n, (own, means) in known]
        write_jsonl(project.cleaned / "segments.jsonl", segments)
        code = (
            "import sys; from pathlib import Path; from seshat.augment import stage as augment; "
            "from seshat.project.folder import open_project; augment.run(open_project(Path(sys.argv[1])))"
        )
        kills = 0
        for _ in range(20):
            running.append(subprocess.Popen([sys.executable, "-c", code, str(root)], stderr=subprocess.DEVNULL))
            if running[-1].wait(timeout=120) == 0:
                break
            kills += 1
        running.clear()
        report = augment.run(project)["extractor"]
        questions = len({json.dumps(messages) for messages in server.asked})
    return {
        "kills": kills,
        "questions": questions,
        "asked": len(server.asked),
        "tokens sent": report["tokens sent"],
        "tokens received": report["tokens received"],
        "cost": f"{report['cost']:.6f}",
        "texts": len(made.truth),
        "told": report["texts told"],
        "not on page": report.get("not on the page", 0),
        "found": report["texts with translation"] + report.get("no translator", 0),
    }


if __name__ == "__main__":
    main()
