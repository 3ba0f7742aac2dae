from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config
from seshat.config.clean import FilterSection
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Document, Entry, Example, GlossedWord, Meta, Origin, Segment, Sense
from seshat.corpus.measures import repetition
from seshat.corpus.registry import View
from seshat.data.clean import OUTSIDE, Cleaner, cleaner_for, report, run, warnings
from seshat.data.filters import OTHER_LANGUAGE, Filters, copied_share, usual_ratios
from seshat.project.folder import Project

CONFIG: dict[str, Any] = {
    "project": {
        "language": "shp",
        "pivot": "es",
        "languages": {"shp": {"name": "Shipibo-Konibo", "script": "Latin"}, "es": {"name": "Spanish"}},
    },
    "ingest": {"sources": [{"name": "old", "path": "old.csv"}, {"name": "new", "path": "new.csv"}]},
    "clean": {
        "profiles": {
            "shp": {
                "rules": [
                    {"type": "map", "name": "letters", "map": {"qu": "k", "c": "k", "ch": "ch"}, "sources": ["old"]},
                    {"type": "whitelist", "name": "orthography", "characters": r"\p{Latin}.?¿", "action": "tag"},
                    {"type": "whitespace", "name": "spaces"},
                ],
                "tests": [{"in": "Quiquin", "out": "Kikin", "source": "old"}],
            }
        },
        "filters": {"max_copied_share": 0.9},
    },
}


def meta(source: str = "old", line: int = 1, **more: Any) -> Meta:
    return Meta(source=source, origin=Origin(file=f"{source}.csv", line=line), **more)


def segment(name: str, shp: str, es: str, **more: Any) -> Segment:
    return Segment(id=name, texts={"shp": shp, "es": es}, meta=meta(**more))


@pytest.fixture
def cleaner() -> Cleaner:
    return cleaner_for(Config.model_validate(CONFIG), [])


def test_a_segment_is_normalised_for_its_language_and_source(cleaner: Cleaner) -> None:
    old = cleaner.segment(segment("1", "Nocon  báque", "Mi  hijo que come"))
    assert old.texts == {"shp": "Nokon báke", "es": "Mi  hijo que come"}
    new = cleaner.segment(segment("2", "Cafe pii", "Come café", source="new"))
    assert new.texts["shp"] == "Cafe pii"
    assert cleaner.changed["shp"] == {"letters": 1, "orthography": 0, "spaces": 1}


def test_a_segment_without_need_is_left_as_it_is(cleaner: Cleaner) -> None:
    unchanged = segment("1", "Jara jai", "Allí está")
    assert cleaner.segment(unchanged) is unchanged


def test_glosses_are_normalised_like_the_text(cleaner: Cleaner) -> None:
    glossed = Segment(
        id="1",
        texts={"shp": "baquebo"},
        gloss=(GlossedWord(form="baquebo", morphemes=("baque", "bo"), glosses=("niño", "PL")),),
        meta=meta(),
    )
    cleaned = cleaner.segment(glossed)
    assert cleaned.gloss == (GlossedWord(form="bakebo", morphemes=("bake", "bo"), glosses=("niño", "PL")),)


def test_an_entry_is_normalised_in_all_its_parts(cleaner: Cleaner) -> None:
    entry = Entry(
        id="1",
        lang="shp",
        headword="báque ",
        forms=("báquera",),
        senses=(Sense(glosses={"es": ("que nace",)}, examples=(Example(texts={"shp": "En  baque", "es": "Mi"}),)),),
        meta=meta(),
    )
    cleaned = cleaner.entry(entry)
    assert (cleaned.headword, cleaned.forms) == ("báke", ("bákera",))
    assert cleaned.senses[0].glosses == {"es": ("que nace",)}
    assert cleaned.senses[0].examples[0].texts == {"shp": "En bake", "es": "Mi"}
    assert cleaned.meta == entry.meta


def test_a_document_keeps_its_lines(cleaner: Cleaner) -> None:
    document = Document(id="d", texts={"shp": ("baque", "", " qui"), "es": ("que", "")}, meta=meta())
    assert cleaner.document(document).texts == {"shp": ("bake", "", "ki"), "es": ("que", "")}


@pytest.mark.parametrize(
    ("shp", "es", "tag"),
    [
        (" ", "algo", "clean:too-short"),
        ("a" * 2_001, "b" * 2_001, "clean:too-long"),
        ("jakon", "una explicación que no termina nunca " * 4, "clean:length-ratio"),
        ("всё это другое", "algo en otra letra", "clean:wrong-script"),
        ("El perro muerde todo", "El perro muerde todo", "clean:copied"),
        ("ja ja ja ja ja ja", "él está aquí ahora", "clean:repetition"),
        ("jaskara oinax kaa", "Denn er hat mir das nicht gesagt.", "clean:other-language"),
        ("jakon 5", "bueno cinco", OUTSIDE),
    ],
)
def test_filters_tag_with_a_reason(cleaner: Cleaner, shp: str, es: str, tag: str) -> None:
    cleaned = cleaner.segment(segment("1", shp, es))
    assert tag in cleaned.meta.tags
    assert cleaner.tags[tag, "old"] == 1


@pytest.mark.parametrize(
    ("shp", "es"),
    [
        ("bánoti.", "hincar en el sobaco."),
        ("Jara jai.", "Allí está."),
        ("jaa jaa", "sí sí"),
        ("Tom Boston", "Tom Bostón"),
        ("… 3 …", "3"),
        ("Denn er hat mir das nicht gesagt.", "Pues no me lo ha dicho."),
        ("Juan de la Cruz", "Juan de la Cruz, Otto von der Heide"),
    ],
)
def test_filters_leave_ordinary_text_alone(shp: str, es: str) -> None:
    filters = Filters(FilterSection(), {"shp": "Latin"})
    assert filters.of_segment({"shp": shp, "es": es}) == ()


@pytest.mark.parametrize(("most", "tagged"), [(None, False), (8.0, False), (0.0, True), (1.5, True)])
def test_how_much_of_another_language_is_too_much_is_set(most: float | None, tagged: bool) -> None:
    filters = Filters(FilterSection(max_foreign_words=most))
    pair = {"shp": "jaskara oinax kaa", "es": "Denn er hat mir das nicht gesagt."}
    assert (filters.of_segment(pair) == (OTHER_LANGUAGE,)) == tagged


def test_segments_made_after_clean_are_tagged_but_for_a_fixed_test_set() -> None:
    german, spanish = "Denn er hat mir das nicht gesagt.", "Pues no me lo ha dicho."
    made = [
        segment("1", "jaskara", german).model_copy(update={"meta": meta(tags=("align:low-confidence",))}),
        segment("2", "jaskara", spanish),
        segment("3", "jaskara", german, split="test"),
        Segment(id="4", texts={"es": german}, meta=meta()),
    ]
    judged = list(Filters(FilterSection()).languages_of(made))
    assert [one.texts for one in judged] == [one.texts for one in made]
    assert [one.meta.tags for one in judged] == [
        ("align:low-confidence", OTHER_LANGUAGE),
        (),
        (),
        (OTHER_LANGUAGE,),
    ]
    assert judged[1] is made[1]


def test_the_length_ratio_is_measured_against_what_is_usual() -> None:
    texts = [{"xx": "a" * 20 * n, "es": "b" * 190 * n} for n in range(1, 8)]
    ratios = usual_ratios(texts)
    pair = {"xx": "a" * 40, "es": "b" * 380}
    assert "clean:length-ratio" in Filters(FilterSection()).of_segment(pair)
    assert Filters(FilterSection(), ratios=ratios).of_segment(pair) == ()


def test_the_usual_ratio_does_not_mind_a_few_outliers() -> None:
    good = [{"es": "a" * n, "xx": "b" * n} for n in range(10, 100)]
    bad = [{"es": "a" * 500, "xx": "b"}] * 30
    assert abs(usual_ratios(good + bad)["es", "xx"]) < 0.02
    assert usual_ratios([]) == {}


def test_measures_of_words() -> None:
    assert copied_share(["a", "b"], ["b", "c"]) == 0.5
    assert copied_share([], ["a"]) == 0.0
    assert repetition(View(["a " * 10])) == 0.9
    assert repetition(View(["a a a"])) == 0.0


def test_a_fixed_test_set_is_normalised_but_not_tagged(cleaner: Cleaner) -> None:
    cleaned = cleaner.segment(segment("1", "Quiquin 5", "", split="test"))
    assert cleaned.texts["shp"] == "Kikin 5"
    assert cleaned.meta.tags == ()
    assert cleaner.test_tags == {"clean:too-short": 1, OUTSIDE: 1}
    german = segment("2", "jaskara oinax kaa", "Denn er hat mir das nicht gesagt.", split="test")
    assert cleaner.segment(german).meta.tags == ()
    assert cleaner.test_tags[OTHER_LANGUAGE] == 1


def test_the_report_names_characters_with_their_first_place(cleaner: Cleaner) -> None:
    cleaner.segment(segment("1", "jakon", "bien", line=4))
    cleaner.segment(segment("2", "ja$on $", "bien", line=7))
    cleaner.segment(segment("3", "ja$on", "bien", line=9))
    assert report(cleaner)["outside_whitelist"] == [
        {
            "language": "shp",
            "character": "$",
            "code_point": "U+0024",
            "name": "DOLLAR SIGN",
            "count": 3,
            "first": "old.csv:7",
        }
    ]
    section = Config.model_validate(CONFIG).clean
    assert "U+0024 DOLLAR SIGN (3 times, first in old.csv:7)" in warnings(cleaner, section)[0]


def test_a_filter_that_hits_a_whole_source_is_warned_about(cleaner: Cleaner) -> None:
    for number in range(30):
        cleaner.segment(segment(str(number), "", "algo"))
    found = warnings(cleaner, Config.model_validate(CONFIG).clean)
    assert "100% of the records of 'old' are tagged clean:too-short: are its columns right?" in found
    assert "The rule 'letters' of the profile of 'shp' changed nothing." in found


def test_run_writes_every_record(tmp_path: Path) -> None:
    project = Project(tmp_path, Config.model_validate(CONFIG))
    segments = [segment(str(n), f"Nocon  báque {n}", f"Mi hijo {n}", line=n) for n in range(50)]
    segments += [Segment(id="mono", texts={"shp": "quiquin"}, meta=meta())]
    write_jsonl(project.ingested / "segments.jsonl", segments)
    write_jsonl(project.ingested / "entries.jsonl", [Entry(id="e", lang="shp", headword="quiquin", meta=meta())])
    write_jsonl(project.ingested / "documents.jsonl", [Document(id="d", texts={"shp": ("qui",)}, meta=meta())])

    summary = run(project)

    assert (summary["segments"], summary["entries"], summary["documents"]) == (51, 1, 1)
    assert summary["tagged"] == {OUTSIDE: 50}
    cleaned = list(read_jsonl(project.cleaned / "segments.jsonl", Segment))
    assert [record.id for record in cleaned] == [record.id for record in segments]
    assert cleaned[7].texts == {"shp": "Nokon báke 7", "es": "Mi hijo 7"}
    assert next(read_jsonl(project.cleaned / "entries.jsonl", Entry)).headword == "kikin"
    assert next(read_jsonl(project.cleaned / "documents.jsonl", Document)).texts == {"shp": ("ki",)}
    written = json.loads((project.cleaned / "report.json").read_text(encoding="utf-8"))
    assert written["rules"]["shp"]["letters"] == 53
    first = {path.name: path.read_bytes() for path in project.cleaned.iterdir()}
    run(project)
    assert {path.name: path.read_bytes() for path in project.cleaned.iterdir()} == first


def test_run_without_any_records(tmp_path: Path) -> None:
    summary = run(Project(tmp_path, Config()))
    assert (summary["segments"], summary["warnings"]) == (0, [])
    assert (tmp_path / "data/interim/clean/documents.jsonl").read_text() == ""
