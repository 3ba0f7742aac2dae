"""Anchors: found where both sides carry them in one order, left alone where they do not."""

from __future__ import annotations

import pytest

from seshat.data.align.anchors import Anchored, Side, anchor
from seshat.data.align.beads import Block


def cut(source: list[str], target: list[str], wanted: str = "auto") -> Anchored:
    return anchor(Side.of(source), Side.of(target), wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", ["{}. {}", "[{}] {}", "({}) {}", "txt-{} {}", "1:{}\t{}", "GEN 1:{} {}", "{}a {}"])
def test_ids_are_found_and_taken_off(pattern: str) -> None:
    source = [pattern.format(n, f"uno{n}") for n in (1, 2, 3, 5)]
    target = [pattern.format(n, f"eins{n}") for n in (1, 2, 4, 5)]
    found = cut(source, target)
    assert found.scheme == "ids"
    assert found.source.lines == ("uno1", "uno2", "uno3", "uno5")
    assert found.blocks == (Block((0, 1), (0, 1)), Block((1, 3), (1, 3)), Block((3, 4), (3, 4)))


def test_ids_in_another_order_are_not_anchors() -> None:
    assert cut(["1. a", "2. b", "3. c", "4. d"], ["4. w", "3. x", "2. y", "1. z"]).scheme == "none"


def test_years_and_counts_at_the_start_of_a_line_are_not_ids() -> None:
    source = ["1956 was cold", "they came", "3 men left", "and so on", "the end"]
    target = ["1956 fue frío", "llegaron", "3 hombres salieron", "y así", "fin"]
    found = cut(source, target)
    assert found.scheme == "none"
    assert found.source.lines == tuple(source)


def test_verses_go_over_lines_and_start_again_with_a_chapter() -> None:
    source = ["Chapter one", "1 aa", "2 bb", "cc", "3 dd", "1 ee", "2 ff"]
    target = ["1 zz", "2 yy", "3 xx", "ww", "1 vv", "uu", "2 tt"]
    found = cut(source, target)
    assert found.scheme == "verses"
    assert found.blocks == (
        Block((0, 1), (0, 0)),
        Block((1, 2), (0, 1)),
        Block((2, 4), (1, 2)),
        Block((4, 5), (2, 4)),
        Block((5, 6), (4, 6)),
        Block((6, 7), (6, 7)),
    )
    assert found.source.lines[1:4] == ("aa", "bb", "cc")


def test_paragraphs_pair_by_number_where_lengths_agree() -> None:
    source = ["first line of it", "second", "", "", "another paragraph here", ""]
    target = ["primera y segunda línea", "", "otro párrafo por aquí", "y más"]
    found = cut(source, target)
    assert found.scheme == "blank-lines"
    assert found.blocks == (Block((0, 2), (0, 1)), Block((2, 3), (1, 3)))
    assert found.source.labels == ("1", "2", "5")


def test_paragraphs_whose_lengths_contradict_are_not_anchors() -> None:
    long, short = "x" * 200, "y"
    assert cut([long, "", short, "", long], [short, "", long, "", long]).scheme == "none"
    assert cut([long, "", short], [long, "", short, "", long], "blank-lines").scheme == "none"


def test_none_means_none() -> None:
    found = cut(["1. a", "2. b"], ["1. c", "2. d"], "none")
    assert found.blocks == (Block((0, 2), (0, 2)),)
    assert found.source.lines == ("1. a", "2. b")


def test_sentences_stay_in_their_block() -> None:
    found = cut(["1. One. Two.", "2. Three."], ["1. Uno. Dos. Más.", "2. Tres."]).sentences()
    assert found.blocks == (Block((0, 2), (0, 3)), Block((2, 3), (3, 4)))
    assert found.target.labels == ("1.1", "1.2", "1.3", "2")
