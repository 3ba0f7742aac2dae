"""Words in the order of known text, and out of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from seshat.core.errors import DataError
from seshat.text.charmodel import CharModel, save
from seshat.text.wordorder import WordOrder, load_order


def texts(seed: int, count: int) -> list[list[str]]:
    """Sentences of a made-up language: subjects in -ka, objects in -num, verbs in -si, in that order."""
    chance = random.Random(seed)

    def word(end: str) -> str:
        return "".join(chance.choices(["pa", "ti", "ro", "me", "lu"], k=3)) + end

    return [[f"{word('ka')} {word('num')} {word('num')} {word('si')}." for _ in range(6)] for _ in range(count)]


def shuffled(lines: list[str], seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.sample(line.split(), 4)) for line in lines]


def test_known_order_is_worth_more_than_none() -> None:
    model = WordOrder.learn(texts(1, 100))
    new = texts(2, 50)
    told = [model.bits_per_word(lines) for lines in new]
    mixed = [model.bits_per_word(shuffled(lines, seed)) for seed, lines in enumerate(new)]
    assert min(told) > max(mixed)
    assert max(mixed) < 1 < min(told)


@pytest.mark.parametrize("lines", [[], [""], ["", " "], ["a"], ["ab"], ["\u0b95", ""]])
def test_short_texts_are_worth_a_number(lines: list[str]) -> None:
    assert abs(WordOrder.learn(texts(1, 5)).bits_per_word(lines)) < 5


def test_it_stands_beside_the_model_of_characters(tmp_path: Path) -> None:
    order, new = WordOrder.learn(texts(1, 20)), texts(2, 1)[0]
    model = CharModel.learn(["kuno mira"], bits=10)
    save(tmp_path / "both.npz", {"trusted": model}, order)
    save(tmp_path / "one.npz", {"trusted": model})
    found = load_order(tmp_path / "both.npz")
    assert found is not None
    assert found.bits_per_word(new) == order.bits_per_word(new)
    assert load_order(tmp_path / "one.npz") is None
    (tmp_path / "damaged.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match="no file of language models"):
        load_order(tmp_path / "damaged.npz")
