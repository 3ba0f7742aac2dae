"""Many texts in batches of like length, in the order in which the batches are done, or in their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from seshat.inference.translator import Hypothesis, Translator

BATCH = 256
"""Most texts in a batch, where neither the engine nor the configuration says otherwise."""
BATCH_TOKENS = 16_384
"""Most tokens in a batch, padding counted."""
WINDOW = 8_192
"""Texts that are sorted together when they come as a stream."""
Found = tuple[int, Hypothesis]


def translate_all(
    translator: Translator,
    texts: Sequence[str],
    *,
    n_best: int = 1,
    batch: int | None = None,
    batch_tokens: int = BATCH_TOKENS,
    advance: Callable[[float], None] = lambda _amount: None,
) -> Iterator[Found]:
    """Translate many texts; what repeats is translated once.

    The batches depend on the texts alone, so that the same texts give the same translations.

    Args:
        translator: any.
        texts: what to translate.
        n_best: as in :meth:`Translator.translate`.
        batch: most texts in a batch; default: what suits the engine.
        batch_tokens: most tokens in a batch, see :func:`batches`.
        advance: is told how many texts are done.

    Yields:
        Place in ``texts`` and hypothesis, batch by batch, the longest texts first.
    """
    places = repeated(texts)
    different = list(places)
    if expect := attribute(translator, "expect"):  # what has a time budget must know what all there is to do
        expect(different)
    for chosen in batches(different, batch or batch_size(translator), batch_tokens):
        part = [different[number] for number in chosen]
        for text, hypothesis in zip(part, translator.translate(part, n_best), strict=True):
            for place in places[text]:
                yield place, hypothesis
            advance(len(places[text]))


def in_order(found: Iterator[Found], count: int) -> list[Hypothesis]:
    """The hypotheses of :func:`translate_all` in the order of the texts."""
    out: list[Hypothesis | None] = [None] * count
    for place, hypothesis in found:
        out[place] = hypothesis
    assert None not in out
    return [one for one in out if one is not None]


def repeated(texts: Sequence[str]) -> dict[str, list[int]]:
    """Every different text with its places."""
    places: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        places.setdefault(text, []).append(place)
    return places


def batches(texts: Sequence[str], most: int, tokens: int) -> Iterator[list[int]]:
    """Places of texts of like length, the longest first, so that what does not fit into the memory shows at once.

    Args:
        texts: texts.
        most: most texts in a batch.
        tokens: most tokens in a batch if every text were as long as its longest one; one text may have more.
    """
    sizes = [size(text) for text in texts]
    batch: list[int] = []
    for place in sorted(range(len(texts)), key=lambda place: (-sizes[place], place)):
        if batch and (len(batch) == most or sizes[batch[0]] * (len(batch) + 1) > tokens):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def size(text: str) -> int:
    """Tokens of a text, as a guess that needs no tokenizer: one for four bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass")) // 4 + 1


def batch_size(translator: object) -> int:
    """The most texts that an engine, or the smallest of several, wants at a time."""
    if own := attribute(translator, "batch_size"):
        return int(own)
    several = attribute(translator, "translators") or ()
    return min(map(batch_size, several), default=BATCH)


def attribute(translator: object, name: str) -> Any:
    """An attribute of a translator, or of what it is wrapped around; ``None`` where none has it."""
    while translator is not None:
        if (own := getattr(translator, name, None)) is not None:
            return own
        translator = getattr(translator, "inner", None)
    return None
