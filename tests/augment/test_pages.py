"""Pairs out of pages: four invented publications with known answers, and what each step does to single lines."""

from __future__ import annotations

import csv
import random
import textwrap
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import ocr_pages

from seshat.augment import models
from seshat.augment import stage as augment
from seshat.augment.layout import Page, joined, joined_words, lines_of
from seshat.augment.names import NameIndex
from seshat.augment.pages import likeness
from seshat.augment.passages import Passage, by_lines, numbered, passages
from seshat.augment.recognise import Recogniser
from seshat.augment.tables import listed_texts
from seshat.config import Config, Direction
from seshat.config.augment import EndpointSection, TextListSection
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Meta, Method, Segment
from seshat.inference.translator import Hypothesis
from seshat.project.folder import Project
from seshat.prompt.request import Request

PAGES = {
    "path": "pages.csv",
    "columns": {"document": "pdf_name", "page": "page", "text": "page_text"},
    "texts": {"path": "texts.csv", "id": "oid", "names": ["label", "aliases"], "text": "reading"},
    "access": "public",
}
SERVER = {"model": "m", "server": "http://here/v1"}


def write(root: Path, made: ocr_pages.Corpus, **augmented: Any) -> Project:
    """A project that knows 300 pairs of sentences, with the pages of a corpus."""
    pages = {**PAGES, "translators": dict.fromkeys(("de", "fr", "tr"), SERVER), **augmented.pop("pages", {})}
    config = Config.model_validate(
        {
            "project": {"language": "qot", "pivot": "en", "max_access": "public"},
            "augment": {"pages": pages, **augmented},
        }
    )
    project = Project(root, config)
    project.raw.mkdir(parents=True)
    (project.raw / "pages.csv").write_text(made.pages_csv(), encoding="utf-8")
    (project.raw / "texts.csv").write_text(made.list_csv(), encoding="utf-8")
    meta = Meta(source="known", access="public")
    pairs = enumerate(ocr_pages.known_pairs())
    write_jsonl(
        project.cleaned / "segments.jsonl",
        [Segment(id=f"k{n}", texts={"qot": own, "en": means}, meta=meta) for n, (own, means) in pairs],
    )
    return project


def open_translator(_project: Project, _section: EndpointSection, direction: Direction) -> Any:
    def translate(requests: Sequence[Request]) -> list[Hypothesis]:
        return [Hypothesis(ocr_pages.translate_back(one.text, direction.source), 0.0) for one in requests]

    return SimpleNamespace(translate=translate)


def run(project: Project) -> dict[str, Any]:
    """Run the stage with a translator that knows the pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "open_translator", open_translator)
        return augment.run(project)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[ocr_pages.Corpus, list[Segment], dict[str, Any]]:
    """What is found in the four publications."""
    made = ocr_pages.corpus()
    project = write(tmp_path_factory.mktemp("pages"), made)
    report = run(project)
    return made, list(read_jsonl(project.augmented / "segments.jsonl", Segment)), report


def test_every_text_with_a_translation_is_found_and_no_other(found: Any) -> None:
    made, segments, report = found
    wholes = {(one.meta.extra["publication"], one.meta.doc_id): one for one in segments if ":sentence" not in one.id}
    assert set(wholes) == set(made.truth)
    assert report["pages"]["languages"] == {"de": 6, "en": 6, "fr": 6, "tr": 6}
    for (publication, name), tag in made.truth.items():
        segment, text = wholes[publication, name], made.text(name)
        assert segment.meta.extra["translated_from"] == tag
        assert likeness(segment.texts["qot"], " ".join(text.own)) > (0.98 if made.listed[name] else 0.9)
        if tag == "en":
            assert likeness(segment.texts["en"], " ".join(text.means["en"])) > 0.97
            assert segment.meta.method is Method.EXTRACTED
        else:
            assert segment.meta.method is Method.MACHINE
            assert f"augment:from-{tag}" in segment.meta.tags
        assert segment.meta.origin is not None and segment.meta.origin.page


def test_texts_are_cut_into_sentences(found: Any) -> None:
    made, segments, _ = found
    sentences = [one for one in segments if ":sentence" in one.id]
    right = {(own, text.means["en"][n]) for text in made.texts for n, own in enumerate(text.own)}
    hits = sum((one.texts["qot"], one.texts["en"]) in right for one in sentences)
    assert len(sentences) > 60
    assert hits / len(sentences) > 0.6


def test_without_a_translator_the_pairs_are_left_out_and_said(tmp_path: Path) -> None:
    project = write(tmp_path, ocr_pages.corpus(per_publication=4), pages={"translators": {}})
    report = augment.run(project)
    assert report["pages"]["no translator"] == 6
    assert any("augment.pages.translators.de" in warning for warning in report["warnings"])
    segments = list(read_jsonl(project.augmented / "segments.jsonl", Segment))
    assert {one.meta.extra["translated_from"] for one in segments} == {"en"}


def test_pages_above_the_access_level_are_left_out(tmp_path: Path) -> None:
    project = write(tmp_path, ocr_pages.corpus(per_publication=3), pages={"access": "restricted"})
    report = augment.run(project)
    assert report["pairs"] == 0
    assert "restricted" in report["warnings"][0]


def test_a_wrong_column_is_named(tmp_path: Path) -> None:
    project = write(tmp_path, ocr_pages.corpus(per_publication=3), pages={"columns": {"text": "words"}})
    with pytest.raises(DataError, match=r"pages.csv:1: there is no column"):
        augment.run(project)


def test_of_two_translations_the_one_in_the_pivot_is_kept(tmp_path: Path) -> None:
    made = ocr_pages.corpus(per_publication=4)
    english, german = (made.pages[0][0], next(p[0] for p in made.pages if "(de)" in p[0]))
    text = made.text(next(name for publication, name in made.truth if publication == german))
    body = f"7. {text.label}\n\n{' '.join(text.own)}\n\nTranslation\n{' '.join(text.means['en'])}\n"
    made.pages.insert(0, (english, "1", body))
    project = write(tmp_path, made)
    run(project)
    segments = read_jsonl(project.augmented / "segments.jsonl", Segment)
    mine = [one for one in segments if one.meta.doc_id == text.id and ":sentence" not in one.id]
    assert [("augment:other-translation" in one.meta.tags, one.meta.extra["translated_from"]) for one in mine] == [
        (False, "en"),
        (True, "de"),
    ]


@pytest.mark.parametrize(
    ("line", "publication", "name"),
    [
        ("12. Kt. 94/k, 1263 (pl. IV)", "", "a"),
        ("kt 94 k 1263", "", "a"),
        ("Kt 94/k I263", "", "a"),
        ("BM 112233", "", "b"),
        ("7.", "AKT 5 (2008).pdf", "c"),
        ("7.", "AKT 6", None),
        ("No. 7", "AKT 5", "c"),
        ("HM 5", "", None),
        ("nothing here", "", None),
    ],
)
def test_names_of_texts(line: str, publication: str, name: str | None) -> None:
    listed = [("a", "Kt 94/k 1263"), ("b", "BM 112233"), ("c", "AKT 5 7"), ("d", "HM 5"), ("e", "HM 5"), ("f", "7")]
    found = NameIndex(listed, [(r"^AKT 5", "AKT 5")]).find(line, publication)
    assert (found.id if found else None) == name


def test_names_in_a_list(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text('id,label,aliases\na,"KUG 29 (BM 113402)",\nb,KUG 30,"Kt a/k 7 | VAT 9 "\n')
    section = TextListSection(path="texts.csv", id="id", names=("label", "aliases"))
    names = NameIndex(listed_texts(path, section).names)
    assert [(found := names.find(line)) and found.id for line in ("KUG 29", "No. BM 113402", "VAT 9", "KUG 31")] == [
        "a",
        "a",
        "b",
        None,
    ]


def test_real_lines_and_names_are_known(real_data: Path) -> None:
    """Old Assyrian: lines of texts not learned from, their English, and names as a catalogue gives them."""
    folder = real_data / "akkadian/kaggle_v3_final_feb2026"
    with (folder / "train.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    known, new = rows[:300], rows[300:400]
    recogniser = Recogniser([row["transliteration"] for row in known], [row["translation"] for row in known])
    own = [line for row in new for line in textwrap.wrap(row["transliteration"], 30)[:5]]
    others = [line for row in new for line in textwrap.wrap(row["translation"], 70)[:5]]
    assert sum(recogniser.value(line) > 0 for line in own) / len(own) > 0.99
    assert sum(recogniser.value(line) < 0 for line in others) / len(others) > 0.99
    with (folder / "Sentences_Oare_FirstWord_LinNum.csv").open(encoding="utf-8-sig") as stream:
        names = sorted({(row["text_uuid"], row["display_name"].strip()) for row in csv.DictReader(stream)})
    index = NameIndex(names)
    found = [(index.find(f"12. {name}"), text) for text, name in names]
    assert sum(mention is not None and mention.id == text for mention, text in found) / len(found) > 0.98


def test_lines_in_the_language_are_told_from_others() -> None:
    pairs = ocr_pages.known_pairs()
    recogniser = Recogniser([own for own, _ in pairs], [means for _, means in pairs])
    own = [line for line, _ in ocr_pages.known_pairs(60, seed=99)]
    others = [means[tag] for means in (ocr_pages.make_text(random.Random(1), 1).means,) for tag in means]
    assert all(recogniser.value(f"15 {line}") > 0 for line in own)
    assert all(recogniser.value(sentence) < 0 for found in others for sentence in found)


def test_running_heads_page_numbers_and_notes_go() -> None:
    pages = [
        Page("12", 2, "12  A Title\n\nThe merchant gave the silver4 to the\n\n4 So the editor.\n\n- 12 -"),
        Page("13", 3, "A TITLE  13\n\ngate-keeper.\n5 And more text\n________\n* See above.\n\n13"),
    ]
    assert [line.text for line in lines_of(pages)] == [
        "The merchant gave the silver4 to the",
        "",
        "gate-keeper.",
        "5 And more text",
    ]


def test_words_are_put_together() -> None:
    assert joined(["the mer-", "chant of Pu-", "Zu and 4-", "5 others"]) == "the merchant of Pu-Zu and 4- 5 others"
    assert joined_words(["a-na Pu-", "zu-ur"]) == "a-na Pu-zu-ur"


def test_line_numbers_go_and_numerals_stay() -> None:
    lines = ["1 um-ri Sho", "27 mo-ri gu-ra", "ka-ni", "sha-ma", "5 i-sha", "6' le-ku", "10 mo-ri"]
    assert [text for _, text in numbered(lines)] == [
        "um-ri Sho",
        "27 mo-ri gu-ra",
        "ka-ni",
        "sha-ma",
        "i-sha",
        "le-ku",
        "10 mo-ri",
    ]


def test_numbered_passages_find_their_lines() -> None:
    found = passages(["(1) Say to her: (2-3) he paid", "10 shekels1. (4) Write it."])
    assert found == [(1, 1, "Say to her:"), (2, 3, "he paid 10 shekels."), (4, 10**6, "Write it.")]
    assert by_lines(["a b", "c d", "e f", "g h", "5 i"], found) == [
        ("a b", "Say to her:"),
        ("c d e f", "he paid 10 shekels."),
        ("g h i", "Write it."),
    ]
    assert passages(["¹⁻³ Say it. ⁴ Go."]) == [(1, 3, "Say it."), (4, 10**6, "Go.")]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=40), max_size=8))
def test_no_page_is_too_strange(texts: list[str]) -> None:
    pages = [Page(str(n), n, text) for n, text in enumerate(texts)]
    lines = [line.text for line in lines_of(pages)]
    assert all(isinstance(part, Passage) for part in passages(lines))
    assert sum(map(len, lines)) <= sum(map(len, texts))
