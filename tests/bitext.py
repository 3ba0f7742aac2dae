"""A small constructed language with a seeded generator, for the tests of the statistical family."""

from __future__ import annotations

from pathlib import Path
from random import Random

from seshat.config import Config
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Entry, Segment, Sense
from seshat.project.folder import Project

NOUNS = {"tama": "house", "kiru": "dog", "sopo": "river", "nuka": "child", "welo": "bird", "mibo": "canoe"}
VERBS = {"rap": "sees", "tik": "finds", "lom": "carries", "gen": "wants"}
ADJECTIVES = {"bali": "big", "fesu": "red", "doko": "old"}
PLACES = ("Iquitos", "Tarapoto", "Cusco", "Lima", "Nauta")


def pair(random: Random) -> tuple[str, str]:
    """One sentence: subject, object, verb with a suffix against subject, verb, object."""
    subject, thing = random.sample(sorted(NOUNS), 2)
    verb, adjective = random.choice(sorted(VERBS)), random.choice(sorted(ADJECTIVES))
    place, number = random.choice(PLACES), random.randint(2, 99)
    source = f"{subject.capitalize()}ka {thing} {adjective} {verb}ai"
    target = f"The {NOUNS[subject]} {VERBS[verb]} the {ADJECTIVES[adjective]} {NOUNS[thing]}"
    kind = random.randrange(3)
    if kind == 0:
        return f"{source}, {place}mi.", f"{target}, in {place}."
    if kind == 1:
        return f"{source} {number}.", f"{target} {number}."
    return f"{source}.", f"{target}."


def pairs(count: int, seed: int) -> list[tuple[str, str]]:
    """Different sentence pairs."""
    random = Random(seed)
    found: dict[tuple[str, str], None] = {}
    while len(found) < count:
        found[pair(random)] = None
    return list(found)


def make_project(root: Path, *, train: int = 160, settings: dict[str, object] | None = None) -> Project:
    """A project whose training files are written."""
    made = pairs(train + 60, seed=5)
    config = Config.model_validate(
        {
            "project": {"language": "xx", "pivot": "en", "seed": 7, "max_access": "restricted"},
            "train": {"statistical": {"tune_segments": 30, "n_best": 10, "copying": 0, **(settings or {})}},
        }
    )
    project = Project(root, config)
    for name, rows in (("train", made[:train]), ("validation", made[train:])):
        segments = (
            Segment(id=f"{name}-{n}", texts={"xx": source, "en": target}) for n, (source, target) in enumerate(rows)
        )
        write_jsonl(project.training / f"{name}.jsonl", segments)
    entry = Entry(id="e1", lang="xx", headword="pulu", senses=(Sense(glosses={"en": ("moon",)}),))
    write_jsonl(project.training / "lexicon.jsonl", [entry])
    extra = [Segment(id="m1", texts={"en": "The moon is old."}), Segment(id="m2", texts={"xx": "Pulu bali."})]
    write_jsonl(project.training / "monolingual.jsonl", extra)
    return project
