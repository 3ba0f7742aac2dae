from __future__ import annotations

from pathlib import Path

import pytest

from seshat.config import Config
from seshat.config.clean import FilterSection
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Meta, Origin, Segment
from seshat.corpus.measures import wordless
from seshat.corpus.registry import View
from seshat.data.check.run import run as check
from seshat.data.filters import NO_WORD, Filters
from seshat.project.folder import Project

GOOD = [
    "El niño come pan.",
    "¿Qué dice?",
    "Vale 3.5 soles.",
    "¿Sí? No.",
    "AT&T vende.",
    "a < b y b > c",
    "Dijo: none.",
    "El año…",
]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("nan", "stand for nothing"),
        ("N/A", "stand for nothing"),
        (" - ", "stand for nothing"),
        ("El niÃ±o comiÃ³ pan.", "read in a wrong encoding"),
        ("Dijo â€œsÃ­â€\x9d ayer.", "read in a wrong encoding"),
        ("El ni\ufffdo come.", "U+FFFD"),
        ("El ni?o come pan.", "question marks inside words"),
        ("Est&aacute; aqu&iacute;.", "HTML entities"),
        ("Uno &#39;dos&#39;", "HTML entities"),
        ("Uno <br/> dos <b>tres</b>", "HTML tags"),
        (r"Uno.\nDos.", "written out"),
        ("Mi madre compra huevos .", "space before a full stop"),
        ("<range>", "have no word"),
        ("...", "have no word"),
        ("[...]", "have no word"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path: Path, bad: str, words: str) -> None:
    def shown(texts: list[str]) -> str:
        meta = {"source": "book", "access": Access.PUBLIC}
        segments = [
            Segment(
                id=f"s{number}",
                texts={"xx": f"kuno taba {number}", "es": text},
                meta=Meta(**meta, origin=Origin(file="b.csv", line=number)),
            )
            for number, text in enumerate(texts, start=2)
        ]
        project = Project(tmp_path, Config.model_validate({"project": {"language": "xx", "pivot": "es"}}))
        write_jsonl(project.ingested / "segments.jsonl", segments)
        found = [one for one in check(project)["findings"] if one["check"] == "damage"]
        return "\n".join(f"{one['message']} {' '.join(one['where'])}" for one in found)

    assert shown(GOOD) == ""
    found = shown([*GOOD, bad])
    assert words in found
    assert f"1 of {len(GOOD) + 1} texts in es" in found
    assert f"b.csv:{len(GOOD) + 2} (" in found


def test_texts_without_a_word_are_tagged() -> None:
    filters = Filters(FilterSection(), placeholders=("<gap>",))
    for text in ("<range>", "...", "—", "[...]", "<range>…"):
        assert NO_WORD in filters.of_segment({"xx": "kuno taba", "es": text})
    for text in ("<gap>", "<gap> x", "7", "sí", "[sí]", "x <range>", "漢"):
        assert NO_WORD not in filters.of_segment({"xx": "kuno taba", "es": text})
    assert wordless(View(("<gap>",)))
