"""Tables of bits per byte: against the floor and the untrained base, with whole documents resampled."""

from __future__ import annotations

import random

import pytest

from seshat.config.evaluate import EvaluateSection
from seshat.core.records import Meta, Segment
from seshat.evaluation import likelihood
from seshat.evaluation.perplexity import Surprise
from seshat.report.tables import LikelihoodTable

TEXT = "mina palina basi"
SETTINGS = EvaluateSection(bootstrap=500)


def made(documents: int, lines: int) -> LikelihoodTable:
    """A model that is better than its base by half a bit a byte, on documents of very different difficulty."""
    rng = random.Random(4)
    segments = [
        Segment(id=f"{document}-{line}", texts={"qsm": TEXT}, meta=Meta(doc_id=str(document)))
        for document in range(documents)
        for line in range(lines)
    ]
    hard = [rng.uniform(0, 64) for _ in range(documents)]
    size = len(TEXT)
    costs = {
        name: [Surprise(gain * size + hard[n // lines] + rng.uniform(0, 4), size, 4, 0) for n in range(len(segments))]
        for name, gain in (("model", 1.0), ("base", 1.5))
    }
    found = {name: {"likelihood/qsm": one} for name, one in costs.items()}
    [table] = likelihood.tables(found, ["model"], segments, {"qsm": [TEXT]}, SETTINGS, 1)
    return table


def test_the_gain_over_the_untrained_base_has_an_interval_of_its_own() -> None:
    table = made(12, 5)
    rows = {row.name: row for row in table.systems}
    assert list(rows) == ["model", "base", likelihood.FLOOR]
    gain = rows["model"].gain
    assert gain is not None
    assert gain.low < gain.score < gain.high < 0
    assert gain.score == pytest.approx(-0.5, abs=0.05)
    assert rows["base"].gain is None
    assert table.reference == likelihood.FLOOR


def test_whole_documents_are_resampled_where_there_are_enough() -> None:
    many, few = made(12, 5), made(4, 15)
    assert (many.documents, few.documents) == (12, None)
    widths = [one.systems[0].scores["bits_per_byte"] for one in (many, few)]
    assert widths[0].high - widths[0].low > 1.5 * (widths[1].high - widths[1].low)
    assert many.systems[0].tokens == 12 * 5 * 4
