"""The stage ``align``: segments, confidence, unaligned lines, the review file and what people decide in it."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import pytest

from seshat.config import Config
from seshat.config.align import AlignSection
from seshat.core.errors import DataError
from seshat.core.jsonl import read_jsonl, write_jsonl
from seshat.core.records import Access, Document, Entry, Meta, Method, Origin, Segment, Sense
from seshat.data.align import stage
from seshat.data.align.stage import LOW_CONFIDENCE, UNALIGNED, align_documents, segments_of
from seshat.project.folder import Project
from seshat.review.queues.alignment import QUEUE
from seshat.review.table import Row

LANGUAGES = ("qaa", "qab")
NOUNS = ["bakum", "direm", "fotal", "gunis", "hepon", "jirat", "kolum", "lamek", "mivon", "nasur", "pelik", "rodan"]
VERBS = ["aresk", "ibonn", "ogalt", "utrem", "ekwas", "ilvon", "omirt", "uspek", "alzat", "ednok"]
MEANINGS = {word: "".join(chr(ord("α") + (ord(c) * 7 + i) % 24) for i, c in enumerate(word)) for word in NOUNS + VERBS}


def sentence(rng: random.Random) -> tuple[str, str]:
    """A sentence of a made-up language and its translation, word by word in the reverse order, in another script."""
    words = [*rng.sample(NOUNS, rng.randint(2, 6)), rng.choice(VERBS)]
    return " ".join(words) + ".", " ".join(MEANINGS[word] for word in reversed(words)) + "."


def made_up(size: int, seed: int) -> tuple[list[str], list[str], list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """Two sides with deletions and merges, and the beads that are right (0-based lines)."""
    rng = random.Random(seed)
    source: list[str] = []
    target: list[str] = []
    gold = []
    for _ in range(size):
        kind = rng.choices(("1-1", "1-0", "0-1", "2-1", "1-2"), (80, 4, 4, 6, 6))[0]
        (a, x), (b, y) = sentence(rng), sentence(rng)
        mine = {"0-1": [], "2-1": [a, b], "1-2": [f"{a} {b}"]}.get(kind, [a])
        theirs = {"1-0": [], "2-1": [f"{x} {y}"], "1-2": [x, y]}.get(kind, [x])
        rows, columns = range(len(source), len(source) + len(mine)), range(len(target), len(target) + len(theirs))
        gold.append((tuple(rows), tuple(columns)))
        source += mine
        target += theirs
    return source, target, gold


def document(source: list[str], target: list[str], name: str = "story", meta: Any = None) -> Document:
    texts = {tag: tuple(lines) for tag, lines in zip(LANGUAGES, (source, target), strict=True) if lines}
    return Document(id=name, texts=texts, meta=Meta.model_validate({"access": Access.PUBLIC, **(meta or {})}))


def test_finds_merges_and_deletions() -> None:
    source, target, gold = made_up(150, seed=4)
    result = align_documents([document(source, target)], [], LANGUAGES, AlignSection())
    (aligned,) = result.documents
    right = {bead for bead in gold if all(bead)}
    found = {(tuple(range(*b.source)), tuple(range(*b.target))) for b in aligned.beads if b.paired}
    assert 2 * len(right & found) / (len(right) + len(found)) > 0.95


def test_every_line_becomes_part_of_one_segment() -> None:
    source, target, _ = made_up(60, seed=9)
    result = align_documents([document(source, target)], [], LANGUAGES, AlignSection())
    segments = list(segments_of(result.documents[0], 0.5))
    assert " ".join(s.texts[LANGUAGES[0]] for s in segments if LANGUAGES[0] in s.texts) == " ".join(source)
    assert " ".join(s.texts[LANGUAGES[1]] for s in segments if LANGUAGES[1] in s.texts) == " ".join(target)
    assert len({s.id for s in segments}) == len(segments)
    assert [s.meta.order for s in segments] == list(range(len(segments)))
    for segment in segments:
        if len(segment.texts) == 1:
            assert segment.meta.tags == (UNALIGNED,)
            assert segment.meta.method is Method.GOLD
        else:
            assert segment.meta.method is Method.ALIGNED
            assert segment.meta.score is not None
            assert (segment.meta.score < 0.5) == (LOW_CONFIDENCE in segment.meta.tags)


def test_segments_inherit_what_is_known_about_the_document() -> None:
    origin = Origin(file="legends/story.qaa.txt")
    meta = {"origin": origin, "licence": "CC0-1.0", "access": Access.COMMUNITY, "source": "legends", "genre": "legend"}
    one, two = sentence(random.Random(1)), sentence(random.Random(2))
    given = document([one[0], "", two[0]], [one[1], "", two[1]], meta=meta)
    first, second = segments_of(align_documents([given], [], LANGUAGES, AlignSection()).documents[0], 0.5)
    assert (first.id, second.id) == ("story:1-1", "story:3-3")
    assert second.meta.origin == Origin(file="legends/story.qaa.txt", line=3)
    assert second.meta.doc_id == "story"
    assert (second.meta.licence, second.meta.access, second.meta.genre) == ("CC0-1.0", Access.COMMUNITY, "legend")


def test_the_lexicon_decides_where_lengths_cannot() -> None:
    rng = random.Random(3)
    lines = [rng.sample(NOUNS, 3) for _ in range(9)]
    source = [" ".join(line) for line in lines[:8]]
    target = [" ".join(MEANINGS[word] for word in line) for line in lines[1:]]
    entries = [
        Entry(id=word, lang=LANGUAGES[0], headword=word, senses=(Sense(glosses={LANGUAGES[1]: (meaning,)}),))
        for word, meaning in MEANINGS.items()
    ]
    with_lexicon, without = (
        [
            (bead.source[0], bead.target[0])
            for bead in align_documents([document(source, target)], entries, LANGUAGES, section).documents[0].beads
            if bead.paired
        ]
        for section in (AlignSection(), AlignSection(lexicon=False))
    )
    assert with_lexicon == [(n + 1, n) for n in range(7)]
    assert without != with_lexicon


def test_a_missing_side_gives_text_in_one_language() -> None:
    result = align_documents([document(["bakum.", "", "direm."], [])], [], LANGUAGES, AlignSection())
    segments = list(segments_of(result.documents[0], 0.5))
    assert [(s.id, s.texts) for s in segments] == [
        ("story:qaa-1", {"qaa": "bakum."}),
        ("story:qaa-3", {"qaa": "direm."}),
    ]
    (warning,) = stage.warnings(result, stage.report(result, 0.5), "review.csv")
    assert "one side is missing" in warning


def test_two_texts_that_have_nothing_to_do_with_each_other_are_told() -> None:
    rng = random.Random(5)

    def lines(letters: str) -> list[str]:
        words = ["".join(rng.choices(letters, k=5)) for _ in range(60)]
        return [" ".join(rng.choices(words, k=rng.randint(3, 12))) for _ in range(200)]

    result = align_documents([document(lines("abdeiou"), lines("αβγδεικο"))], (), LANGUAGES, AlignSection())
    (warning,) = stage.warnings(result, stage.report(result, 0.5), "review.csv")
    assert "its pairs are doubtful" in warning


def test_a_third_language_is_left_out_with_a_note() -> None:
    given = Document(id="d", texts={"qaa": ("a",), "qab": ("b",), "en": ("c",)})
    (aligned,) = align_documents([given], [], LANGUAGES, AlignSection()).documents
    assert "'en' is left out" in aligned.notes[0]
    assert all("en" not in s.texts for s in segments_of(aligned, 0.5))


def test_an_anchor_that_is_asked_for_but_not_there_is_told() -> None:
    source, target, _ = made_up(8, seed=1)
    (aligned,) = align_documents([document(source, target)], [], LANGUAGES, AlignSection(anchors="verses")).documents
    assert aligned.anchored is not None
    assert aligned.anchored.scheme == "none"
    assert "do not agree on verses" in aligned.notes[0]


def test_lines_are_cut_into_sentences_when_asked() -> None:
    rng = random.Random(6)
    pairs = [sentence(rng) for _ in range(6)]
    lines = [" ".join(pair[side].capitalize() for pair in pairs) for side in (0, 1)]
    section = AlignSection(split_sentences=True)
    (aligned,) = align_documents([document([lines[0]], [lines[1]])], [], LANGUAGES, section).documents
    segments = list(segments_of(aligned, 0.5))
    assert [s.id for s in segments] == [f"story:1.{n}-1.{n}" for n in range(1, 7)]
    assert all(s.meta.order == n for n, s in enumerate(segments))


def test_two_documents_of_one_name_are_refused() -> None:
    given = document(["a"], ["b"])
    with pytest.raises(DataError, match="more than one document is called 'story'"):
        align_documents([given, given], [], LANGUAGES, AlignSection())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one document whose last lines are doubtful."""
    config = Config.model_validate({"project": {"language": "qaa", "pivot": "qab"}, "align": {"min_confidence": 0.999}})
    project = Project(tmp_path, config)
    source, target, _ = made_up(40, seed=2)
    write_jsonl(project.cleaned / "documents.jsonl", [document(source, target)])
    return project


def table(project: Project) -> list[dict[str, str]]:
    with (QUEUE.path(project)).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def edit(project: Project, rows: list[dict[str, str]], delimiter: str = ",") -> None:
    """Save the review file as a spreadsheet would."""
    path = QUEUE.path(project)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def segments(project: Project) -> list[Segment]:
    return list(read_jsonl(project.aligned / "segments.jsonl", Segment))


def test_same_input_same_bytes(project: Project) -> None:
    files = [
        project.aligned / "segments.jsonl",
        project.aligned / "report.json",
        project.root / "reports/alignment_review.csv",
    ]
    summary = stage.run(project)
    first = [path.read_bytes() for path in files]
    assert stage.run(project) == summary
    assert [path.read_bytes() for path in files] == first
    assert summary["low_confidence"] == len([row for row in table(project) if "none" not in row.values()]) > 0


def test_a_correction_wins_at_the_next_run_and_stays(project: Project) -> None:
    stage.run(project)
    rows = table(project)
    rows[0] |= {"corrected_source_lines": "1..3", "corrected_target_lines": "1", "corrected_target_text": "=Νέο"}
    edit(project, rows, delimiter=";")
    summary = stage.run(project)
    assert summary["decisions"] == {"applied": 1, "stale": 0, "ignored": 0}
    first = segments(project)[0]
    assert first.id == "story:1..3-1"
    assert first.texts["qab"] == "=Νέο"
    assert (first.meta.method, first.meta.score, first.meta.tags) == (Method.GOLD, 1.0, ())
    row = next(row for row in table(project) if row["status"])
    assert row["status"] == "applied"
    assert row["corrected_target_text"] == "'=Νέο", "a cell that looks like a formula is escaped"
    before = (project.root / "reports/alignment_review.csv").read_bytes()
    stage.run(project)
    assert segments(project)[0] == first
    assert (project.root / "reports/alignment_review.csv").read_bytes() == before


def test_accept_and_reject(project: Project) -> None:
    stage.run(project)
    rows = [row for row in table(project) if "none" not in row.values()]
    rows[0]["decision"], rows[1]["decision"] = "accept", "Reject"
    edit(project, rows[:2])
    assert stage.run(project)["decisions"]["applied"] == 2
    found = {s.id: s for s in segments(project)}
    assert found[rows[0]["bead_id"]].meta.method is Method.GOLD
    assert rows[1]["bead_id"] not in found
    alone = found[f"story:{rows[1]['source_lines'].split('..')[0]}-"]
    assert alone.meta.tags == (UNALIGNED,)


def test_a_decision_on_text_that_has_changed_is_kept_and_told_but_not_applied(project: Project) -> None:
    stage.run(project)
    rows = table(project)[:1]
    rows[0]["decision"] = "accept"
    edit(project, rows)
    (old,) = read_jsonl(project.cleaned / "documents.jsonl", Document)
    lines = {tag: tuple(f"{line} etiam" for line in text) for tag, text in old.texts.items()}
    write_jsonl(project.cleaned / "documents.jsonl", [old.model_copy(update={"texts": lines})])
    summary = stage.run(project)
    assert summary["decisions"] == {"applied": 0, "stale": 1, "ignored": 0}
    assert any("is not applied: stale: the text has changed" in warning for warning in summary["warnings"])
    assert next(row for row in table(project) if row["decision"])["bead_id"] == rows[0]["bead_id"]
    (project.cleaned / "documents.jsonl").unlink()
    assert stage.run(project)["decisions"]["stale"] == 1
    assert [row["decision"] for row in table(project)] == ["accept"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"decision": "perhaps"}, "'perhaps' is no decision"),
        ({"corrected_source_lines": "999"}, "there is no source line '999'"),
        ({"corrected_source_lines": "1, 5"}, "do not follow one another"),
        ({"decision": "reject", "corrected_target_text": "x"}, "rejected and corrected at once"),
        ({"corrected_source_lines": "none", "corrected_target_lines": "none"}, "it names no lines"),
    ],
)
def test_a_row_that_makes_no_sense_is_kept_and_told(project: Project, cells: dict[str, str], reason: str) -> None:
    stage.run(project)
    before = segments(project)
    rows = table(project)[:1]
    rows[0] |= cells
    edit(project, rows)
    summary = stage.run(project)
    assert summary["decisions"]["ignored"] == 1
    assert any(reason in warning for warning in summary["warnings"])
    assert segments(project) == before
    assert any(all(row[name] == value for name, value in cells.items()) for row in table(project))


def test_comments_and_columns_of_people_stay(project: Project) -> None:
    stage.run(project)
    rows = [{**row, "who": ""} for row in table(project)]
    rows[0] |= {"comment": "ask Ana", "who": "Inés"}
    edit(project, rows)
    stage.run(project)
    after = table(project)
    assert len(after) == len(rows)
    assert after[0]["comment"] == "ask Ana"
    assert after[0]["who"] == "Inés"


def test_text_above_the_access_of_the_run_stays_out_of_the_review_file(project: Project) -> None:
    (old,) = read_jsonl(project.cleaned / "documents.jsonl", Document)
    closed = old.model_copy(update={"meta": old.meta.model_copy(update={"access": Access.RESTRICTED})})
    write_jsonl(project.cleaned / "documents.jsonl", [closed])
    summary = stage.run(project)
    assert table(project) == []
    assert any("above the access level" in warning for warning in summary["warnings"])
    assert segments(project)[0].meta.access is Access.RESTRICTED


def test_pairs_known_beforehand_teach_words() -> None:
    rng = random.Random(12)
    examples = [Segment(id=str(n), texts=dict(zip(LANGUAGES, sentence(rng), strict=True))) for n in range(200)]
    lines = [sentence(rng) for _ in range(6)]
    shifted = document([pair[0] for pair in lines[:5]], [pair[1] for pair in lines[1:]])
    (aligned,) = align_documents([shifted], [], LANGUAGES, AlignSection(), examples=examples).documents
    assert [(b.source[0], b.target[0]) for b in aligned.beads if b.paired] == [(n + 1, n) for n in range(4)]


def test_without_documents_there_is_nothing_to_do(tmp_path: Path) -> None:
    project = Project(tmp_path, Config())
    summary = stage.run(project)
    assert summary["documents"] == summary["segments"] == 0
    assert segments(project) == []
    assert not (tmp_path / "reports").exists()


def test_row_knows_whether_somebody_wrote_in_it() -> None:
    assert not QUEUE.touched(Row({"bead_id": "a", "confidence": "0.3", "status": "stale", "comment": " "}))
    assert QUEUE.touched(Row({"bead_id": "a", "mine": "x"}))
