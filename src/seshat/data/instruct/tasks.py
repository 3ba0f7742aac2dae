"""Questions about a segment: translation, segmentation, glossing, cloze.

Every function gives what there is to ask, or nothing where a record does not hold it: a question that nobody could
answer teaches a model to invent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from seshat.config import Direction
from seshat.config.prompt import Task
from seshat.core.records import GlossedWord, Meta, Segment, hyphenated
from seshat.data.instruct import explain
from seshat.text.words import graphemes, words

GAP = "___"
"""What stands for the missing word in a cloze."""
_CLOZE_WORDS = 3
"""Words from which a sentence says enough about a missing one."""


@dataclass(frozen=True)
class Question:
    """Something to ask, and its answer, before it is put into words.

    Several ``variants`` are the same question with other material, such as another word of the sentence left out: a
    question that is taken twice is asked in two ways.
    """

    task: Task
    record: str
    """Id of the record it is about."""
    variants: tuple[tuple[str, str], ...]
    """Text and answer."""
    meta: Meta = field(default_factory=Meta)
    way: Direction | None = None
    """Languages of the text and of the answer, where they are two."""

    @property
    def key(self) -> str:
        """Its id: the record, the task, and the direction where there is one."""
        return "/".join((self.record, self.task, *((str(self.way),) if self.way else ())))


def questions_of(
    segment: Segment,
    languages: Direction,
    ways: Collection[Direction],
    wanted: Collection[Task],
    origins: Mapping[str, str] | None = None,
) -> Iterator[Question]:
    """All that can be asked about a segment.

    Args:
        segment: a segment in one language or several, with a gloss or without.
        languages: the low-resource language and the pivot.
        ways: directions of translation.
        wanted: the tasks to ask.
        origins: what words come from, for explanations.
    """
    if "translate" in wanted:
        for way in ways:
            yield from _translate(segment, way)
    for task, ask in (("segment", _segment), ("gloss", _gloss)):
        if task in wanted and segment.gloss and segment.texts.get(languages.source, "").strip():
            yield from ask(segment, segment.gloss, languages)
    text = segment.texts.get(languages.source, "").strip()
    if "explain" in wanted and text and _is_whole(segment.gloss):
        said = explain.answer(segment.gloss or (), languages, origins or {})
        yield Question("explain", segment.id, ((text, said),), segment.meta)
    if "cloze" in wanted:
        yield from _cloze(segment, languages)


def _translate(segment: Segment, way: Direction) -> Iterator[Question]:
    text, answer = (segment.texts.get(tag, "").strip() for tag in way)
    if text and answer:
        yield Question("translate", segment.id, ((text, answer),), segment.meta, way)


def _segment(segment: Segment, gloss: tuple[GlossedWord, ...], languages: Direction) -> Iterator[Question]:
    """Words with hyphens between their morphemes; nothing where no word is divided (a gloss word by word)."""
    if any(len(word.morphemes) > 1 for word in gloss):
        answer = " ".join(hyphenated(word.morphemes) or word.form for word in gloss)
        yield Question("segment", segment.id, ((segment.texts[languages.source].strip(), answer),), segment.meta)


def _gloss(segment: Segment, gloss: tuple[GlossedWord, ...], languages: Direction) -> Iterator[Question]:
    """A gloss line; nothing where a word has no gloss, or not as many as morphemes."""
    if _is_whole(gloss):
        answer = " ".join(gloss_of(word) for word in gloss)
        yield Question("gloss", segment.id, ((segment.texts[languages.source].strip(), answer),), segment.meta)


def _is_whole(gloss: tuple[GlossedWord, ...] | None) -> bool:
    """Whether there is a gloss for each morpheme of each word."""
    return bool(gloss) and all(
        word.glosses and len(word.glosses) == max(1, len(word.morphemes)) for word in gloss or ()
    )


def gloss_of(word: GlossedWord) -> str:
    """The glosses of a word, with hyphens; a gloss of several words has full stops (Leipzig glossing rules 2 and 4)."""
    return hyphenated(".".join(gloss.split()) for gloss in word.glosses)


def _cloze(segment: Segment, languages: Direction) -> Iterator[Question]:
    """The sentence without one of its words, and the translation, without which the word would be a guess."""
    text, translation = (segment.texts.get(tag, "").strip() for tag in languages)
    said = words(text)
    if not translation or len(said) < _CLOZE_WORDS:
        return
    variants = tuple(
        (f"{text.replace(word, GAP)}\n({translation})", word)
        for word in said
        if text.count(word) == 1 and len(graphemes(word)) > 1 and not word.isdecimal()
    )
    if variants:
        yield Question("cloze", segment.id, variants, segment.meta)


def surface(segment: Segment, language: str, place: int) -> str:
    """A glossed word as the text has it; small where only the beginning of the sentence made it large.

    The gloss may show the form that underlies (``tɨlin-tepo``) where the text has the one that is said
    (``tɨlindepo``). Where text and gloss do not have the same words, it is the form of the gloss.
    """
    gloss = segment.gloss or ()
    form = gloss[place].form
    said = words(segment.texts.get(language, ""))
    if len(said) != len(gloss):
        return form
    word = said[place]
    return word[:1].lower() + word[1:] if form[:1].islower() else word
