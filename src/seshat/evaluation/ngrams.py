"""The floor of the language models: runs of bytes counted in the training texts.

Interpolated after Witten and Bell: what follows a run of bytes is expected from how often it has followed it, and from
the shorter run, weighted by how many different bytes have followed (method C in Witten and Bell 1991, "The
zero-frequency problem", https://doi.org/10.1109/18.87000). The shortest run of all gives every byte the same chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from seshat.evaluation.perplexity import Surprise

NAME = "byte n-grams"
ORDER = 5
"""Longest run that is counted, the byte that follows included."""
MOST = 2_000_000
"""Bytes of training text that are counted: six seconds and 64 MB for Spanish."""
_START = b"\n"


class ByteModel:
    """A language model of runs of bytes.

    Args:
        texts: training texts; what exceeds :data:`MOST` bytes is not read.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: dict[bytes, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._totals: dict[bytes, int] = defaultdict(int)
        left = MOST
        for text in texts:
            raw = text.encode()[:left]
            left -= len(raw)
            data = _START + raw
            for end in range(1, len(data)):
                for begin in range(max(0, end - ORDER + 1), end + 1):
                    self._counts[data[begin:end]][data[end]] += 1
                    self._totals[data[begin:end]] += 1
            if left <= 0:
                break

    def surprises(self, texts: Sequence[str]) -> list[Surprise]:
        """What each text costs; every byte is a token."""
        found = []
        for text in texts:
            data = _START + text.encode()
            bits = -sum(math.log2(self._chance(data, end)) for end in range(1, len(data)))
            found.append(Surprise(bits, len(data) - 1, len(data) - 1, 0))
        return found

    def _chance(self, data: bytes, end: int) -> float:
        chance = 1 / 256
        for begin in range(end, max(0, end - ORDER + 1) - 1, -1):
            run = data[begin:end]
            total = self._totals.get(run)
            if not total:
                break
            after = self._counts[run]
            chance = (after.get(data[end], 0) + len(after) * chance) / (total + len(after))
        return chance
