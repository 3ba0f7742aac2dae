"""The test set cut by what is hard."""

from __future__ import annotations

import pytest

from seshat.config import Direction
from seshat.core.records import Entry, Meta, Segment
from seshat.evaluation.slices import SMALL, Slice, cut, has_name, score_slices
from seshat.evaluation.testbed import Material
from seshat.scores import METRICS, Metric
from seshat.scores.metrics import Scorer, corpus_scores
from seshat.scores.significance import bootstrap, interval

DIRECTION = Direction("xx", "en")


def segments(*sources: str, genres: tuple[str, ...] = ()) -> list[Segment]:
    return [
        Segment(
            id=str(number),
            texts={"xx": source, "en": "x"},
            meta=Meta(genre=genres[number] if genres else None),
        )
        for number, source in enumerate(sources)
    ]


def material(*words: str, entries: tuple[Entry, ...] = ()) -> Material:
    return Material((), {"xx": set(words), "en": set()}, {"xx": set(words), "en": set()}, entries)


def parts(found: list[Slice], group: str) -> dict[str, tuple[int, ...]]:
    return {part.name: part.members for part in found if part.group == group}


def test_every_group_holds_every_sentence_once() -> None:
    test = segments(
        "nua kala", "Nua Topo kala <gap>", "suku", "suku miri nua pana wey", genres=("tale", "tale", "law", "")
    )
    pana = Entry(id="1", lang="xx", headword="Pana")
    found = cut(test, DIRECTION, material("nua", "kala", "suku", entries=(pana,)))
    groups = {part.group for part in found}
    assert groups == {
        "Length of the source",
        "Words that training never saw",
        "Words only in the lexicon",
        "Proper names",
        "Damaged passages",
        "Genre",
    }
    for group in groups:
        members = sorted(member for members in parts(found, group).values() for member in members)
        assert members == [0, 1, 2, 3]


def test_where_each_sentence_belongs() -> None:
    test = segments("nua kala", "Nua Topo kala <gap>", "suku", "suku miri nua pana wey")
    pana = Entry(id="1", lang="xx", headword="Pana")
    found = cut(test, DIRECTION, material("nua", "kala", "suku", entries=(pana,)))
    assert parts(found, "Damaged passages") == {"has a damaged passage": (1,), "complete": (0, 2, 3)}
    assert parts(found, "Proper names") == {"has a proper name": (1,), "has none": (0, 2, 3)}
    assert parts(found, "Words only in the lexicon")["has a word known only from the lexicon"] == (3,)
    unseen = parts(found, "Words that training never saw")
    assert unseen == {"no unseen word": (0, 2), "up to half unseen": (1,), "more than half unseen": (3,)}
    assert parts(found, "Genre") == {}, "all alike: nothing to compare"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Nua kala Topo.", True),
        ("Nua kala. Suku miri!", False),
        ("“Nua” kala", False),
        ("NUA KALA", False),
        ("ni tara kala", True),
        ("நாய் தூங்குகிறது", False),
        ("", False),
    ],
)
def test_proper_names(text: str, named: bool) -> None:
    assert has_name(text, {"tara"}) is named


def test_rare_sources_are_put_together() -> None:
    genres = ("a", "a", *(f"g{number:02}" for number in range(20)))
    found = parts(cut(segments(*["nua"] * 22, genres=genres), DIRECTION, material("nua")), "Genre")
    assert len(found) == 12
    assert found["a"] == (0, 1)
    assert len(found["others"]) == 10


def test_speakers_and_sessions() -> None:
    who = [{"speaker": "Ana"}, {"speaker": "Ben", "extra": {"session.title": "fishing"}}, {}]
    test = [
        one.model_copy(update={"meta": Meta.model_validate(about)})
        for one, about in zip(segments(*["nua"] * 3), who, strict=True)
    ]
    found = cut(test, DIRECTION, material("nua"))
    assert parts(found, "Speaker") == {"Ana": (0,), "Ben": (1,), "not stated": (2,)}
    assert parts(found, "Session") == {"not stated": (0, 2), "fishing": (1,)}


@pytest.mark.parametrize("headline", METRICS)
def test_scores_of_a_slice_are_those_of_its_sentences(headline: Metric) -> None:
    references = ["the dog sleeps by the river", "the river runs", "two old women go home"] * 10
    texts = ["the dog sleeps by a river", "a river", "two old women go out"] * 10
    counts = {"model": Scorer(references).count(texts)}
    short, tiny = Slice("g", "short", tuple(range(0, 30, 3)) * 2), Slice("g", "tiny", (1, 2))
    rows = score_slices([short, tiny], counts, headline, 100, 1)
    assert rows[1].small is True
    assert rows[0].small is (len(short.members) < SMALL)
    chosen = {"model": counts["model"][[1, 2]]}
    column = METRICS.index(headline)
    low, high = interval(bootstrap(chosen, 100, 1)["model"][:, column])
    assert rows[1].systems["model"].model_dump() == pytest.approx(
        {"score": corpus_scores(chosen["model"])[column], "low": low, "high": high}, abs=1e-3
    )
