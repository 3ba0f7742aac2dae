"""The stage, with a made-up translator in the place of a trained model."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config, Direction
from seshat.core.errors import DataError
from seshat.core.jsonl import write_json, write_jsonl
from seshat.core.records import Access, Entry, Meta, Segment, Sense
from seshat.core.written import note_written
from seshat.evaluation import evaluate, systems
from seshat.evaluation.assess import Assessment
from seshat.inference.chain import Chain
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.project.folder import Project
from seshat.prompt.request import Request, of_segments
from seshat.scores import METRICS
from seshat.scores.metrics import Scorer, corpus_scores
from seshat.scores.significance import bootstrap, interval, paired_randomisation

CHUNK = 100
NOUNS = {"nua": "dog", "topo": "woman", "suku": "river", "wey": "child", "pana": "cat", "huri": "moon"}
VERBS = {"kala": "sleeps", "miri": "runs", "tume": "sings", "pisi": "falls", "rano": "waits"}


class Dictionary(Translator):
    """Translates with the real vocabulary, and makes what it is told to make."""

    def __init__(self, direction: Direction, spoil: Callable[[str], str]) -> None:
        self.name = "statistical"
        self.direction = direction
        self.spoil = spoil
        self.batches: list[int] = []

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts = [one.text for one in requests]
        self.batches.append(len(texts))
        return [Hypothesis(self.spoil(sentence(text, self.direction)), -1.5) for text in texts]


def sentence(text: str, direction: Direction) -> str:
    """The right translation: word order differs between the two languages."""
    both = NOUNS | VERBS
    words = text.rstrip(".").lower().split()
    if direction.source == "xx":
        verb, *nouns = words
        said = ["the", *(both.get(noun, noun) for noun in nouns), both.get(verb, verb)]
        return " ".join(said).capitalize() + "."
    back = {word: key for key, word in both.items()}
    *nouns, verb = [word for word in words if word != "the"]
    return " ".join([back.get(verb, verb), *(back.get(noun, noun) for noun in nouns)]).capitalize() + "."


def corpus(size: int, seed: int, name: str) -> list[Segment]:
    rng = random.Random(seed)
    found = []
    for number in range(size):
        nouns = rng.sample(list(NOUNS)[:-1], rng.randint(1, 3))
        text = " ".join([rng.choice(list(VERBS)), *nouns]).capitalize() + "."
        pair = {"xx": text, "en": sentence(text, Direction("xx", "en"))}
        meta = Meta(source="made", genre=rng.choice(["tale", "talk"]), access=Access.PUBLIC, licence="CC0-1.0")
        found.append(Segment(id=f"{name}{number}", texts=pair, meta=meta))
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make(tmp_path)


def make(root: Path, test: Sequence[Segment] | None = None, **sections: Any) -> Project:
    values: dict[str, Any] = {
        "project": {"name": "Test <language> & more", "language": "xx", "pivot": "en"},
        "evaluate": {"samples": 6, "bootstrap": 200},
    }
    for name, section in sections.items():
        values[name] = values.get(name, {}) | section
    project = Project(root, Config.model_validate(values))
    write_jsonl(project.training / "train.jsonl", corpus(150, 1, "train"))
    write_jsonl(project.training / "test.jsonl", corpus(2 * CHUNK + 10, 2, "test") if test is None else test)
    sense = Sense(glosses={"en": ("moon",)})
    write_jsonl(project.training / "lexicon.jsonl", [Entry(id="1", lang="xx", headword="huri", senses=(sense,))])
    described = {"family": "statistical", "directions": [str(way) for way in project.config.project.directions]}
    write_json(project.model() / "model.json", described)
    for direction in project.config.project.directions:
        folder = project.model() / str(direction)
        folder.mkdir(parents=True)
        (folder / "weights").write_text("1")
        rows = [{"step": step, "loss": 5 / step, "chrf2": 9.0 * step} for step in range(1, 5)]
        (folder / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return project


Load = Callable[[Callable[[str], str]], list[Dictionary]]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Puts :class:`Dictionary` in the place of what ``load_translator`` gives; returns those that were loaded."""

    monkeypatch.setattr("seshat.evaluation.translations.CHUNK", CHUNK)

    def install(spoil: Callable[[str], str]) -> list[Dictionary]:
        loaded: list[Dictionary] = []

        def load_translator(_model: Path, direction: Direction, **_options: Any) -> Chain:
            loaded.append(Dictionary(direction, spoil))
            return Chain(loaded[-1])

        monkeypatch.setattr("seshat.inference.opening.load_translator", load_translator)
        return loaded

    return install


def outputs(project: Project) -> dict[str, bytes]:
    return {
        str(path.relative_to(project.reports)): path.read_bytes()
        for path in sorted(project.reports.rglob("*"))
        if path.is_file()
    }


def test_a_good_model_stands_above_its_floors(project: Project, load: Load) -> None:
    load(lambda text: text)
    summary = evaluate.run(project)
    rows = {(row["direction"], row["system"]): row for row in summary["table"]}
    assert len(rows) == 8
    for direction in ("xx-en", "en-xx"):
        model = rows[direction, "statistical"]
        assert model["chrf2"] == model["bleu"] == pytest.approx(100.0)
        assert model["p"] == pytest.approx(1 / 2001, abs=1e-6)
        assert rows[direction, "copy"]["chrf2"] < rows[direction, "word-by-word"]["chrf2"] < 100
        assert rows[direction, "word-by-word"]["p"] is None
        assert model["chrf2 low"] <= model["chrf2"] <= model["chrf2 high"]
    assert [line[-24:] for line in summary["warnings"]] == ["seshat check` lists them."[-24:]]
    assert summary["report"] == "reports/evaluation.html"
    assert {sample["direction"] for sample in summary["samples"]} == {"xx-en", "en-xx"}


def test_everything_is_in_the_file(project: Project, load: Load) -> None:
    load(lambda text: text.replace("dog", "dogg"))
    evaluate.run(project)
    evaluation = json.loads((project.reports / "evaluation.json").read_text())
    result = evaluation["directions"][0]
    model = result["systems"][0]
    assert (model["name"], model["kind"]) == ("statistical", "model")
    assert "nrefs:1" in result["signatures"]["bleu"]
    assert model["invented"]["listed"][0]["word"] == "dogg"
    assert model["invented"]["listed"][0]["near"] == "dog"
    assert result["references"]["invented"]["invented"] == 0
    floors = {row["name"]: row["scores"]["chrf2"]["score"] for row in result["systems"] if row["kind"] == "floor"}
    assert model["best_floor"]["score"] == max(floors.values()) == floors[model["best_floor"]["name"]]
    assert {part["group"] for part in result["slices"]} >= {"Length of the source", "Genre"}
    assert len(result["samples"]) == 6
    assert result["samples"][0]["nearest"]["similarity"] > 0
    assert result["history"]["statistical"][0] == {"step": 1, "loss": 5.0, "chrf2": 9.0}
    test = evaluation["test"]
    assert (test["segments"], test["access"], test["licences"]) == (210, {"public": 210}, {"CC0-1.0": 210})
    assert 0 < test["in_train"]["pair"] <= test["in_train"]["xx"] <= 210
    lines = (project.reports / "translations" / "xx-en.statistical.jsonl").read_text().splitlines()
    assert len(lines) == 210
    assert set(json.loads(lines[0])) == {"id", "source", "reference", "hypothesis", "score", "model_score"}


def test_another_headline_goes_through_all_of_it(tmp_path: Path, load: Load) -> None:
    found, pages = {}, {}
    for by in ("chrf2", "geomean"):
        load(lambda text: text.replace("dog", "dogs").replace("sings", "sang"))
        project = make(tmp_path / by, evaluate={"headline": by})
        found[by] = evaluate.run(project)
        pages[by] = json.loads((project.reports / "evaluation.json").read_text("utf-8"))
        assert pages[by]["settings"]["headline"] == by
    floor = "xx-en, statistical: the model is not significantly better than 'nearest', which costs nothing"
    assert not [line for line in found["chrf2"]["warnings"] if line.startswith(floor)], "it is, in letters"
    assert [line for line in found["geomean"]["warnings"] if line.startswith(f"{floor} (√(BLEU·chrF++) ")]

    folder, column = project.reports / "translations", METRICS.index("geomean")
    test = [json.loads(line) for line in (project.training / "test.jsonl").read_text("utf-8").splitlines()]
    counts, references = {}, [one["texts"]["en"] for one in test]
    for name in ("statistical", "nearest", "word-by-word"):
        lines = (folder / f"xx-en.{name}.jsonl").read_text("utf-8").splitlines()
        counts[name] = Scorer(references).count([json.loads(line)["hypothesis"] for line in lines])

    def chance(one: str, other: str) -> float:
        return float(paired_randomisation(counts[one], counts[other], 2000, seed)[column])

    seed = project.config.project.seed
    systems_ = {row["name"]: row for row in pages["geomean"]["directions"][0]["systems"]}
    assert systems_["statistical"]["best_floor"]["p"] == pytest.approx(chance("statistical", "nearest"), abs=1e-6)
    assert systems_["statistical"]["best_floor"]["score"] == systems_["nearest"]["scores"]["geomean"]["score"]
    rows = {(row["direction"], row["system"]): row for row in found["geomean"]["table"]}
    low, high = interval(bootstrap(counts, 200, seed)["nearest"][:, column])
    row = rows["xx-en", "nearest"]
    assert (row["geomean low"], row["geomean high"]) == (round(low, 1), round(high, 1))
    assert row["p"] == pytest.approx(chance("nearest", "word-by-word"), abs=1e-6)
    assert not any(key.startswith("chrf2 ") for row in rows.values() for key in row)

    tales = [n for n, one in enumerate(test) if one["meta"]["genre"] == "tale"]
    low, high = interval(bootstrap({"m": counts["statistical"][tales]}, 200, seed)["m"][:, column])
    assert found["geomean"]["by_genre"][0] == {
        "direction": "xx-en",
        "genre": "tale",
        "segments": len(tales),
        "system": "statistical",
        "geomean": round(corpus_scores(counts["statistical"][tales]).geomean, 1),
        "geomean low": round(low, 1),
        "geomean high": round(high, 1),
    }
    assert len(found["geomean"]["by_genre"]) == 2 * 2 * 4, "directions, genres, systems"


def test_one_genre_is_no_table_by_genre(tmp_path: Path, load: Load) -> None:
    load(lambda text: text)
    tale = {"genre": "tale"}
    test = [one.model_copy(update={"meta": one.meta.model_copy(update=tale)}) for one in corpus(30, 5, "t")]
    assert "by_genre" not in evaluate.run(make(tmp_path, test=test))


def test_steps_of_post_processing_are_tried_on_validation_and_terms_are_counted(project: Project, load: Load) -> None:
    def spoil(text: str) -> str:
        said = text.rstrip(".").split()
        return f"{text[:-1]} {said[-1]} {said[-1]} {said[-1]}." if len(text) % 2 else text

    load(spoil)
    write_jsonl(project.training / "validation.jsonl", corpus(60, 5, "validation"))
    words = [("1", "topo", "woman"), ("2", "kala", "sleeps (of people)"), ("3", "nua", "hound")]
    entries = [
        Entry(id=i, lang="xx", headword=w, senses=(Sense(glosses={"en": (m,)}),), meta=Meta(access=Access.PUBLIC))
        for i, w, m in words
    ]
    write_jsonl(project.training / "lexicon.jsonl", entries)
    summary = evaluate.run(project)
    found = json.loads((project.reports / "evaluation.json").read_text("utf-8"))["directions"][0]
    steps = {step["name"]: step for step in found["postprocess"]["steps"]}
    assert list(steps) == ["residue", "repetitions", "names", "marks", "whitespace", "empty"]
    assert found["postprocess"]["segments"] == 60
    assert steps["repetitions"]["verdict"] == "helps" and 0 < steps["repetitions"]["changed"] < 60
    assert found["postprocess"]["test"] == {"repetitions": found["postprocess"]["test"]["repetitions"]}
    assert [row["step"] for row in summary["postprocess"]] == ["repetitions", "repetitions"]
    terms = {row["name"]: row["terms"] for row in found["systems"]}
    assert terms["statistical"]["said"] == terms["statistical"]["asked"] > 50, "hound is never asked for"
    assert terms["copy"]["said"] == 0
    page = (project.reports / "evaluation.html").read_text("utf-8")
    assert "Does mending the translations help?" in page and "Does it use the words of the dictionary?" in page
    rows = (project.reports / "translations" / "xx-en.statistical.jsonl").read_text("utf-8")
    assert "repetitions: 'sleeps' 4 times" in rows


class Hesitant(Dictionary):
    """Says nothing of some texts; its next candidate is right."""

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts, n_best = [one.text for one in requests], max(one.n_best for one in requests)
        said = super().translate(requests)
        several = [(Candidate("", -1.0), Candidate(one.text, -2.0))[:n_best] if n_best > 1 else () for one in said]
        rows = zip(texts, said, several, strict=True)
        return [Hypothesis("", -1.0, others) if len(text) % 2 else one for text, one, others in rows]


def test_the_step_for_empty_translations_is_measured_with_the_candidates_that_it_asks_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_translator(_model: Path, direction: Direction, **_options: Any) -> Chain:
        return Chain(Hesitant(direction, str))

    monkeypatch.setattr("seshat.inference.opening.load_translator", load_translator)
    segments = corpus(60, 5, "validation")
    write_jsonl(project.training / "validation.jsonl", segments)
    evaluate.run(project)
    found = json.loads((project.reports / "evaluation.json").read_text("utf-8"))["directions"][0]
    mending = found["postprocess"]
    (empty,) = (step for step in mending["steps"] if step["name"] == "empty")
    assert empty["changed"] == sum(len(one.texts["xx"]) % 2 for one in segments) > 10
    assert (empty["verdict"], mending["all"]["chrf2"]) == ("helps", pytest.approx(100.0))
    assert empty["without"] == mending["none"]
    model = next(row for row in found["systems"] if row["name"] == "statistical")
    assert model["scores"]["chrf2"]["score"] == pytest.approx(100.0), "as in use"


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path, load: Load) -> None:
    whole, killed = make(tmp_path / "a"), make(tmp_path / "b")
    load(lambda text: text.replace("woman", "womann"))
    evaluate.run(whole)

    calls = 0

    def dies(text: str) -> str:
        nonlocal calls
        calls += 1
        if calls > 2 * CHUNK:
            raise KeyboardInterrupt
        return text.replace("woman", "womann")

    load(dies)
    with pytest.raises(KeyboardInterrupt):
        evaluate.run(killed)
    assert not killed.reports.exists()
    loaded = load(lambda text: text.replace("woman", "womann"))
    evaluate.run(killed)
    assert [translator.batches for translator in loaded] == [[10], [CHUNK, CHUNK, 10]]
    assert outputs(killed) == outputs(whole)
    assert not (killed.state / "evaluate").exists()


def test_finished_work_of_another_model_is_not_taken(project: Project, load: Load) -> None:
    def dies(text: str) -> str:
        raise KeyboardInterrupt

    load(lambda text: text)
    model, way = systems.read(project, "statistical"), Direction("xx", "en")
    assessment = Assessment(project, [model], project.config.evaluate)
    three = [Segment(id=str(number), texts={"xx": "Kala nua."}) for number in range(3)]
    asked = of_segments(three, "xx", 0)
    whole = assessment.said(model, assessment.translator(model, way), asked)
    assert [hypothesis.text for hypothesis in whole] == ["The dog sleeps."] * 3
    load(dies)
    again = assessment.said(model, assessment.translator(model, way), asked)
    assert again == whole
    (project.model() / "xx-en" / "weights").write_text("2")
    with pytest.raises(KeyboardInterrupt):
        assessment.said(model, assessment.translator(model, way), asked)


def test_models_get_the_sentences_before(project: Project, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    load(lambda text: text)
    monkeypatch.setattr(Dictionary, "context", 1)
    model, way = systems.read(project, "statistical"), Direction("xx", "en")
    assessment = Assessment(project, [model], project.config.evaluate)
    meta = Meta(doc_id="d", source="made")
    segments = [
        Segment(id=text, texts={"xx": text}, meta=meta.model_copy(update={"order": place}))
        for place, text in enumerate(("Kala nua.", "Kala topo.", "Miri nua."))
    ]
    chain = assessment.translator(model, way)
    asked = assessment.requests(chain, segments[1:], segments)
    assert [one.before for one in asked] == [("Kala nua.",), ("Kala topo.",)]
    assessment.said(model, chain, asked)
    done = {folder.name for folder in (project.state / "evaluate").iterdir()}
    alone = assessment.requests(chain, segments[1:])
    assert [one.before for one in alone] == [(), ("Kala topo.",)]
    assessment.said(model, chain, alone)
    assert {folder.name for folder in (project.state / "evaluate").iterdir()} > done, "other work than before"


def test_plain_words_about_a_bad_model(tmp_path: Path, load: Load) -> None:
    project = make(tmp_path, test=corpus(30, 5, "t"), translate={"postprocess": {"steps": []}})
    load(lambda text: "" if "sleeps" in text else "zork zork zork zork zork zork")
    warnings = "\n".join(evaluate.run(project)["warnings"])
    for words in ("only 30 sentences", "does not beat", "are empty", "repeat themselves", "exist nowhere"):
        assert words in warnings


def test_sentences_above_the_access_level_stay_out(tmp_path: Path, load: Load) -> None:
    hidden = [
        Segment(id="secret", texts={"xx": "Kala ghostword.", "en": "The ghostword sleeps."}, meta=Meta(access=access))
        for access in (Access.COMMUNITY, Access.SEALED)
    ]
    half = Segment(id="half", texts={"xx": "Kala nua.", "en": " "}, meta=Meta(access=Access.PUBLIC))
    project = make(tmp_path, test=[*corpus(20, 5, "t"), *hidden, half])
    load(lambda text: text)
    summary = evaluate.run(project)
    assert any("2 test sentences were left out: their access" in line for line in summary["warnings"])
    assert any("1 test sentences were left out: a language of" in line for line in summary["warnings"])
    assert not any(b"ghostword" in content for content in outputs(project).values())


def test_a_first_look_measures_a_sample_and_leaves_the_evaluation_alone(project: Project, load: Load) -> None:
    load(lambda text: text)
    evaluate.run(project)
    before = outputs(project)
    load(lambda text: text.replace("dog", "dogg"))
    summary = evaluate.quick(project, 20)
    assert summary["report"] == "reports/quick.html"
    found = json.loads((project.reports / "quick.json").read_text())
    assert found["test"]["segments"] == 20
    assert any("Measured on 20 of" in line for line in summary["warnings"])
    after = outputs(project)
    assert {name: after[name] for name in before} == before, "the evaluation of the whole test set stays"
    assert after.keys() - before.keys() == {"quick.json", "quick.html"}


def test_one_direction_and_more_models(tmp_path: Path, load: Load) -> None:
    settings = {"compare": ("other",), "baselines": ("copy",), "reference": "other"}
    project = make(tmp_path, evaluate=settings)
    for name in ("statistical", "other"):
        (project.model(name) / "xx-en").mkdir(parents=True, exist_ok=True)
        write_json(project.model(name) / "model.json", {"family": "statistical", "directions": ["xx-en"]})
    load(lambda text: text)
    stale = project.reports / "translations" / "en-xx.statistical.jsonl"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    note_written(stale.parent, [stale.name])
    mine = stale.with_name("mine.jsonl")
    mine.write_text("of somebody")
    rows = evaluate.run(project)["table"]
    assert [(row["direction"], row["system"]) for row in rows] == [
        ("xx-en", "statistical"),
        ("xx-en", "other"),
        ("xx-en", "copy"),
    ]
    assert rows[0]["p"] == 1.0, "two equal systems do not differ"
    assert not stale.exists()
    assert mine.read_text() == "of somebody"


def test_without_a_model_or_a_test_set_it_says_what_to_do(tmp_path: Path, load: Load) -> None:
    load(lambda text: text)
    project = make(tmp_path / "a", evaluate={"compare": ("nothere",)})
    with pytest.raises(DataError, match=r"nothere.*no trained model[\s\S]*seshat train"):
        evaluate.run(project)
    with pytest.raises(DataError, match=r"no test sentences[\s\S]*split\.test"):
        evaluate.run(make(tmp_path / "b", test=[]))
    assert not (tmp_path / "b" / "reports").exists()
