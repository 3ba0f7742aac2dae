"""The sentences before a sentence in its document, while the records stream by."""

from __future__ import annotations

from collections import OrderedDict, deque

from seshat.records import Segment

_DOCUMENTS = 1_000
"""Documents remembered at a time: those seen last."""


class Surroundings:
    """Remembers the last segments of each document.

    Args:
        count: how many sentences before a text are wanted.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._documents: OrderedDict[str, deque[Segment]] = OrderedDict()

    def before(self, segment: Segment) -> tuple[Segment, ...]:
        """The segments before this one, in order; to be asked before :meth:`add`."""
        doc, order = segment.meta.doc_id, segment.meta.order
        if doc is None or order is None:
            return ()
        known = self._documents.get(doc, ())
        earlier = (one for one in known if one.meta.order is not None and one.meta.order < order)
        return tuple(sorted(earlier, key=lambda one: one.meta.order or 0))

    def add(self, segment: Segment) -> None:
        """Remember a segment; a copy of the last one (upsampled data) is not remembered twice."""
        doc = segment.meta.doc_id
        if not self._count or doc is None or segment.meta.order is None:
            return
        kept = self._documents.setdefault(doc, deque(maxlen=self._count))
        self._documents.move_to_end(doc)
        if not kept or kept[-1].meta.order != segment.meta.order:
            kept.append(segment)
        if len(self._documents) > _DOCUMENTS:
            self._documents.popitem(last=False)
