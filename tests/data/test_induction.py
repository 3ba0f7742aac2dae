from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.small_project import small_project

from seshat.augment import stage as augment
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Access, Entry, Meta, Method, Segment, Sense
from seshat.data import clean, ingest, lexicon_review, split
from seshat.data import format as formatting
from seshat.data.induction import Induced, Known, induce
from seshat.pipeline.stages import stage
from seshat.project.folder import Project, open_project
from seshat.review.queues.lexicon import QUEUE

WHO = {"mina": "niña", "Tolo": "Pedro", "ruka": "madre", "sepo": "pescador"}
WHAT = {"palina": "casa", "radio": "radio", "tekana": "pan", "loro": "canoa"}
ACTS = {"basi": "ve", "dopa": "busca", "gelu": "quiere"}


def entry(word: str, *meanings: str) -> Entry:
    return Entry(id=word, lang="xx", headword=word, senses=(Sense(glosses={"es": meanings}),))


def corpus() -> list[Segment]:
    found: list[Segment] = []
    for who in WHO:
        for what in WHAT:
            for act in ACTS:
                sealed = (who, what) == ("ruka", "loro")
                meta = Meta(access=Access.SEALED if sealed else Access.PUBLIC, licence="CC0")
                texts = {"xx": f"Ani {who} {what} {act}.", "es": f"Hoy {WHO[who]} {ACTS[act]} {WHAT[what]}."}
                found.append(Segment(id=f"s{len(found)}", texts=texts, meta=meta))
    return [*found, Segment(id="alone", texts={"xx": "Ani mina."})]


def found(*entries: Entry, **settings: float) -> Induced:
    return induce(corpus(), entries, "xx", "es", **settings)  # type: ignore[arg-type]


def test_words_that_are_each_other_s_best_translation_are_proposed() -> None:
    pairs = {pair.word: pair for pair in found().pairs}
    expected = {**WHO, **WHAT, **ACTS, "ani": "hoy"}
    del expected["radio"]  # the same in both languages
    assert {word: pair.meaning for word, pair in pairs.items()} == expected
    assert pairs["Tolo"].type == "name" and pairs["mina"].type == "word"
    assert (pairs["mina"].support, pairs["mina"].word_count, pairs["mina"].meaning_count) == (12, 12, 12)
    assert "mina" in pairs["mina"].example.texts["xx"] and "niña" in pairs["mina"].example.texts["es"]
    assert pairs["mina"].access is Access.PUBLIC and pairs["ruka"].access is Access.SEALED
    assert all(0.3 <= pair.score <= 1 for pair in pairs.values())


def test_what_the_lexicon_has_is_not_proposed_but_another_meaning_is_and_comes_last() -> None:
    induced = found(entry("mina", "la niñita; chica"), entry("pali", "hogar"))
    pairs = {pair.word: pair for pair in induced.pairs}
    assert "mina" not in pairs
    assert induced.pairs[-1].word == "palina" and pairs["palina"].known == "hogar"
    assert (induced.confirmed, induced.contradicted, induced.agreement) == (1, 0, 1.0)
    assert found(min_support=13).pairs == [] or all(pair.support >= 13 for pair in found(min_support=13).pairs)
    assert found(min_score=1.0).pairs == []


def test_a_form_of_a_known_meaning_is_known() -> None:
    known = Known([entry("rihu", "pisar"), entry("noko", "comer pan")], "xx", "es")
    assert known.says("rihuke", "pisó") and known.says("noko", "comió")
    assert not known.says("rihuke", "lavó") and not known.says("sepo", "pisar")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = small_project(tmp_path / "small")
    words = root / "data/raw/dictionary/words.csv"
    kept = [line for line in words.read_text("utf-8").splitlines() if not line.startswith(("mina,", "basi,"))]
    words.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return open_project(root)


def prepare(project: Project) -> None:
    for one in (ingest, clean, augment, split, formatting):
        one.run(project)


def review(project: Project, **cells: dict[str, str]) -> None:
    """Fill cells as a spreadsheet would: word -> column -> value; saved with semicolons."""
    path = QUEUE.path(project)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row.update(cells.get(row["word"], {}))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def test_accepted_rows_become_entries_and_refused_ones_stay_away(project: Project) -> None:
    decisions = stage("ingest").shared
    assert decisions is not None
    prepare(project)
    first = lexicon_review.run(project)
    assert first["proposed"] >= 2 and first["accepted"] == 0 and first["agreement"] == 1.0
    assert decisions.decisions(project) is None
    proposed = {row["word"]: row for row in QUEUE.read(QUEUE.path(project))[0]}
    assert proposed["mina"]["meaning"] == "niña" and proposed["basi"]["meaning"] == "ve"
    assert "kumuna" not in proposed, "a form of a word that the lexicon has"

    review(project, mina={"accept": "Yes"}, basi={"corrected_meaning": "ver; mirar", "corrected_type": "verb"})
    before = decisions.decisions(project)
    assert before is not None
    prepare(project)
    entries = {one.headword: one for one in read_jsonl(project.training / "lexicon.jsonl", Entry)}
    assert entries["mina"].senses[0].glosses == {"es": ("niña",)}
    assert entries["basi"].senses[0].glosses == {"es": ("ver", "mirar")} and entries["basi"].type == "verb"
    meta = entries["mina"].meta
    assert (meta.source, meta.method, str(meta.origin)) == ("induced", Method.GOLD, "reports/lexicon_review.csv")
    assert meta.access is Access.PUBLIC and meta.extra["induced"] == "mina=niña"

    second = lexicon_review.run(project)
    assert second["accepted"] == 2
    assert decisions.decisions(project) == before, "a new list changes no decision"
    rows = {row["word"]: row for row in QUEUE.read(QUEUE.path(project))[0]}
    assert rows["mina"]["status"] == rows["basi"]["status"] == "in the lexicon"

    review(project, mina={"accept": "no"})
    prepare(project)
    lexicon_review.run(project)
    again = [row for row in QUEUE.read(QUEUE.path(project))[0] if row["word"] == "mina"]
    assert [row["status"] for row in again] == ["refused"], "kept, and not proposed a second time"
    assert "mina" not in {one.headword for one in read_jsonl(project.training / "lexicon.jsonl", Entry)}


def test_what_cannot_be_used_is_said(project: Project) -> None:
    with pytest.raises(DataError, match="no training data"):
        lexicon_review.run(project)
    prepare(project)
    lexicon_review.run(project)
    review(project, mina={"accept": "perhaps"})
    with pytest.raises(DataError, match=r"lexicon_review\.csv:\d+: 'perhaps'"):
        ingest.run(project)
