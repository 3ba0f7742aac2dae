"""The statistical model learns from a correction at once."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest
from tests.bitext import make_project

from seshat.config import Direction
from seshat.inference.corrections import REMEMBERED, Corrections
from seshat.inference.load import load_translator
from seshat.models.statistical.learning import WEIGHT, LearnedTable
from seshat.models.statistical.phrases import Phrase, Scores
from seshat.models.train import run
from seshat.project.folder import Project
from seshat.prompt.request import requests

WAY = Direction("xx", "en")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = make_project(tmp_path_factory.mktemp("learning"), train=60, settings={"tune": False})
    run(made)
    return made


def test_a_correction_is_the_translation_at_once_and_its_words_are_known(project: Project) -> None:
    translator = load_translator(project.model(), WAY)
    translator.corrections = Corrections()
    asked, new = "Tamaka zeru bali rapai.", "Nukaka zeru tikai."
    assert "zeru" in translator.translate(requests([new]))[0].text
    translator.learn(asked, "The house sees the big jaguar.")
    exact = translator.translate(requests(["  Tamaka zeru  bali rapai."]))[0]
    assert (exact.text, exact.changes) == ("The house sees the big jaguar.", (REMEMBERED,))
    text = translator.translate(requests([new]))[0].text
    assert "jaguar" in text
    assert "zeru" not in text


def test_the_newest_is_remembered_and_the_engine_stands_beside_it(project: Project) -> None:
    plain = load_translator(project.model(), WAY)
    text = "Tamaka kiru bali rapai."
    said = plain.translate(requests([text], 3))[0].text
    translator = replace(plain, corrections=Corrections())
    for right in ("One.", "Two."):
        translator.learn(text, right)
    first, *rest = translator.translate(requests([text, "Welo."], 3))[0].alternatives
    assert first.text == "Two."
    assert said in [one.text for one in rest]
    assert translator.translate(requests([text, "Welo.", text]))[1] == translator.translate(requests(["Welo."]))[0]
    assert translator.translate(requests([])) == []


def test_many_sentences_see_what_was_learned_in_every_worker(project: Project) -> None:
    from seshat.inference.engines.thot import ThotTranslator

    one = ThotTranslator(project.model() / "xx-en", WAY, workers=1)
    two = ThotTranslator(project.model() / "xx-en", WAY, workers=2)
    texts = ["Nukaka zeru tikai.", "Tamaka kiru bali rapai.", "Zeruka welo lomai."] * 26
    try:
        before = two.translate(requests(texts))
        for translator in (one, two):
            translator.learn("Tamaka zeru bali rapai.", "The house sees the big jaguar.")
        after = two.translate(requests(texts))
        assert [h.text for h in after] == [h.text for h in one.translate(requests(texts))]
        assert [h.text for h in after] != [h.text for h in before]
        assert "jaguar" in after[0].text
    finally:
        two.close()


class _Table:
    def __init__(self, rows: dict[str, list[tuple[Phrase, Scores]]]) -> None:
        self.rows = rows

    def lookup(self, source: str) -> list[tuple[Phrase, Scores]]:
        return self.rows.get(source, [])


def test_relative_frequencies_are_counted_anew() -> None:
    table = LearnedTable(
        _Table(
            {
                "kiru": [
                    (("dog",), (log(0.75), log(0.5), -0.1, -0.2, 3.0)),
                    (("cat",), (log(0.25), 0.0, 0.0, 0.0, 1.0)),
                ],
                "bali": [(("big",), (0.0, 0.0, 0.0, 0.0, 2.0))],
            }
        ),
        max_phrase=4,
    )
    assert table.align(["kiru", "bali", "zeru"], ["big", "dog", "spotted", "jaguar"]) == [
        (0, 1),
        (1, 0),
        (2, 2),
        (2, 3),
    ]
    assert table.learn(["kiru", "bali", "zeru"], ["big", "dog", "spotted", "jaguar"]) > 0
    rows = dict(table.lookup("kiru"))
    assert exp(rows["dog",][0]) == pytest.approx((3 + WEIGHT) / (4 + WEIGHT))
    assert exp(rows["cat",][0]) == pytest.approx(1 / (4 + WEIGHT))
    assert exp(rows["dog",][1]) == pytest.approx((3 + WEIGHT) / (6 + WEIGHT))
    assert rows["dog",][4] == 3 + WEIGHT
    assert [target for target, _ in table.lookup("zeru")] == [("spotted", "jaguar")]
    assert [target for target, _ in table.lookup("kiru bali zeru")] == [("big", "dog", "spotted", "jaguar")]
    assert table.learn([], ["a"]) == table.learn(["a"] * 99, ["b"] * 99) == 0
