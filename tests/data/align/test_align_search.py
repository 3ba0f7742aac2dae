"""The search: beads cover both sides once, posteriors agree with the sum over all paths, anchors and locks hold."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.data.align.aligner import Options, align, split_at
from seshat.data.align.anchors import Anchored, Side, anchor
from seshat.data.align.beads import SHAPES, Bead, Block
from seshat.data.align.dynamic import IMPOSSIBLE, Band, Lattice, best_path, posteriors
from seshat.data.align.length import LengthModel
from seshat.data.align.lexical import Links, Vocabulary, linked_weight
from seshat.data.align.lexical import Side as Numbered

LINES = st.lists(st.text(alphabet="ab c.é0", min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=12)


def whole(source: list[str], target: list[str]) -> Anchored:
    return anchor(Side.of(source), Side.of(target), "none")


def covers(beads: list[Bead], source: int, target: int) -> bool:
    """Whether every line of both sides stands in exactly one bead, and the beads run forward."""
    rows = [line for bead in beads for line in range(*bead.source)]
    columns = [line for bead in beads for line in range(*bead.target)]
    return rows == list(range(source)) and columns == list(range(target))


@settings(deadline=None, max_examples=30)
@given(source=LINES, target=LINES, gap=st.integers(1, 20))
def test_beads_cover_both_sides_once_and_run_forward(source: list[str], target: list[str], gap: int) -> None:
    (beads,) = align([whole(source, target)], options=Options(max_gap=gap, passes=3))
    assert covers(beads, len(source), len(target))
    assert all(0.0 <= bead.confidence <= 1.0 for bead in beads)


@settings(deadline=None, max_examples=25)
@given(source=LINES, target=LINES, data=st.data())
def test_locked_beads_stand_and_the_rest_is_covered(source: list[str], target: list[str], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(source) - 1))
    j = data.draw(st.integers(0, len(target) - 1))
    lock = Bead(
        (i, data.draw(st.integers(i + 1, len(source)))), (j, data.draw(st.integers(j + 1, len(target)))), locked=True
    )
    (beads,) = align([whole(source, target)], [[lock]], options=Options(passes=2))
    assert lock in beads
    assert covers(beads, len(source), len(target))


def test_locked_beads_may_cross() -> None:
    document = whole([f"s{n}" for n in range(6)], [f"t{n}" for n in range(6)])
    locks = [Bead((1, 2), (4, 5), locked=True), Bead((4, 5), (1, 2), locked=True)]
    (beads,) = align([document], [locks], options=Options(passes=2))
    assert set(locks) <= set(beads)
    assert sorted(line for bead in beads for line in range(*bead.source)) == list(range(6))
    assert sorted(line for bead in beads for line in range(*bead.target)) == list(range(6))


@pytest.mark.parametrize("size", [(60, 200), (200, 60), (1, 300), (300, 1), (150, 150)])
def test_very_different_sizes_and_narrow_bands(size: tuple[int, int]) -> None:
    rng = random.Random(7)
    source, target = (["x" * rng.randint(1, 30) for _ in range(count)] for count in size)
    (beads,) = align([whole(source, target)], options=Options(max_gap=10, passes=4))
    assert covers(beads, *size)


def random_lattice(seed: int, rows: int, columns: int, gap: int) -> Lattice:
    rng = np.random.default_rng(seed)
    band = Band.around([Block((0, rows), (0, columns))], gap)
    scores = {shape: rng.normal(-2, 1, (rows + 1, band.width)).astype(np.float32) for shape in SHAPES}
    return Lattice(band, scores, rng.normal(-3, 1, rows), rng.normal(-3, 1, columns))


def all_paths(lattice: Lattice, row: int, column: int) -> list[tuple[float, tuple[Bead, ...]]]:
    """Every path from a node to the end with its score, by brute force."""
    band = lattice.band
    if (row, column) == (band.rows - 1, int(band.high[-1])):
        return [(0.0, ())]
    found = []
    for a, b in [*SHAPES, (1, 0), (0, 1)]:
        i, j = row + a, column + b
        if i >= band.rows or not band.low[i] <= j <= band.high[i]:
            continue
        place = column - int(band.low[row])
        if (a, b) == (1, 0):
            score = float(lattice.drop_source[row])
        elif (a, b) == (0, 1):
            score = float(lattice.drop_target[column])
        else:
            score = float(lattice.scores[a, b][row, place])
        bead = Bead((row, i), (column, j))
        found += [(score + rest, (bead, *path)) for rest, path in all_paths(lattice, i, j)]
    return found


@pytest.mark.parametrize(("rows", "columns", "gap"), [(3, 4, 10), (4, 3, 1), (1, 5, 2), (4, 4, 2)])
def test_search_agrees_with_all_paths(rows: int, columns: int, gap: int) -> None:
    lattice = random_lattice(rows * 10 + columns, rows, columns, gap)
    paths = all_paths(lattice, 0, 0)
    assert best_path(lattice) == list(max(paths, key=lambda path: path[0])[1])
    total = math.log(sum(math.exp(score) for score, _ in paths))
    found = posteriors(lattice)
    for bead in set(itertools.chain.from_iterable(path for _, path in paths)):
        share = sum(math.exp(score - total) for score, path in paths if bead in path)
        assert found.of(bead) == pytest.approx(share, abs=1e-5)
    expected = sum(math.exp(score - total) * len(path) for score, path in paths)
    assert sum(found.counts().values()) == pytest.approx(expected, rel=1e-4)


def test_a_bead_stays_between_two_anchors() -> None:
    source = ["1 aaaa", "2 bbbb", "cccc", "3 dddd"]
    target = ["1 zz", "yyyyyyyy", "xxxx", "2 wwww", "3 vv"]
    document = anchor(Side.of(source), Side.of(target), "verses")
    assert document.scheme == "verses"
    (beads,) = align([document])
    block_of = {0: 0, 1: 1, 2: 1, 3: 2}, {0: 0, 1: 0, 2: 0, 3: 1, 4: 2}
    for bead in beads:
        places = {block_of[0][line] for line in range(*bead.source)} | {
            block_of[1][line] for line in range(*bead.target)
        }
        assert len(places) == 1
    assert covers(beads, 4, 5)


def test_a_lock_wins_over_an_anchor() -> None:
    blocks = [Block((0, 2), (0, 2)), Block((2, 4), (2, 4))]
    lock = Bead((1, 3), (0, 2), locked=True)
    assert split_at(blocks, [lock]) == [Block((0, 1), (0, 0)), Block((1, 3), (0, 2)), Block((3, 4), (2, 4))]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_linked_weight_is_what_loops_would_give(data: st.DataObject) -> None:
    texts = [data.draw(st.lists(st.lists(st.sampled_from("abcd"), max_size=4), min_size=1, max_size=5)) for _ in "st"]
    words = [Vocabulary.of([*text, "abcd"]) for text in texts]
    rows = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.25, 0.5, 1.0]))))
    links = Links.merged([Links.of(rows)])
    best = {(int(s), int(t)): float(v) for s, t, v in zip(links.source, links.target, links.value, strict=True)}
    assert all(best[s, t] >= v for s, t, v in rows)
    one, other = (Numbered.of(text, vocabulary) for text, vocabulary in zip(texts, words, strict=True))
    found = linked_weight(one, other, links, 3)
    for run, i, j in itertools.product(range(3), range(len(texts[0])), range(len(texts[1]))):
        near = [words[1].number[word] for line in texts[1][j : j + run + 1] for word in line]
        mine = [words[0].number[word] for word in texts[0][i]]
        expected = sum(words[0].weight[s] * max((best.get((s, t), 0.0) for t in near), default=0.0) for s in mine)
        assert found[run][i, j] == pytest.approx(expected, abs=1e-5)


def test_lengths_that_agree_score_more_than_lengths_that_do_not() -> None:
    model = LengthModel(1.2)
    target = np.array([60.0])
    even, odd = (model.together(np.array([length]), target, 1) for length in (50.0, 10.0))
    assert even > model.alone(target) > odd


def test_length_model_learns_ratio_and_variance_in_spite_of_wrong_pairs() -> None:
    rng = random.Random(5)
    pairs = []
    for _ in range(2000):
        length = rng.randint(20, 120)
        pairs.append((length, round(length * 1.5 + rng.gauss(0, math.sqrt(3.0 * length * 1.5)))))
    pairs += [(100, 10), (10, 100)] * 50
    model = LengthModel(1.0).learned(pairs)
    assert model.ratio == pytest.approx(1.5, abs=0.05)
    # A t-distribution of 4 degrees with the median of this normal one: 3 * .4549 / .5486.
    assert model.variance == pytest.approx(2.5, abs=0.6)
    assert LengthModel(1.3).learned([]) == LengthModel(1.3)


def test_impossible_is_never_taken() -> None:
    lattice = random_lattice(3, 5, 5, 10)
    for shape, table in lattice.scores.items():
        if shape != (1, 1):
            table[:] = IMPOSSIBLE
    assert {bead.shape for bead in best_path(lattice)} <= {(1, 1), (1, 0), (0, 1)}
