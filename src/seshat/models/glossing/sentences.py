"""What a glosser learns from and works on: sentences of words, cut into morphemes, with a translation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

from seshat.core.records import Segment

Glosses = tuple[tuple[str, ...], ...]
"""For each word the glosses of its morphemes."""

STEM = "LEX"
"""The label of morphemes whose gloss is a meaning and not a category."""


@dataclass(frozen=True)
class Sentence:
    """A sentence to be glossed."""

    words: tuple[str, ...]
    """As they are written."""
    morphemes: Glosses = ()
    """For each word its morphemes; empty where nobody has cut it."""
    translation: str = ""
    """In the language of the glosses; empty where there is none."""
    glosses: Glosses = ()
    """What people gave: as many for each word as it has morphemes. Empty where it is asked for."""


def is_grammatical(gloss: str) -> bool:
    """Whether a gloss names a category (``PL``, ``1SG``, ``ABS.PL``), and no meaning.

    By the Leipzig Glossing Rules (Comrie, Haspelmath and Bickel 2008, rule 3) categories are written in capitals.
    """
    return not any(letter.islower() for letter in gloss) and any(letter.isalnum() for letter in gloss)


def meanings(gloss: str) -> list[str]:
    """The words of a gloss that are meanings: ``go`` and ``back`` of ``go.back.PST``."""
    return [word for word in re.split(r"[._ ,;/()]+", gloss) if any(letter.islower() for letter in word)]


def sentences(segments: Iterable[Segment], pivot: str) -> Iterator[Sentence]:
    """The segments that people have glossed to the end: each morpheme of each word has a gloss.

    Args:
        segments: of the project.
        pivot: the language of translations and glosses.
    """
    for segment in segments:
        words = segment.gloss or ()
        cut = tuple(word.morphemes or (word.form,) for word in words)
        if words and all(len(cut[place]) == len(word.glosses) for place, word in enumerate(words)):
            yield Sentence(
                tuple(word.form for word in words),
                cut,
                segment.texts.get(pivot, ""),
                tuple(word.glosses for word in words),
            )


def as_written(sentence: Sentence) -> Sentence:
    """The sentence with pieces of its words as they are written, instead of the morphemes that linguists write."""
    cut = (cuts(word, parts) for word, parts in zip(sentence.words, sentence.morphemes, strict=True))
    return replace(sentence, morphemes=tuple(cut))


def cuts(word: str, morphemes: Sequence[str]) -> tuple[str, ...]:
    """The pieces of a word as it is written that stand for its morphemes; a piece may be empty.

    ``went`` as ``go`` and ``ed`` has no right answer: boundaries go where the two are cheapest to turn into each other
    (Levenshtein 1966).
    """
    joined = "".join(morphemes)
    if word == joined:
        return tuple(morphemes)
    ends, length = [], 0
    for morpheme in morphemes[:-1]:
        length += len(morpheme)
        ends.append(length)
    places = _places(joined.casefold(), word.casefold())
    bounds = [0, *(min(places[end], len(word)) for end in ends), len(word)]
    return tuple(word[start:end] for start, end in pairwise(bounds))


def _places(text: str, other: str) -> list[int]:
    """For each place of a text (0 to its length) the place of the other that it is aligned with."""
    places = [0] * (len(text) + 1)
    for block in Levenshtein.opcodes(text, other):
        span, target = block.src_end - block.src_start, block.dest_end - block.dest_start
        for step in range(1, span + 1):
            places[block.src_start + step] = block.dest_start + min(target, step if step < span else target)
        if not span:
            places[block.src_start] = block.dest_end
    return places
