"""Examples for a question, chosen so that together they show as much of its text as possible.

The nearest sentences all show the same half of a text. What an instruction model without training in the language
needs is a pair for each of its words: papers find fifty to eighty examples best (arXiv 2604.02596, 2601.09982). The
choice is greedy: the pair that shows most of what is not shown yet, for its length; what was shown once counts half,
twice a quarter. Greedy choice is within 1 - 1/e of the best one, because what a pair adds only shrinks (Nemhauser,
Wolsey and Fisher 1978).
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from seshat.config.project import Direction
from seshat.core.records import Entry, Segment
from seshat.prompt.prompt import Prompt
from seshat.prompt.retrieval import Retriever
from seshat.text.lookup import key
from seshat.text.words import words

BYTES = 3
"""Bytes of UTF-8 that are counted as a token: what servers charge for languages that their tokenizer knows little."""
_ORDER = 3
"""Longest run of words that counts."""
_PIECE = 4
"""Letters of the pieces of words that count, so that another form of a word shows something of it."""
_TOO_COMMON = 4_000
"""A piece that more pairs have says nothing about which of them to take."""
_AGAIN = 0.5
"""What showing something once more is worth beside the time before."""


def features(text: str) -> set[str]:
    """What there is to show of a text: its words, runs of two and three of them, and pieces of words."""
    found = [key(word) for word in words(text)]
    runs = (" ".join(found[n : n + size]) for size in range(1, _ORDER + 1) for n in range(len(found) - size + 1))
    pieces = (f"#{word[n : n + _PIECE]}" for word in found for n in range(len(word) - _PIECE + 1))
    return {*runs, *pieces}


def tokens(*texts: str) -> int:
    """About how many tokens some texts are."""
    return sum(len(text.encode()) for text in texts) // BYTES + 1


class Examples:
    """Pairs in one direction, to choose examples from.

    Args:
        pairs: source and target.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = list(pairs)
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, (source, _) in enumerate(self._pairs):
            for one in features(source):
                self._having[one].append(place)

    def choose(self, text: str, budget: int) -> list[tuple[str, str]]:
        """Pairs that show a text, the most telling last, as near to the question as they can stand.

        Args:
            text: what is asked about; a pair with this very source is no example.
            budget: tokens that all of them may have together.
        """
        wanted = {one: places for one in features(text) if len(places := self._having.get(one, ())) <= _TOO_COMMON}
        weight = {one: math.log1p(len(self._pairs) / len(places)) for one, places in wanted.items() if places}
        showing: dict[int, list[str]] = defaultdict(list)
        for one in weight:
            for place in wanted[one]:
                showing[place].append(one)
        own, shown, chosen = key(text), Counter[str](), []

        def gain(place: int) -> float:
            adds = sum(weight[one] * _AGAIN ** shown[one] for one in showing[place])
            return adds / math.sqrt(tokens(*self._pairs[place]))

        queue = [(-gain(place), place) for place in showing if key(self._pairs[place][0]) != own]
        heapq.heapify(queue)
        while queue and budget > 0:
            _, place = heapq.heappop(queue)
            now = gain(place)
            if queue and now < -queue[0][0]:  # others were chosen since: what it adds has shrunk
                heapq.heappush(queue, (-now, place))
                continue
            cost = tokens(*self._pairs[place])
            if cost <= budget:
                budget -= cost
                chosen.append(self._pairs[place])
                shown.update(showing[place])
        return chosen[::-1]


class CoverageRetriever(Retriever):
    """Looks up entries as any retriever, and examples by what they show of a text.

    Args:
        prompt: with ``hints`` and ``shots`` above 0.
        pairs: what may be shown.
        entries: the lexicon.
        budget: tokens of examples in a question.
    """

    def __init__(self, prompt: Prompt, pairs: Iterable[Segment], entries: Iterable[Entry], budget: int) -> None:
        super().__init__(prompt, pairs, entries)
        self._budget = budget
        self._examples: dict[tuple[str, str], Examples] = {}

    def shots(self, text: str, source: str, target: str, answer: str | None = None) -> list[tuple[str, str]]:
        """Pairs that show a text together; see :meth:`Examples.choose`. Nobody is trained on them: no ``answer``."""
        assert answer is None
        if (source, target) not in self._examples:
            self._examples[source, target] = Examples(list(self._of(Direction(source, target))))
        return self._examples[source, target].choose(text, self._budget)

    def _of(self, direction: Direction) -> Iterator[tuple[str, str]]:
        seen = set()
        for texts in self._texts:
            pair = texts[direction.source], texts[direction.target]
            if pair not in seen:
                seen.add(pair)
                yield pair
