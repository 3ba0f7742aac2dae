"""Near-duplicate texts: MinHash over character n-grams, then an exact check of every candidate.

MinHash (Broder 1997) gives every text a signature; the share of equal places in two signatures estimates the Jaccard
similarity of their n-gram sets. Locality-sensitive hashing (bands of rows, Leskovec, Rajaraman and Ullman, *Mining of
Massive Datasets*, section 3.4) finds candidates without comparing all pairs. A candidate counts only when the exact
Jaccard similarity reaches the threshold, so that no chain grows out of estimates.
"""

from __future__ import annotations

import math
import tempfile
import weakref
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seshat.core.progress import task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Hashes = npt.NDArray[np.uint64]

NGRAM = 5
"""Characters in an n-gram."""
_RECALL = 0.999
"""Probability that a pair exactly at the threshold becomes a candidate."""
_MOST_PERMUTATIONS = 96
_NEIGHBOURS = 32
"""Texts of one bucket are compared with so many that follow; a bucket of thousands stays linear."""
_MARGIN = 0.12
"""Candidates whose estimate is that far below the threshold are not checked: three standard errors at 96 places."""
_CHUNK = 1_024
"""Texts or pairs at a time, which bounds the memory: 20 MB."""


class Texts:
    """Many texts in little memory: a temporary file, and the places in it where each begins."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the texts
        weakref.finalize(self, self._file.close)
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        """Add a text; its number is the number of texts before it."""
        data = text.encode("utf-8", "surrogatepass")
        if self._file.tell() != self._ends[-1]:
            self._file.seek(self._ends[-1])
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        begin, end = self._ends[number], self._ends[number + 1]
        self._file.seek(begin)
        return self._file.read(end - begin).decode("utf-8", "surrogatepass")


def ngrams(text: str) -> set[str]:
    """The set of character n-grams of a text; a shorter text is its own n-gram."""
    return {text[i : i + NGRAM] for i in range(max(1, len(text) - NGRAM + 1))}


def jaccard(one: str, other: str) -> float:
    """Exact Jaccard similarity of the n-gram sets of two texts, 0 to 1."""
    first, second = ngrams(one), ngrams(other)
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def bands_for(similarity: float) -> tuple[int, int]:
    """Bands and rows per band: as many rows as the recall at the threshold allows, so few false candidates."""
    if similarity >= 1.0:
        return 1, _MOST_PERMUTATIONS
    for rows in range(16, 1, -1):
        chance = similarity**rows
        bands = math.ceil(math.log(1 - _RECALL) / math.log1p(-chance)) if chance > 0 else _MOST_PERMUTATIONS
        if bands * rows <= _MOST_PERMUTATIONS:
            return bands, rows
    return _MOST_PERMUTATIONS, 1


def components(count: int, pairs: Integers) -> Integers:
    """Connected components of a graph.

    Args:
        count: nodes, numbered from 0.
        pairs: edges, shape (m, 2).

    Returns:
        For every node the smallest node of its component, shape (count,).
    """
    import numpy as np

    parent = np.arange(count, dtype=np.int64)
    one, other = pairs[:, 0], pairs[:, 1]
    while True:
        root, root_other = parent[one], parent[other]
        apart = root != root_other
        if not apart.any():
            return parent
        one, other = one[apart], other[apart]
        low, high = np.minimum(root[apart], root_other[apart]), np.maximum(root[apart], root_other[apart])
        np.minimum.at(parent, high, low)  # a root only ever points to a smaller one: no cycles
        while True:
            shorter = parent[parent]
            if (shorter == parent).all():
                break
            parent = shorter


def near_pairs(texts: Texts, numbers: Integers, similarity: float, seed: int) -> Integers:
    """Pairs of near-duplicate texts, enough of them to join every group.

    Args:
        texts: the texts.
        numbers: which of them to look at; they should differ from each other.
        similarity: exact Jaccard similarity of 5-gram sets from which two texts are near-duplicates.
        seed: seed of the permutations.

    Returns:
        Pairs of positions in ``numbers``, shape (m, 2). Two texts that are joined already through a third are not
        always listed as a pair.
    """
    import numpy as np

    bands, rows = bands_for(similarity)
    found = np.empty((0, 2), dtype=np.int64)
    if len(numbers) < 2:
        return found
    with task("near-duplicates", 2 * bands) as advance:
        signatures = _signatures(texts, numbers, bands * rows, seed)
        advance(bands)
        refused = np.empty(0, dtype=np.int64)
        labels = np.arange(len(numbers), dtype=np.int64)
        for band in range(bands):
            codes = _candidates(signatures[:, band * rows : (band + 1) * rows], labels)
            codes = np.setdiff1d(codes, refused, assume_unique=True)
            codes = codes[_estimates(signatures, codes) >= similarity - _MARGIN]
            pairs = np.stack(np.divmod(codes, len(numbers)), axis=1)
            same = np.fromiter(
                (jaccard(texts[numbers[a]], texts[numbers[b]]) >= similarity for a, b in pairs.tolist()),
                dtype=bool,
                count=len(pairs),
            )
            refused = np.union1d(refused, codes[~same])
            if same.any():
                found = np.concatenate([found, pairs[same]])
                labels = components(len(numbers), found)
            advance(1)
    return found


def _candidates(columns: npt.NDArray[np.uint16], labels: Integers) -> Integers:
    """Codes ``a * n + b`` (a < b) of pairs that fall into one bucket and are not joined yet, sorted, each once."""
    import numpy as np

    count = len(labels)
    buckets = np.zeros(count, dtype=np.uint64)
    for column in columns.T:
        buckets = (buckets ^ column) * np.uint64(0x9E3779B97F4A7C15)
        buckets ^= buckets >> np.uint64(29)
    order = np.argsort(buckets, kind="stable")
    buckets = buckets[order]
    codes = []
    for step in range(1, min(_NEIGHBOURS, count - 1) + 1):
        (where,) = np.nonzero(buckets[:-step] == buckets[step:])
        if not len(where):
            break
        low, high = order[where], order[where + step]  # stable: the smaller number comes first in a bucket
        apart = labels[low] != labels[high]
        codes.append(low[apart] * count + high[apart])
    return np.unique(np.concatenate(codes)) if codes else np.empty(0, dtype=np.int64)


def _estimates(signatures: npt.NDArray[np.uint16], codes: Integers) -> npt.NDArray[np.float64]:
    """Estimated Jaccard similarity of pairs given as codes."""
    import numpy as np

    result = np.empty(len(codes))
    for start in range(0, len(codes), _CHUNK):
        one, other = np.divmod(codes[start : start + _CHUNK], len(signatures))
        result[start : start + _CHUNK] = (signatures[one] == signatures[other]).mean(axis=1)
    return result


def _signatures(texts: Texts, numbers: Integers, permutations: int, seed: int) -> npt.NDArray[np.uint16]:
    """MinHash signatures, shape (len(numbers), permutations).

    The low halves of the hashes: they agree by chance in one of 65,536 places, and take 200 MB for a million texts.
    """
    import numpy as np
    from rensa import RMinHash

    result = np.empty((len(numbers), permutations), dtype=np.uint16)
    for start, tokens, offsets in _hashed_ngrams(texts, numbers):
        digest: Any = RMinHash.digest_matrix_from_flat_token_hashes(tokens, offsets, permutations, seed)
        result[start : start + len(offsets) - 1] = np.asarray(digest.to_rows(), dtype=np.uint32).astype(np.uint16)
    return result


def _hashed_ngrams(texts: Texts, numbers: Integers) -> Iterator[tuple[int, Hashes, Hashes]]:
    """Hashes of all n-grams, in chunks: first position, hashes of the chunk, and where each text begins in them."""
    import numpy as np

    power = np.uint64(0x100000001B3)
    for start in range(0, len(numbers), _CHUNK):
        # Padded at the end, so that every text has at least one n-gram.
        chunk = [texts[number].ljust(NGRAM) for number in numbers[start : start + _CHUNK]]
        joined = "".join(chunk).encode("utf-32-le", "surrogatepass")
        points = np.frombuffer(joined, dtype=np.uint32).astype(np.uint64)
        windows = len(points) - NGRAM + 1
        hashes = np.zeros(windows, dtype=np.uint64)
        for place in range(NGRAM):
            hashes = hashes * power + points[place : place + windows]
        hashes = (hashes ^ (hashes >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
        lengths = np.array([len(text) for text in chunk], dtype=np.int64)
        ends = np.cumsum(lengths)
        inside = np.ones(len(points), dtype=bool)
        for place in range(1, NGRAM):  # windows that reach into the next text
            inside[ends - place] = False
        offsets = np.concatenate([[0], np.cumsum(lengths - NGRAM + 1)]).astype(np.uint64)
        yield start, hashes[inside[:windows]], offsets
