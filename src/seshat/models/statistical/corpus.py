"""The training data of one direction, read from the training files of a project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from seshat.config import Direction
from seshat.core.records import Segment
from seshat.formats.encoding import detect
from seshat.formats.lines import read_lines
from seshat.project.folder import Project
from seshat.text.normalise import Normaliser

Texts = tuple[str, str]


@dataclass(frozen=True)
class Corpus:
    """Texts of one direction: (source, target) pairs, and target texts alone."""

    train: list[Texts]
    validation: list[Texts]
    lexicon: list[Texts]
    extra: list[str] = field(default_factory=list)
    """Target texts that only the language model counts."""

    def digest(self) -> str:
        """SHA-256 of everything in it."""
        found = hashlib.sha256()
        for group in (self.train, self.validation, self.lexicon, [(text, "") for text in self.extra]):
            found.update(b"\x1d")
            for source, target in group:
                found.update(f"{source}\x1f{target}\x1e".encode())
        return found.hexdigest()


def read_corpus(project: Project, direction: Direction) -> Corpus:
    """Read what the ``format`` stage wrote, as texts of one direction."""
    settings = project.config.train.statistical
    lexicon = list(dict.fromkeys(_lexicon(project, direction))) if settings.lexicon else []
    return Corpus(
        list(_pairs(project.segments("train"), direction)),
        list(_pairs(project.segments("validation"), direction)),
        lexicon,
        [*_monolingual(project, direction.target), *_files(project, direction.target)],
    )


def _pairs(segments: Iterable[Segment], direction: Direction) -> Iterator[Texts]:
    for segment in segments:
        source, target = segment.texts.get(direction.source), segment.texts.get(direction.target)
        if source and target:
            yield source, target


def _lexicon(project: Project, direction: Direction) -> Iterator[Texts]:
    """Headwords and other forms with each gloss, whichever of the two languages the entry is in."""
    for entry in project.entries():
        other = direction.target if entry.lang == direction.source else direction.source
        if entry.lang not in direction or entry.type == "affix":
            continue
        glosses = [gloss for sense in entry.senses for gloss in sense.glosses.get(other, ()) if gloss.strip()]
        for form in (entry.headword, *entry.forms):
            for gloss in glosses:
                yield (form, gloss) if entry.lang == direction.source else (gloss, form)


def _monolingual(project: Project, language: str) -> Iterator[str]:
    for segment in project.segments("monolingual"):
        text = segment.texts.get(language)
        if text:
            yield text


def _files(project: Project, language: str) -> Iterator[str]:
    clean = project.config.clean
    profile = clean.profiles.get(language)
    normaliser = Normaliser(profile, clean.placeholders) if profile else None
    for pattern in project.config.train.statistical.lm_extra:
        for path in sorted(project.raw.glob(pattern.replace("{lang}", language))):
            for line in read_lines(path, detect(path, languages=(language,)), project.config.ingest.max_line_bytes):
                if not line.reason and (text := line.text.strip()):
                    yield normaliser.apply(text) if normaliser else text
