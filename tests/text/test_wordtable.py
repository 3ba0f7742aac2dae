"""The word-translation table: IBM model 1 against a plain rendering of the textbook, and its file."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.core.errors import DataError
from seshat.text import wordtable
from seshat.text.wordtable import WordTable

Pairs = list[tuple[list[str], list[str]]]
WORDS = st.lists(st.sampled_from("abcde"), max_size=5)
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=12)


def textbook(pairs: Pairs, iterations: int, null: bool) -> dict[tuple[str, str], float]:
    """IBM model 1 as every introduction writes it, with dictionaries and loops."""
    pairs = [(([""] if null else []) + source, target) for source, target in pairs if source and target]
    table: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts: dict[tuple[str, str], float] = defaultdict(float)
        totals: dict[str, float] = defaultdict(float)
        for source, target in pairs:
            for t in target:
                norm = sum(table[s, t] for s in source)
                for s in source:
                    counts[s, t] += table[s, t] / norm
                    totals[s] += table[s, t] / norm
        table = defaultdict(float, {(s, t): count / totals[s] for (s, t), count in counts.items()})
    return dict(table)


@settings(deadline=None, max_examples=60)
@given(pairs=PAIRS, null=st.booleans())
def test_agrees_with_the_textbook(pairs: Pairs, null: bool) -> None:
    expected = textbook(pairs, 3, null)
    table = WordTable.train(pairs, 3, null=null, min_probability=0.0)
    assert len(table) == len(expected)
    for (source, target), value in expected.items():
        assert table.probability(source, target) == pytest.approx(value, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(pairs=PAIRS, data=st.data())
def test_a_weight_is_as_good_as_repeating_the_pair(pairs: Pairs, data: st.DataObject) -> None:
    weights = [data.draw(st.integers(1, 3)) for _ in pairs]
    repeated = [pair for pair, weight in zip(pairs, weights, strict=True) for _ in range(weight)]
    weighted, plain = WordTable.train(pairs, weights=weights), WordTable.train(repeated)
    for source in plain.source_words:
        for target in plain.target_words:
            assert weighted.probability(source, target) == pytest.approx(plain.probability(source, target), abs=1e-6)


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    pairs = [(rng.choices("abcdefgh", k=4), rng.choices("stuvwxyz", k=5)) for _ in range(200)]
    whole = WordTable.train(pairs)
    monkeypatch.setattr(wordtable, "_CHUNK", 50)
    parts = WordTable.train(pairs)
    assert whole.target_words == parts.target_words
    assert whole.targets.tolist() == parts.targets.tolist()
    assert whole.probabilities.tolist() == pytest.approx(parts.probabilities.tolist())


def test_finds_the_hidden_dictionary() -> None:
    rng = random.Random(1)
    lexicon = {f"s{i}": f"t{i}" for i in range(50)}
    pairs: Pairs = []
    for _ in range(600):
        source = rng.sample(sorted(lexicon), 5)
        target = [lexicon[word] for word in source]
        rng.shuffle(target)
        pairs.append((source, ["the", *target]))
    table = WordTable.train(pairs)
    assert all(table.best(source) == target for source, target in lexicon.items())
    # The word that stands everywhere belongs to the null word, not to one of the others.
    assert table.best(wordtable.NULL) == "the"


def test_candidates_are_ordered_and_limited() -> None:
    table = WordTable.train([(["a"], ["x"]), (["a"], ["x"]), (["a"], ["y"])], null=False)
    assert [word for word, _ in table.candidates("a", 5)] == ["x", "y"]
    assert [value for _, value in table.candidates("a", 5)] == pytest.approx([2 / 3, 1 / 3])
    assert [word for word, _ in table.candidates("a", 1)] == ["x"]
    assert table.known("a")
    assert not table.known("b")
    assert table.best("b") is None
    assert table.candidates("b", 3) == []
    assert table.probability("a", "z") == 0.0


def test_one_sided_and_enormous_pairs_teach_nothing() -> None:
    enormous = (["a"] * 300, ["b"] * 300)
    table = WordTable.train([([], ["x"]), (["y"], []), enormous])
    assert len(table) == 0
    assert table.best("a") is None
    assert len(WordTable.train([])) == 0


def test_file_is_the_same_for_the_same_data(tmp_path: Path) -> None:
    pairs: Pairs = [(["நான்", "வா"], ["I", "come"]), (["நான்"], ["I"]), (["line\nbreak"], ["x y"])]
    for name in ("one.npz", "two.npz"):
        WordTable.train(pairs).save(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    loaded, table = WordTable.load(tmp_path / "one.npz"), WordTable.train(pairs)
    assert loaded.source_words == table.source_words
    for word in table.source_words:
        assert loaded.candidates(word, 9) == table.candidates(word, 9)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_table_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"table\.npz"):
        WordTable.load(path)
    with pytest.raises(DataError, match=r"missing\.npz"):
        WordTable.load(tmp_path / "missing.npz")
