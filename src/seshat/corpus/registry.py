"""The registry of measures, and a text as they look at it.

A measure is a function from a text to a number. What a number means for a text is decided elsewhere, by limits that can
change without measuring again: those of ``clean`` for one segment, those fitted from trusted text for a document
(:mod:`seshat.corpus.thresholds`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from seshat.text.words import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from seshat.text.charmodel import CharModel
    from seshat.text.identify import Identifier
    from seshat.text.wordorder import WordOrder


@dataclass(frozen=True)
class Tools:
    """What measures of a language work with."""

    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Name -> words, case-folded; of ``boilerplate`` phrases."""
    model: CharModel | None = None
    """Learned from trusted text."""
    order: WordOrder | None = None
    """Likewise, of how words follow each other."""
    identifier: Identifier | None = None


NO_TOOLS = Tools()


@dataclass
class View:
    """A text as measures look at it: what several of them need is computed once."""

    lines: Sequence[str]
    language: str = ""
    script: str | None = None
    tools: Tools = NO_TOOLS
    placeholders: Sequence[str] = ()
    """What stands for words that cannot be read."""

    @cached_property
    def text(self) -> str:
        """All lines, with line breaks between them."""
        return "\n".join(self.lines)

    @cached_property
    def words(self) -> list[str]:
        """The words, case-folded. Line breaks end words, marks do not."""
        return words(self.text.casefold())

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """How many characters are of each class: other, letter or mark, digit, sign, space."""
        import numpy as np

        points = np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        return np.bincount(_class_table()[np.minimum(points, 0xFFFF)], minlength=5)

    @property
    def visible(self) -> int:
        """Characters but white space, at least 1."""
        return max(1, len(self.text) - int(self.classes[4]))


@lru_cache(maxsize=1)
def _class_table() -> npt.NDArray[np.uint8]:
    """Class of every character of the basic plane; the last place stands for all beyond, mostly letters."""
    import numpy as np

    kinds = {"L": 1, "M": 1, "N": 2, "P": 3, "S": 3, "Z": 4}
    table = np.array([kinds.get(unicodedata.category(chr(point))[0], 0) for point in range(0x10000)], dtype=np.uint8)
    table[[9, 10, 11, 12, 13]] = 4
    table[0xFFFF] = 1
    return table


Measure = Callable[[View], float | None]
MEASURES: dict[str, Measure] = {}
"""Name -> the function; ``None`` is what it gives where there is nothing to measure."""


def measure(function: Measure) -> Measure:
    """Enter a function in the registry under its name."""
    MEASURES[function.__name__.rstrip("_")] = function
    return function


def value(name: str, view: View) -> float | None:
    """What a measure says.

    ``list:NAME`` is the share of the words that stand in a list, ``count:NAME`` their number.
    """
    kind, _, wanted = name.partition(":")
    if not wanted:
        return MEASURES[name](view)
    listed = view.tools.lists.get(wanted, frozenset())
    found = sum(word in listed for word in view.words)
    return float(found) if kind == "count" else found / max(1, len(view.words))


def numbers(view: View, names: Sequence[str]) -> dict[str, float]:
    """What several measures say, those left out that have nothing to measure; to six digits."""
    found = ((name, value(name, view)) for name in names)
    return {name: round(number, 6) for name, number in found if number is not None}
