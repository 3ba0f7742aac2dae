"""submission.csv: order of lines, previous lines, validation, and the file itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config import Config, Direction
from seshat.config.clean import MapRule, Profile
from seshat.config.submit import SubmitColumns
from seshat.core.errors import CheckFailed, DataError
from seshat.inference.chain import Chain
from seshat.inference.translator import Hypothesis, Translator
from seshat.project.folder import Project
from seshat.prompt.request import Request
from seshat.submit import submission
from seshat.submit.submission import Row, by_document, faults, line_key, read_rows
from seshat.text.normalise import Normaliser

COLUMNS = SubmitColumns()
TEST = (
    "id,text_id,line_start,line_end,transliteration\n"
    "7,t2,1',4',um-ma\n3,t1,10,14,a-na\n4,t1,2,9,ki-ma\n8,t2,1,7,\"šu-ma, ù\"\n9,,1,1,\n"
)
GOOD = "id,translation\n7,seven\n3,three\n4,four\n8,eight\n9,-\n"


class Shouting(Translator):
    """Translates into capitals, and remembers in which order it was asked."""

    name, direction = "shouting", Direction("akk", "en")
    batch_size = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts = [one.text for one in requests]
        self.asked += texts
        return [Hypothesis(text.upper().replace(" ", "\n"), 0.0) for text in texts]


def project(root: Path, **section: object) -> Project:
    (root / "data/raw/test").mkdir(parents=True)
    (root / "data/raw/test/test.csv").write_bytes(b"\xef\xbb\xbf" + TEST.encode())
    return Project(
        root,
        Config.model_validate({"project": {"language": "akk", "pivot": "en"}, "submit": {"empty": "<gap>", **section}}),
    )


def test_lines_of_a_document_stand_in_the_order_of_the_tablet() -> None:
    rows = [
        Row(str(place), "x", *given)
        for place, given in enumerate([("b", "1''"), ("a", "12"), ("b", "2"), ("a", "3"), ("b", "1'"), ("b", "?")])
    ]
    assert by_document(rows) == [2, 4, 0, 5, 3, 1]
    assert [line_key(one) for one in ("7", "7'", "7''", "7″", "", None)] == [
        (0, 7),
        (1, 7),
        (2, 7),
        (2, 7),
        (99, 0),
        (99, 0),
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30).map(str)), max_size=20))
@settings(deadline=None)
def test_the_order_is_a_permutation_and_documents_stay_together(given: list[tuple[str, str]]) -> None:
    rows = [Row(str(place), "x", *one) for place, one in enumerate(given)]
    order = by_document(rows)
    assert sorted(order) == list(range(len(rows)))
    documents = [rows[place].document for place in order]
    assert sum(a != b for a, b in pairwise(documents)) == max(len(set(documents)) - 1, 0)


def test_previous_lines_come_from_the_same_document() -> None:
    rows = [
        Row("1", "one", "a", "1"),
        Row("9", "other", "b", "1"),
        Row("3", "three", "a", "3"),
        Row("2", "two", "a", "2"),
    ]
    before = {one.id: one.trimmed(2).before for one in submission.requests(rows)}
    assert before == {"1": (), "2": ("one",), "3": ("one", "two"), "9": ()}
    assert [one.before for one in submission.requests([Row("1", "x"), Row("2", "y")])] == [(), ()]


def test_engines_get_the_lines_before_normalised() -> None:
    engine = Shouting()
    engine.context = 1
    lower = Normaliser(Profile(rules=(MapRule(name="case", type="map", map={"U": "u", "B": "b"}),)))
    (prepared,) = Chain(engine, normalise=lower).prepared([Request("Um-ma", before=("A", "B"))])
    assert (prepared.text, prepared.before) == ("um-ma", ("b",))


def test_a_submission_has_the_rows_of_the_test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(tmp_path, sample="test/sample.csv")
    (made.raw / "test/sample.csv").write_text("id,translation\n7,a\n3,b\n4,c\n8,d\n9,e\n")
    monkeypatch.setattr(submission, "open_translator", lambda *_: Shouting())
    found = submission.run(made)
    written = (tmp_path / "submission.csv").read_bytes()
    assert written.decode() == 'id,translation\n7,UM-MA\n3,A-NA\n4,KI-MA\n8,"ŠU-MA, Ù"\n9,<gap>\n'
    assert found["rows"] == 5
    assert found["warnings"] == ["rows where the model says nothing; '<gap>' stands there: 1 (9)"]


def test_a_submission_that_would_not_count_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(tmp_path, sample="test/sample.csv")
    (made.raw / "test/sample.csv").write_text("id,English\n3,a\n7,b\n4,c\n5,d\n9,e\n")
    (tmp_path / "submission.csv").write_text("as before")
    monkeypatch.setattr(submission, "open_translator", lambda *_: Shouting())
    with pytest.raises(CheckFailed) as caught:
        submission.run(made)
    for words in (
        "ids of the sample that the test file lacks: 1 (5)",
        "the header is id,translation, and not id,English",
    ):
        assert words in str(caught.value)
    assert (tmp_path / "submission.csv").read_text() == "as before"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.encode("utf-8-sig"), "byte order mark"),
        (GOOD.encode("utf-16"), "it is not UTF-8"),
        (b"", "it is empty"),
        (GOOD.replace("translation", "text").encode(), "the header is id,text, and not id,translation"),
        (
            GOOD.replace("3,three\n4,four", "4,four\n3,three").encode(),
            "another order than in the test file, from row 2: '4'",
        ),
        (GOOD.replace("4,four\n", "").encode(), "ids of the test file that it lacks: 1 (4)"),
        (GOOD.replace("4,four", "40,four").encode(), "ids that the test file does not have: 1 (40)"),
        ((GOOD + "9,again\n").encode(), "ids that stand there twice: 1 (9)"),
        (GOOD.replace("four", "  ").encode(), "rows without a translation: 1 (4)"),
        (GOOD.replace("four", "four,5").encode(), "rows with another number of cells: 1 (4)"),
        (GOOD.replace("four", "fo�r").encode(), "rows with damaged characters: 1 (4)"),
    ],
)
def test_every_fault_is_named(content: bytes, words: str) -> None:
    found = faults(content, ["7", "3", "4", "8", "9"], COLUMNS)
    assert any(words in fault for fault in found), found
    assert faults(GOOD.encode(), ["7", "3", "4", "8", "9"], COLUMNS) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"id,text_id,line_start,transliteration\n1,t,1\n", "test.csv:2: 3 cells where the header has 4"),
        (b"id,text_id,line_start,transliteration\n1,t,1,a\n1,t,2,b\n", "the id '1' stands there twice"),
        (b"id,text_id,transliteration\n", "no column 'line_start'; the columns are id, text_id, transliteration"),
        (b"id,\xff\n", "not UTF-8"),
    ],
)
def test_test_files_that_cannot_be_read(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "test.csv").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_rows(tmp_path / "test.csv", COLUMNS)


def test_test_files_are_read_as_sources_are(tmp_path: Path) -> None:
    text = 'id;text_id;line_start;transliteration\n7;t;1;año, ka\n8;t;2;"x\ny; z"\n'
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        (tmp_path / "test.csv").write_bytes(text.encode(encoding))
        try:
            rows = read_rows(tmp_path / "test.csv", COLUMNS)
        except DataError as error:
            assert error.hint == "Save the file as UTF-8."
        else:
            assert [row.text for row in rows] == ["año, ka", "x\ny; z"]


def test_long_cells_and_samples_in_other_encodings(tmp_path: Path) -> None:
    header, _, _ = GOOD.partition("\n")
    content = f"{header}\n7,{'x' * 200_000}\n".encode()
    assert faults(content, ["7"], COLUMNS) == []
    assert "the sample is not UTF-8" in faults(content, ["7"], COLUMNS, f"{header}\n7,ñ\n".encode("latin-1"))[0]


@pytest.mark.real_data
def test_the_test_file_and_sample_of_deep_past(real_data: Path) -> None:
    folder = real_data / "akkadian" / "kaggle_v3_final_feb2026"
    rows = read_rows(folder / "test.csv", COLUMNS)
    assert [rows[place].line for place in by_document(rows)] == ["1", "7", "14", "25"]
    sample = (folder / "sample_submission.csv").read_bytes()
    assert faults(sample, [row.id for row in rows], COLUMNS, sample) == []
