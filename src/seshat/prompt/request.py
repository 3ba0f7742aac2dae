"""What a translator is asked for: a text, and what is known about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from seshat.config.prompt import MOST_CONTEXT
from seshat.core.records import Segment
from seshat.prompt.surroundings import Surroundings

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A text to translate, and what is known about it."""

    text: str
    id: str | None = None
    """Of whoever asks; a translation does not depend on it."""
    before: tuple[str, ...] = ()
    """The sentences before it in its document, the nearest last; a model reads as many as it was trained with."""
    n_best: int = 1
    """How many candidates to return; 1 gives no alternatives."""
    hints: Pairs = field(default=(), repr=False)
    """Words of the text and what they mean; a chain looks them up."""
    shots: Pairs = field(default=(), repr=False)
    """Similar texts and their translations; a chain looks them up."""

    draft: str | None = field(default=None, repr=False)
    """A translation that may be wrong, to be made better."""

    def trimmed(self, context: int) -> Request:
        """The same with no more than so many sentences before it."""
        left_out = len(self.before) - context
        return replace(self, before=self.before[left_out:]) if left_out > 0 else self


def requests(texts: Iterable[str], n_best: int = 1) -> list[Request]:
    """Texts that have nothing to do with each other."""
    return [Request(text, n_best=n_best) for text in texts]


def document(texts: Iterable[str], n_best: int = 1) -> Iterator[Request]:
    """Texts that follow one another, each with those before it; blank ones part paragraphs and stand before none."""
    before: tuple[str, ...] = ()
    for text in texts:
        yield Request(text, before=before, n_best=n_best)
        if text.strip():
            before = (*before, text.strip())[-MOST_CONTEXT:]


def of_segments(
    segments: Sequence[Segment], language: str, context: int, among: Sequence[Segment] | None = None
) -> list[Request]:
    """Segments in one language, each with the sentences before it in its document, as in training.

    Args:
        segments: what is to be translated.
        language: tag of the language to translate from.
        context: how many sentences before a text are wanted.
        among: where the sentences before stand; default: ``segments``.
    """
    documents = Surroundings(segments if among is None else among, context)
    return [Request(one.texts[language], one.id, documents.texts(one, language)) for one in segments]
