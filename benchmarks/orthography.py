"""Old spelling to new spelling: how many words the profiles of projects/shipibo bring to the spelling of teachers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from seshat.config.clean import MapRule, Profile
from seshat.config.load import load_config
from seshat.text.normalise import Normaliser
from seshat.text.words import words

SUMMARY = (
    "Old to new spelling: word accuracy of the profile, three hand rules and no change; unseen words before and after"
)

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SESHAT_SHARED", ROOT.parent / "shared")) / "data"
PROJECT = ROOT / "projects" / "shipibo"

Spell = Callable[[str], str]

PAIRS = {"shi": "Shipibo-Konibo", "ash": "Asháninka", "ya": "Yanesha", "yi": "Yine"}
"""Folder below orthography/ -> language. There are profiles for the first two."""


def identity(text: str) -> str:
    """No change at all: the floor."""
    return text


def three_rules() -> Spell:
    """What one would write without looking: qu -> k, c -> k (but ch stays), hu -> w."""
    rule = MapRule(name="three", type="map", map={"qu": "k", "ch": "ch", "c": "k", "hu": "w"})
    return Normaliser(Profile(rules=(rule,))).apply


def project_profile(language: str, source: str, profiles: tuple[str, ...] = ()) -> Spell:
    """The normalisation profile of the project, as the stage ``clean`` applies it to a source."""
    clean = load_config(PROJECT, profiles).clean
    normaliser = Normaliser(clean.profiles[language], clean.placeholders)
    return lambda text: normaliser.apply(text, source)


def gold_words(folder: Path) -> Iterator[tuple[str, str]]:
    """Words in the old and in the new spelling. Lines with different numbers of words are left out."""
    (old,), (new,) = (list(folder.glob(f"*.teacher_unnorm.test.sentences.{end}")) for end in ("errors.txt", "txt"))
    for before, after in zip(lines(old), lines(new), strict=True):
        if len(before.split()) == len(after.split()):
            yield from zip(before.split(), after.split(), strict=True)


def lines(path: Path) -> list[str]:
    """The lines of a text file; only line feeds end lines."""
    return path.read_bytes().decode("utf-8").rstrip("\n").split("\n")


def accuracy(pairs: Iterable[tuple[str, str]], spell: Spell) -> float:
    """Share of the words that come out as the teachers wrote them."""
    right = [spell(old) == new for old, new in pairs]
    return sum(right) / len(right)


def unseen(vocabulary: set[str], test: Counter[str]) -> dict[str, float]:
    """Share of the words of a test text that a vocabulary does not hold: different words, and running words."""
    missing = {word: count for word, count in test.items() if word not in vocabulary}
    return {"types": round(len(missing) / len(test), 4), "tokens": round(sum(missing.values()) / test.total(), 4)}


def vocabulary(texts: Iterable[str]) -> Counter[str]:
    """The words of texts in lower case, counted."""
    return Counter(word.lower() for text in texts for word in words(text))


def spelling_figures() -> dict[str, Any]:
    """Word accuracy of every language and system."""
    profiles = {
        "shi": project_profile("shp", "dictionary"),
        "ash": project_profile("cni", "train", ("ashaninka",)),
    }
    figures: dict[str, Any] = {}
    for folder, language in PAIRS.items():
        pairs = list(gold_words(DATA / "orthography" / folder))
        systems = {"identity": identity, "three rules": three_rules(), "profile": profiles.get(folder)}
        figures[language] = {"words": len(pairs)} | {
            name: round(accuracy(pairs, spell), 4) for name, spell in systems.items() if spell
        }
    return figures


def unseen_figures() -> dict[str, Any]:
    """Share of the development set that the training text does not hold, by spelling of the dictionary part."""
    folder = DATA / "americasnlp" / "shp"
    test = vocabulary(lines(folder / "dev.shp"))
    new = set(vocabulary(lines(folder / "parallel_data/flashcards.shp")))
    new |= set(vocabulary(lines(folder / "parallel_data/educational.shp")))
    dictionary = lines(folder / "parallel_data/dictionary.shp")
    systems = {
        "identity": identity,
        "three rules": three_rules(),
        "profile": project_profile("shp", "dictionary"),
    }
    figures: dict[str, Any] = {"without the dictionary": {"all of train": unseen(new, test)}}
    for name, spell in systems.items():
        own = set(vocabulary(map(spell, dictionary)))
        figures[name] = {"dictionary alone": unseen(own, test), "all of train": unseen(own | new, test)}
    return figures


def main() -> dict[str, Any]:
    """Measure, print two tables, return the figures."""
    spelling, missing = spelling_figures(), unseen_figures()
    console = Console()
    table = Table("language", "words", "identity", "three rules", "profile", title="Word accuracy, old to new spelling")
    for language, row in spelling.items():
        table.add_row(language, *(str(row.get(key, "-")) for key in ("words", "identity", "three rules", "profile")))
    console.print(table)
    table = Table("dictionary part", "dictionary alone", "all of train", title="Unseen running words of the dev set")
    for name, row in missing.items():
        table.add_row(
            name, *(str(row[key]["tokens"]) if key in row else "-" for key in ("dictionary alone", "all of train"))
        )
    console.print(table)
    return {"word_accuracy": spelling, "unseen_in_dev": missing}
