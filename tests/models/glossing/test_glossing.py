"""Glosses are learned, found, saved and measured, on an invented language with cases, persons and a translation."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, GlossedWord, Meta, Segment
from seshat.models.glossing.glosser import Glosser, LookUp
from seshat.models.glossing.project import run
from seshat.models.glossing.sentences import Sentence, as_written, cuts, is_grammatical, sentences
from seshat.project.folder import Project
from seshat.scores.glossing import gloss_scores, share

pytest.importorskip("pycrfsuite")

NOUNS = {"mina": "girl", "tolo": "dog", "ruka": "mother", "sepo": "fisher", "wani": "house", "kumu": "river"}
VERBS = {"basi": "see", "dopa": "seek", "gelu": "want", "jumi": "carry"}
ENDINGS = {"see": "sees", "seek": "seeks", "want": "wants", "carry": "carries"}


def sentence(rng: random.Random, nouns: dict[str, str]) -> Sentence:
    """Two nouns, the second with an ending, and a verb; ``-ta`` is a case after nouns and a tense after verbs."""
    (one, first), (other, second), (act, verb) = (rng.choice(list(words.items())) for words in (nouns, nouns, VERBS))
    morphemes = ((one,), (other, "ta"), (act, "ta", "n"))
    glosses = ((first,), (second, "OBJ"), (verb, "PST", "3SG"))
    words = tuple("".join(parts) for parts in morphemes)
    return Sentence(words, morphemes, f"The {first} {ENDINGS[verb]} the {second}.", glosses)


@pytest.fixture(scope="module")
def training() -> list[Sentence]:
    rng = random.Random(1)
    made = [sentence(rng, NOUNS) for _ in range(240)]
    rare = [("lipo", "canoe"), ("zaru", "moon"), ("fito", "bread"), ("hako", "stone"), ("pirwe", "king")]
    return made + [sentence(rng, {word: gloss}) for word, gloss in rare]


@pytest.fixture(scope="module")
def glosser(training: list[Sentence]) -> Glosser:
    return Glosser.train(training)


def test_one_form_with_two_glosses(glosser: Glosser, training: list[Sentence]) -> None:
    asked = [replace(one, glosses=()) for one in training[:40]]
    found = glosser.gloss(asked)
    assert [one.glosses for one in found] == [one.glosses for one in training[:40]]
    looked_up = [LookUp(training).gloss(one) for one in asked]
    assert any(one != other.glosses for one, other in zip(looked_up, training[:40], strict=True))


def test_an_unseen_stem_is_found_in_the_translation(glosser: Glosser) -> None:
    new = Sentence(
        ("tolo", "nubeta", "dopatan"), (("tolo",), ("nube", "ta"), ("dopa", "ta", "n")), "The dog seeks the cloud."
    )
    assert glosser.gloss([new])[0].glosses == (("dog",), ("cloud", "OBJ"), ("seek", "PST", "3SG"))


def test_words_that_nobody_has_cut(glosser: Glosser, training: list[Sentence]) -> None:
    rng = random.Random(9)
    gold = [sentence(rng, NOUNS) for _ in range(30)]
    found = glosser.gloss([replace(one, morphemes=(), glosses=()) for one in gold])
    assert [one.morphemes for one in found] == [one.morphemes for one in gold]
    assert [one.glosses for one in found] == [one.glosses for one in gold]
    unseen = glosser.gloss([Sentence(("nubeta",), (), "")])[0]
    assert unseen.morphemes == (("nube", "ta"),)


def test_saved_and_opened_it_says_the_same(glosser: Glosser, training: list[Sentence], tmp_path: Path) -> None:
    asked = [replace(one, glosses=()) for one in training[-20:]]
    asked += [replace(one, morphemes=()) for one in asked]
    first = glosser.gloss(asked)
    glosser.save(tmp_path)
    again = Glosser.load(tmp_path)
    assert again.gloss(asked) == first == again.gloss(asked)
    path = tmp_path / "taggers.npz"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match="this glosser is damaged"):
        Glosser.load(tmp_path)
    with pytest.raises(DataError, match="there is no glosser here"):
        Glosser.load(tmp_path / "absent")


def test_the_same_sentences_teach_the_same(training: list[Sentence], tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        Glosser.train(training[:60]).save(tmp_path / name)
        files.append({path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())})
    assert files[0] == files[1]


def test_few_sentences_are_never_worse_than_the_look_up(training: list[Sentence]) -> None:
    few, rest = training[:12], training[100:160]
    asked = [replace(one, glosses=()) for one in rest]
    found = gloss_scores(
        [one.glosses for one in rest], [one.glosses for one in Glosser.train(few).gloss(asked)], is_grammatical
    )
    looked_up = gloss_scores([one.glosses for one in rest], [LookUp(few).gloss(one) for one in asked], is_grammatical)
    assert found.words.value >= looked_up.words.value


def test_a_project_learns_once_and_is_measured(training: list[Sentence], tmp_path: Path) -> None:
    project = Project(tmp_path, Config.model_validate({"project": {"language": "qsm", "pivot": "en"}}))
    segments = [
        Segment(
            id=str(place),
            texts={"qsm": " ".join(one.words), "en": one.translation},
            gloss=tuple(
                GlossedWord(form=form, morphemes=parts, glosses=glosses)
                for form, parts, glosses in zip(one.words, one.morphemes, one.glosses, strict=True)
            ),
            meta=Meta(access=Access.PUBLIC if place else Access.SEALED),
        )
        for place, one in enumerate(training)
    ]
    write_jsonl(project.training / "train.jsonl", segments)
    found = run(project)
    assert (found["sentences"], found["test"], found["held_out"]) == (220, 24, True)
    assert found["glosser, segmented"]["words"]["value"] > found["look-up, segmented"]["words"]["value"]
    assert found["glosser, raw"]["labels"]["PST"]["of"] == 24
    before = (project.models / "gloss" / "taggers.npz").stat().st_mtime_ns
    assert run(project) == found
    assert (project.models / "gloss" / "taggers.npz").stat().st_mtime_ns == before
    (project.models / "gloss" / "taggers.npz").write_bytes(b"cut off")
    assert run(project) == found


def test_nothing_to_learn_from() -> None:
    with pytest.raises(DataError, match="nothing to learn glosses from"):
        Glosser.train([])


def test_only_what_is_glossed_to_the_end_is_learned() -> None:
    whole = GlossedWord(form="dogs", morphemes=("dog", "s"), glosses=("perro", "PL"))
    half = GlossedWord(form="run", morphemes=("run", "0"), glosses=("correr",))
    kept = Segment(id="a", texts={"en": "dogs", "es": "perros"}, gloss=(whole, GlossedWord(form="go", glosses=("ir",))))
    given = [kept, Segment(id="b", texts={"en": "x"}, gloss=(whole, half)), Segment(id="c", texts={"en": "x"})]
    assert list(sentences(given, "es")) == [
        Sentence(("dogs", "go"), (("dog", "s"), ("go",)), "perros", (("perro", "PL"), ("ir",)))
    ]


@pytest.mark.parametrize(
    ("word", "morphemes", "pieces"),
    [
        ("dogs", ("dog", "s"), ("dog", "s")),
        ("Dogs", ("dog", "s"), ("Dog", "s")),
        ("ladies", ("lady", "s"), ("ladie", "s")),
        ("went", ("go", "ed"), ("wen", "t")),
        ("a", ("a", "b", "c"), ("a", "", "")),
    ],
)
def test_pieces_as_they_are_written(word: str, morphemes: tuple[str, ...], pieces: tuple[str, ...]) -> None:
    found = cuts(word, morphemes)
    assert "".join(found) == word
    assert len(found) == len(pieces)
    if word != "went":
        assert found == pieces
    assert as_written(Sentence((word,), (morphemes,))).morphemes == (found,)


@pytest.mark.parametrize(
    ("gloss", "grammatical"), [("PL", True), ("1SG.ABS", True), ("go", False), ("go.PST", False), ("?", False)]
)
def test_categories_are_written_in_capitals(gloss: str, grammatical: bool) -> None:
    assert is_grammatical(gloss) is grammatical


def test_scores() -> None:
    gold: list[list[tuple[str, ...]]] = [[("dog", "PL"), ("run", "PST", "3SG")], [("go",)]]
    found: list[list[tuple[str, ...]]] = [[("dog", "PL"), ("run", "3SG")], []]
    scores = gloss_scores(gold, found, is_grammatical)
    assert scores.words[0] == pytest.approx(1 / 3)
    assert scores.morphemes[0] == pytest.approx(3 / 6)  # 3SG stands in the place of PST
    assert scores.error == pytest.approx(2 / 6)
    assert scores.stems.value == pytest.approx(2 / 3)
    assert scores.stems.of == 3
    assert scores.labels["PST"].value == 0.0
    assert scores.labels["3SG"].value == 1.0
    low, high = share(8, 10)[1:3]
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)  # Wilson, by hand
