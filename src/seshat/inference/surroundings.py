"""The lines before a text, told to engines whose models were trained with them (``prompt.context``).

Such an engine has a ``memory``: what decoders look their question up in, or what encoder-decoders read before a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from seshat.core.records import Segment
from seshat.inference.translator import Translator
from seshat.prompt.retrieval import Retriever
from seshat.prompt.surroundings import Surroundings, Told

Before = Mapping[str, Sequence[str]]
"""Text -> the lines before it."""


def give_context(translator: object, before: Callable[[int], Before]) -> int:
    """Tell every engine in a chain that takes the lines before a text what they are.

    Args:
        translator: a chain, as :func:`seshat.inference.chain.open_chain` opens it.
        before: gives at most so many lines before each text, as people write them.

    Returns:
        How many engines take them.
    """
    return _give(translator, before, lambda text: text)


def give_sentences_before(
    translator: Translator, segments: Sequence[Segment], among: Sequence[Segment] | None = None
) -> Before:
    """Tell the engines in a chain the sentences before segments in their documents.

    Args:
        translator: a chain.
        segments: what will be translated.
        among: where the sentences before stand; default: ``segments``.

    Returns:
        What they were told; nothing where no engine takes any.
    """
    told: dict[str, Sequence[str]] = {}

    def before(most: int) -> Before:
        told.update(Surroundings(segments if among is None else among, most).known(segments, language))
        return told

    language = translator.direction.source
    give_context(translator, before)
    return told


def _give(translator: object, before: Callable[[int], Before], seen: Callable[[str], str]) -> int:
    memory = getattr(translator, "memory", None)
    if isinstance(memory, Retriever | Told):
        if not memory.context:
            return 0
        memory.before = {seen(text): [seen(line) for line in lines] for text, lines in before(memory.context).items()}
        return 1
    if normalised := getattr(translator, "normalised", None):
        outer, seen = seen, lambda text: str(normalised([outer(text)])[0])
    inner = getattr(translator, "translators", None) or [getattr(translator, "inner", None)]
    return sum(_give(one, before, seen) for one in inner if one is not None)
