"""Lexicon entries as short pairs: the first lessons of a curriculum.

A phase of the training can choose them (``where: {sources: [drills]}``) before real sentences come. In published work
they helped as a first phase of large models (350,000 drills, "Deep Past" third place) and did nothing when mixed with
sentences (second place), so they are a source and a tag of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from seshat.config.augment import DrillsSection, TemplateSection
from seshat.core.records import Entry, Meta, Method, Segment

WORD, TEMPLATE = "augment:word", "augment:template"


def drills(
    entries: Iterable[Entry], section: DrillsSection, languages: tuple[str, str], seed: int
) -> Iterator[Segment]:
    """Pairs out of entries, in the order of the entries; each different pair once.

    Args:
        entries: the lexicon; only entries in the project's language with a gloss in the pivot give pairs.
        section: settings.
        languages: the language and the pivot.
        seed: draws the pairs to keep where ``section.most`` limits them.
    """
    found: dict[tuple[str, str], Segment] = {}
    for entry in entries:
        if entry.lang != languages[0] or (section.types and entry.type not in section.types):
            continue
        for segment in _of_entry(entry, section, languages):
            found.setdefault((segment.texts[languages[0]], segment.texts[languages[1]]), segment)
    kept = list(found.values())
    if section.most is not None and len(kept) > section.most:
        drawn = {segment.id for segment in sorted(kept, key=lambda one: drawn_by(seed, one.id))[: section.most]}
        kept = [segment for segment in kept if segment.id in drawn]
    yield from kept


def drawn_by(seed: int, name: str) -> str:
    """What a record is drawn by: a hash of the seed and its name, never its place."""
    return hashlib.sha256(f"{seed}\t{name}".encode()).hexdigest()


def _of_entry(entry: Entry, section: DrillsSection, languages: tuple[str, str]) -> Iterator[Segment]:
    meta = entry.meta.model_copy(
        update={"source": section.name, "method": Method.SYNTHETIC, "doc_id": None, "order": None, "split": None}
    )
    number = 0
    for form in dict.fromkeys((entry.headword, *(entry.forms if section.forms else ()))):
        for gloss in _glosses(entry, section, languages[1]):
            for texts, tag in _texts(entry, form, gloss, section, languages):
                number += 1
                yield Segment(id=f"{section.name}:{entry.id}:{number}", texts=texts, meta=_tagged(meta, tag))


def _tagged(meta: Meta, tag: str) -> Meta:
    return meta.tagged(tag)


def _glosses(entry: Entry, section: DrillsSection, pivot: str) -> Iterator[str]:
    for sense in entry.senses:
        yield from (gloss for gloss in sense.glosses.get(pivot, ())[: section.glosses] if gloss.strip())


def _texts(
    entry: Entry, form: str, gloss: str, section: DrillsSection, languages: tuple[str, str]
) -> Iterator[tuple[dict[str, str], str]]:
    if section.words:
        yield dict(zip(languages, (form, gloss), strict=True)), WORD
    for template in section.templates:
        if _fits(entry, template):
            filled = {tag: fill(text, {"headword": form, "gloss": gloss}) for tag, text in template.texts.items()}
            if all(tag in filled for tag in languages):
                yield filled, TEMPLATE


def _fits(entry: Entry, template: TemplateSection) -> bool:
    return (not template.types or entry.type in template.types) and (not template.pos or entry.pos in template.pos)


def fill(text: str, values: Mapping[str, str]) -> str:
    """A template with its places filled; other braces, such as determinatives, stay as they are."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
