"""Writing a lexicon for other programs: CLDF for archives and scholars, word lists for Hunspell and for Keyman.

CLDF: the Dictionary module of https://cldf.clld.org (entries, senses, examples, languages, metadata). Hunspell: a
``.dic`` with the number of words first and an ``.aff`` (hunspell(5)). Keyman: a tab-separated list of words and how
often they were seen (https://help.keyman.com/developer/current-version/guides/lexical-models/).
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from seshat.core.jsonl import write_json, write_text
from seshat.core.records import Entry
from seshat.text.words import words

_TERMS = "http://cldf.clld.org/v1.0/terms.rdf#"
_TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "languages.csv": ("LanguageTable", {"ID": "id", "Name": "name"}),
    "entries.csv": (
        "EntryTable",
        {"ID": "id", "Language_ID": "languageReference", "Headword": "headword", "Part_Of_Speech": "partOfSpeech"},
    ),
    "senses.csv": ("SenseTable", {"ID": "id", "Description": "description", "Entry_ID": "entryReference"}),
    "examples.csv": (
        "ExampleTable",
        {
            "ID": "id",
            "Language_ID": "languageReference",
            "Primary_Text": "primaryText",
            "Translated_Text": "translatedText",
            "Sense_IDs": "",  # the ontology has no term for it; datasets of dictionaries call it so
        },
    ),
}
"""File -> table of the ontology, and its columns with their terms."""
Row = Mapping[str, str]


def counted(texts: Iterable[str], entries: Iterable[Entry]) -> Counter[str]:
    """How often each word stands in texts, in its usual case; words of the lexicon at least once.

    A word that stands in lower case somewhere is written so: its capital was that of a sentence.
    """
    seen: Counter[str] = Counter(word for text in texts for word in words(text) if any(map(str.isalpha, word)))
    for entry in entries:
        for form in (entry.headword, *entry.forms):
            for word in words(form):
                seen.setdefault(word, 1)
    usual: Counter[str] = Counter()
    for word, count in seen.items():
        lower = word.lower()
        usual[lower if lower in seen else word] += count
    return usual


def write_hunspell(folder: Path, tag: str, seen: Mapping[str, int]) -> list[Path]:
    """Write ``TAG.dic`` and ``TAG.aff``; returns them. No affix rules: every form stands in the list."""
    letters = Counter(letter for word, count in seen.items() for letter in word for _ in range(min(count, 9)))
    inside = sorted(letter for letter in letters if not letter.isalpha())
    affixes = ["SET UTF-8", f"TRY {''.join(letter for letter, _ in letters.most_common() if letter.isalpha())}"]
    if inside:
        affixes.append(f"WORDCHARS {''.join(inside)}")
    listed = sorted(seen)
    paths = [folder / f"{tag}.dic", folder / f"{tag}.aff"]
    escaped = (word.replace("/", "\\/") for word in listed)
    write_text(paths[0], f"{len(listed)}\n" + "".join(f"{word}\n" for word in escaped))
    write_text(paths[1], "\n".join(affixes) + "\n")
    return paths


def write_keyman(path: Path, seen: Mapping[str, int]) -> None:
    """Write the word list of a lexical model, most frequent words first."""
    listed = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    write_text(path, "".join(f"{word}\t{count}\n" for word, count in listed))


def write_cldf(folder: Path, entries: Sequence[Entry], names: Mapping[str, str], title: str) -> list[Path]:
    """Write a dataset of the Dictionary module; returns its files.

    Args:
        folder: of the dataset.
        entries: in their order.
        names: language tag -> name.
        title: of the dataset.
    """
    rows: dict[str, list[Row]] = {name: [] for name in _TABLES}
    rows["languages.csv"] = [
        {"ID": tag, "Name": names.get(tag, tag)} for tag in dict.fromkeys(entry.lang for entry in entries)
    ]
    for number, entry in enumerate(entries, 1):
        own = f"e{number}"
        rows["entries.csv"].append(
            {"ID": own, "Language_ID": entry.lang, "Headword": entry.headword, "Part_Of_Speech": entry.pos or ""}
        )
        for place, sense in enumerate(entry.senses, 1):
            glosses = "; ".join(gloss for texts in sense.glosses.values() for gloss in texts)
            rows["senses.csv"].append({"ID": f"{own}-{place}", "Description": glosses, "Entry_ID": own})
            for count, example in enumerate(sense.examples, 1):
                texts = dict(example.texts)
                primary = texts.pop(entry.lang, "")
                rows["examples.csv"].append(
                    {
                        "ID": f"{own}-{place}-{count}",
                        "Language_ID": entry.lang,
                        "Primary_Text": primary,
                        "Translated_Text": " / ".join(texts.values()),
                        "Sense_IDs": f"{own}-{place}",
                    }
                )
    licences = sorted({entry.meta.licence for entry in entries if entry.meta.licence})
    described = {name: table for name, table in _TABLES.items() if rows[name]}
    metadata = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:conformsTo": f"{_TERMS}Dictionary",
        "dc:title": title,
        **({"dc:license": "; ".join(licences)} if licences else {}),
        "tables": [_table(name, kind, columns) for name, (kind, columns) in described.items()],
    }
    for name, (_, columns) in described.items():
        write_text(folder / name, _as_csv(list(columns), rows[name]))
    path = folder / "Dictionary-metadata.json"
    write_json(path, json.loads(json.dumps(metadata)))
    return [path, *(folder / name for name in described)]


def _table(name: str, kind: str, columns: Mapping[str, str]) -> dict[str, object]:
    return {
        "url": name,
        "dc:conformsTo": f"{_TERMS}{kind}",
        "tableSchema": {
            "columns": [
                {"name": column, "datatype": "string"}
                | ({"propertyUrl": f"{_TERMS}{term}"} if term else {"separator": " ; "})
                for column, term in columns.items()
            ],
            "primaryKey": ["ID"],
        },
    }


def _as_csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
