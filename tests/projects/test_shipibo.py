from __future__ import annotations

import re
from pathlib import Path

import pytest

from seshat.config import Config
from seshat.config.load import load_config
from seshat.core.gate import Gate
from seshat.core.records import Meta, Origin, Segment
from seshat.data.clean import cleaner_for, report
from seshat.text.normalise import Normaliser, profile_failures

LANGUAGES = [((), "shp"), (("ashaninka",), "cni"), (("bribri",), "bzd")]


def load(root: Path, *profiles: str) -> Config:
    return load_config(root / "projects" / "shipibo", profiles)


def old_and_new_words(folder: Path) -> list[tuple[str, str]]:
    (old,) = folder.glob("*.teacher_unnorm.test.sentences.errors.txt")
    new = old.with_name(old.name.replace(".errors", ""))
    pairs = []
    for a, b in zip(old.read_text("utf-8").splitlines(), new.read_text("utf-8").splitlines(), strict=True):
        if len(a.split()) == len(b.split()):
            pairs += list(zip(a.split(), b.split(), strict=True))
    return pairs


def word_accuracy(config: Config, language: str, source: str, folder: Path) -> float:
    normaliser = Normaliser(config.clean.profiles[language], config.clean.placeholders)
    right = [normaliser.apply(old, source) == new for old, new in old_and_new_words(folder)]
    assert len(right) > 1_000
    return sum(right) / len(right)


@pytest.mark.parametrize(("profiles", "language"), LANGUAGES)
def test_the_configuration_loads_and_its_profiles_hold(root: Path, profiles: tuple[str, ...], language: str) -> None:
    config = load(root, *profiles)
    assert (config.project.language, config.project.pivot) == (language, "es")
    assert config.clean.profiles[language].tests
    for profile in config.clean.profiles.values():
        assert profile_failures(profile, config.clean.placeholders) == []


@pytest.mark.parametrize(("profiles", "language"), LANGUAGES)
def test_what_a_run_uses_is_allowed_and_can_be_fetched(root: Path, profiles: tuple[str, ...], language: str) -> None:
    config = load(root, *profiles)
    fetched = {file.path for file in config.download.files}
    for source in config.ingest.sources:
        assert Gate(config.project.max_access).admits(source.access)
        assert {path.replace("{lang}", tag) for path in source.patterns for tag in (language, "es")} <= fetched | {
            path for path in source.patterns if "{lang}" not in path
        }
    assert [source.name for source in config.ingest.sources if source.split == "test"] == ["dev"]
    assert config.split.test == 0
    for file in config.download.files:
        assert file.sha256
        assert re.search(r"/[0-9a-f]{40}/", file.url), "pinned to a commit"


@pytest.mark.parametrize(("profiles", "language"), LANGUAGES)
def test_the_recipe_fits_the_local_copy(root: Path, real_data: Path, profiles: tuple[str, ...], language: str) -> None:
    for file in load(root, *profiles).download.files:
        assert (real_data / "americasnlp" / language / (file.local or "")).is_file()


def test_shipibo_comes_out_in_the_new_spelling(root: Path, real_data: Path) -> None:
    assert word_accuracy(load(root), "shp", "dictionary", real_data / "orthography" / "shi") >= 0.995


def test_ashaninka_comes_out_in_the_new_spelling(root: Path, real_data: Path) -> None:
    config = load(root, "ashaninka")
    assert word_accuracy(config, "cni", "train", real_data / "orthography" / "ash") >= 0.88


def test_the_training_text_is_cleaned_as_the_readme_says(root: Path, real_data: Path) -> None:
    config, folder = load(root), real_data / "americasnlp" / "shp" / "parallel_data"
    segments = []
    for name in ("flashcards", "dictionary"):
        sides = [(folder / f"{name}.{tag}").read_text("utf-8").split("\n")[:2_000] for tag in ("shp", "es")]
        segments += [
            Segment(
                id=f"{name}:{line}",
                texts={"shp": shp, "es": es},
                meta=Meta(source=name, origin=Origin(file=name, line=line)),
            )
            for line, (shp, es) in enumerate(zip(*sides, strict=True), start=1)
        ]
    cleaner = cleaner_for(config, segments)
    cleaned = [cleaner.segment(segment) for segment in segments]
    letters = report(cleaner)["rules"]["shp"]["new letters"]
    assert letters > 1_500
    old = re.compile(r"qu|[^\W\d_]*[áéíó]\w")
    left = sum(bool(old.search(record.texts["shp"])) for record in cleaned if record.meta.source == "dictionary")
    assert left < 100
    same = [a.texts["shp"].split() == b.texts["shp"].split() for a, b in zip(segments, cleaned, strict=True)]
    assert all(same[:2_000]), "the flashcards are in the new spelling already"
    assert sum(1 for record in cleaned if record.meta.tags) < 0.01 * len(cleaned)
