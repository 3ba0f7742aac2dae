"""Sentences of texts that run on: found by a list of first words, or cut to fit the translation."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config import Config
from seshat.config.align import CutSection, StartsSection
from seshat.config.clean import Profile
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Access, Document, Meta, Segment
from seshat.data.align import stage as align
from seshat.data.align.cut import Text, cut
from seshat.data.align.starts import Start, find_starts
from seshat.data.align.whole import Tally, by_cutting, by_list, read_sentences
from seshat.project.folder import Project
from seshat.text.normalise import Normaliser

LANGUAGES = ("qaa", "en")
NOUNS = ["bakum", "direm", "fotal", "gunis", "hepon", "jirat", "kolum", "lamek", "mivon", "nasur", "pelik", "rodan"]
MEANINGS = "man house river silver tablet donkey seal son brother city tin merchant"
WORDS = dict(zip(NOUNS, MEANINGS.split(" "), strict=True))
OPENING = {"um": "thus", "kani": "behold", "sul": "concerning"}


def tablet(rng: random.Random) -> tuple[list[list[str]], list[str]]:
    """Sentences of a made-up language in words, and their translations; openings stand mostly at the beginning."""
    own, other = [], []
    for _ in range(rng.randint(2, 5)):
        opening = rng.choice(list(OPENING))
        words = rng.choices(list(WORDS), k=rng.randint(2, 7))
        own.append([opening, *words])
        other.append(f"{OPENING[opening]} the {' the '.join(WORDS[word] for word in reversed(words))}.".capitalize())
    return own, other


def test_starts_are_found_although_numbers_drift_and_spelling_differs() -> None:
    text = "um-ma bakum 10 direm fotal a-na gunis 2 ½ ma-na hepon šu-ma jirat kolum"
    words = text.split()
    starts = [Start("um-ma", 1), Start("a-na", 7), Start("ma-na", 10), Start("szu-ma", 13)]
    found = find_starts(words, starts)
    assert [place[0] if place else None for place in found] == [0, 5, 7, 11]
    assert found[3] is not None
    assert found[3][1] < 1


def test_a_start_that_is_not_there_is_left_out() -> None:
    found = find_starts(["um-ma", "bakum", "a-na", "direm"], [Start("um-ma", 1), Start("qqq", 2), Start("a-na", 3)])
    assert [place and place[0] for place in found] == [0, None, 2]


@given(st.lists(st.sampled_from(["um", "ma", "12", "ki", "½"]), max_size=15), st.lists(st.integers(1, 15), max_size=6))
@settings(deadline=None, max_examples=100)
def test_starts_are_in_order_and_inside_the_text(words: list[str], numbers: list[int]) -> None:
    found = find_starts(words, [Start("ki", number) for number in sorted(numbers)])
    places = [place[0] for place in found if place is not None]
    assert places == sorted(set(places))
    assert all(0 <= place < len(words) for place in places)


def test_cuts_fall_where_the_sentences_part() -> None:
    rng = random.Random(3)
    tablets = [tablet(rng) for _ in range(60)]
    texts = [Text([word for one in own for word in one], [s.lower().strip(".").split() for s in other])
             for own, other in tablets]  # fmt: skip
    right = total = 0
    for (own, _), text, runs in zip(tablets, texts, cut(texts), strict=True):
        assert [run.start for run in runs] == [0, *(run.end for run in runs[:-1])]
        assert runs[-1].end == len(text.words)
        ends = {sum(map(len, own[: place + 1])) for place in range(len(own) - 1)}
        right += len(ends & {run.end for run in runs})
        total += len(ends)
    assert right / total > 0.95


def test_a_text_that_is_too_short_is_not_cut() -> None:
    assert cut([Text(["a"], [["x"], ["y"]]), Text([], [])]) == [[], []]


@pytest.fixture
def section() -> StartsSection:
    columns = {"document": "tablet", "order": "n", "text": "english", "word": "first", "number": "place"}
    return StartsSection.model_validate(
        {"name": "listed", "path": "list.csv", "language": "qaa", "columns": columns, "access": "registered"}
    )


def test_pairs_by_a_list(tmp_path: Path, section: StartsSection) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "tablet,n,english,first,place\nt1,2,Concerning the man,sul,4\nt1,1,Thus the river,um,1\nt1,3,The tin,qqq,6\n"
        "t2,1,Nobody has this tablet,um,1\nt1,x,Bad,um,1\nt1,4,,um,1\n",
        encoding="utf-8",
    )
    rows, problems = read_sentences(path, section, {tag: Normaliser(Profile()) for tag in LANGUAGES}, LANGUAGES)
    assert problems == [
        "list.csv:6: order or number is no number",
        "list.csv:7: the translation or the first word is empty",
    ]
    tally = Tally()
    texts = {"t1": ("um fotal direm sul bakum pelik", Meta(doc_id="t1", access=Access.PUBLIC))}
    pairs = list(by_list(texts, rows, section, LANGUAGES, 0.6, tally))
    assert [pair.texts for pair in pairs] == [
        {"qaa": "um fotal direm", "en": "Thus the river"},
        {"qaa": "sul bakum pelik", "en": "Concerning the man The tin"},
    ]
    assert [pair.meta.tags for pair in pairs] == [(), ("align:low-confidence",)]
    assert {pair.meta.access for pair in pairs} == {Access.REGISTERED}
    assert (tally.documents, tally.sentences, tally.found, tally.without_document) == (1, 4, 2, 1)


def test_a_list_without_a_column_is_refused(tmp_path: Path, section: StartsSection) -> None:
    (tmp_path / "list.csv").write_text("tablet,n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"list\.csv:1: there is no column 'english'"):
        read_sentences(tmp_path / "list.csv", section, {}, LANGUAGES)


def test_pairs_by_cutting_keep_what_is_known_about_the_document() -> None:
    rng = random.Random(4)
    documents = []
    for number in range(40):
        own, other = tablet(rng)
        texts = {"qaa": " ".join(word for one in own for word in one), "en": " ".join(other)}
        meta = Meta(doc_id=f"t{number}", source="train", speaker="S", access=Access.PUBLIC)
        documents.append(Segment(id=f"t{number}", texts=texts, meta=meta))
    section = CutSection(sources=("train",), language="qaa", genre="sentence")
    pairs = list(by_cutting(documents, section, LANGUAGES, 0.5))
    assert len({pair.id for pair in pairs}) == len(pairs) > 80
    assert {(pair.meta.speaker, pair.meta.genre) for pair in pairs} == {("S", "sentence")}
    first = [pair for pair in pairs if pair.meta.doc_id == "t0"]
    assert " ".join(pair.texts["qaa"] for pair in first) == documents[0].texts["qaa"]
    assert [pair.meta.order for pair in first] == list(range(len(first)))


@pytest.mark.parametrize("most", [1.5, None])
def test_pairs_in_another_language_than_they_claim_are_tagged_but_for_a_fixed_test_set(
    tmp_path: Path, most: float | None
) -> None:
    """By a list, by cutting, and out of parallel documents."""
    columns = {"document": "tablet", "order": "n", "text": "english", "word": "first", "number": "place"}
    settings = {
        "project": {"language": "qaa", "pivot": "en", "max_access": "public"},
        "clean": {"filters": {"max_foreign_words": most}},
        "align": {
            "starts": [{"name": "listed", "path": "list.csv", "language": "qaa", "columns": columns}],
            "cut": {"sources": ["train"], "language": "qaa"},
        },
    }
    project = Project(tmp_path, Config.model_validate(settings))
    german = "Der Mann hat dir das Silber noch nicht gegeben."
    project.raw.mkdir(parents=True)
    rows = (f"{name},1,Thus the river is,um,1\n{name},2,{german},sul,4\n" for name in ("learnt", "fixed"))
    (project.raw / "list.csv").write_text("tablet,n,english,first,place\n" + "".join(rows), encoding="utf-8")
    text = "um fotal direm sul bakum pelik"
    metas = {"learnt": Meta(doc_id="learnt", source="list"), "fixed": Meta(doc_id="fixed", source="list", split="test")}
    whole = [Segment(id=name, texts={"qaa": text}, meta=meta) for name, meta in metas.items()]
    whole.append(
        Segment(id="cut", texts={"qaa": text, "en": f"Thus the river is. {german}"}, meta=Meta(source="train"))
    )
    write_jsonl(project.cleaned / "segments.jsonl", whole)
    lines = {"qaa": ("um fotal direm", "sul bakum pelik"), "en": ("Thus the river is here.", german)}
    parallel = [Document(id="story", texts=lines), Document(id="exam", texts=lines, meta=Meta(split="test"))]
    write_jsonl(project.cleaned / "documents.jsonl", parallel)

    align.run(project)

    made = list(read_jsonl(project.aligned / "segments.jsonl", Segment))
    foreign = [one for one in made if "Silber" in one.texts.get("en", "")]
    tagged = {one.id for one in made if "clean:other-language" in one.meta.tags}
    assert sorted(one.id.split(":")[0] for one in foreign) == ["cut", "exam", "listed", "listed", "story"]
    assert tagged == ({one.id for one in foreign if one.meta.split != "test"} if most else set())
    report = json.loads((project.aligned / "report.json").read_text(encoding="utf-8"))
    assert report["tags"].get("clean:other-language", 0) == len(tagged) == (3 if most else 0)
