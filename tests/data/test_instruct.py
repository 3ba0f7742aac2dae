from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from seshat.config import Config, Direction
from seshat.core.errors import DataError, PromptMismatch
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Entry, Example, GlossedWord, Meta, Segment, Sense
from seshat.corpus.duplicates import normalise
from seshat.data.format import FILES, run
from seshat.data.instruct.dictionary import questions_to
from seshat.data.instruct.explain import etymologies, spelled
from seshat.data.instruct.guard import TestSentences
from seshat.data.instruct.inflection import questions_on
from seshat.data.instruct.mixture import Mixture, draw, limits
from seshat.data.instruct.tasks import Question, questions_of
from seshat.project.folder import Project
from seshat.prompt.prompt import Prompt

LANGUAGES = Direction("xx", "es")
WAYS = (LANGUAGES, LANGUAGES.reverse)
ALL: tuple[Any, ...] = ("translate", "segment", "gloss", "explain", "cloze")
BASE: dict[str, dict[str, Any]] = {
    "project": {"pivot": "es", "languages": {"xx": {"name": "Lumeko"}, "es": {"name": "Spanish"}}},
    "train": {"family": "causal"},
    "model": {"base": "some/base"},
}


def word(form: str, morphemes: str, glosses: str) -> GlossedWord:
    return GlossedWord(form=form, morphemes=tuple(morphemes.split("-")), glosses=tuple(glosses.split("-")))


GLOSSED = Segment(
    id="s1",
    texts={"xx": "Tɨlindepo mina wemoke.", "es": "La niña subió desde la costa."},
    gloss=(
        word("tɨlintepo", "tɨlin-tepo", "costa-ABL"),
        word("mina", "mina", "niña"),
        word("wemoke", "wemo-ke", "ir arriba-PST"),
    ),
    meta=Meta(doc_id="d", order=0, source="tales", speaker="Ana", access=Access.PUBLIC, licence="CC0"),
)


def asked(segment: Segment, *tasks: Any) -> dict[str, Question]:
    return {one.key: one for one in questions_of(segment, LANGUAGES, WAYS, tasks or ALL)}


def test_questions_about_a_glossed_segment() -> None:
    found = asked(GLOSSED)
    names = ("translate/xx-es", "translate/es-xx", "segment", "gloss", "explain", "cloze")
    assert list(found) == [f"s1/{name}" for name in names]
    assert found["s1/translate/es-xx"].variants == (("La niña subió desde la costa.", "Tɨlindepo mina wemoke."),)
    assert found["s1/segment"].variants[0][1] == "tɨlin-tepo mina wemo-ke"
    assert found["s1/gloss"].variants[0][1] == "costa-ABL niña ir.arriba-PST"
    assert found["s1/cloze"].variants[1] == ("Tɨlindepo ___ wemoke.\n(La niña subió desde la costa.)", "mina")


def test_an_explanation_says_what_words_are_made_of() -> None:
    entries = [Entry(id="e", lang="xx", headword="mina", meta=Meta(extra={"et": "Quechua"}))]
    wanted: tuple[Any, ...] = ("explain",)
    (found,) = questions_of(GLOSSED, LANGUAGES, WAYS, wanted, etymologies(entries))
    assert found.variants[0][1].splitlines() == [
        "tɨlintepo = tɨlin “costa” + -tepo (ablativo)",
        "mina = mina “niña” [de Quechua]",
        "wemoke = wemo “ir arriba” + -ke (pasado)",
    ]
    assert spelled("3SG.POSS", "en") == "(third person singular possessive)"
    assert spelled("1PL", "qu") == "(first person plural)"
    assert spelled("XYZ", "en") == "(XYZ)"


def test_what_is_not_known_is_not_asked() -> None:
    half = GLOSSED.model_copy(update={"gloss": (GlossedWord(form="a", morphemes=("a", "b"), glosses=("x",)),)})
    assert "s1/gloss" not in asked(half)
    by_word = GLOSSED.model_copy(update={"gloss": (word("mina", "mina", "niña"),)})
    assert "s1/segment" not in asked(by_word)
    assert "s1/gloss" in asked(by_word)
    assert asked(Segment(id="m", texts={"xx": "Mina wemoke ani."})) == {}
    assert list(asked(Segment(id="n", texts={"xx": "Mina.", "es": " "}))) == []
    assert "c/cloze" not in asked(Segment(id="c", texts={"xx": "ani ani ani", "es": "hoy hoy hoy"}))


def test_inflection_asks_each_gloss_once_and_answers_as_people_say_it() -> None:
    again = GLOSSED.model_copy(update={"id": "s2"})
    other = Segment(id="s3", texts={"xx": "wemoka"}, gloss=(word("wemoka", "wemo-ka", "ir arriba-PST"),))
    found = {one.variants[0][0]: one for one in questions_on([GLOSSED, again, other], "xx")}
    assert list(found) == ["costa-ABL", "ir.arriba-PST"]
    assert found["costa-ABL"].variants[0][1] == "tɨlindepo"  # said, not underlying; small inside the language
    assert found["ir.arriba-PST"].variants[0][1] == "wemoke"  # two of three
    assert found["ir.arriba-PST"].key == "s1:3/inflect"
    assert [one.record for one in questions_on([GLOSSED], "xx", {"costa-ABL"})] == ["s1:3"]


def entry(number: int, headword: str, *meanings: str, lang: str = "xx", **meta: Any) -> Entry:
    other = "es" if lang == "xx" else "xx"
    return Entry(
        id=f"e{number}", lang=lang, headword=headword, senses=(Sense(glosses={other: meanings}),), meta=Meta(**meta)
    )


def test_a_question_to_the_dictionary_has_one_answer() -> None:
    entries = [
        entry(1, "kuchi", "perro", "can", access="public"),
        entry(2, "Kuchi", "Perro", access="community"),
        entry(3, "tolo", "perro", access="public"),
        entry(4, "casa", "noma", lang="es", access="public"),
    ]
    found = {one.key: one for one in questions_to(entries, LANGUAGES, ("word-to-meaning", "meaning-to-word"))}
    answers = {key: one.variants[0] for key, one in found.items()}
    assert answers == {
        "e1/word-to-meaning/xx-es": ("kuchi", "perro; can"),
        "e3/word-to-meaning/xx-es": ("tolo", "perro"),
        "e4/word-to-meaning/xx-es": ("noma", "casa"),
        "e1/meaning-to-word/es-xx": ("perro", "kuchi; tolo"),
        "e1:2/meaning-to-word/es-xx": ("can", "kuchi"),
        "e4/meaning-to-word/es-xx": ("casa", "noma"),
    }
    assert found["e1/meaning-to-word/es-xx"].meta.access is Access.COMMUNITY
    assert found["e1:2/meaning-to-word/es-xx"].meta.access is Access.PUBLIC


def test_examples_of_a_word() -> None:
    shown = Sense(glosses={"es": ("perro",)}, examples=(Example(texts={"xx": "Kuchi pi.", "es": "El perro come."}),))
    silent = Sense(examples=(Example(texts={"xx": "Kuchi."}),))
    one = Entry(id="e", lang="xx", headword="kuchi", senses=(shown, silent))
    (found,) = questions_to([one], LANGUAGES, ["examples"])
    assert found.variants == (("kuchi", "Kuchi pi.\nEl perro come."),)


def test_shares_are_shares_and_the_choice_is_the_question_s_own() -> None:
    questions = [Question("gloss", f"s{n}", (("a", "b"), ("c", "d"))) for n in range(2_000)]
    half = Mixture({"gloss": 0.5}, 7)
    taken = [one.key for one in questions for _ in half.copies(one)]
    assert 900 < len(taken) < 1_100
    assert [one.key for one in questions[::2] for _ in half.copies(one)] == [
        key for key in taken if key in {one.key for one in questions[::2]}
    ]
    more = Counter(number for one in questions for number, _, _ in Mixture({"gloss": 2.25}, 7).copies(one))
    assert (more[1], more[2]) == (2_000, 2_000)
    assert 400 < more[3] < 600
    assert {text for _, text, _ in Mixture({"gloss": 2.0}, 7).copies(questions[0])} == {"a", "c"}
    assert taken != [one.key for one in questions for _ in Mixture({"gloss": 0.5}, 8).copies(one)]
    assert list(Mixture({"gloss": 0.0}, 7).copies(questions[0])) == []
    assert list(half.copies(Question("cloze", "s", (("a", "b"),)))) == []


@given(st.integers(1, 30), st.floats(0.1, 3.0), st.integers(0, 5))
@settings(deadline=None, max_examples=40)
def test_a_limit_is_kept_exactly(most: int, share: float, seed: int) -> None:
    questions = [Question("gloss", f"s{n}", (("a", "b"),)) for n in range(20)]
    everything = Mixture({"gloss": share}, seed)
    available = sum(1 for one in questions for _ in everything.copies(one))
    limited = Mixture({"gloss": share}, seed, limits(questions, everything, most))
    assert sum(1 for one in questions for _ in limited.copies(one)) == min(most, available)


def test_draws_are_even() -> None:
    assert sum(draw(1, str(n)) for n in range(4_000)) / 4_000 / (1 << 64) == pytest.approx(0.5, abs=0.02)


TEST = [{"xx": "nokon jema jake riki", "es": "Mi pueblo, tiene casas."}, {"xx": "jaa", "es": "sí"}]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nokon jema jake riki", True),
        ("Y dijo: ¡MI PUEBLO tiene CASAS! Luego se fue.", True),
        ("no-kon jema\njake riki", False),
        ("no-kon jema jake ri-ki", True),
        ("nokon jema jake rikiri", False),
        ("anokon jema jake riki", False),
        ("sí", False),
        ("", False),
    ],
)
def test_test_sentences_are_found_inside_other_texts(text: str, found: bool) -> None:
    assert TestSentences(TEST, 3).inside("something", text) is found


def test_test_sentences_of_scripts_without_spaces() -> None:
    guard = TestSentences([{"th": "วันนี้ฉันไปโรงเรียนกับเพื่อน"}], 3)
    assert guard.inside("แล้ววันนี้ฉันไปโรงเรียนกับเพื่อนอีกครั้ง")
    assert not guard.inside("วันนี้ฉันไปโรงเรียน")


@given(st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=5), st.text("ab ", max_size=40))
@settings(deadline=None)
def test_the_guard_finds_what_a_plain_search_finds(sentences: list[str], text: str) -> None:
    long = [normalise(one) for one in sentences if normalise(one).count(" ") >= 2]
    plain = any(f" {one} " in f" {normalise(text)} " for one in long)
    assert TestSentences([{"xx": one} for one in sentences], 3).inside(text) is plain


def segment(number: int, text: str, other: str, **meta: Any) -> Segment:
    meta = {"source": "tales", "access": Access.PUBLIC, "licence": "CC0", "doc_id": "d", "order": number, **meta}
    return Segment(id=f"s{number}", texts={"xx": text, "es": other}, meta=Meta(**meta))


TRAIN = [
    segment(1, "mina palina basi ani", "la niña ve la casa hoy"),
    segment(2, "tolo kumuna dopa bele", "el perro busca el río mañana", method="aligned", score=0.9, speaker="Ana"),
    segment(3, "mina kumuna basi", "la niña ve el río", access=Access.RESTRICTED),
    segment(4, "ruka tekana gelu ani", "la madre quiere el pan hoy"),
]
HELD = [segment(9, "sepo loro jumi ani", "el pescador lleva la canoa hoy", doc_id="t")]
LEXICON = [
    entry(1, "mina", "niña", source="words", access="public"),
    Entry(
        id="e2",
        lang="xx",
        headword="loro",
        senses=(
            Sense(
                glosses={"es": ("canoa",)},
                examples=(Example(texts={"xx": "Sepo loro jumi ani!", "es": "¡El pescador lleva la canoa hoy!"}),),
            ),
        ),
        meta=Meta(source="words", access=Access.PUBLIC),
    ),
    entry(3, "sepo loro jumi ani", "el pescador", source="words", access="public"),
]


def make(root: Path, changes: dict[str, Any] = {}, **files: list[Any]) -> Project:  # noqa: B006
    merged = {key: {**BASE.get(key, {}), **changes.get(key, {})} for key in {**BASE, **changes}}
    project = Project(root, Config.model_validate(merged))
    usual: dict[str, list[Any]] = {
        "train": TRAIN,
        "validation": [segment(7, "wani ani hiro", "el viejo canta hoy")],
        "test": HELD,
    }
    for name in FILES:
        records = {"lexicon": LEXICON, **usual, **files}.get(name, [])
        write_jsonl(project.processed / f"{name}.jsonl", records)
    return project


def lines(project: Project, name: str = "train") -> list[dict[str, Any]]:
    text = (project.training / "messages" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


EVERYTHING: dict[str, Any] = {
    "format": {"instruct": {"tasks": {"translate": 1, "word-to-meaning": 1, "examples": 1, "meaning-to-word": 1}}}
}


def test_messages_keep_what_is_known_and_what_is_closed_stays_out(tmp_path: Path) -> None:
    project = make(tmp_path, EVERYTHING)
    report = run(project)
    found = {line["id"]: line for line in lines(project)}
    assert found["s2/translate/xx-es"]["messages"] == [
        {"role": "system", "content": "You are an expert in Lumeko. Answer exactly, and with the answer alone."},
        {"role": "user", "content": "Translate from Lumeko into Spanish:\ntolo kumuna dopa bele"},
        {"role": "assistant", "content": "el perro busca el río mañana"},
    ]
    assert found["s2/translate/xx-es"]["task"] == "translate"
    assert found["s2/translate/xx-es"]["direction"] == "xx-es"
    assert found["s2/translate/xx-es"]["meta"] == {
        "record": "s2",
        "source": "tales",
        "origin": None,
        "doc_id": "d",
        "order": 2,
        "speaker": "Ana",
        "genre": None,
        "licence": "CC0",
        "access": "public",
        "method": "aligned",
        "score": 0.9,
        "tags": [],
    }
    assert not any("s3" in key for key in found)
    assert report["messages"]["test"] == {"translate": 2}
    assert [line["id"] for line in lines(project, "validation")] == ["s7/translate/xx-es", "s7/translate/es-xx"]


def test_no_message_of_train_contains_a_test_sentence(tmp_path: Path) -> None:
    """Not as a headword, not as an example of the lexicon, not in any of the sentences shown beside a text."""
    around = segment(5, "bele sepo loro jumi ani bele", "mañana viene el pescador")
    project = make(
        tmp_path,
        {**EVERYTHING, "prompt": {"context": 3, "hints": 5, "shots": 3}},
        train=[*TRAIN, around, segment(6, "mina gelu basi ani", "la niña quiere ver hoy")],
    )
    report = run(project)
    assert report["messages"]["left_out"] == {
        "context: contains a test sentence": 1,
        "examples: contains a test sentence": 1,
        "hints: contains a test sentence": 1,
        "meaning-to-word: contains a test sentence": 1,
        "shots: contains a test sentence": 1,
        "translate: contains a test sentence": 2,
        "word-to-meaning: contains a test sentence": 1,
    }
    assert any("contain a test sentence" in warning for warning in report["warnings"])
    everything = json.dumps(lines(project), ensure_ascii=False).casefold()
    memory = "".join(path.read_text("utf-8").casefold() for path in (project.training / "messages/memory").iterdir())
    for text in HELD[0].texts.values():
        assert text not in everything + memory
    assert "s6/translate/xx-es" in {line["id"] for line in lines(project)}


def test_leaks_that_are_allowed_stay(tmp_path: Path) -> None:
    project = make(tmp_path, {**EVERYTHING, "split": {"allow_leaks": True}}, train=[*TRAIN, *HELD])
    report = run(project)
    assert "s9/translate/xx-es" in {line["id"] for line in lines(project)}
    assert "split.allow_leaks is on: nothing keeps test sentences out of the training messages." in report["warnings"]


def test_each_kind_of_help_is_one_setting(tmp_path: Path) -> None:
    shown = {}
    for number, section in enumerate(({}, {"context": 2}, {"hints": 2}, {"shots": 1})):
        project = make(tmp_path / str(number), {"prompt": section})
        run(project)
        found = {line["id"]: line["messages"][1]["content"] for line in lines(project)}
        shown[str(section)] = found["s4/translate/xx-es"], found["s1/translate/es-xx"]
    question = "Translate from Lumeko into Spanish:\nruka tekana gelu ani"
    assert shown["{}"][0] == question
    assert shown["{'context': 2}"][0] == (
        f"The sentences before:\nmina palina basi ani\ntolo kumuna dopa bele\n\n{question}"
    )
    assert shown["{'hints': 2}"][1].startswith("Words:\n- niña: mina\n\nTranslate from Spanish into Lumeko:")
    assert shown["{'shots': 1}"][0].startswith("Similar sentences:\nLumeko: ")
    assert "ruka" not in shown["{'shots': 1}"][0].split("\n\n")[0]


def test_an_example_is_as_closed_as_what_stands_beside_it(tmp_path: Path) -> None:
    closed = [
        segment(1, "mina palina basi ani", "la niña ve la casa hoy", access=Access.COMMUNITY),
        segment(2, "mina palina dopa ani", "la niña busca la casa hoy"),
        segment(3, "ruka tekana gelu bele", "mamá quiere pan mañana"),
    ]
    words = [entry(1, "mina", "niña", access="public"), entry(2, "tekana", "pan", access="registered")]
    levels = {}
    for name, section in (("none", {}), ("context", {"context": 1}), ("hints", {"hints": 3}), ("shots", {"shots": 1})):
        project = make(
            tmp_path / name,
            {"project": {**BASE["project"], "max_access": "community"}, "prompt": section},
            train=closed,
            lexicon=words,
        )
        run(project)
        found = {line["id"]: line["meta"]["access"] for line in lines(project)}
        levels[name] = [found["s2/translate/xx-es"], found["s3/translate/es-xx"]]
    assert levels == {
        "none": ["public", "public"],
        "context": ["community", "public"],
        "hints": ["public", "registered"],
        "shots": ["community", "public"],
    }


def test_directions_and_tasks_are_chosen(tmp_path: Path) -> None:
    tasks = {"tasks": {"translate": 1, "cloze": 1, "gloss": 0}}
    project = make(tmp_path, {"train": {"family": "causal", "directions": "from-pivot"}, "format": {"instruct": tasks}})
    report = run(project)
    assert {(line["task"], line["direction"]) for line in lines(project)} == {("translate", "es-xx"), ("cloze", None)}
    assert report["messages"]["train"] == {"cloze": 3, "translate": 3}


def test_tasks_without_material_are_told(tmp_path: Path) -> None:
    report = run(make(tmp_path, lexicon=[]))
    assert (
        "no training examples of word-to-meaning and meaning-to-word: no entry of the lexicon has a meaning in the "
        "other language."
    ) in report["warnings"]
    assert any(warning.startswith("no training examples of gloss: no segment") for warning in report["warnings"])


def test_a_form_known_from_train_is_not_asked_in_validation(tmp_path: Path) -> None:
    later = GLOSSED.model_copy(
        update={"id": "v", "gloss": (word("wemoke", "wemo-ke", "ir arriba-PST"), word("nanita", "nani-ta", "ola-ACC"))}
    )
    limited: dict[str, Any] = {"format": {"instruct": {"tasks": {"inflect": 1}, "limit": 5}}}
    project = make(tmp_path, limited, train=[GLOSSED], validation=[later])
    assert run(project)["messages"]["train"] == {"inflect": 2}
    assert [line["messages"][-1]["content"] for line in lines(project, "validation")] == ["nanita"]


def test_other_families_have_no_messages(tmp_path: Path) -> None:
    project = make(tmp_path)
    run(project)
    assert (project.training / "messages" / "train.jsonl").exists()
    statistical = Project(tmp_path, Config.model_validate({"project": BASE["project"]}))
    assert "messages" not in run(statistical)
    assert not (project.training / "messages").exists()


def test_messages_of_another_prompt_are_refused(tmp_path: Path) -> None:
    project = make(tmp_path)
    report = project.training / "messages"
    with pytest.raises(DataError, match="seshat format"):
        Prompt.of(project).check_wording(report)
    run(project)
    Prompt.of(project).check_wording(report)
    Prompt.of(make(tmp_path, {"prompt": {"beams": 4}})).check_wording(report)
    with pytest.raises(PromptMismatch, match=r'system: "You are an expert.* there, "Answer." now'):
        Prompt.of(make(tmp_path, {"prompt": {"system": "Answer."}})).check_wording(report)
    (report / "wording.json").unlink()  # messages of other makes
    Prompt.of(make(tmp_path, {"prompt": {"system": "Answer."}})).check_wording(report)


def test_bytes_are_the_same_twice_and_every_id_is_its_own(tmp_path: Path) -> None:
    written = []
    twice = {"format": {"instruct": {"tasks": {"translate": 2.5, "cloze": 1.5, "examples": 2}}}}
    for number in range(2):
        project = make(tmp_path / str(number), {**twice, "prompt": {"context": 1, "shots": 2, "hints": 2}})
        run(project)
        folder = project.training / "messages"
        written.append({p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()})
    assert written[0] == written[1]
    ids = [line["id"] for line in lines(project)]
    assert len(ids) == len(set(ids)) > 12


def test_the_card_loads_as_a_dataset_and_shows_no_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    from datasets import load_dataset

    project = make(tmp_path / "p", EVERYTHING)
    run(project)
    folder = project.training / "messages"
    card = (folder / "README.md").read_text(encoding="utf-8")
    _, header, body = card.split("---\n", 2)
    assert YAML(typ="safe").load(header)["language"] == ["xx", "es"]
    assert "| translate | a sentence, into the other language | 1.0 | 6 | 2 | 2 |" in body
    assert "You are an expert in Lumeko." in body
    assert "niña" not in body
    data = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(rows) for name, rows in data.items()} == {"train": 10, "validation": 2, "test": 2}
    assert data["train"][2]["meta"]["speaker"] == "Ana"
    assert data["validation"][0]["meta"]["score"] is None
