"""Drills in morphology: the word for a gloss, such as ``adornar-FUT-1PL``.

A gloss is asked once, whatever the number of sentences it stands in, and answered with the form that most of them have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from seshat.core.records import Meta, Segment
from seshat.data.instruct.tasks import Question, gloss_of, surface


@dataclass
class _Forms:
    record: str
    """The first segment that has the gloss, and the place of the word in it."""
    meta: Meta
    forms: Counter[str] = field(default_factory=Counter)


def questions_on(segments: Iterable[Segment], language: str, taught: Collection[str] = ()) -> Iterator[Question]:
    """A question for every gloss of a word of several morphemes.

    Args:
        segments: glossed or not; the others are passed over.
        language: tag of the low-resource language.
        taught: glosses not to ask for: those of train, when this is validation or test.
    """
    found: dict[str, _Forms] = {}
    for segment in segments:
        for place, word in enumerate(segment.gloss or ()):
            if len(word.morphemes) < 2 or len(word.glosses) != len(word.morphemes):
                continue
            gloss = gloss_of(word)
            if gloss in taught:
                continue
            known = found.setdefault(gloss, _Forms(f"{segment.id}:{place + 1}", segment.meta))
            known.forms[surface(segment, language, place)] += 1
            if segment.meta.access.level > known.meta.access.level:
                known.meta = known.meta.model_copy(update={"access": segment.meta.access})
    for gloss, known in found.items():
        # Of forms that are equally frequent, the one that was seen first.
        best = max(known.forms, key=known.forms.__getitem__)
        yield Question("inflect", known.record, ((gloss, best),), known.meta)
