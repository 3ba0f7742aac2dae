from __future__ import annotations

import json
from typing import Any

from tests.reading import Read

TERMS = "http://cldf.clld.org/v1.0/terms.rdf#"


def table(url: str, kind: str, **columns: str) -> dict[str, Any]:
    """A table; a column whose term ends in a separator is a list."""
    made = []
    for name, term in columns.items():
        term, _, separator = term.partition(" ")
        column = {"name": name, "propertyUrl": TERMS + term if term else name}
        made.append({**column, **({"separator": separator} if separator else {})})
    return {"url": url, "dc:conformsTo": TERMS + kind, "tableSchema": {"columns": made}}


def metadata(*tables: dict[str, Any]) -> str:
    context = ["http://www.w3.org/ns/csvw", {"@language": "en"}]
    return json.dumps({"@context": context, "dc:license": "CC-BY-4.0", "tables": tables})


ENTRIES = table(
    "entries.csv", "EntryTable", ID="id", Language_ID="languageReference", Headword="headword", Part="partOfSpeech"
)
SENSES = table("senses.csv", "SenseTable", ID="id", Description="description", Entry_ID="entryReference", Spanish="")
EXAMPLES = table(
    "examples.csv", "ExampleTable", ID="id", Primary="primaryText", Words="analyzedWord \\t", Gloss="gloss \\t",
    Translation="translatedText", Sense_IDs=" ; ",
)  # fmt: skip
DICTIONARY = {
    "d-metadata.json": metadata(ENTRIES, SENSES, EXAMPLES),
    "entries.csv": "ID,Language_ID,Headword,Part\ne1,x,kuno,n\ne2,x,,v\n",
    "senses.csv": "ID,Description,Entry_ID,Spanish\ns1,river; stream,e1,río\ns2,water,e1,agua\n",
    "examples.csv": "ID,Primary,Words,Gloss,Translation,Sense_IDs\n"
    "x1,Kuno ti.,,,There is a river.,s1 ; s2\nx2,Kunota taba.,kuno-ta\ttaba,river-PL\trun,Rivers run.,\n",
}
COLUMNS = {"headword": "entries.Headword", "gloss.es": "senses.Spanish", "example.qlm": "examples.Primary"}


def test_a_dictionary(read: Read) -> None:
    found = read(DICTIONARY, path="d-metadata.json")
    (entry,) = found.entries
    assert (entry.id, entry.headword, entry.pos) == ("src:entries:e1", "kuno", "n")
    assert [one.glosses for one in entry.senses] == [{"en": ("river", "stream")}, {"en": ("water",)}]
    assert entry.senses[1].examples[0].texts == {"qlm": "Kuno ti.", "en": "There is a river."}
    assert entry.meta.extra["licence"] == "CC-BY-4.0"
    assert [one.reason for one in found.rejects] == ["the unit has no headword"]
    assert "senses.Spanish (2)" in found.warnings


def test_examples_that_no_entry_has_are_segments(read: Read) -> None:
    (segment,) = read(DICTIONARY, path="d-metadata.json").segments
    assert segment.texts == {"qlm": "Kunota taba.", "en": "Rivers run."}
    assert [(one.form, one.morphemes, one.glosses) for one in segment.gloss or ()] == [
        ("kunota", ("kuno", "ta"), ("river", "PL")),
        ("taba", ("taba",), ("run",)),
    ]


def test_columns_of_the_configuration(read: Read) -> None:
    found = read(DICTIONARY, path="d-metadata.json", kind="entries", columns=COLUMNS)
    assert [one.glosses for one in found.entries[0].senses] == [{"es": ("río",)}, {"es": ("agua",)}]


def test_a_wordlist_of_several_languages(read: Read) -> None:
    files = {
        "m.json": metadata(
            table(
                "forms.csv", "FormTable", ID="id", Lang="languageReference", Form="form", Concept="parameterReference"
            ),
            table("concepts.csv", "ParameterTable", ID="id", Name="name"),
            table("languages.csv", "LanguageTable", ID="id", Name="name", Code="iso639P3code"),
        ),
        "forms.csv": "ID,Lang,Form,Concept\nf1,lum,kuno,c1\nf2,other,zzz,c1\n",
        "concepts.csv": "ID,Name\nc1,river\n",
        "languages.csv": "ID,Name,Code\nlum,Lumeko,qlm\nother,Other,qot\n",
    }
    found = read(files, path="m.json")
    assert [(one.headword, one.senses[0].glosses) for one in found.entries] == [("kuno", {"en": ("river",)})]
    assert "rows in the language 'other'" in found.warnings


def test_what_is_no_dataset(read: Read) -> None:
    assert "no metadata of a CLDF dataset" in read({"m.json": "{"}, path="m.json", reader="cldf").failures[0].message
    files = {"m.json": DICTIONARY["d-metadata.json"]}
    assert "none of the tables" in read(files, path="m.json").failures[0].message
