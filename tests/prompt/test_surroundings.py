from __future__ import annotations

import random

from seshat.config.prompt import MOST_CONTEXT
from seshat.core.records import Meta, Method, Segment
from seshat.prompt.request import document, of_segments
from seshat.prompt.surroundings import Surroundings


def at(order: int | None, text: str = "", **meta: object) -> Segment:
    known = Meta.model_validate({"doc_id": "d", "order": order, "source": "s", "genre": "sentence", **meta})
    return Segment(id=f"{text}{order}", texts={"xx": text or f"n{order}"}, meta=known)


def test_the_nearest_sentences_of_the_document_wherever_they_stand_in_the_file() -> None:
    file = [at(order) for order in range(5)] + [at(0, "other", doc_id="e"), at(None, "nowhere"), at(0, doc_id=None)]
    file += [at(2, "n2")]  # upsampled
    random.Random(1).shuffle(file)
    two = Surroundings(file, 2)
    found = {order: two.texts(at(order), "xx") for order in (0, 1, 4, 9, None)}
    assert found == {0: (), 1: ("n0",), 4: ("n2", "n3"), 9: ("n3", "n4"), None: ()}
    assert two.texts(at(3, doc_id=None), "xx") == ()
    assert two.texts(at(3, doc_id="e"), "xx") == ("other",)
    assert two.texts(at(3), "es") == ()


def test_only_the_same_cut_of_a_document() -> None:
    file = [
        at(0, "whole", genre="tablet"),
        at(0, "listed 0", source="list", genre="sentence, listed"),
        at(1, "listed 1", source="list", genre="sentence, listed"),
        at(0, "cut 0"),
        at(1, "cut 1"),
        at(2, "cut 2"),
    ]
    all_before = Surroundings(file, 9)
    assert all_before.texts(file[5], "xx") == ("cut 0", "cut 1")
    assert all_before.texts(file[2], "xx") == ("listed 0",)
    assert all_before.texts(file[0], "xx") == ()
    # one source that has both, and two sources with one genre
    mixed = Surroundings([at(0, "whole", genre="tablet"), at(0, "theirs", source="list"), at(1, "cut 1")], 9)
    assert mixed.texts(at(1), "xx") == ()


def test_what_people_wrote_stands_before_what_was_made() -> None:
    made, said = at(0, "made", method=Method.SYNTHETIC), at(0, "said")
    for file in ([made, said], [said, made]):
        assert Surroundings(file, 1).texts(at(1), "xx") == ("said",)
    assert Surroundings([made], 1).texts(at(1), "xx") == ("made",)


def test_nothing_is_read_for_no_sentences() -> None:
    file = iter([at(0), at(1)])
    assert Surroundings(file, 0).before(at(1)) == ()
    assert next(file).meta.order == 0


def test_a_text_that_stands_there_twice_has_its_own_sentences_before_each_time() -> None:
    file = [at(0, "a"), at(1, "same"), at(2, "b"), at(3, "same")]
    assert [one.before for one in of_segments(file, "xx", 1)] == [(), ("a",), ("same",), ("b",)]


def test_lines_of_a_document_follow_one_another_and_blank_ones_stand_before_none() -> None:
    lines = list(document(["a", "", " b ", "a"], n_best=2))
    assert [one.before for one in lines] == [(), ("a",), ("a",), ("a", "b")]
    assert [one.text for one in lines] == ["a", "", " b ", "a"]
    assert lines[3].trimmed(1).before == ("b",) and lines[3].trimmed(0).before == ()
    assert {one.n_best for one in lines} == {2}
    many = list(document(str(n) for n in range(100)))
    assert many[-1].before == tuple(str(n) for n in range(99 - MOST_CONTEXT, 99))
