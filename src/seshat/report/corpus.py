"""The page of a corpus: what it is made of, what was left out and why, with charts. It holds no text of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from seshat.report.charts import Bar, bars, histogram
from seshat.report.page import page

_BINS = 24
_MEASURES = {
    "characters": ("Length", "characters of a document"),
    "bits": ("Quality: how usual the text is", "bits a character; fewer: more usual"),
    "script_share": ("Script", "% of the letters"),
    "list:modern": ("Register: modern words", "% of the words"),
    "list:classical": ("Register: classical words", "% of the words"),
    "repeated_lines": ("Repetition", "% of the characters in repeated lines"),
}
"""What is drawn of the measures, with its title and its unit."""
_SHARES = frozenset({"script_share", "list:modern", "list:classical", "repeated_lines"})


class Source(NamedTuple):
    """One source."""

    name: str
    documents: int
    drawn: int
    """Documents of it that the corpus holds."""
    records: int
    """Records of these."""


class Reason(NamedTuple):
    """One tag: why documents were left out, or what is to be known of them."""

    tag: str
    documents: int
    leaves_out: bool
    right: int = 0
    """How often a reader has said that it is right."""
    wrong: int = 0


class CorpusFacts(NamedTuple):
    """What the page shows."""

    project: str
    language: str
    strategy: str
    sources: Sequence[Source]
    reasons: Sequence[Reason]
    kept: Mapping[str, Sequence[float]]
    """Measure -> its values, of the documents in the corpus."""
    left_out: Mapping[str, Sequence[float]]
    """The same of all others."""
    clusters: Mapping[str, int]
    """Size -> clusters of documents that are the same, or nearly."""
    fitted_from: str
    """What the limits were fitted from; empty where there are none."""


def corpus_page(facts: CorpusFacts) -> str:
    """The page."""
    return page(
        "corpus.html.j2",
        facts=facts,
        documents=sum(one.documents for one in facts.sources),
        drawn=sum(one.drawn for one in facts.sources),
        records=sum(one.records for one in facts.sources),
        charts=[*_sources(facts), *_measures(facts), *_clusters(facts)],
    )


def _sources(facts: CorpusFacts) -> list[tuple[str, Markup]]:
    total = sum(one.records for one in facts.sources)
    if not total:
        return []
    rows = [_bar(one.name, 100 * one.records / total) for one in facts.sources]
    return [("Sources: % of the records", bars(rows, "Share of the records of each source"))]


def _bar(label: str, value: float) -> Bar:
    return Bar(label, value, value, value, strong=True)


def _measures(facts: CorpusFacts) -> list[tuple[str, Markup]]:
    import numpy as np

    charts = []
    for name, (title, unit) in _MEASURES.items():
        factor = 100 if name in _SHARES else 1
        series = {
            "left out": factor * np.array(facts.left_out.get(name, ()), dtype=float),
            "in the corpus": factor * np.array(facts.kept.get(name, ()), dtype=float),
        }
        values = np.concatenate(list(series.values()))
        if not len(values) or values.min() == values.max():
            continue
        low, high = np.percentile(values, (1, 99))
        edges = np.linspace(*((low, high) if low < high else (values.min(), values.max())), _BINS + 1)
        shares = {
            label: (np.histogram(np.clip(found, edges[0], edges[-1]), edges)[0] / len(found)).tolist()
            for label, found in series.items()
            if len(found)
        }
        charts.append((title, histogram(edges.tolist(), shares, title, unit, "% of the documents")))
    return charts


def _clusters(facts: CorpusFacts) -> list[tuple[str, Markup]]:
    if not facts.clusters:
        return []
    sizes = sorted(((int(size), count) for size, count in facts.clusters.items()))
    rows = [_bar(f"{size} documents", count) for size, count in sizes[:11]]
    if more := sum(count for _, count in sizes[11:]):
        rows.append(_bar("more", more))
    return [("Duplicates: clusters by size", bars(rows, "How many clusters of duplicates there are of each size"))]
