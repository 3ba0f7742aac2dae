"""Running text as a causal model learns it: whole documents, each with its beginning and its end, packed into rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any

from seshat.core.records import Segment
from seshat.models.neural.base import begins
from seshat.models.neural.phases import Traits
from seshat.models.neural.preflight import Row


def documents(segments: Iterable[Segment], language: str) -> Iterator[Segment]:
    """The texts in a language; neighbours of a document that a phase could not tell apart are one, a line each.

    Args:
        segments: in the order of their documents.
        language: whose text.
    """

    def kin(segment: Segment) -> tuple[str, Traits]:
        return segment.meta.doc_id or segment.id, Traits.of(segment)

    written = (segment for segment in segments if segment.texts.get(language, "").strip())
    for _, found in groupby(written, kin):
        first = next(found)
        lines = [one.texts[language].strip() for one in chain((first,), found)]
        yield first.model_copy(update={"texts": {language: "\n".join(lines)}})


def tokenised(found: Iterable[Segment], language: str, tokenizer: Any) -> Iterator[tuple[Segment, Row]]:
    """Documents with their tokens, all of them trained: what begins a text, the text, the end."""
    end = tokenizer.eos_token_id
    start = [one for one in (begins(tokenizer),) if one not in (None, end)]
    for one in found:
        text = tokenizer(one.texts[language], add_special_tokens=False, verbose=False)["input_ids"]
        ids = [*start, *text, end]
        yield one, Row(ids, ids, one.id)
