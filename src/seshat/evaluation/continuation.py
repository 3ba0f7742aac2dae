"""How a causal model goes on with the beginning of a text that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import regex

from seshat.core.spaced import evenly
from seshat.evaluation.fill import GAP
from seshat.evaluation.languagemodel import LanguageModel
from seshat.prompt.prompt import Decoding
from seshat.report.tables import Continued, ContinuedBy

TOKENS = 40
"""That a model may write."""
_FEWEST = 6
"""Words of a text that is long enough to be parted in the middle."""
_AROUND = 300
"""Most characters that are shown to the model, and of the text's own end to the reader."""
_WORD = regex.compile(r"\S+")


class Beginning(NamedTuple):
    """A text parted in two."""

    id: str
    before: str
    after: str
    """How the text goes on; empty where nobody has said it."""


def beginnings(texts: Sequence[tuple[str, str]], count: int, sentences: Sequence[str] = ()) -> list[Beginning]:
    """Texts of the test set parted in the middle, evenly from all of it, after sentences of people's own.

    Args:
        texts: pairs of id and text.
        count: how many texts.
        sentences: sentences with a gap (``evaluate.blanks``): what stands before it is gone on with.
    """
    found = [
        Beginning(f"evaluate.blanks[{n}]", before, "")
        for n, one in enumerate(sentences)
        if (before := one.partition(GAP)[0].rstrip())
    ]
    long = [(name, text, words) for name, text in texts if len(words := list(_WORD.finditer(text))) >= _FEWEST]
    for name, text, words in evenly(long, count):
        middle = words[len(words) // 2].start()
        before = text[:middle].rstrip()
        if len(before) > _AROUND:
            before = before[-_AROUND:].partition(" ")[2]
        found.append(Beginning(name, before, text[middle : middle + _AROUND]))
    return found


def go_on(model: LanguageModel, found: Sequence[Beginning]) -> list[str]:
    """What the model finds likeliest to follow, token by token, without a question around it."""
    from seshat.models.neural.base import begins
    from seshat.models.neural.generation import Search

    start = begins(model.tokenizer)
    rows = [
        [*([] if start is None else [start]), *model.tokenizer(one.before, add_special_tokens=False)["input_ids"]]
        for one in found
    ]
    search = Search(model.model, model.tokenizer, Decoding(max_new_tokens=TOKENS), seed=model.seed)
    return [answers[0].text for answers in search.answers(rows, scored=False)]


def table(said: Mapping[str, Sequence[str]], found: Sequence[Beginning]) -> list[Continued]:
    """The beginnings with what every system made of them."""
    return [
        Continued(
            id=one.id,
            before=one.before,
            after=one.after,
            systems=[ContinuedBy(name=name, text=texts[place]) for name, texts in said.items()],
        )
        for place, one in enumerate(found)
    ]
