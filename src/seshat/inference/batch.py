"""Many texts in batches of like length, in the order in which the batches are done, or in their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from seshat.inference.translator import Hypothesis, Translator
from seshat.prompt.request import Request

BATCH = 256
"""Most texts in a batch, where neither the engine nor the configuration says otherwise."""
BATCH_TOKENS = 16_384
"""Most tokens in a batch, padding counted."""
WINDOW = 8_192
"""Texts that are sorted together when they come as a stream."""
Found = tuple[int, Hypothesis]


def translate_all(
    translator: Translator,
    requests: Sequence[Request],
    *,
    batch: int | None = None,
    batch_tokens: int = BATCH_TOKENS,
    advance: Callable[[float], None] = lambda _amount: None,
) -> Iterator[Found]:
    """Translate many texts; what repeats, with the same before it where that is read, is translated once.

    The batches depend on the texts alone, so that the same texts give the same translations.

    Args:
        translator: any.
        requests: what to translate.
        batch: most texts in a batch; default: what suits the engine.
        batch_tokens: most tokens in a batch, see :func:`batches`.
        advance: is told how many texts are done.

    Yields:
        Place in ``requests`` and hypothesis, batch by batch, the longest texts first.
    """
    places = repeated(requests, translator.context)
    different = list(places)
    translator.expect(different)
    for chosen in batches(different, batch or batch_size(translator), batch_tokens):
        part = [different[number] for number in chosen]
        for request, hypothesis in zip(part, translator.translate(part), strict=True):
            for place in places[request]:
                yield place, hypothesis
            advance(len(places[request]))


def in_order(found: Iterator[Found], count: int) -> list[Hypothesis]:
    """The hypotheses of :func:`translate_all` in the order of the texts."""
    out: list[Hypothesis | None] = [None] * count
    for place, hypothesis in found:
        out[place] = hypothesis
    assert None not in out
    return [one for one in out if one is not None]


def repeated(requests: Sequence[Request], context: int) -> dict[Request, list[int]]:
    """Every different request with its places; so many sentences before a text make a difference, its id makes none."""
    places: dict[Request, list[int]] = {}
    for place, request in enumerate(requests):
        places.setdefault(replace(request.trimmed(context), id=None), []).append(place)
    return places


def batches(requests: Sequence[Request], most: int, tokens: int) -> Iterator[list[int]]:
    """Places of texts of like length, the longest first, so that what does not fit into the memory shows at once.

    Args:
        requests: what to translate.
        most: most texts in a batch.
        tokens: most tokens in a batch if every text were as long as its longest one; one text may have more.
    """
    sizes = [sum(map(size, (*one.before, one.text))) for one in requests]
    batch: list[int] = []
    for place in sorted(range(len(requests)), key=lambda place: (-sizes[place], place)):
        if batch and (len(batch) == most or sizes[batch[0]] * (len(batch) + 1) > tokens):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def size(text: str) -> int:
    """Tokens of a text, as a guess that needs no tokenizer: one for four bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass")) // 4 + 1


def batch_size(translator: Translator) -> int:
    """The most texts that a translator wants at a time."""
    return translator.batch_size or BATCH
