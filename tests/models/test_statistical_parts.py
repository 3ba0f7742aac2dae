"""The parts of the statistical family, each by itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.chrf import CHRF

from seshat.models.statistical import guesses, tuning
from seshat.models.statistical.features import FEATURES, START, start
from seshat.models.statistical.language import write_model
from seshat.models.statistical.phrases import Phrase, PhraseTable, Scores, extract, score, write_table
from seshat.models.statistical.segmentation import Segmenter, join_pieces
from seshat.models.statistical.thot import thot_module
from seshat.models.statistical.tokens import (
    GLUE,
    Spacing,
    Truecaser,
    capitalised,
    first_is_capital,
    first_is_caseless,
    fold,
    is_name,
    is_verbatim,
    tokens_of,
)
from seshat.models.statistical.unknown import Guesser
from seshat.scores.metrics import chrf, chrf2_counts


@given(st.lists(st.text("abc áñ.", min_size=0, max_size=20), min_size=1, max_size=5), st.data())
@settings(deadline=None, max_examples=50)
def test_chrf_is_that_of_sacrebleu(references: list[str], data: st.DataObject) -> None:
    texts = [data.draw(st.text("abc áñ.", max_size=20)) for _ in references]
    rows = np.sum([chrf2_counts(*pair) for pair in zip(texts, references, strict=True)], axis=0)
    expected = CHRF(word_order=0, beta=2).corpus_score(texts, [references]).score
    assert float(chrf(rows)) == pytest.approx(expected, abs=1e-6)


WORDS = st.lists(st.sampled_from(["a", "ab", "b", "ñu", "zz", "@@a"]), min_size=1, max_size=3).map(tuple)


@given(st.dictionaries(st.tuples(WORDS, WORDS), st.floats(-9, 0), max_size=40))
@settings(deadline=None, max_examples=50)
def test_table_answers_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[tuple[Phrase, Phrase], float]
) -> None:
    path = tmp_path_factory.mktemp("table") / "phrases.tsv"
    write_table(path, ((source, target, (value, value, value, value, 2.0)) for (source, target), value in rows.items()))
    table = PhraseTable(path)
    for source in {source for source, _ in rows} | {("never",), ("a", "never")}:
        found = {target: scores[0] for target, scores in table.lookup(" ".join(source))}
        wanted = {target: value for (other, target), value in rows.items() if other == source}
        assert found == {target: pytest.approx(value, rel=1e-3) for target, value in wanted.items()}


def test_extraction_is_consistent_and_keeps_numbers() -> None:
    pairs = [(["la", "casa", "7"], ["the", "house", "7"])]
    counts = extract(pairs, [[(0, 0), (1, 1), (2, 2)]], max_phrase=2)
    assert set(counts.phrases) == {
        (("la",), ("the",)),
        (("casa",), ("house",)),
        (("7",), ("7",)),
        (("la", "casa"), ("the", "house")),
        (("casa", "7"), ("house", "7")),
    }
    wrong = extract([(["7"], ["seven"])], [[(0, 0)]], max_phrase=2)
    assert not wrong.phrases


def test_scores_prefer_what_is_frequent() -> None:
    pairs = [(["x"], ["a"])] * 5 + [(["x"], ["b"])] + [(["y"], ["b"])] * 2
    rows = {(source, target): scores for source, target, scores in score(extract(pairs, [[(0, 0)]] * 8, 3))}
    assert rows[("x",), ("a",)][0] > rows[("x",), ("b",)][0]
    assert rows[("x",), ("a",)][4] == 5
    assert all(value <= 0 for scores in rows.values() for value in scores[:4])


def test_language_model_in_thot(tmp_path: Path) -> None:
    texts = [["the", "dog", "sees"], ["the", "dog", "runs"], ["a", "dog", "sees"], ["the", "cat", "runs"]]
    write_model(tmp_path / "lm", texts, 3)
    model = thot_module("common").NGramLanguageModel()
    assert model.load(str(tmp_path / "lm"))
    seen, unseen, unknown = (
        model.get_sentence_log_probability(text.split()) for text in ("the dog sees", "sees dog the", "the dog foo")
    )
    assert seen > unseen > -40
    assert seen > unknown > -40
    single = [model.get_sentence_log_probability([word]) for word in ("the", "a", "dog", "cat", "sees", "runs")]
    assert sum(10**value for value in single) < 1


@given(st.text("abcdé", min_size=1, max_size=12))
@settings(deadline=None)
def test_cutting_and_joining(word: str) -> None:
    segmenter = Segmenter({"a": 5, "b": 3, "ab": 9, "cd": 2, "é": 1})
    pieces = segmenter.cut(word)
    assert join_pieces(pieces) == [word]
    assert all(piece.startswith(GLUE) for piece in pieces[1:])


def test_segmenter_finds_the_endings_and_is_deterministic() -> None:
    words = [stem + ending for stem in ("tama", "kiru", "sopo", "welo", "nuka") for ending in ("", "ka", "mi", "kan")]
    first, second = (Segmenter.train(words, "morfessor", seed=3) for _ in range(2))
    assert first.counts == second.counts
    assert first.cut("tamaka") == ("tama", "@@ka")
    assert first.cut("Tamaka") == ("Tamaka",)


def test_spacing_is_learned() -> None:
    spacing = Spacing.train(['He said: "no" (twice), ¿why?', 'A "b" c.', "(x) y, z.", "¿q? r."])
    for text in ('He said: "no" (twice), ¿why?', "x (y), z."):
        assert spacing.join(tokens_of(text)) == text
    assert Spacing.from_json(spacing.to_json()) == spacing


def test_marks_are_tokens_of_their_own_and_spaced_as_in_the_source() -> None:
    spacing = Spacing.train(["He said.", "A b, c."])
    for text in (
        "See: https://example.org/a_b?c=1.",
        "(name@example.org), 10:30 2024-05-01!!!",
        '"No" %s {0} </b> %(count)d {name} – so – 50% - x;y',
        "<b>a</b>",
        "a <gap>. b",
    ):
        assert spacing.join(tokens_of(text), text) == text
    assert tokens_of("a https://x.org/y. %s{0}<br/> 1/2/2024") == [
        "a", "https://x.org/y", ".", "%s", "{0}", "<br/>", "1/2/2024",
    ]  # fmt: skip
    assert all(map(is_verbatim, ("https://x.org", "a.b@c.de", "%s", "{0}", "</b>", "2024-05-01")))
    assert tokens_of("{d}UTU a-lim{ki} 50% sold") == ["{d}UTU", "a-lim{ki}", "50", "%", "sold"]


def test_what_is_written_without_spaces_is_characters() -> None:
    burmese = "မြန်မာ။ ka"
    assert tokens_of(burmese) == ["မြ", "@@န်", "@@မ", "@@ာ", "။", "ka"]
    assert join_pieces(tokens_of(burmese)) == ["မြန်မာ", "။", "ka"]
    assert tokens_of("東京 2 回") == ["東", "@@京", "2", "回"]


def test_a_script_without_capitals_says_nothing_about_them() -> None:
    assert first_is_caseless("«မြ» A") and not first_is_capital("«မြ» A")
    assert not first_is_caseless("3 a") and not first_is_caseless("Ñ") and not first_is_caseless("…")


def test_case() -> None:
    truecaser = Truecaser.train([["The", "dog", "in", "Lima"], ["The", "cat", "and", "the", "dog"], ["Lima", "is"]])
    assert truecaser.apply(["The", "dog"]) == ["the", "dog"]
    assert truecaser.apply(["Lima", ".", "The", "cat"]) == ["Lima", ".", "the", "cat"]
    assert capitalised("¿qué?") == "¿Qué?"
    assert fold("Ñandú") == "nandu"
    assert is_verbatim("20") and is_verbatim("<gap>") and not is_verbatim("dog")
    assert all(map(is_verbatim, ("-2.5", "½", "1st"))) and not is_verbatim("u4-mu"), "u4-mu is a word"
    assert is_name(["in", "Lima"], 1)
    assert not is_name(["Lima"], 0)


def guesser() -> Guesser:
    known = [stem + ending for stem in ("tama", "kiru", "sopo", "welo", "nuka") for ending in ("", "ka", "mi")]
    rows: dict[str, list[tuple[Phrase, Scores]]] = {"tama": [(("house",), (-0.1, -0.1, -0.1, -0.1, 9.0))]}
    return Guesser(lambda word: rows.get(word, []), known, ["Museum", "house", "dog"])


def test_guesses() -> None:
    found = {guess.target: guess.way for guess in guesser().guess("tamachu", "tamachu", name=False)}
    assert found[("tamachu",)] == "copy"
    assert found[("house",)] == "relative"
    loans = {guess.target: guess.way for guess in guesser().guess("museumka", "Museumka", name=True)}
    assert loans[("Museumka",)] == "copy"
    assert loans[("Museum",)] in ("strip", "cognate")


def test_what_is_learned_about_guesses() -> None:
    once = [("museumka", "Museumka", True, ["the", "Museum"])] * 20 + [
        ("tamachu", "tamachu", False, ["a", "house"])
    ] * 20
    maker = guesser()
    weights = guesses.learn(maker, once, Counter({"museum": 1, "house": 2, "the": 9}))
    chance = {
        guess.target: guesses.log_probability(guess, weights) for guess in maker.guess("tamachu", "tamachu", name=False)
    }
    assert chance[("house",)] > chance[("tamachu",)]
    assert all(value <= 0 for value in chance.values())


def test_a_guess_that_is_only_alike_is_wrong() -> None:
    cut = [("museumka", "Museumka", True, ["the", "Museumk"])] * 20
    right = [("museumka", "Museumka", True, ["the", "Museum"])] * 20
    chances = []
    for once in (cut, right):
        maker = guesser()
        weights = guesses.learn(maker, once, Counter({"the": 20_000}))
        found = {guess.target: guess for guess in maker.guess("museumka", "Museumka", name=True)}
        chances.append(guesses.log_probability(found["Museum",], weights))
    assert chances[0] < -2 < -0.5 < chances[1]


def test_copying_is_where_tuning_starts_and_what_it_strays_from() -> None:
    favoured = start(3.0)
    place = FEATURES.index("copy")
    assert favoured[place] == 3.0
    assert favoured[:place] + favoured[place + 1 :] == START[:place] + START[place + 1 :]
    features, statistics = np.zeros((2, 1, len(FEATURES))), np.array([[chrf2_counts("a dog", "a dog")]] * 2)
    near, far = (
        tuning.objective(features, statistics, np.array(start(copying)), np.array(favoured)) for copying in (3.0, 0.0)
    )
    assert near > far


def test_search_finds_the_weight_that_matters() -> None:
    size = len(FEATURES)
    right, wrong = chrf2_counts("the dog", "the dog"), chrf2_counts("xyz", "the dog")
    features = np.zeros((30, 2, size))
    features[:, 0, 6], features[:, 1, 7] = 1.0, 1.0  # the right candidate has `phrases`, the wrong one `words`
    statistics = np.array([[right, wrong]] * 30)
    from random import Random

    weights = tuning.search(features, statistics, START, Random(1))
    assert START[6] < START[7]
    assert weights[6] >= weights[7]


def test_length_beyond_the_reference_must_pay() -> None:
    right, long = (chrf2_counts(text, "el perro come pan") for text in ("el perro come", "el perro come el pan de un"))
    assert tuning.worth(right) == pytest.approx(float(chrf(right)))
    assert tuning.worth(long) < float(chrf(long))
