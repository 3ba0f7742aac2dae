from __future__ import annotations

import csv
import io
import json
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def generate(root: Path) -> Iterator[Any]:
    folder = str(root / "projects" / "sample")
    sys.path.insert(0, folder)
    import generate

    yield generate
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def raw(generate: Any) -> dict[str, bytes]:
    made: dict[str, bytes] = generate.files(generate.SEED)
    return made


def rows(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter=delimiter))


def test_the_same_bytes_every_time(generate: Any, raw: dict[str, bytes]) -> None:
    assert generate.files(generate.SEED) == raw
    assert generate.files(generate.SEED + 1)["raw/translations/exam.tsv"] != raw["raw/translations/exam.tsv"]


def test_as_large_as_promised(raw: dict[str, bytes]) -> None:
    pairs = sum(raw[f"raw/translations/{name}"].count(b"\n") for name in ("stories.csv", "radio.qlm", "exam.tsv"))
    pairs += raw["raw/translations/school.tmx"].count(b"<tu ") + sum(raw[f"gold/{n}.tsv"].count(b"\n") for n in LEGENDS)
    assert 2_800 < pairs < 3_200
    entries = rows(raw["raw/dictionary/lexicon.csv"])
    old = json.loads(raw["raw/dictionary/old_wordlist.json"])["entries"]
    assert 550 < len(entries) + len(old) < 650
    assert {entry["type"] for entry in entries} == {"word", "affix", "person", "place"}


LEGENDS = ("flood", "jaguar")


@pytest.mark.parametrize("name", LEGENDS)
def test_the_gold_alignment_covers_both_sides_once(raw: dict[str, bytes], name: str) -> None:
    gold = [line.split("\t") for line in raw[f"gold/{name}.tsv"].decode().splitlines()]
    for column, language in enumerate(("qlm", "es")):
        lines = raw[f"raw/translations/legends/{name}.{language}.txt"].count(b"\n")
        covered = [int(i) for bead in gold for i in bead[column].split(",") if i]
        assert covered == list(range(lines))
    assert {(len(a.split(",")), len(b.split(","))) for a, b in gold if a and b} >= {(1, 1), (2, 1), (1, 2)}


def test_exam_words_meet_nowhere_else(generate: Any, raw: dict[str, bytes]) -> None:
    trained = {row["lumeko"] or "" for row in rows(raw["raw/translations/stories.csv"])}
    trained |= set(raw["raw/translations/radio.qlm"].decode().replace("’", "ʼ").splitlines())
    exam = {row["lumeko"] for row in rows(raw["raw/translations/exam.tsv"], "\t")}
    assert not exam & trained
    stems = {row["headword"] for row in rows(raw["raw/dictionary/lexicon.csv"])}
    text = " ".join(trained).casefold()
    unseen = {stem for stem in stems if not stem.startswith("-") and stem.casefold() not in text}
    assert any(stem in sentence.casefold() for stem in unseen for sentence in exam)


def test_the_sound_rule_and_the_glosses(raw: dict[str, bytes]) -> None:
    for row in rows(raw["raw/translations/stories.csv"])[:90]:
        for word, gloss in zip(row["morphemes"].split(), row["glosses"].split(), strict=True):
            assert word.count("-") == gloss.count("-")
        joined = row["morphemes"].replace("n-t", "nd").replace("-", "")
        assert joined.casefold() == row["lumeko"].rstrip(".?").strip().casefold().replace(" kaʼ?", " kaʼ")


def test_faults_are_there_on_purpose(raw: dict[str, bytes]) -> None:
    assert not unicodedata.is_normalized("NFC", raw["raw/translations/school.tmx"].decode())
    with pytest.raises(UnicodeDecodeError):
        raw["raw/monolingual/news.es.txt"].decode()
    assert sum(row["id"].startswith("bad-") for row in rows(raw["raw/translations/stories.csv"])) == 4
