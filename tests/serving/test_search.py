"""Corrections, the search index and the concordance, in both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from seshat.config import Config
from seshat.core.errors import DiskFull, UsageError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Entry, GlossedWord, Meta, Reject, Segment, Sense
from seshat.data import corrections
from seshat.project.folder import Project
from seshat.review.corrections import Correction, Corrections, open_corrections
from seshat.serving.answers import Concordance
from seshat.serving.app import status_of
from seshat.serving.concordance import look_up
from seshat.serving.search import GLOSS, MORPHEMES, SearchIndex, folded, open_search


def test_a_damaged_row_is_left_out_and_named(tmp_path: Path) -> None:
    project = Project(tmp_path, Config.model_validate({"project": {"language": "ta", "pivot": "es"}}))
    store = open_corrections(project)
    for text in ("a", "b", "d"):
        store.add(Correction(source="ta", target="es", text=text, translation="x", access=Access.PUBLIC))
    with store._database.writing() as cursor:
        cursor.execute("UPDATE corrections SET access = 'nobody' WHERE text = 'a'")
        cursor.execute("UPDATE corrections SET access = 'Public ' WHERE text = 'd'")
        cursor.execute("UPDATE corrections SET translation = x'ff' WHERE text = 'b'")
    store.add(Correction(source="ta", target="es", text="c", translation="x", access=Access.PUBLIC))
    with capture_logs() as logs:
        assert [one.text for one in store.all()] == ["a", "d", "c"]
        assert [one.text for one in store.newest(Access.PUBLIC, 9)] == ["c", "d"], "an unknown level is a closed one"
    assert [line["wrong"] for line in logs] == ["translation", "translation"]
    store.close()
    read = corrections.Corrections.of(project)
    records = list(read.records(project.config))
    assert [one.reason for one in records if isinstance(one, Reject)] == [
        "a damaged correction: no text in translation"
    ]
    assert read.report(project.config) == {"found": 4, "superseded": 0, "rejects": 1}


def test_a_full_disk_is_said_and_nothing_is_half_stored(tmp_path: Path) -> None:
    store = open_corrections(Project(tmp_path, Config.model_validate({"project": {"language": "ta", "pivot": "es"}})))
    pages = next(iter(store._database.rows("PRAGMA page_count")))[0]
    with store._database._borrowed() as connection:  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(DiskFull, match="the disk is full") as full:
        store.add(Correction(source="ta", target="es", text="a" * 100_000, translation="x"))
    assert status_of(full.value)[0] == 507
    assert list(store.all()) == []
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    database = request.getfixturevalue("postgres") if request.param == "postgres" else None
    more = {"serve": {"database": database}} if database else {}
    config = Config.model_validate({"project": {"language": "ta", "pivot": "es", "max_access": "sealed"}, **more})
    project = Project(tmp_path, config)
    write_jsonl(project.training / "train.jsonl", SEGMENTS)
    write_jsonl(project.training / "lexicon.jsonl", ENTRIES)
    return project


def meta(access: str = "public", **more: Any) -> Meta:
    return Meta(access=Access(access), source="tales", **more)


# Tamil: vowel signs and the pulli are combining marks. Yoruba-like stacked marks: e with dot below and acute.
HOUSE, HOUSES, NEAR = "வீடு", "வீடுகள்", "வீ"
STACKED, PLAIN = "ẹ́kọ́", "eko"
SEGMENTS = [
    Segment(id="t1", texts={"ta": f"இது ஒரு {HOUSE}.", "es": "Esto es una casa."}, meta=meta(doc_id="d1")),
    Segment(id="t2", texts={"ta": f"{HOUSES} பெரியவை.", "es": "Las casas son grandes."}, meta=meta()),
    Segment(id="t3", texts={"ta": f"{STACKED} nla ye' a-na", "es": "Casa 3.14, ¿Casa?"}, meta=meta()),
    Segment(id="t4", texts={"ta": "இரகசியம்", "es": "La casa secreta."}, meta=meta("community")),
    Segment(
        id="t5",
        texts={"ta": "inuta", "es": "fui"},
        gloss=(GlossedWord(form="inuta", morphemes=("inu", "ta"), glosses=("go", "1SG.PST")),),
        meta=meta(),
    ),
]
ENTRIES = [
    Entry(id="e1", lang="ta", headword=HOUSE, senses=(Sense(glosses={"es": ("casa grande",)}),), meta=meta()),
    Entry(id="e2", lang="ta", headword="x", senses=(Sense(glosses={"es": ("casa",)}),), meta=meta("sealed")),
]


def kwic(index: SearchIndex, query: str, tier: str = "es", **more: Any) -> Concordance:
    asked: dict[str, Any] = {"normalise": str, "is_regex": False, "limit": 10, "after": 0, "seconds": 5.0, **more}
    return look_up(index, query, tier, **asked)


def ids(found: Concordance) -> list[str]:
    return [hit.id for hit in found.hits]


def test_words_and_phrases(project: Project) -> None:
    index = open_search(project, Access.PUBLIC)
    found = kwic(index, "casa")
    assert (ids(found), found.total, found.complete) == (["t1", "t3"], 2, True)
    first, second = found.hits
    assert (first.before, first.match, first.after) == ("Esto es una ", "casa", ".")
    assert first.others == {"ta": f"இது ஒரு {HOUSE}."}
    assert (first.document, first.split, first.source) == ("d1", "train", "tales")
    assert [f"{second.before}{second.match}{second.after}"[a:b] for a, b in second.spans] == ["Casa", "Casa"]
    assert ids(kwic(index, "UNA casa")) == ["t1"]
    assert ids(kwic(index, "casa una")) == []
    assert ids(kwic(index, "casa*")) == ["t1", "t2", "t3"]
    assert ids(kwic(index, "*as son gr*")) == ["t2"]
    assert ids(kwic(index, "3.14")) == ["t3"]
    assert ids(kwic(index, "¿")) == ["t3"]
    assert index.tiers() == ["es", GLOSS, MORPHEMES, "ta"]
    index.close()


def test_words_are_not_cut_at_marks(project: Project) -> None:
    index = open_search(project, Access.PUBLIC)
    assert ids(kwic(index, HOUSE, "ta")) == ["t1"]
    assert kwic(index, HOUSE, "ta").hits[0].match == HOUSE
    assert ids(kwic(index, f"{HOUSE}*", "ta")) == ["t1", "t2"]
    assert ids(kwic(index, "*கள்", "ta")) == ["t2"]
    assert ids(kwic(index, NEAR, "ta")) == []  # the beginning of the word, cut at a vowel sign
    assert ids(kwic(index, STACKED, "ta")) == ["t3"]
    assert ids(kwic(index, PLAIN, "ta")) == []
    for word in ("ye'", "a-na"):
        assert kwic(index, word, "ta").hits[0].match == word
    assert ids(kwic(index, "na", "ta")) == []  # it is a part of a-na
    index.close()


LETTERS = st.characters(categories=["L", "M", "N", "Pd", "Po", "Zs"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(LETTERS, min_size=1, max_size=40), min_size=1, max_size=5))
def test_every_word_of_a_text_is_found(tmp_path: Path, texts: list[str]) -> None:
    lines = [Segment(id=str(n), texts={"ta": text}, meta=meta()) for n, text in enumerate(texts)]
    project = Project(tmp_path, Config())
    write_jsonl(project.training / "train.jsonl", lines)
    index = open_search(project, Access.PUBLIC)
    for line in lines:
        said = folded(line.texts["ta"], "ta")
        for words in ([word] for word in said):
            assert line.id in [found.segment.id for found in index.lines("ta", phrase=index.phrase(words))]
        if said:
            assert line.id in [found.segment.id for found in index.lines("ta", phrase=index.phrase(said))]
            begun = index.phrase([*said[:-1], said[-1][:1]], prefix=True)
            assert line.id in [found.segment.id for found in index.lines("ta", phrase=begun)]
    index.close()


def test_glosses_and_morphemes(project: Project) -> None:
    index = open_search(project, Access.PUBLIC)
    assert kwic(index, "pst", GLOSS).hits[0].before == "go-1SG."
    assert kwic(index, "1SG.PST", GLOSS).hits[0].match == "1SG.PST"
    assert kwic(index, "ta", MORPHEMES).hits[0].others == {"ta": "inuta", "es": "fui", GLOSS: "go-1SG.PST"}
    index.close()


def test_regular_expressions_end_in_time(project: Project) -> None:
    slow = Segment(id="slow", texts={"es": "a" * 4_000 + "!"}, meta=meta())
    write_jsonl(project.training / "train.jsonl", [*SEGMENTS, slow])
    index = open_search(project, Access.PUBLIC)
    found = kwic(index, r"\bcasas?\b", is_regex=True)
    assert (ids(found), found.total, found.complete) == (["t1", "t2", "t3"], None, True)
    cut = kwic(index, "(a|aa)+$", is_regex=True, seconds=0.2)
    assert not cut.complete
    assert cut.following is not None
    for bad in ("(", "", "a" * 201, "(?:(?:(?:a{999}){999}){999})", "(?R)", "a{1,99999}", "(a)(?1)"):
        with pytest.raises(UsageError):
            kwic(index, bad, is_regex=True)
    with pytest.raises(UsageError):
        kwic(index, " ** ")
    index.close()


def test_pages(project: Project) -> None:
    index = open_search(project, Access.PUBLIC)
    first = kwic(index, "casa*", limit=2)
    assert (ids(first), first.total) == (["t1", "t2"], 3)
    assert first.following is not None
    second = kwic(index, "casa*", limit=2, after=first.following)
    assert (ids(second), second.following) == (["t3"], None)
    index.close()


def test_access(project: Project) -> None:
    public, community = open_search(project, Access.PUBLIC), open_search(project, Access.COMMUNITY)
    for query, is_regex in (("secreta", False), ("casa secreta", False), ("secr.*", True), ("*creta", False)):
        found = kwic(public, query, is_regex=is_regex)
        assert not found.hits
        assert not found.total
        assert ids(kwic(community, query, is_regex=is_regex)) == ["t4"]
    assert [one.id for one in public.pairs("ta", "es")] == ["t1", "t2", "t3", "t5"]
    assert len(list(community.pairs("ta", "es"))) == 5
    assert [one.id for one in public.entries()] == ["e1"]
    assert [one.id for one in public.holding(["casa"], 9)] == ["e1"]
    assert public.holding([HOUSE, "casa"], 9) == []  # a phrase does not go from one text to the next
    sealed = open_search(project, Access.SEALED)
    assert len(sealed.holding(["casa"], 9)) == 2
    for one in (public, community, sealed):
        one.close()


def test_the_index_is_made_anew_only_when_the_files_change(project: Project) -> None:
    first = open_search(project, Access.PUBLIC)
    before = first.fact("fingerprint")
    marked = project.state / "search.sqlite"
    stamp = marked.stat().st_ino if marked.exists() else 0
    first.close()
    again = open_search(project, Access.PUBLIC)
    assert (marked.stat().st_ino if marked.exists() else 0) == stamp
    assert again.fact("fingerprint") == before
    again.close()
    write_jsonl(project.training / "train.jsonl", SEGMENTS[:1])
    other = open_search(project, Access.PUBLIC)
    assert ids(kwic(other, "casa")) == ["t1"]
    other.close()


def test_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    project = Project(tmp_path, Config())
    write_jsonl(project.training / "train.jsonl", SEGMENTS)
    (tmp_path / ".seshat").mkdir()
    (tmp_path / ".seshat" / "search.sqlite").write_bytes(b"not a database" * 100)
    assert ids(kwic(open_search(project, Access.PUBLIC), "casa")) == ["t1", "t3"]


def correction(number: int, access: str = "public") -> Correction:
    said = f"{HOUSE} {STACKED} '\"\\ {number}"
    return Correction(source="ta", target="es", text=said, translation=f"casa {number}", access=Access(access))


def test_corrections(project: Project) -> None:
    store = open_corrections(project)
    kept = [store.add(correction(n)) for n in range(3)]
    secret = store.add(correction(3, "restricted"))
    assert all(one.id and one.at for one in kept)
    assert [one.text for one in store.newest(Access.PUBLIC, 2)] == [kept[2].text, kept[1].text]
    again = store.add(correction(0))
    assert again.id == kept[0].id
    assert [one.id for one in store.all()] == [kept[1].id, kept[2].id, secret.id, kept[0].id]
    assert secret.id not in [one.id for one in store.all(Access.COMMUNITY)]
    store.close()
    reopened = open_corrections(project)
    assert [one.id for one in reopened.all()] == [kept[1].id, kept[2].id, secret.id, kept[0].id]
    assert next(reopened.all()) == kept[1]
    reopened.close()


def test_many_threads_correct_and_read(project: Project) -> None:
    store = open_corrections(project)

    def work(n: int) -> str:
        list(store.newest(Access.PUBLIC, 5))
        return store.add(correction(n)).id

    with ThreadPoolExecutor(8) as threads:
        given = set(threads.map(work, range(60)))
    assert {one.id for one in store.all()} == given
    assert len(given) == 60
    store.close()


def test_corrections_are_durable(tmp_path: Path) -> None:
    store: Corrections = open_corrections(Project(tmp_path, Config()))
    database = store._database
    assert list(database.rows("PRAGMA journal_mode")) == [("wal",)]
    assert list(database.rows("PRAGMA synchronous")) == [(2,)]
    store.close()
