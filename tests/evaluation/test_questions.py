"""Right answers: dictionary, glosses place by place, segmentation, and the floor that looks everything up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config.prompt import Task
from seshat.core.errors import DataError
from seshat.core.gate import Gate
from seshat.core.records import Access, GlossedWord, Meta, Segment
from seshat.evaluation.lookup import LookUp
from seshat.evaluation.questions import MEASURES, Question, meanings, normalised, read_questions
from seshat.prompt.prompt import Prompt

PROMPT = Prompt(languages={"qlm": "Lumeko", "es": "Spanish"}, language="qlm", pivot="es", system="Be exact.")


def line(task: Task, text: str, answer: str, direction: str | None = None, **meta: Any) -> dict[str, Any]:
    source, target = direction.split("-") if direction else (None, None)
    hints = [("kuchi", "perro")] if task == "translate" else ()
    said = PROMPT.messages(task, source=source, target=target, text=text, answer=answer, hints=hints)
    return {
        "id": f"{task}:{text}",
        "task": task,
        "direction": direction,
        "messages": said,
        "meta": {"access": "public", **meta},
    }


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), encoding="utf-8")
    return path


def question(task: Task, answer: str, text: str = "") -> Question:
    return Question("1", task, None, text, (), answer, frozenset(meanings(answer)))


def score(task: Task, pairs: list[tuple[str, str]]) -> dict[str, float]:
    questions = [question(task, gold) for _, gold in pairs]
    answers = [said for said, _ in pairs]
    return {m.name: round(float(m.score(m.count(answers, questions).sum(axis=0))[0]), 2) for m in MEASURES[task]}


def test_reading_finds_what_is_asked_about(tmp_path: Path) -> None:
    path = write(
        tmp_path / "test.jsonl",
        line("word-to-meaning", "kuchi", "perro"),
        line("word-to-meaning", "Kuchi!", "can; chucho"),
        line("meaning-to-word", "perro", "kuchi"),
        line("translate", "Kuchi tirenkero.", "Los perros nadaron.", "qlm-es"),
        line("translate", "El pan: rico\ny caro", "welesho", "es-qlm"),
        line("gloss", "tirenkero", "nadar-PST-3PL", access="sealed"),
    )
    found = list(read_questions(path, PROMPT, Gate(Access.PUBLIC)))
    assert [one.text for one in found] == ["kuchi", "Kuchi!", "perro", "Kuchi tirenkero.", "El pan: rico\ny caro"]
    assert found[0].accepted == {"perro", "can", "chucho", "can; chucho"}, "homonyms share what is accepted"
    assert found[2].accepted == {"kuchi"}
    assert found[0].messages[0] == {"role": "system", "content": "Be exact."}
    assert [message["role"] for message in found[0].messages] == ["system", "user"]
    assert len(list(read_questions(path, PROMPT, Gate(Access.SEALED)))) == 6


@pytest.mark.parametrize("bad", ["{", '{"id": 1, "task": "gloss", "messages": [], "meta": {}}', "[]"])
def test_a_bad_line_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps(line("gloss", "a", "b")) + "\n" + bad + "\n")
    with pytest.raises(DataError, match=r"test\.jsonl:2: .*\n.*seshat format"):
        list(read_questions(path, PROMPT, Gate(Access.PUBLIC)))


def test_dictionary_answers() -> None:
    found = score(
        "word-to-meaning", [("perro", "perro"), ("  Perro. ", "perro"), ("can", "perro; can"), ("pan", "perro")]
    )
    assert (found["match"], found["exact"]) == (75.0, 25.0)
    assert 0 < found["chrf2"] < 100
    assert score("meaning-to-word", [("kuchi, welesho", "welesho")])["match"] == 100.0
    assert score("meaning-to-word", [("", "welesho")])["match"] == 0.0


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert normalised("  «Ñu\u0301a\u0303 ta» ") == normalised("ñúã  ta")
    assert normalised("kaʼ") == "kaʼ", "an apostrophe that is a letter stays"


def test_glosses_are_judged_place_by_place() -> None:
    gold = "hoy María-ERG primo-DAT"
    # As the shared task counts: five morphemes; one too few shifts what follows.
    assert score("gloss", [(gold, gold)]) == {"morphemes": 100.0, "words": 100.0, "chrf2": 100.0}
    shifted = score("gloss", [("hoy María primo-DAT", gold)])
    assert shifted["morphemes"] == 40.0
    assert shifted["words"] == pytest.approx(66.67)
    # Over all morphemes of the test set, not a mean of sentences.
    assert score("gloss", [("hoy", "hoy"), ("", gold)])["morphemes"] == pytest.approx(16.67)
    assert score("gloss", [("hoy María-ERG primo-DAT and more", gold)])["morphemes"] == 100.0
    assert score("gloss", [("hoy maría-erg primo-dat", gold)])["morphemes"] == pytest.approx(40.0)


def test_segments() -> None:
    found = score("segment", [("dawan-ri tiren-ke-ro", "dawan-ri tiren-kero")])
    assert found["words"] == 50.0
    assert found["morphemes_f1"] == pytest.approx(100 * 2 * 3 / (5 + 4), abs=0.01)
    assert found["exact"] == 0.0
    assert score("segment", [("Dawan-ri", "dawan-ri")])["words"] == 100.0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.text("ab- ;.", max_size=8), st.text("ab- ;.", min_size=1, max_size=8)), min_size=1, max_size=5
    )
)
def test_every_measure_stays_between_nought_and_a_hundred(pairs: list[tuple[str, str]]) -> None:
    for task in MEASURES:
        if task != "translate":
            assert all(0 <= value <= 100 for value in score(task, pairs).values())
            gold = [(answer, answer) for _, answer in pairs]
            measure = MEASURES[task][0]
            rows = measure.count([a for a, _ in gold], [question(task, a) for a, _ in gold])
            assert rows.shape[0] == len(pairs)
            assert np.isfinite(rows).all()


def test_the_floor_gives_the_most_frequent_answer() -> None:
    examples = [
        question("word-to-meaning", "perro", "kuchi"),
        question("word-to-meaning", "perro", "Kuchi"),
        question("word-to-meaning", "can", "kuchi"),
        question("gloss", "perro-ERG nadar-PST", "kuchiso tirenke"),
        question("gloss", "niña nadar-PRS", "bemota tirenke"),
        question("gloss", "pan nadar-PST", "welesho tirenke"),
        question("cloze", "pan", "Come ___."),
    ]
    words = (GlossedWord(form="dawanri", morphemes=("dawan", "ri"), glosses=("pájaro", "PL")),)
    floor = LookUp(examples, [Segment(id="1", texts={"qlm": "dawanri"}, gloss=words, meta=Meta())])

    def answer(task: Task, text: str) -> str:
        return floor.answers([question(task, "", text)])[0]

    assert answer("word-to-meaning", "kuchi") == "perro"
    assert answer("word-to-meaning", "zork") == "zork"
    assert answer("gloss", "Bemota tirenke zork") == "niña nadar-PST zork"
    assert answer("gloss", "dawanri dawan-zork-ri") == "pájaro-PL pájaro-zork-PL"
    assert answer("segment", "dawanri zork") == "dawan-ri zork"
    assert answer("cloze", "Ve ___.") == "pan"
    assert answer("inflect", "pájaro-PL") == "pájaro-PL"


def interlinear(path: Path) -> list[Question]:
    """Transcription and gloss of a file of the shared task."""
    found, text = [], ""
    for row in path.read_text(encoding="utf-8").splitlines():
        text = row[3:].strip() if row.startswith("\\t ") else text
        if row.startswith("\\g ") and row[3:].strip():
            found.append(question("gloss", row[3:].strip(), text))
    return found


@pytest.mark.real_data
@pytest.mark.parametrize(("language", "morphemes", "words"), [("Lezgi", 53.08, 73.99), ("Tsez", 40.40, 70.09)])
def test_glosses_count_as_in_the_shared_task(real_data: Path, language: str, morphemes: float, words: float) -> None:
    """The figures are what the counting of the shared task's eval.py gives for these answers."""
    folder = real_data / "igt" / language
    train, dev = (interlinear(next(folder.glob(f"*-{name}-track1-uncovered"))) for name in ("train", "dev"))
    answers = LookUp(train).answers(dev)
    found = {m.name: float(m.score(m.count(answers, dev).sum(axis=0))[0]) for m in MEASURES["gloss"]}
    assert found["morphemes"] == pytest.approx(morphemes, abs=0.005)
    assert found["words"] == pytest.approx(words, abs=0.005)
