"""What an evaluation reads: the test set, and what the training data hold to judge it by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from seshat.config import Direction
from seshat.core.errors import DataError
from seshat.core.records import Access, Entry, Segment
from seshat.core.spaced import evenly
from seshat.project.folder import Project
from seshat.text.words import words


@dataclass(frozen=True)
class Material:
    """The training data of one project. Words are case-folded."""

    pairs: tuple[tuple[str, ...], ...]
    """Texts of train: (language, pivot), or the language alone."""
    trained: dict[str, set[str]]
    """Per language, the words of train."""
    attested: dict[str, set[str]]
    """Per language, the words of train, validation and monolingual texts, and of the lexicon."""
    entries: tuple[Entry, ...] = ()
    """The lexicon."""

    def sides(self, direction: Direction, language: str) -> tuple[list[str], list[str]]:
        """Source and target texts of train; ``language`` is the first of each pair."""
        first, second = [pair[0] for pair in self.pairs], [pair[1] for pair in self.pairs]
        return (first, second) if direction.source == language else (second, first)

    def leaks(self, test: TestSet, languages: Sequence[str]) -> dict[str, int]:
        """How many test sentences stand in train, letter for letter: per language, and as a ``pair``."""
        found = {"pair": 0}
        pairs = set(self.pairs)
        for place, language in enumerate(languages):
            trained = {pair[place] for pair in self.pairs}
            found[language] = sum(text in trained for text in test.texts(language))
        both = zip(*(test.texts(language) for language in languages), strict=True)
        found["pair"] = sum(pair in pairs for pair in both)
        return found

    def lexicon_words(self, language: str, types: Iterable[str] | None = None) -> set[str]:
        """The words of the headwords and forms in one language, perhaps only of entries of some types."""
        wanted = None if types is None else set(types)
        chosen = (entry for entry in self.entries if wanted is None or entry.type in wanted)
        return {word for entry in chosen for word in _entry_words(entry, language)}


@dataclass(frozen=True)
class TestSet:
    """The sentences to translate, with what may be said about them."""

    __test__ = False  # pytest: this is no test class

    segments: tuple[Segment, ...]
    withheld: int = 0
    """Sentences left out because the run may not use them."""
    incomplete: int = 0
    """Sentences left out because one language is empty."""
    licences: dict[str, int] = field(default_factory=dict)
    access: dict[str, int] = field(default_factory=dict)

    def texts(self, language: str) -> list[str]:
        """The texts in one language."""
        return [segment.texts[language] for segment in self.segments]

    def sample(self, most: int) -> TestSet:
        """At most so many of the sentences, evenly spaced."""
        return replace(self, segments=tuple(evenly(self.segments, most)))


def read_test_set(project: Project) -> TestSet:
    """The test set that this run may use.

    Raises:
        DataError: there is none.
    """
    path = project.training / "test.jsonl"
    languages = project.config.project.tags
    withheld: Counter[str] = Counter()
    allowed = list(project.segments("test", withheld))
    kept = [one for one in allowed if all(one.texts.get(language, "").strip() for language in languages)]
    if not kept:
        raise DataError(
            f"{path}: no test sentences in {' and '.join(languages)}.",
            "Set split.test above 0, or mark a source with `split: test`; then run `seshat run`.",
        )
    access = Counter(segment.meta.access for segment in kept)
    licences = Counter(segment.meta.licence or "not stated" for segment in kept)
    return TestSet(
        tuple(kept),
        withheld.total(),
        len(allowed) - len(kept),
        licences=dict(sorted(licences.items())),
        access={level.value: access[level] for level in Access if access[level]},
    )


def read_material(project: Project) -> Material:
    """What the training files hold."""
    languages = project.config.project.tags
    trained: dict[str, set[str]] = {language: set() for language in languages}
    pairs: list[tuple[str, ...]] = []
    for segment in project.segments("train"):
        _add_words(trained, segment.texts)
        if all(segment.texts.get(language, "").strip() for language in languages):
            pairs.append(tuple(segment.texts[language] for language in languages))
    attested = {tag: set(found) for tag, found in trained.items()}
    for name in ("validation", "monolingual"):
        for segment in project.segments(name):
            _add_words(attested, segment.texts)
    entries = tuple(project.entries())
    for entry in entries:
        for tag, found in attested.items():
            found.update(_entry_words(entry, tag))
        for sense in entry.senses:
            _add_words(attested, {tag: " ".join(glosses) for tag, glosses in sense.glosses.items()})
            for example in sense.examples:
                _add_words(attested, example.texts)
    return Material(tuple(pairs), trained, attested, entries)


def folded(text: str) -> list[str]:
    """The words of a text, case-folded."""
    return words(text.casefold())


def _add_words(found: dict[str, set[str]], texts: dict[str, str]) -> None:
    for language, text in texts.items():
        if language in found:
            found[language].update(folded(text))


def _entry_words(entry: Entry, language: str) -> Iterator[str]:
    """The words of an entry in one language: headword and forms, if it is an entry of that language."""
    if entry.lang == language:
        for form in (entry.headword, *entry.forms):
            yield from folded(form)
