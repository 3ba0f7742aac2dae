from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.corpus.duplicates import TextIndex, is_long, near_leaks, normalise
from seshat.corpus.minhash import Texts, bands_for, components, jaccard, near_pairs, ngrams


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("¿Vienes   mañana?", "vienes mañana"),
        ("E\u0301l dijo: «sí».", "él dijo sí"),
        ("k'isa-n", "kʼisan"),
        ("sí,no", "sí no"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_normalise_forgets_case_punctuation_and_form(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_normalise_keeps_letters_marks_and_digits() -> None:
    assert normalise("நான் வீட்டில் 12") == "நான் வீட்டில் 12"
    assert normalise("ano") != normalise("año")
    assert normalise("...") == "..."


@given(st.text())
def test_normalise_twice_is_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_long_texts() -> None:
    assert is_long("a b c", 3)
    assert not is_long("a b", 3)
    assert is_long("ๆ" * 20, 3), "scripts without spaces count by characters"


@given(st.lists(st.text(max_size=30), max_size=20))
def test_texts_gives_back_what_was_put_in(items: list[str]) -> None:
    texts = Texts()
    for item in items:
        texts.append(item)
    assert [texts[i] for i in range(len(texts))] == items


@given(st.integers(1, 40), st.data())
@settings(deadline=None)
def test_components_agree_with_a_plain_search(count: int, data: st.DataObject) -> None:
    node = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(node, node), max_size=60))
    neighbours: dict[int, set[int]] = {n: {n} for n in range(count)}
    for a, b in pairs:
        neighbours[a].add(b)
        neighbours[b].add(a)
    expected = []
    for start in range(count):
        seen, stack = {start}, [start]
        while stack:
            for other in neighbours[stack.pop()] - seen:
                seen.add(other)
                stack.append(other)
        expected.append(min(seen))
    assert components(count, np.array(pairs, dtype=np.int64).reshape(-1, 2)).tolist() == expected


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.7, 0.8, 0.9, 0.95])
def test_bands_find_pairs_at_the_threshold(similarity: float) -> None:
    bands, rows = bands_for(similarity)
    assert 1 - (1 - similarity**rows) ** bands >= 0.99


def _sentences(count: int, seed: int, vocabulary: int = 400) -> list[str]:
    source = random.Random(seed)
    words = ["".join(source.choices("abdehiklmnoprstu", k=source.randint(3, 8))) for _ in range(vocabulary)]
    return [" ".join(source.choices(words, k=source.randint(6, 14))) for _ in range(count)]


def test_near_pairs_against_all_pairs() -> None:
    """Every pair above the threshold is joined, and nothing else, as comparing all pairs says."""
    source = random.Random(5)
    originals = _sentences(120, seed=5)
    sentences = list(originals)
    for text in originals[:60]:
        for _ in range(2):
            place = source.randrange(len(text))
            sentences.append(text[:place] + source.choice("xyzw") + text[place + 1 :])
    texts = Texts()
    for text in sentences:
        texts.append(text)
    numbers = np.arange(len(sentences), dtype=np.int64)
    found = near_pairs(texts, numbers, 0.8, seed=1)
    sets = [ngrams(text) for text in sentences]
    pairs = [
        (a, b) for a in range(len(sets)) for b in range(a) if len(sets[a] & sets[b]) >= 0.8 * len(sets[a] | sets[b])
    ]
    assert len(pairs) > 50
    truth = components(len(sentences), np.array(pairs, dtype=np.int64))
    assert components(len(sentences), found).tolist() == truth.tolist()


def test_near_pairs_are_checked_exactly() -> None:
    texts = Texts()
    for text in _sentences(300, seed=9, vocabulary=25):  # few words: many similar sentences, few near-duplicates
        texts.append(text)
    found = near_pairs(texts, np.arange(300, dtype=np.int64), 0.6, seed=1)
    assert all(jaccard(texts[a], texts[b]) >= 0.6 for a, b in found.tolist())


def test_clusters_join_through_either_language() -> None:
    index = TextIndex(3)
    index.add({"xx": "nokon jema jakon iki", "es": "mi pueblo es bueno"})  # 0
    index.add({"xx": "Nokon jema jakon iki!", "es": "nuestra aldea es linda"})  # 1: source of 0
    index.add({"xx": "ea jemanko jake", "es": "Nuestra aldea, es linda."})  # 2: target of 1
    index.add({"xx": "otra cosa muy distinta", "es": "algo que no tiene que ver"})  # 3
    assert index.clusters(0.8).tolist() == [0, 0, 0, 3]


def test_short_texts_join_only_as_whole_segments() -> None:
    index = TextIndex(3)
    index.add({"xx": "jen", "es": "sí"})
    index.add({"xx": "ikanbi", "es": "sí"})
    index.add({"xx": "Jen.", "es": "¡Sí!"})
    assert index.clusters(0.8).tolist() == [0, 1, 0]


def test_leaks_exact_and_near() -> None:
    long = "el hombre viejo camina despacio por la orilla del rio grande"
    index = TextIndex(3)
    for texts in (
        {"xx": "train one two three", "es": long},
        {"xx": "jen", "es": "sí"},
        {"xx": "held out of its own", "es": long.upper()},
        {"xx": "another that is held", "es": long.replace("grande", "grandes")},
        {"xx": "ikanbi", "es": "sí"},
        {"xx": "jen", "es": "si"},
        {"xx": "jen", "es": "sí"},
    ):
        index.add(texts)
    train = np.array([True, True] + [False] * 5)
    exact = index.exact_leaks(~train, train)
    near = near_leaks(index.clusters(0.8), ~train, train)
    assert np.flatnonzero(exact).tolist() == [2, 6]
    assert np.flatnonzero(near).tolist() == [2, 3, 6]


def test_clusters_do_not_depend_on_the_seed() -> None:
    index = TextIndex(3)
    for text in _sentences(200, seed=2, vocabulary=60) * 2:
        index.add({"es": text})
    assert index.clusters(0.8, seed=1).tolist() == index.clusters(0.8, seed=99).tolist()


@pytest.mark.real_data
def test_real_text_does_not_chain(real_data: Path) -> None:
    folder = real_data / "americasnlp" / "shp"
    index = TextIndex(3)
    sides = [(folder / f"train.{lang}").read_text(encoding="utf-8").splitlines() for lang in ("shp", "es")]
    for source, target in zip(*sides, strict=True):
        index.add({"shp": source, "es": target})
    clusters = index.clusters(0.8)
    assert 0.9 * len(index) < len(np.unique(clusters)) < len(index)
    assert np.bincount(clusters).max() < 100
