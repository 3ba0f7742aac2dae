"""Pairs of sentences out of segments that are whole documents.

Two ways: a list of sentences with their first words (:mod:`seshat.data.align.starts`), for texts that need not have
a translation of their own, and cutting a text to fit the sentences of its translation
(:mod:`seshat.data.align.cut`). The documents themselves stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import regex

from seshat.config.align import CutSection, StartsSection
from seshat.config.clean import Profile
from seshat.config.project import ProjectSection
from seshat.core.errors import DataError
from seshat.core.gate import least_open, read_everything
from seshat.core.records import Meta, Method, Origin, Segment
from seshat.data.align.starts import Start, find_starts
from seshat.data.filters import Filters
from seshat.formats.rows import one_form
from seshat.formats.tables import side_rows
from seshat.project.folder import Project
from seshat.text.normalise import Normaliser
from seshat.text.words import sentences

LOW_CONFIDENCE = "align:low-confidence"
_TOKEN = regex.compile(r"<[a-z_]+>|[¼-¾⅐-⅞]|[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True)
class Sentence:
    """A sentence of a list: its translation, and where it starts in its document."""

    text: str
    start: Start
    line: int
    """Line of the file, from 1."""


@dataclass
class Tally:
    """What became of the sentences of a list."""

    documents: int = 0
    sentences: int = 0
    found: int = 0
    """Sentences whose start was found; the others are joined to the one before."""
    without_document: int = 0
    pairs: int = 0
    problems: list[str] = field(default_factory=list)
    """Lines that could not be read, with the reason."""

    def as_dict(self) -> dict[str, Any]:
        """As figures for a report."""
        return dict(vars(self))


def sentence_pairs(project: Project, filters: Filters, figures: dict[str, Any]) -> Iterator[Segment]:
    """Pairs of sentences out of the segments of a project that are whole documents, by the lists and by cutting.

    Args:
        project: the project, cleaned.
        filters: tag what is in another language; what has a tag does not teach the cutting.
        figures: filled in with what was found (``starts``, ``cut``).
    """
    section, clean = project.config.align, project.config.clean
    if not section.starts and section.cut is None:
        return
    languages = project.config.project.pair
    found = list(read_everything(project.cleaned / "segments.jsonl", Segment))
    normalisers = {tag: Normaliser(clean.profiles.get(tag, Profile()), clean.placeholders) for tag in languages}
    examples: list[Segment] = []
    for listed in section.starts:
        texts = {
            segment.meta.doc_id: (segment.texts[listed.language], segment.meta)
            for segment in found
            if segment.meta.doc_id is not None and listed.language in segment.texts
        }
        rows, problems = read_sentences(
            project.raw / listed.path, listed, normalisers, languages, project.config.project
        )
        tally = Tally(problems=problems)
        listed_pairs = by_list(texts, rows, listed, languages, section.min_confidence, tally)
        examples += filters.languages_of(listed_pairs)
        figures.setdefault("starts", {})[listed.name] = tally.as_dict()
    yield from examples
    if section.cut is not None:
        documents = [
            segment
            for segment in found
            if segment.meta.source in section.cut.sources and all(tag in segment.texts for tag in languages)
        ]
        taught = [segment for segment in examples if not segment.meta.tags]
        cut = by_cutting(documents, section.cut, languages, section.min_confidence, taught)
        pairs = list(filters.languages_of(cut))
        doubtful = sum(LOW_CONFIDENCE in pair.meta.tags for pair in pairs)
        figures["cut"] = {"documents": len(documents), "pairs": len(pairs), "low_confidence": doubtful}
        yield from pairs


def read_sentences(
    path: Path,
    section: StartsSection,
    normalisers: dict[str, Normaliser],
    languages: tuple[str, str],
    project: ProjectSection | None = None,
) -> tuple[dict[str, list[Sentence]], list[str]]:
    """Read a list of sentences: by document, in order; and the lines that cannot be read, with the reason.

    Raises:
        DataError: there is no such file, or it lacks a column.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.", "Correct align.starts.path, or fetch it: seshat download")
    own, other = section.language, next(tag for tag in languages if tag != section.language)
    found: dict[str, list[tuple[float, Sentence]]] = {}
    problems: list[str] = []
    columns = {str(field_): column for field_, column in section.columns.items()}
    for line, row in side_rows(path, columns, "align.starts.columns", project, problems):
        cells = {field_: cell.strip() for field_, cell in row.items()}
        try:
            order, number = float(cells["order"]), int(float(cells["number"]))
        except (ValueError, OverflowError):
            problems.append(f"{path.name}:{line}: order or number is no number")
            continue
        text, word = normalisers[other].apply(cells["text"]), normalisers[own].apply(cells["word"])
        if not text or not word:
            problems.append(f"{path.name}:{line}: the translation or the first word is empty")
            continue
        found.setdefault(one_form(cells["document"]), []).append((order, Sentence(text, Start(word, number), line)))
    ordered = {name: [one for _, one in sorted(rows, key=lambda row: row[0])] for name, rows in found.items()}
    return ordered, problems


def by_list(
    texts: dict[str, tuple[str, Meta]],
    listed: dict[str, list[Sentence]],
    section: StartsSection,
    languages: tuple[str, str],
    min_confidence: float,
    tally: Tally,
) -> Iterator[Segment]:
    """Pairs of sentences by a list of their first words.

    Args:
        texts: document -> its text in ``section.language``, and its meta.
        listed: document -> its sentences.
        section: settings of the list.
        languages: the language and the pivot.
        min_confidence: below, a pair is tagged.
        tally: counts what happens.
    """
    other = next(tag for tag in languages if tag != section.language)
    for name in sorted(listed):
        rows = listed[name]
        tally.sentences += len(rows)
        if name not in texts:
            tally.without_document += len(rows)
            continue
        tally.documents += 1
        text, meta = texts[name]
        words = text.split()
        places = find_starts(words, [row.start for row in rows])
        for order, (first, last, likeness, text_of) in enumerate(_joined(places, rows, len(words), tally)):
            origin = Origin(file=section.path, line=rows[order].line)
            known = {"doc_id": name, "order": order, "source": section.name, "method": Method.ALIGNED, "origin": origin}
            given = {
                "access": least_open((meta.access, section.access)),
                "genre": section.genre,
                "split": meta.split,
            }
            marked = meta.model_copy(update={**known, **given, "licence": section.licence, "score": round(likeness, 4)})
            if likeness < min_confidence:
                marked = marked.tagged(LOW_CONFIDENCE)
            tally.pairs += 1
            own = " ".join(words[first:last])
            yield Segment(
                id=f"{section.name}:{name}:{order}", texts={section.language: own, other: text_of}, meta=marked
            )


def _joined(
    places: Sequence[tuple[int, float] | None], rows: Sequence[Sentence], end: int, tally: Tally
) -> Iterator[tuple[int, int, float, str]]:
    """First and last word, likeness and translation; a sentence whose start was not found goes with the one before."""
    groups: list[tuple[int, float, list[str]]] = []
    for place, row in zip(places, rows, strict=True):
        if place is not None:
            tally.found += 1
            groups.append((place[0], place[1], [row.text]))
        elif groups:
            first, likeness, texts = groups[-1]
            groups[-1] = first, min(likeness, 0.5), [*texts, row.text]
    ends = [*(first for first, _, _ in groups[1:]), end]
    for (first, likeness, texts), after in zip(groups, ends, strict=False):
        if after > first:
            yield first, after, likeness, " ".join(texts)


def by_cutting(
    segments: Sequence[Segment],
    section: CutSection,
    languages: tuple[str, str],
    min_confidence: float,
    examples: Iterable[Segment] = (),
) -> Iterator[Segment]:
    """Pairs of sentences from documents that are one segment, the translation cut at its full stops, the text to fit.

    Args:
        segments: the documents, in both languages.
        section: settings.
        languages: the language and the pivot.
        min_confidence: below, a pair is tagged.
        examples: pairs known beforehand; they teach about words.
    """
    from seshat.data.align.cut import Text, cut

    other = next(tag for tag in languages if tag != section.language)
    marks = [sentences(segment.texts[other]) for segment in segments]
    texts = [
        Text(_folded(segment.texts[section.language].split()), [tokens(sentence) or [sentence] for sentence in found])
        for segment, found in zip(segments, marks, strict=True)
    ]
    taught = [
        (_folded(one.texts[section.language].split()), tokens(one.texts[other]))
        for one in examples
        if all(tag in one.texts for tag in languages)
    ]
    for segment, found, runs in zip(segments, marks, cut(texts, taught), strict=True):
        if len(runs) < 2:
            continue  # the document itself is the pair
        words = segment.texts[section.language].split()
        for order, (run, sentence) in enumerate(zip(runs, found, strict=True)):
            known = {"order": order, "method": Method.ALIGNED, "genre": section.genre or segment.meta.genre}
            meta = segment.meta.model_copy(update={**known, "score": round(run.confidence, 4)})
            if run.confidence < min_confidence:
                meta = meta.tagged(LOW_CONFIDENCE)
            text = " ".join(words[run.start : run.end])
            yield Segment(
                id=f"{segment.id}:sentence-{order + 1}", texts={section.language: text, other: sentence}, meta=meta
            )


def tokens(text: str) -> list[str]:
    """Words, numbers, fractions and placeholders, case-folded."""
    return [token.casefold() for token in _TOKEN.findall(text)]


def _folded(words: Iterable[str]) -> list[str]:
    return [word.casefold() for word in words]
