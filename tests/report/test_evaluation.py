"""The page: self-contained, escaped, fit for every script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from seshat.config import Direction
from seshat.config.evaluate import EvaluateSection
from seshat.core.records import Segment
from seshat.evaluation.advice import warnings
from seshat.evaluation.baselines import NearestTranslator
from seshat.evaluation.invented import behaviour, invention
from seshat.evaluation.measure import length_histogram, measure
from seshat.evaluation.summary import summary
from seshat.evaluation.testbed import Material, TestSet
from seshat.inference.translator import Hypothesis
from seshat.report.charts import Bar, bars, histogram, lines_chart, nice_limit
from seshat.report.evaluation import render, verdict
from seshat.report.page import significance_marks
from seshat.report.results import Against, Evaluation, Floor, SystemResult
from seshat.scores import Metric
from seshat.scores.table import Score

EVIL = "<script>alert('&')</script>"
VOID = {"meta", "br", "link", "img", "hr", "input"}


def evaluation(history: list[dict[str, float]] | None = None, headline: Metric = "chrf2") -> Evaluation:
    sources = [EVIL, "நாய் தூங்குகிறது", "الكلب نائم", "ka̱la ñú̃a"] * 6
    references = ["the <b> dog", "the dog sleeps", "the dog is asleep", "a dog"] * 6
    pairs = tuple(zip(sources, references, strict=True))
    test = TestSet(
        tuple(Segment(id=f"s{n}", texts={"xx": a, "en": b}) for n, (a, b) in enumerate(pairs)),
        access={"community": 24},
        licences={"<i>own</i>": 24},
    )
    words: dict[str, set[str]] = {"xx": set(), "en": {"dog"}}
    material = Material(pairs, words, words)
    said = {"statistical": [Hypothesis(EVIL, 0.0)] * 24, "copy": [Hypothesis(text, 0.0) for text in sources]}
    direction = Direction("xx", "en")
    nearest = NearestTranslator(direction, sources, references)
    section = EvaluateSection(bootstrap=100, reference="copy", baselines=("copy",), headline=headline)
    result, _ = measure(direction, test, material, said, ["statistical"], section, 1, nearest)
    leaks = material.leaks(test, ("xx", "en"))
    result.history = {"statistical": history or []}
    settings = {"reference": "copy", "bootstrap": 100, "seed": 1, "test": "paired approximate randomisation"}
    return Evaluation.model_validate(
        {
            "project": EVIL,
            "languages": {"xx": EVIL, "en": "English"},
            "purpose": EVIL,
            "quoted": ["community"],
            "systems": [{"name": "statistical", "family": "statistical", "kind": "model"}],
            "history": {},
            "test": {"segments": 24, "access": test.access, "licences": test.licences, "in_train": leaks},
            "training": {"pairs": 24, "entries": 0, "words": {"xx": 0, "en": 1}},
            "settings": settings | {"headline": headline},
            "warnings": [*warnings(test, [result], leaks, headline), EVIL],
            "directions": [result],
        }
    )


class Balance(HTMLParser):
    """Fails when tags are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    rows = [{"step": n, "train_loss": 5.0 - n, "validation_loss": 5.1 - n, "chrf2": float(n)} for n in range(4)]
    return render(evaluation(rows))


def test_tags_are_closed_and_nothing_runs(page: str) -> None:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert not parser.seen & {"script", "link", "img", "iframe", "i>own"}
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_nothing_is_fetched(page: str) -> None:
    assert re.findall(r"(?:src|href)=\"(?!#)", page) == []
    assert "url(" not in page
    assert "@import" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_scripts_are_let_run_their_own_way(page: str) -> None:
    assert '<bdi lang="xx" dir="auto">الكلب نائم</bdi>' in page
    assert "நாய் தூங்குகிறது" in page
    assert "ka̱la ñú̃a" in page


def test_it_says_what_a_reader_needs(page: str) -> None:
    for words in (
        "How to read this page",
        "Floors",
        "not public",
        "nrefs:1",
        "95 %",
        "Words that exist nowhere",
        "few",
    ):
        assert words in page
    assert page.count("<svg") == 4, "scores, lengths, loss, chrF2"


def test_the_page_goes_by_the_headline(page: str) -> None:
    other = render(evaluation(headline="geomean"))
    for before, after, label in ((other, page, "√(BLEU·chrF++)"), (page, other, "chrF2")):
        for words in (
            f"reaches a {label} of",
            f"{label} against copy",
            f"<figcaption>{label}, with 95 % interval",
            f"{label} of each system, xx-en, with",
            f"{label} on parts of the test set",
        ):
            assert words in before and words not in after, words
    assert re.findall(r"<dt>([^<]*)</dt><dd>[^<]*This page goes by it", other) == ["√(BLEU·chrF++)"]
    assert re.findall(r"<dt>([^<]*)</dt><dd>[^<]*This page goes by it", page) == ["chrF2"]
    assert "<small>chrF2 " in other, "of a sentence"


def test_an_evaluation_of_before_the_setting_is_shown_by_chrf2(page: str) -> None:
    rows = [{"step": n, "train_loss": 5.0 - n, "validation_loss": 5.1 - n, "chrf2": float(n)} for n in range(4)]
    written = evaluation(rows).model_dump(mode="json")
    del written["settings"]["headline"]
    old = Evaluation.model_validate(written)
    assert render(old) == page
    assert summary(old) == summary(evaluation(rows))
    assert {"chrf2 low", "chrf2 high"} <= set(summary(old)["table"][0])


def test_no_training_curve_without_a_history() -> None:
    assert render(evaluation()).count("<svg") == 2


def test_the_same_figures_give_the_same_page() -> None:
    assert render(evaluation()) == render(evaluation())


def model(score: float, difference: float, p: float) -> SystemResult:
    return SystemResult(
        name="m",
        kind="model",
        scores={
            "chrf2": Score(score=score, low=score - 1, high=score + 1),
            "bleu": Score(score=score / 2, low=1.0, high=90.0),
        },
        behaviour=behaviour(["a"], ["b"], ["c"]),
        invented=invention(["a"], ["b"], {"a"}),
        best_floor=Floor(name="copy", score=score - difference, difference=difference, p=p),
    )


def test_verdicts() -> None:
    assert "5.0 points more than the best floor, “copy” (25.0)" in verdict(model(30.0, 5.0, 0.001), "chrf2")
    assert "not worth using" in verdict(model(30.0, -5.0, 0.001), "chrf2")
    assert "cannot be told apart" in verdict(model(30.0, 0.2, 0.4), "chrf2")
    alone = model(30.0, 0.2, 0.4).model_copy(update={"best_floor": None})
    assert verdict(alone, "chrf2") == "“m” reaches a chrF2 of 30.0 (29.0 to 31.0). No floor was measured beside it."
    assert verdict(alone, "bleu") == "“m” reaches a BLEU of 15.0 (1.0 to 90.0). No floor was measured beside it."


def test_lengths() -> None:
    found = length_histogram({"a": ["", "x" * 14, "x" * 28, "x" * 900], "b": ["x" * 20] * 600})
    assert found.edges == list(range(0, 29, 2))
    assert found.shares["a"] == [0.25, *[0.0] * 6, 0.25, *[0.0] * 5, 0.5]
    assert sum(found.shares["b"]) == 1.0
    assert length_histogram({"a": ["", ""]}).shares["a"][0] == 1.0


def test_marks() -> None:
    assert [significance_marks(Against(score=s, p=p)) for s, p in ((1, 0.01), (-1, 0.01), (1, 0.2))] == ["↑", "↓", "≈"]


@pytest.mark.parametrize(
    "chart",
    [
        bars([Bar("a <b>", 30.0, 28.0, 33.0, True), Bar("a long name of a system", 0.0, 0.0, 0.0, False)], "t & t"),
        bars([], "none"),
        histogram([0, 5, 10], {"a": [0.25, 0.75], "b": [1.0, 0.0]}, "lengths", "characters"),
        histogram([0, 5], {"a": [0.0]}, "nothing", "characters"),
        lines_chart({"loss": [(0, 5.0), (100, float("nan")), (200, 3.0)]}, "loss", "step", "loss"),
        lines_chart({"flat": [(1, 2.0)]}, "one point", "step", "y"),
        lines_chart({}, "no series", "step", "y"),
    ],
)  # fmt: skip
def test_charts_are_well_formed(chart: Markup) -> None:
    root = ElementTree.fromstring(chart)
    assert root.tag == "svg"
    assert "nan" not in chart.lower().replace("nanu", "")
    width = float(root.attrib["viewBox"].split()[2])
    for rect in root.iter("rect"):
        assert 0 <= float(rect.attrib["x"]) + float(rect.attrib["width"]) <= width


def test_limits_are_round() -> None:
    assert [nice_limit(value) for value in (0, 0.25, 27.4, 31.2, 99.0, 101)] == [1.0, 0.25, 30.0, 35.0, 100.0, 150.0]
