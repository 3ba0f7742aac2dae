"""What a translation must say exactly as its source does: addresses, numbers, placeholders, tags.

Letters in common hardly tell whether ``https://example.org/a?b=1`` or ``%s`` came out whole, and one wrong character
makes them useless. Asked for is what stands in the source and, the same, in the human translation: a number that
people write in words, or a date in another order, is asked of nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import regex

from seshat.scores.metrics import Counts
from seshat.text.words import MARK, PLACEHOLDER

_MARKS = regex.compile(
    rf"{MARK}|{PLACEHOLDER}"
    r"|www\.[^\s<>\"'«»“”()\[\]]*[\p{L}\p{N}/]|&(?:[A-Za-z]{2,10}|\#\d{1,6});"  # addresses without a scheme, entities
    r"|(?<![\p{L}\p{N}])(?<!\p{N}[.,:/–-])\p{N}+(?:[.,:/–-]\p{N}+)*+%?(?![\p{L}\p{N}])"  # numbers, times
)


def marks(text: str) -> Counter[str]:
    """The strings of a text that must not change, with how often each stands there."""
    return Counter(match[0] for match in _MARKS.finditer(text))


class Marks:
    """The marks of a test set in one direction.

    Args:
        sources: the texts.
        references: their human translations.
    """

    def __init__(self, sources: Sequence[str], references: Sequence[str]) -> None:
        self._asked = [marks(source) & marks(reference) for source, reference in zip(sources, references, strict=True)]

    def __len__(self) -> int:
        """How many marks are asked for."""
        return sum(asked.total() for asked in self._asked)

    def count(self, translations: Sequence[str]) -> Counts:
        """Per sentence: marks that the translation has exactly, and marks asked for."""
        rows = [
            ((marks(text) & asked).total() if asked else 0, asked.total())
            for text, asked in zip(translations, self._asked, strict=True)
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 2)
