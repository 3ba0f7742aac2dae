"""The sentences before a sentence in its document: what ``prompt.context`` puts beside a text.

Stage ``format`` writes them into chats, encoder-decoders are trained with them, and requests for the translation of
segments carry them (:func:`seshat.prompt.request.of_segments`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from seshat.core.records import Method, Segment

_MADE = {Method.SYNTHETIC, Method.MACHINE}
_Cut = tuple[str | None, str | None, str]


class Surroundings:
    """Finds the segments before a segment, among those of one file and wherever they stand in it.

    A document may be there in several cuts: as a whole, sentence by sentence as the aligner cut it, and as somebody
    listed its sentences. So only segments of one source and one genre follow one another; else the text itself, or the
    sentence before it for the second time, would stand before it. What comes from the same file was split together
    with the segment: nothing of test is read in training.

    Args:
        segments: of one file, in any order.
        count: how many sentences before a text are wanted; for 0 nothing is read.
    """

    def __init__(self, segments: Iterable[Segment], count: int) -> None:
        self._count = count
        places: dict[_Cut, dict[int, Segment]] = {}
        for one in segments if count else ():
            cut, order = _cut(one), one.meta.order
            if cut is None or order is None:
                continue
            known = places.setdefault(cut, {})
            # Copies (upsampling) stand in one place; what a model made never takes that of what people wrote.
            if order not in known or (known[order].meta.method in _MADE and one.meta.method not in _MADE):
                known[order] = one
        self._documents = {cut: sorted(known.items()) for cut, known in places.items()}

    def before(self, segment: Segment) -> tuple[Segment, ...]:
        """The segments before this one, the nearest last; none where its document or its place there is unknown."""
        cut, order = _cut(segment), segment.meta.order
        if not self._count or cut is None or order is None:
            return ()
        known = self._documents.get(cut, [])
        end = bisect_left(known, order, key=lambda place: place[0])
        return tuple(one for _, one in known[max(0, end - self._count) : end])

    def texts(self, segment: Segment, language: str) -> tuple[str, ...]:
        """The texts before a segment in one language."""
        found = (one.texts.get(language, "").strip() for one in self.before(segment))
        return tuple(text for text in found if text)


def _cut(segment: Segment) -> _Cut | None:
    """Which cut of which document a segment belongs to."""
    meta = segment.meta
    return None if meta.doc_id is None else (meta.source, meta.genre, meta.doc_id)
