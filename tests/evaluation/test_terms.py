from __future__ import annotations

import pytest

from seshat.config import Direction
from seshat.core.records import Entry, Sense
from seshat.evaluation.ablation import ablate, remarks
from seshat.evaluation.terms import Terms
from seshat.inference.postprocess import Postprocessor, Step
from seshat.inference.translator import Hypothesis
from seshat.report.results import MissedTerm
from seshat.scores import Metric


def entry(word: str, *meanings: str, kind: str = "word") -> Entry:
    return Entry(id=word, lang="xx", headword=word, type=kind, senses=(Sense(glosses={"es": meanings}),))


ENTRIES = [
    entry("kuchi", "perro; can"),
    entry("resa", "casa (de barro)"),
    entry("noi", "caminar"),
    entry("-ta", "en", kind="affix"),
    entry("taxi", "taxi"),
]
SOURCES = ["Kuchikan resata noi.", "taxi ta kuchi", "resa", "miti"]
REFERENCES = ["El perro caminaba en la casa.", "El taxi y el can.", "El hogar.", "María"]


def test_terms_are_asked_where_the_reference_says_them() -> None:
    terms = Terms(ENTRIES, Direction("xx", "es"), SOURCES, REFERENCES)
    assert len(terms) == 4, "neither the copied taxi nor resa, which the human translated otherwise"
    assert terms.count(REFERENCES).tolist() == [[3, 3], [1, 1], [0, 0], [0, 0]]
    said = ["Los perros caminan.", "El taxi", "La casa", ""]
    assert terms.count(said).tolist() == [[2, 3], [0, 1], [0, 0], [0, 0]]
    assert terms.missed(said) == [
        MissedTerm(word="kuchi", meanings=["perro", "can"], asked=2, missed=1),
        MissedTerm(word="resa", meanings=["casa"], asked=1, missed=1),
    ]


def test_terms_the_other_way() -> None:
    terms = Terms(ENTRIES, Direction("es", "xx"), ["El perro camina en casa."], ["Kuchita resa noi."])
    assert terms.count(["kuchi"]).tolist() == [[1, 3]]
    assert terms.count(["kuchikan resakan noi"]).tolist() == [[3, 3]]
    assert len(Terms([], Direction("es", "xx"), ["casa"], ["resa"])) == 0


def test_each_step_is_left_out_in_turn_and_judged() -> None:
    references = [f"the dog number {n} sleeps by the river" for n in range(40)]
    raw = [Hypothesis(f"{text} {text}" if n % 2 else text, 0.0) for n, text in enumerate(references)]
    halves = Step("halves", lambda text, _given: (text[: len(text) // 2], ["twice"]) if len(text) > 50 else (text, []))
    spoils = Step("spoils", lambda text, _given: (text.replace("river", "sea"), ["sea"]))
    nothing = Step("nothing", lambda text, _given: (text, []))
    found = ablate(Postprocessor((halves, spoils, nothing)), references, references, raw, "chrf2", seed=3)
    judged = {step.name: (step.changed, step.verdict) for step in found.steps}
    assert judged == {
        "halves": (20, "helps"),
        "spoils": (40, "hurts: leave it out"),
        "nothing": (0, "changed nothing here"),
    }
    assert found.all["chrf2"] < found.steps[1].without["chrf2"] == 100.0
    assert found.difference == round(found.all["chrf2"] - found.none["chrf2"], 4)
    assert [line for line in remarks("xx-es", found, "chrf2") if "spoils" in line and "Leave it out" in line]
    assert len(remarks("xx-es", found, "chrf2")) == 1

    rare = Step("rare", lambda text, _given: (text + "s", ["s"]) if "number 7 " in text else (text, []))
    found = ablate(Postprocessor((rare,)), references, references, raw, "chrf2", seed=3)
    assert found.steps[0].verdict == "does not help measurably here"


def test_steps_are_judged_by_the_headline() -> None:
    """A step that mends spelling and joins words: good for letters, bad for runs of words."""
    references = [f"the old dog number {n} sleeps by the river" for n in range(40)]
    raw = [Hypothesis(text.replace("river", "rivul"), 0.0) for text in references]
    joins = Step("joins", lambda text, _given: (text.replace("rivul", "river").replace(" dog ", "dog "), ["dog"]))
    metrics: tuple[Metric, ...] = ("chrf2", "geomean")
    found = {by: ablate(Postprocessor((joins,)), references, references, raw, by, seed=3) for by in metrics}
    assert {by: one.steps[0].verdict for by, one in found.items()} == {
        "chrf2": "helps",
        "geomean": "hurts: leave it out",
    }
    step = found["geomean"].steps[0]
    assert step.difference == pytest.approx(found["geomean"].all["geomean"] - step.without["geomean"])
    assert found["geomean"].difference == step.difference
    (line,) = remarks("xx-es", found["geomean"], "geomean")
    assert f"(√(BLEU·chrF++) {step.difference:+.2f}, p = 0.00)" in line
    assert remarks("xx-es", found["chrf2"], "chrf2") == []
