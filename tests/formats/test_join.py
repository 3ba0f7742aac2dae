"""Rows chosen, types renamed, glosses cut out of definitions, and a dictionary joined through lemmas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.reading import Read

from seshat.config.load import load_config
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Entry
from seshat.data import ingest
from seshat.project.folder import Project

FORMS = "kind,form,norm,lemma,no\nw,kunota,kuno,kunom,II\nN,ba-na,Bana,Bana,\nw,tabasi,taba,tába,\nw,sil,sil,silu,\n"
WORDS = "word,meaning\nkuno I,about 'stone; rock' and so 'hill'\nkuno II,'bird'\ntaba,see elsewhere\ntaba II,'to run'\n"
JOIN: dict[str, Any] = {
    "path": "words.csv",
    "on": ["{lemma} {no}", "lemma"],
    "to": "word",
    "fold": [{"pattern": "m(?=$| )"}, {"pattern": "á", "replacement": "a"}, {"pattern": " [IVX]+$"}],
}


def test_forms_find_their_meanings_through_lemmas(read: Read) -> None:
    found = read(
        {"forms.csv": FORMS, "words.csv": WORDS},
        path="forms.csv",
        kind="entries",
        columns={"headword": "form", "gloss.es": "meaning"},
        where={"kind": "w"},
        extract={"gloss.es": "'([^']+)'"},
        join=JOIN,
    )
    glosses = {one.headword: [sense.glosses["es"] for sense in one.senses] for one in found.entries}
    # `II` is respected where it is given; `taba` is found before `taba II`, because less is folded, and has no meaning.
    assert glosses == {"kunota": [("bird",)], "tabasi": [], "sil": []}
    details = found.context.reports["forms.csv"].details
    assert details["left_out"] == 1
    assert details["joined"] == {"after 1 folds": 1, "after 2 folds": 1, "not found": 1}


def test_all_homographs_are_taken_when_the_row_does_not_say_which(read: Read) -> None:
    found = read(
        {"forms.csv": "form,lemma,no\nkunota,kuno,\n", "words.csv": WORDS},
        path="forms.csv",
        kind="entries",
        columns={"headword": "form", "gloss.es": "meaning"},
        extract={"gloss.es": "'([^']+)'"},
        join=JOIN,
    )
    assert found.entries[0].senses[0].glosses["es"] == ("stone", "rock", "hill", "bird")


def test_names_are_entries_of_their_own_type(read: Read) -> None:
    found = read(
        {"forms.csv": FORMS},
        path="forms.csv",
        kind="entries",
        columns={"headword": "form", "type": "kind", "gloss.es": "norm"},
        where={"kind": ["N"]},
        types={"N": "person"},
    )
    assert [(one.headword, one.type, one.senses[0].glosses["es"]) for one in found.entries] == [
        ("ba-na", "person", ("Bana",))
    ]


def test_what_is_missing_is_named(read: Read) -> None:
    columns = {"headword": "form", "gloss.es": "meaning"}
    files = {"forms.csv": FORMS, "words.csv": WORDS}
    for changed, words in (
        ({"join": {**JOIN, "path": "none.csv"}}, "none.csv, which is joined, is not below data/raw"),
        ({"join": {**JOIN, "to": "wrd"}}, "joins on 'wrd', which is not there"),
        ({"join": JOIN, "where": {"sort": "w"}}, "'sort' for where"),
    ):
        found = read(files, path="forms.csv", kind="entries", columns=columns, **changed)
        assert words in str(found.failures[0]), found.failures


@pytest.mark.real_data
def test_the_lexicon_of_old_assyrian(real_data: Path, tmp_path: Path) -> None:
    config = load_config(Path(__file__).resolve().parents[2] / "projects" / "akkadian")
    sources = tuple(one for one in config.ingest.sources if one.kind == "entries")
    config = config.model_copy(update={"ingest": config.ingest.model_copy(update={"sources": sources})})
    project = Project(tmp_path, config)
    folder = project.raw / "dictionary"
    folder.mkdir(parents=True)
    given = real_data / "akkadian" / "kaggle_v3_final_feb2026"
    (folder / "eBL_Dictionary.csv").symlink_to(given / "eBL_Dictionary.csv")
    header, *rows = (given / "OA_Lexicon_eBL.csv").read_text(encoding="utf-8").splitlines()
    some = {*rows[::10], *(row for row in rows if row.split(",")[1] in {"a-ba-a-a", "a-wi-il", "KÙ-áp"})}
    (folder / "OA_Lexicon_eBL.csv").write_text("\n".join([header, *sorted(some)]), encoding="utf-8")
    ingest.run(project)
    entries = list(read_jsonl(project.ingested / "entries.jsonl", Entry))
    persons = {one.headword: one.senses[0].glosses["en"] for one in entries if one.type == "person"}
    assert persons["a-ba-a-a"] == ("Abā",)
    assert len(persons) > 1_200
    words = [one for one in entries if one.type == "word"]
    meanings = {one.headword: one.senses[0].glosses["en"] for one in words if one.senses}
    assert meanings["a-wi-il"] == ("man",)
    assert meanings["KÙ-áp"] == ("silver",)
    assert len(meanings) / len({one.headword for one in words}) > 0.68
