from __future__ import annotations

import json
import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config import Config
from seshat.core.errors import CheckFailed, DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Access, Entry, Example, Meta, Method, Segment, Sense
from seshat.data.assign import NONE, Assignment, Role, Rows, assign
from seshat.data.split import copies, run
from seshat.project.folder import Project

WORDS = [
    "jema",
    "nete",
    "joni",
    "ainbo",
    "bake",
    "paro",
    "wai",
    "xobo",
    "bero",
    "kano",
    "yapa",
    "atapa",
    "nami",
    "bari",
]


def sentence(source: random.Random, length: int = 9) -> str:
    return " ".join(source.choice(WORDS) + source.choice(["n", "ki", "ra", "bo", "", "nko"]) for _ in range(length))


def segments(count: int, *, documents: int, seed: int = 1, source: str = "book", **meta: Any) -> list[Segment]:
    rng = random.Random(seed)
    size = -(-count // documents)
    return [
        Segment(
            id=f"{source}:{i}",
            texts={"xx": sentence(rng), "es": f"{sentence(rng)} {i}"},
            meta=Meta(doc_id=f"doc{i // size}", source=source, **meta),
        )
        for i in range(count)
    ]


def make(
    tmp_path: Path,
    records: list[Segment],
    entries: list[Entry] = [],  # noqa: B006
    max_access: str = "restricted",
    **split: Any,
) -> Project:
    sources = [{"name": name, "path": f"{name}.csv"} for name in split.get("upsample", {})]
    project = Project(
        tmp_path,
        Config.model_validate(
            {"split": split, "ingest": {"sources": sources}, "project": {"pivot": "es", "max_access": max_access}}
        ),
    )
    write_jsonl(project.cleaned / "segments.jsonl", records)
    write_jsonl(project.cleaned / "entries.jsonl", entries)
    return project


def read(project: Project, name: str) -> list[Segment]:
    return list(read_jsonl(project.processed / f"{name}.jsonl", Segment))


def sets(project: Project) -> dict[str, set[str]]:
    return {name: {s.id for s in read(project, name)} for name in ("train", "validation", "test")}


def test_shares_and_documents(tmp_path: Path) -> None:
    project = make(tmp_path, segments(1000, documents=100))
    report = run(project)
    assert report["counts"] == {"train": 850, "validation": 50, "test": 100, "monolingual": 0}
    documents = {n: {s.meta.doc_id for s in read(project, n)} for n in ("train", "validation", "test")}
    assert not documents["train"] & documents["test"]
    assert not documents["train"] & documents["validation"]
    assert not documents["validation"] & documents["test"]
    assert report["leaks"]["test"] == {"exact": 0.0, "near": 0.0}
    assert report["warnings"] == []


def test_same_seed_same_bytes_other_seed_other_split(tmp_path: Path) -> None:
    records = segments(600, documents=60)
    outputs: list[dict[str, bytes]] = []
    for seed in (13, 13, 14):
        project = make(tmp_path / str(len(outputs)), records)
        project = Project(project.root, Config.model_validate({"project": {"seed": seed, "max_access": "restricted"}}))
        run(project)
        outputs.append({p.name: p.read_bytes() for p in sorted(project.processed.iterdir())})
    assert outputs[0] == outputs[1]
    assert outputs[0]["test.jsonl"] != outputs[2]["test.jsonl"]


def test_near_duplicates_stay_together(tmp_path: Path) -> None:
    records = segments(400, documents=400)
    extra = [
        s.model_copy(
            update={
                "id": f"{s.id}-near",
                "texts": {"xx": s.texts["xx"] + "x", "es": f"{sentence(random.Random(s.id))} {i} bis"},
                "meta": s.meta.model_copy(update={"doc_id": f"other{i}"}),
            }
        )
        for i, s in enumerate(records)
    ]
    project = make(tmp_path, records + extra)
    report = run(project)
    where = {id_: name for name, ids in sets(project).items() for id_ in ids}
    assert len(where) == 800
    assert all(where[s.id] == where[f"{s.id}-near"] for s in records)
    assert report["counts"]["test"] == 80
    assert report["clusters"] == {"clusters": 400, "segments": 800, "largest": 2}


def test_adding_documents_moves_few_others(tmp_path: Path) -> None:
    records = segments(1000, documents=200)
    project = make(tmp_path / "a", records)
    run(project)
    before = sets(project)
    more = segments(50, documents=10, seed=7, source="new")
    project = make(tmp_path / "b", more + records)
    run(project)
    after = sets(project)
    old = {s.id for s in records}
    moved = sum(len(before[name] ^ (after[name] & old)) for name in before) // 2
    assert moved <= 20
    assert before["test"] & after["test"]


def test_fixed_splits_are_kept_and_what_leaks_leaves_train(tmp_path: Path) -> None:
    train = segments(100, documents=100, source="train", split="train")
    test = segments(30, documents=1, seed=2, source="dev", split="test")
    copied = train[3].model_copy(update={"id": "dev:copied", "meta": test[0].meta})
    free = segments(50, documents=50, seed=3, source="free")
    leak = test[5].model_copy(update={"id": "free:leak", "meta": Meta(doc_id="f", source="free")})
    project = make(tmp_path, [*train, *test, copied, *free, leak], test=0, validation=0.2)
    report = run(project)
    found = sets(project)
    assert found["test"] == {s.id for s in test} | {"dev:copied"}
    assert train[3].id not in found["train"]
    assert {s.id for s in train} - {train[3].id} <= found["train"]
    tags = {s.id: s.meta.tags for s in read(project, "excluded")}
    assert tags == {train[3].id: ("split:leak",), "free:leak": ("split:leak",)}
    assert report["leaks"]["test"] == {"exact": 0.0, "near": 0.0}
    assert any("1 segments that their source fixes" in warning for warning in report["warnings"])
    assert report["counts"]["validation"] == 10


def test_allow_leaks_keeps_what_a_source_fixed(tmp_path: Path) -> None:
    train = segments(40, documents=40, source="train", split="train")
    test = [s.model_copy(update={"id": f"t{s.id}", "meta": Meta(source="dev", split="test")}) for s in train[:10]]
    project = make(tmp_path, train + test, test=0, validation=0, allow_leaks=True)
    report = run(project)
    assert len(sets(project)["train"]) == 40
    assert report["leaks"]["test"] == {"exact": 1.0, "near": 1.0}


def test_duplicates_in_train_are_tagged(tmp_path: Path) -> None:
    records = segments(20, documents=20, split="train")
    double = records[4].model_copy(update={"id": "again"})
    project = make(tmp_path, [*records, double], test=0, validation=0)
    report = run(project)
    assert [(s.id, s.meta.tags) for s in read(project, "excluded")] == [("again", ("split:duplicate",))]
    assert report["excluded"] == {"split:duplicate": 1}
    assert len(read(project, "train")) == 20


def test_the_most_open_of_duplicates_is_kept(tmp_path: Path) -> None:
    records = segments(20, documents=20, split="train")
    open_one = records[4].model_copy(
        update={"id": "open", "meta": records[4].meta.model_copy(update={"access": Access.PUBLIC})}
    )
    project = make(tmp_path, [*records, open_one], test=0, validation=0)
    run(project)
    assert [s.id for s in read(project, "excluded")] == [records[4].id]


def test_tagged_records_stay_out(tmp_path: Path) -> None:
    records = segments(40, documents=40)
    records[7] = records[7].model_copy(update={"meta": records[7].meta.tagged("clean:too-long", "clean:odd")})
    project = make(tmp_path, records)
    report = run(project)
    assert [s.id for s in read(project, "excluded")] == [records[7].id]
    assert report["excluded"] == {"clean:too-long": 1}


def test_monolingual_text_is_free_of_test_sentences(tmp_path: Path) -> None:
    records = segments(200, documents=200)
    mono = [Segment(id=f"m{s.id}", texts={"es": s.texts["es"].upper()}, meta=Meta(source="wiki")) for s in records]
    project = make(tmp_path, records + mono)
    run(project)
    held_out = sets(project)["test"] | sets(project)["validation"]
    assert {s.id for s in read(project, "monolingual")} == {f"m{s.id}" for s in records if s.id not in held_out}
    assert {s.id for s in read(project, "excluded")} == {f"m{id_}" for id_ in held_out}


def _entry(number: int, texts: dict[str, str]) -> Entry:
    sense = Sense(glosses={"es": ("cosa",)}, examples=(Example(texts=texts), Example(texts={"xx": "nete bena jake"})))
    return Entry(id=f"e{number}", lang="xx", headword=f"w{number}", senses=(sense,), meta=Meta(source="dictionary"))


@pytest.mark.parametrize("wanted", [True, False])
def test_lexicon_examples(tmp_path: Path, wanted: bool) -> None:
    records = segments(30, documents=1, source="dev", split="test")
    own = segments(20, documents=20, seed=4)
    entries = [_entry(0, records[0].texts)] + [_entry(i, s.texts) for i, s in enumerate(own, start=1)]
    project = make(tmp_path, records, entries, test=0, validation=0, lexicon_examples=wanted)
    report = run(project)
    assert report["counts"]["train"] == (20 if wanted else 0)
    if wanted:
        assert {str(s.meta.method) for s in read(project, "train")} == {"extracted"}
    lexicon = {e.id: e for e in read_jsonl(project.processed / "lexicon.jsonl", Entry)}
    assert len(lexicon) == 21
    assert len(lexicon["e0"].senses[0].examples) == 1, "the example that is a test sentence is gone"
    assert len(lexicon["e1"].senses[0].examples) == 2
    assert report["lexicon"] == {"entries": 21, "examples_held_out": 1}


def test_machine_made_text_is_never_drawn_and_never_leaks(tmp_path: Path) -> None:
    records = segments(200, documents=40)
    made = [
        s.model_copy(
            update={
                "id": f"{s.id}~",
                "texts": {"xx": sentence(random.Random(s.id)), "es": s.texts["es"]},
                "meta": Meta(source="back", doc_id=None, method="synthetic"),
            }
        )
        for s in records
    ]
    project = make(tmp_path, records + made)
    run(project)
    found = sets(project)
    assert not any(id_.endswith("~") for id_ in found["test"] | found["validation"])
    assert {id_ for id_ in found["train"] if id_.endswith("~")} == {
        f"{id_}~" for id_ in found["train"] if not id_.endswith("~")
    }


def test_upsampling_only_in_train(tmp_path: Path) -> None:
    project = make(tmp_path, segments(400, documents=400), upsample={"book": 2.5})
    report = run(project)
    train = read(project, "train")
    originals = [s.id for s in train if "#" not in s.id]
    assert report["counts"]["train"] == len(originals) == 340
    assert 2.3 * 340 < len(train) < 2.7 * 340
    assert len(train) == 340 + report["upsampled"]
    assert len({s.id for s in train}) == len(train)
    assert not any("#" in id_ for name in ("validation", "test") for id_ in sets(project)[name])


def test_copies_is_a_share() -> None:
    made = [copies(Segment(id=str(i), texts={}), 1.25, seed=1) for i in range(2000)]
    assert set(made) == {1, 2}
    assert 0.2 < made.count(2) / 2000 < 0.3


def test_stratify_takes_from_every_source(tmp_path: Path) -> None:
    records = segments(300, documents=30) + segments(40, documents=20, seed=8, source="songs")
    project = make(tmp_path, records, stratify="source")
    report = run(project)
    assert report["sources"]["test"] == {"book": 30, "songs": 4}
    assert report["sources"]["validation"]["songs"] == 2


def test_speakers_are_drawn_as_a_whole(tmp_path: Path) -> None:
    speakers = [f"speaker {number}" for number in range(40)]
    records = [
        one.model_copy(update={"meta": one.meta.model_copy(update={"speaker": speakers[place % 41]})})
        if place % 41 < 40
        else one
        for place, one in enumerate(segments(650, documents=13))
    ]
    project = make(tmp_path, records, by="speaker")
    run(project)
    who = {one.id: one.meta.speaker for one in records}
    heard = {name: {who[id_] for id_ in ids} - {None} for name, ids in sets(project).items()}
    assert heard["test"]
    assert heard["validation"]
    assert not heard["train"] & heard["test"]
    assert not heard["train"] & heard["validation"]
    everywhere = make(tmp_path, records)
    run(everywhere)
    assert set(speakers) <= {who[id_] for id_ in sets(everywhere)["train"]}


def test_one_document_is_cut_and_said(tmp_path: Path) -> None:
    project = make(tmp_path, segments(1000, documents=1))
    report = run(project)
    assert report["counts"]["test"] == pytest.approx(100, abs=15)
    assert report["counts"]["validation"] == pytest.approx(50, abs=15)
    assert "cut into blocks" in report["warnings"][0]
    numbers = sorted(int(id_.split(":")[1]) for id_ in sets(project)["test"])
    assert sum(b - a > 1 for a, b in pairwise(numbers)) < 20, "blocks, not scattered lines"


def test_a_common_sentence_does_not_glue_all_documents(tmp_path: Path) -> None:
    records = segments(600, documents=30)
    shared = {"xx": "moatian jonibo jawen jema", "es": "hace tiempo en un pueblo"}
    for i in range(0, 600, 20):
        records[i] = records[i].model_copy(update={"texts": shared})
    project = make(tmp_path, records)
    report = run(project)
    assert "share so many sentences" in report["warnings"][0]
    assert report["counts"]["test"] >= 50
    documents = {n: {s.meta.doc_id for s in read(project, n)} for n in ("train", "validation", "test")}
    assert not documents["train"] & documents["test"]
    assert report["leaks"]["test"] == {"exact": 0.0, "near": 0.0}


def test_tiny_sets_are_warned_about(tmp_path: Path) -> None:
    report = run(make(tmp_path, segments(40, documents=40)))
    assert any("test holds 4 segments" in warning for warning in report["warnings"])


@pytest.mark.parametrize("in_documents", [True, False])
def test_shares_are_of_what_is_left_without_copies(tmp_path: Path, in_documents: bool) -> None:
    records = segments(300, documents=300)
    again = [
        s.model_copy(
            update={"id": f"{s.id}-{i}", "meta": Meta(source="again", doc_id=f"a{i}" if in_documents else None)}
        )
        for i in range(9)
        for s in records[100 * in_documents : 100 + 100 * in_documents]
    ]
    report = run(make(tmp_path, records + again, validation=0.1, test=0.15))
    counts = report["counts"]
    assert sum(counts.values()) == 300
    assert report["excluded"] == {"split:duplicate": 900}
    assert counts["test"] == pytest.approx(45, abs=5)
    assert counts["validation"] == pytest.approx(30, abs=5)
    assert report["leaks"]["test"] == {"exact": 0.0, "near": 0.0}


def test_shares_are_of_what_the_run_may_use(tmp_path: Path) -> None:
    closed = segments(900, documents=90, seed=4, source="closed", access=Access.SEALED)
    project = make(tmp_path, closed + segments(100, documents=50), max_access="community", validation=0.1, test=0.2)
    with pytest.raises(CheckFailed, match=r"all 1,000 pairs are less open than project\.max_access"):
        run(project)
    opened = segments(100, documents=50, access=Access.COMMUNITY)
    project = make(tmp_path, closed + opened, max_access="community", validation=0.1, test=0.2)
    run(project)
    admitted = {n: sum(s.meta.access is Access.COMMUNITY for s in read(project, n)) for n in ("validation", "test")}
    assert admitted == {"validation": 10, "test": 20}


def test_a_small_project_has_all_three_sets(tmp_path: Path) -> None:
    counts = run(make(tmp_path, segments(6, documents=1), max_access="restricted"))["counts"]
    assert counts == {"train": 4, "validation": 1, "test": 1, "monolingual": 0}


@pytest.mark.parametrize(
    ("records", "split", "message"),
    [
        (segments(2, documents=1), {}, "The set train would be empty: there are too few distinct pairs .* 2"),
        (segments(60, documents=60, split="train"), {}, "none of 60 pairs may be drawn: their sources fix them"),
        (segments(60, documents=60, method=Method.MACHINE), {}, "none of 60 pairs may be drawn"),
        (
            [
                s.model_copy(update={"texts": {**s.texts, "xx": "nokon jema jake riki"}})
                for s in segments(60, documents=9)
            ],
            {},
            "all 60 distinct pairs that may be drawn are near-duplicates of each other",
        ),
        (
            [*segments(9, documents=1, split="train"), *segments(60, documents=1, seed=2)],
            {},
            "the 60 distinct pairs that may be drawn all stand in the same documents",
        ),
        (
            [*segments(9, documents=1, split="test"), *segments(60, documents=1, seed=2)],
            {"validation": 0},
            "The set train would be empty: of 69 pairs all are in validation and test",
        ),
        (
            [
                *segments(60, documents=9),
                *segments(5, documents=1, seed=2, source="t", split="test", access=Access.SEALED),
            ],
            {"test": 0},
            "The set test would be empty: what its source fixes for it is less open",
        ),
    ],
)
def test_a_set_that_would_be_empty_is_an_error_with_its_cause(
    tmp_path: Path, records: list[Segment], split: dict[str, Any], message: str
) -> None:
    project = make(tmp_path, records, **split)
    with pytest.raises(CheckFailed, match=message):
        run(project)
    assert not (project.processed / "train.jsonl").exists()


def test_nothing_to_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="seshat clean"):
        run(Project(tmp_path, Config()))


def test_no_pair_at_all(tmp_path: Path) -> None:
    project = make(tmp_path, [Segment(id="a", texts={"es": "solo una lengua"})])
    report = run(project)
    assert report["counts"]["monolingual"] == 1
    assert any("No segment is in xx and es" in warning for warning in report["warnings"])


def test_report_is_json(tmp_path: Path) -> None:
    project = make(tmp_path, segments(100, documents=20))
    report = run(project)
    stored = json.loads((project.processed / "report.json").read_text(encoding="utf-8"))
    assert stored == {k: v for k, v in report.items() if k != "outputs"}
    assert all((project.root / path).is_file() for path in report["outputs"])


@st.composite
def rows_of(draw: st.DrawFn) -> Rows:
    count = draw(st.integers(1, 80))

    def column(low: int, high: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)), dtype=np.int64)

    groups = column(0, draw(st.integers(1, 100)))
    cluster = np.array([np.flatnonzero(groups == g)[0] for g in groups], dtype=np.int64)
    fixed = column(NONE, Role.TEST) if draw(st.booleans()) else np.full(count, NONE)
    return Rows(
        fixed=fixed,
        paired=column(0, 4) > 0,
        drawable=column(0, 4) > 0,
        document=column(0, draw(st.integers(1, 30))).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        stratum=column(0, 1),
        whole=column(0, 100).astype(np.uint64),
        cluster=cluster,
        access=column(0, 4),
        admitted=column(0, 4) > 0,
    )


def _assign(rows: Rows, *, keep_conflicts: bool = False) -> Assignment:
    return assign(rows, validation=0.1, test=0.2, seed=3, keep_conflicts=keep_conflicts)


@given(rows_of())
@settings(deadline=None, max_examples=100)
def test_nothing_straddles(rows: Rows) -> None:
    result = _assign(rows)
    role = result.role
    clusters, documents = defaultdict(set), defaultdict(set)
    for row in range(len(role)):
        if role[row] <= Role.TEST:
            clusters[rows.cluster[row]].add(role[row])
            if rows.fixed[row] == NONE and not result.level:
                documents[rows.document[row]].add(role[row])
        if role[row] == Role.MONOLINGUAL:
            clusters[rows.cluster[row]].add(Role.TRAIN)
    assert all(len(found) == 1 for found in clusters.values())
    assert all(len(found) == 1 for found in documents.values())


@given(rows_of())
@settings(deadline=None, max_examples=80)
def test_roles_respect_what_rows_are(rows: Rows) -> None:
    role = _assign(rows, keep_conflicts=True).role
    for row in range(len(role)):
        if not rows.paired[row]:
            assert role[row] in (Role.MONOLINGUAL, Role.LEAK)
        elif rows.fixed[row] != NONE:
            assert role[row] in (rows.fixed[row], Role.DUPLICATE)
        elif not rows.drawable[row]:
            assert role[row] in (Role.TRAIN, Role.LEAK, Role.DUPLICATE)
    for drawn in (role == Role.TRAIN, (role == Role.TEST) & (rows.fixed == NONE)):
        assert len(np.unique(rows.whole[drawn])) == drawn.sum()


def test_a_language_alone_is_drawn_by_document_and_cluster(tmp_path: Path) -> None:
    rng = random.Random(5)
    texts = [Segment(id=f"t{i}", texts={"xx": sentence(rng)}, meta=Meta(doc_id=f"d{i // 4}")) for i in range(400)]
    copied = texts[0].model_copy(update={"id": "again", "meta": Meta(doc_id="other")})
    project = Project(tmp_path, Config.model_validate({"project": {"max_access": "restricted"}}))
    write_jsonl(project.cleaned / "segments.jsonl", [*texts, copied])
    report = run(project)
    counts = report["counts"]
    assert counts["monolingual"] == 0
    assert 35 <= counts["test"] <= 45
    assert 15 <= counts["validation"] <= 25
    sets = defaultdict(set)
    for name in ("train", "validation", "test"):
        for one in read_jsonl(project.processed / f"{name}.jsonl", Segment):
            sets[one.meta.doc_id].add(name)
    assert all(len(found) == 1 for found in sets.values())
    assert report["leaks"] == {"validation": {"exact": 0, "near": 0}, "test": {"exact": 0, "near": 0}}
    kept = [one for name in ("train", "validation", "test") for one in _texts_of(project, name)]
    assert kept.count(copied.texts["xx"]) == 1


def _texts_of(project: Project, name: str) -> list[str]:
    return [one.texts["xx"] for one in read_jsonl(project.processed / f"{name}.jsonl", Segment)]
