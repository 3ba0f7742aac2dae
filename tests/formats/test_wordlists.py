"""What is written for other programs: a CLDF dataset that reads back the same, and word lists."""

from __future__ import annotations

from pathlib import Path

from tests.reading import Read

from seshat.core.records import Entry, Example, Meta, Sense
from seshat.formats import wordlists

ENTRIES = [
    Entry(
        id="a",
        lang="qlm",
        headword="kuno",
        pos="n",
        senses=(
            Sense(glosses={"es": ("río", "arroyo")}, examples=(Example(texts={"qlm": "Kuno ti.", "es": "Hay río."}),)),
            Sense(glosses={"es": ("agua",)}),
        ),
        meta=Meta(licence="CC-BY-4.0"),
    ),
    Entry(id="b", lang="qlm", headword="ta/ba", forms=("tabata",), senses=(Sense(glosses={"es": ("correr, ir",)}),)),
]


def test_a_dataset_reads_back_as_it_was(tmp_path: Path, read: Read) -> None:
    files = wordlists.write_cldf(tmp_path / "out", ENTRIES, {"qlm": "Lumeko"}, "A dictionary")
    written = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert '"CC-BY-4.0"' in written["Dictionary-metadata.json"]
    columns = {
        "headword": "entries.Headword",
        "pos": "entries.Part_Of_Speech",
        "gloss.es": "senses.Description",
        "example.qlm": "examples.Primary_Text",
        "example.es": "examples.Translated_Text",
    }
    found = read(written, path="Dictionary-metadata.json", reader="cldf", kind="entries", columns=columns)
    assert found.rejects == []
    for entry, again in zip(ENTRIES, found.entries, strict=True):
        assert (again.headword, again.pos) == (entry.headword, entry.pos)
        assert again.senses == entry.senses


def test_words_are_counted_in_their_usual_case(tmp_path: Path) -> None:
    seen = wordlists.counted(["Kuno ti.", "Ana kuno 12 ti’a"], ENTRIES)
    assert seen["kuno"] == 2
    assert seen["Ana"] == 1
    assert seen["tabata"] == 1, "a form of the lexicon that no text has"
    assert "12" not in seen
    dic, affixes = wordlists.write_hunspell(tmp_path, "qlm", seen)
    lines = dic.read_text(encoding="utf-8").splitlines()
    assert int(lines[0]) == len(lines) - 1
    assert "SET UTF-8" in affixes.read_text(encoding="utf-8")
    wordlists.write_keyman(tmp_path / "list.tsv", seen)
    first = (tmp_path / "list.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert first.split("\t")[1] == str(max(seen.values()))
