"""Examples in a question to a large model: what they show of a text, and what that is worth, at what cost.

The first table takes the pairs of AmericasNLP and counts which runs of one to three words of development sentences
stand in the examples, under one budget of tokens: chosen for coverage, by BM25 (``pip install bm25s``), and the bound
that no choice exceeds, what stands in the training data at all. The second table asks a server that answers from
nothing but what stands before it, so that a better choice of examples and entries is a better translation.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.answering import serving
from tests.small_project import small_project

import seshat
from benchmarks.americasnlp import DATA, LANGUAGES
from seshat.core.spaced import evenly
from seshat.inference.opening import open_chain
from seshat.project.folder import open_project
from seshat.prompt.coverage import Examples, features, tokens
from seshat.prompt.request import requests
from seshat.scores.metrics import Scorer, corpus_scores
from seshat.text.lookup import key
from seshat.text.words import words

SUMMARY = "In-context translation: source n-grams that examples show under a budget, coverage beside BM25; variants"
SENTENCES = 200
BUDGETS = (300, 600, 1_500)
"""Tokens of examples in a question, as :func:`seshat.prompt.coverage.tokens` counts them."""

Choose = Callable[[str, int], Sequence[tuple[str, str]]]


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]


def by_bm25(pairs: Sequence[tuple[str, str]]) -> Choose:
    """The nearest pairs by BM25 over their words, as many as the budget takes."""
    import bm25s

    index = bm25s.BM25()
    index.index([[key(word) for word in words(source)] for source, _ in pairs], show_progress=False)

    def choose(text: str, budget: int) -> list[tuple[str, str]]:
        asked = [[key(word) for word in words(text)]]
        ranked, _ = index.retrieve(asked, k=min(400, len(pairs)), show_progress=False)
        chosen = []
        for place in ranked[0]:
            pair = pairs[int(place)]
            cost = tokens(*pair)
            if cost <= budget and key(pair[0]) != key(text):
                budget -= cost
                chosen.append(pair)
        return chosen

    return choose


def runs(text: str) -> set[str]:
    """Runs of one to three words of a text, without the pieces of words that coverage also counts."""
    return {one for one in features(text) if not one.startswith("#")}


def shown(choose: Choose, texts: Sequence[str], budget: int, of: Callable[[str], set[str]]) -> float:
    """The share, in %, of what there is to show of some texts that their examples show."""
    there = found = 0
    for text in texts:
        wanted = of(text)
        there += len(wanted)
        found += len(wanted & {one for source, _ in choose(text, budget) for one in of(source)})
    return round(100 * found / there, 1)


def coverage() -> list[dict[str, Any]]:
    """A row per language and budget."""
    rows = []
    for tag in LANGUAGES:
        own, spanish = (_lines(DATA / tag / f"train.{side}") for side in (tag, "es"))
        pairs = [pair for pair in zip(own, spanish, strict=True) if all(pair)]
        texts = evenly([line for line in _lines(DATA / tag / f"dev.{tag}") if line], SENTENCES)
        choices = {"coverage": Examples(pairs).choose, "BM25": by_bm25(pairs)}
        known = {one for source, _ in pairs for one in runs(source)}
        bound = [len(runs(text) & known) for text in texts]
        for budget in BUDGETS:
            row: dict[str, Any] = {"language": tag, "tokens": budget}
            for name, choose in choices.items():
                row[f"{name}: runs of words"] = shown(choose, texts, budget, runs)
                row[f"{name}: with pieces"] = shown(choose, texts, budget, features)
            row["bound: runs of words"] = round(100 * sum(bound) / sum(len(runs(text)) for text in texts), 1)
            rows.append(row)
    return rows


def answer(messages: list[dict[str, str]], _number: int) -> str:
    """Repairs a draft where there is one; else what the words mean by the entries and the examples shown."""
    asked = messages[-1]["content"]
    if draft := re.search(r"A draft, which may be wrong:\n(.*)", asked):
        return draft[1]
    meanings = dict(re.findall(r"^- (.+?): (.+)$", asked, re.MULTILINE))
    text = asked.split("Translate from", 1)[1].split("\n")[1]
    known = (meanings.get(word.lower()) or meanings.get(word.lower().removesuffix("na"), word) for word in text.split())
    return " ".join(known)


_SHOWN = ("translate.engine=in-context", "translate.in_context.tokens=400")
VARIANTS: dict[str, tuple[str, ...]] = {
    "zero-shot": ("translate.engine=server",),
    "a few examples, entries": ("translate.engine=in-context", "translate.in_context.tokens=60"),
    "examples that cover, entries": _SHOWN,
    "with a draft": (*_SHOWN, "translate.in_context.draft=statistical"),
    "with a draft and a repair": (
        *_SHOWN, "translate.in_context.draft=statistical", "translate.in_context.repair=true"
    ),
}  # fmt: skip


def variants() -> Iterator[dict[str, Any]]:
    """A row per way to ask, on the test set of a small project."""
    with tempfile.TemporaryDirectory() as work, serving(answer) as served:
        root = small_project(Path(work) / "lang")
        seshat.open(root).run(until="train")
        server = (f"translate.server.url={served.url}", "translate.server.model=m")
        for name, settings in VARIANTS.items():
            project = open_project(root, overrides=[*server, *settings])
            way = project.config.directions[0]
            test = list(project.pairs("test"))
            chain = open_chain(project, None, way)
            before, began = len(served.asked), time.perf_counter()
            said = chain.translate(requests(one.texts[way.source] for one in test))
            seconds = time.perf_counter() - began
            scorer = Scorer([one.texts[way.target] for one in test])
            asked = served.asked[before:]
            sent = sum(tokens(*(message["content"] for message in one)) for one in asked)
            score = corpus_scores(scorer.count([one.text for one in said])).chrf2
            yield {
                "variant": name,
                "sentences": len(test),
                "requests": len(asked),
                "tokens sent": sent,
                "seconds": round(seconds, 2),
                "chrF2": round(float(score), 1),
            }
            chain.close()


def main() -> dict[str, Any]:
    """Both tables."""
    found = {"sentences": SENTENCES, "shown": coverage(), "variants": list(variants())}
    console = Console()
    for title in ("shown", "variants"):
        rows: list[dict[str, Any]] = found[title]  # type: ignore[assignment]
        table = Table(*rows[0], title=title)
        for row in rows:
            table.add_row(*map(str, row.values()))
        console.print(table)
    return found
