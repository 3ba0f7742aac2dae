"""Pairs out of pages of publications: find editions, know their texts, their language, translate, align, judge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import regex

from seshat.augment import tables
from seshat.augment.editions import Edition, Finder
from seshat.augment.layout import Page, lines_of
from seshat.augment.material import Found, Material, Tally
from seshat.augment.models import answers_of, translate
from seshat.augment.names import Mention, NameIndex
from seshat.augment.passages import Passage, passages, whole_text
from seshat.augment.recognise import Recogniser
from seshat.config import Direction
from seshat.config.augment import PagesSection
from seshat.config.clean import Profile
from seshat.core.progress import track
from seshat.core.records import Segment
from seshat.text.normalise import Normaliser
from seshat.text.tongues import detect

_SAME = 0.45
"""Likeness of a text on the page and the known text below which the heading must have named another."""
_ALIKE = 0.8
"""Likeness from which a text without a heading is taken for the known one."""
_APART = 0.1
"""How much liker than the second likest text it must be."""
_BATCH = 16
_NOT_LETTERS = regex.compile(r"[^\p{L}\p{N}]+")
_SAMPLE = 400
"""Publications, at most, whose lines teach the recogniser what is not in the language."""


class Reader:
    """Reads publications with what is known of the language and its texts.

    Args:
        section: settings.
        listed: the list of texts.
        own: known texts of the language.
        others: known texts in the pivot.
        ratio: usual length of a translation for a character of text.
    """

    def __init__(
        self, section: PagesSection, listed: tables.Listed, own: Sequence[str], others: Sequence[str], ratio: float
    ) -> None:
        self.section, self.listed, self.ratio = section, listed, ratio
        self.recogniser = Recogniser([*own, *listed.texts.values()], others, section.markers)
        self.names = NameIndex(listed.names, list(section.texts.series.items()))
        self._finder = Finder(self.recogniser, self.names, section.headings, ratio)
        self._ids = list(listed.texts)
        self._index: Any = None

    def wanted(self, page: Page) -> bool:
        """Whether a page holds enough of the language to be looked at."""
        return self.recogniser.words_in(page.text) >= self.section.min_words

    def _stays(self, line: str) -> bool:
        """Whether a line heads a text or a part of an edition, even where it stands at the top of several pages."""
        mention = self.names.find(line)
        return (mention is not None and mention.share >= 0.5) or self._finder.announces(line)

    def read(self, publication: str, pages: Sequence[Page], tally: Tally) -> Iterator[Found]:
        """The texts of one publication that have a translation and are known by name or by content."""
        for edition in self._finder.find(lines_of(pages, self._stays), publication):
            tally.counts["texts seen"] += 1
            if not edition.translation:
                tally.counts["without translation"] += 1
                continue
            found = self._identified(edition, publication, tally)
            if found is not None:
                yield found

    def _identified(self, edition: Edition, publication: str, tally: Tally) -> Found | None:
        read = whole_text(edition.lines)
        parts = tuple(passages(edition.translation))
        return self.judged(edition.mention, edition.lines, read, parts, publication, edition.page, tally)

    def judged(
        self,
        mention: Mention | None,
        lines: tuple[str, ...],
        read: str,
        parts: tuple[Passage, ...],
        publication: str,
        page: Page,
        tally: Tally,
    ) -> Found | None:
        """A text with its translation, when it is known which text it is and which language the translation is in.

        Args:
            mention: what the publication calls it.
            lines: its lines there.
            read: the same on one line.
            parts: the passages of the translation.
            publication: the publication.
            page: where it begins.
            tally: counts what happens.
        """
        name, sure = self._text_of(mention, read)
        if name is None:
            tally.counts["not identified"] += 1
            return None
        tongue = detect(" ".join(part.text for part in parts))
        if tongue is None or not parts:
            tally.counts["language unknown"] += 1
            return None
        tally.languages[tongue.tag] += 1
        known = self.listed.texts.get(name)
        text = known if known is not None and likeness(known, read) >= _SAME else read
        size = sum(len(part.text) for part in parts)
        fit = abs(math.log(max(1, size) / max(1.0, self.ratio * len(text))))
        lengths = 1.0 if fit < math.log(2) else math.exp(math.log(2) - fit)
        confidence = round(sure * tongue.confidence * lengths, 4)
        return Found(name, publication, page, lines, text, text is known, parts, tongue.tag, confidence)

    def _text_of(self, mention: Mention | None, read: str) -> tuple[str | None, float]:
        """Which text of the list it is, by its name or by what it says, and how sure that is."""
        if mention is not None:
            said = self.listed.texts.get(mention.id)
            if said is None:
                return mention.id, 0.9 * mention.confidence
            like = likeness(said, read)
            if like >= _SAME:
                return mention.id, mention.confidence * min(1.0, 0.4 + like)
        nearest, like = self._nearest(read)
        return (nearest, like) if like >= _ALIKE else (None, 0.0)

    def _nearest(self, read: str) -> tuple[str | None, float]:
        from seshat.text.similar import TrigramIndex

        if not self._ids or len(read) < 30:
            return None, 0.0
        if self._index is None:
            self._index = TrigramIndex([self.listed.texts[name] for name in self._ids])
        near = [self._ids[one.place] for one in self._index.neighbours(read, 3)]
        ranked = sorted(((likeness(self.listed.texts[name], read), name) for name in near), reverse=True)
        if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < _APART):
            return None, 0.0  # formulaic texts are all alike
        return ranked[0][1], ranked[0][0]


def likeness(one: str, other: str) -> float:
    """How alike two texts are letter by letter, 0 to 1; what stands between letters does not count."""
    from rapidfuzz.fuzz import ratio

    return float(ratio(*(_NOT_LETTERS.sub("", text.casefold()) for text in (one, other)))) / 100


def usual_ratio(pairs: Iterator[Segment], languages: tuple[str, str]) -> float:
    """Characters of translation for a character of text, over all known pairs; 1.2 where there are none."""
    sizes = [0, 0]
    for pair in pairs:
        for side, tag in enumerate(languages):
            sizes[side] += len(pair.texts[tag])
    return sizes[1] / sizes[0] if all(sizes) else 1.2


def reader_of(material: Material, section: PagesSection) -> Reader:
    """A reader taught by the material of a project."""
    project, (language, pivot) = material.project, material.languages
    listed = tables.listed_texts(project.raw / section.texts.path, section.texts, project.config.project)
    clean = project.config.clean
    normaliser = Normaliser(clean.profiles.get(language, Profile()), clean.placeholders)
    listed.texts = {name: normaliser.apply(text) for name, text in listed.texts.items()}
    ratio = usual_ratio(material.pairs(), material.languages)
    return Reader(section, listed, material.texts(language), material.texts(pivot), ratio)


def selected(reader: Reader, path: Any) -> list[tuple[str, list[Page]]]:
    """Publications with the pages that are looked at: those that hold the language, and their neighbours."""
    found = []
    for publication, pages in track(tables.publications(path, reader.section), "looking for pages"):
        hits = [number for number, page in enumerate(pages) if reader.wanted(page)]
        near = sorted({n for hit in hits for n in (hit, hit + 1) if n < len(pages)})
        if near:
            found.append((publication, [pages[number] for number in near]))
    return found


def read_all(reader: Reader, publications: Sequence[tuple[str, list[Page]]], tally: Tally) -> list[Found]:
    """The texts of all publications; of several translations of one text the best is first (see :func:`ranked`)."""
    tally.counts["publications"] = len(publications)
    tally.counts["pages"] = sum(len(pages) for _, pages in publications)
    reader.recogniser.learn(
        line for _, pages in publications[:_SAMPLE] for page in pages for line in page.text.splitlines()
    )
    found: list[Found] = []
    for publication, pages in track(publications, "reading editions"):
        found += reader.read(publication, pages, tally)
    return found


def in_pivot(found: Sequence[Found], material: Material, tally: Tally) -> list[Found]:
    """The texts with their translation in the pivot; those that nothing translates are counted and left out."""
    section, pivot = material.project.config.augment.pages, material.languages[1]
    assert section is not None
    ready = {number: one for number, one in enumerate(found) if one.tongue == pivot}
    for tag in sorted({one.tongue for one in found} - {pivot}):
        mine = [number for number, one in enumerate(found) if one.tongue == tag]
        endpoint = section.translators.get(tag)
        if endpoint is None:
            tally.counts["no translator"] += len(mine)
            tally.warnings.append(
                f"{len(mine)} translations in '{tag}' are left out: name what translates them into {pivot} in "
                f"augment.pages.translators.{tag}."
            )
            continue
        way = Direction(tag, pivot)
        texts = [passage.text for number in mine for passage in found[number].passages]
        with answers_of(material.project, section.name) as answers:
            made = iter(translate(material.project, texts, endpoint, way, answers, _BATCH))
        for number in mine:
            parts = tuple(part._replace(text=next(made)) for part in found[number].passages)
            ready[number] = replace(found[number], translated=parts)
    return [ready[number] for number in sorted(ready)]
