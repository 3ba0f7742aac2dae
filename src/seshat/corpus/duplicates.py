"""Duplicates and near-duplicates in a stream of records, and what counts as a leak.

Two segments belong to one cluster when the same language of both holds the same text (compared by :func:`normalise`)
or, for texts of at least :data:`NEAR_CHARACTERS` characters, a near-duplicate. Texts of fewer than ``min_words`` words
("yes", a headword) are shared by many unrelated segments: they join two segments only when all other languages are
the same too.

A leak is defined by the same rule: a test segment leaks *exactly* when its text in one language, of at least
``min_words`` words, stands in train (or all its languages together do, however short); it leaks *nearly* when a train
segment belongs to its cluster.
"""

from __future__ import annotations

import hashlib
import unicodedata
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from seshat.corpus.minhash import Texts, components, near_pairs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

NEAR_CHARACTERS = 20
"""Shorter texts have no near-duplicates: one changed letter changes too many of their n-grams. Longer ones count as
long enough whatever their number of words, for scripts that write no spaces."""

_JOINERS = regex.compile("['’ʼʻ‘´`=·\u200c\u200d\u00ad-]+")
_JOINED = regex.compile(rf"{_JOINERS.pattern}[\p{{M}}\p{{NFC_QC=Maybe}}]")
"""Where the two sides of what is left out could become one character."""
_MARKS = regex.compile(r"\p{M}+")
_BETWEEN = r"\p{P}\p{S}\p{Z}\p{C}"
_PUNCTUATION = regex.compile(rf"(?V1) *[[{_BETWEEN}]--[ ]][{_BETWEEN}]*|  +")
"""What becomes one space; a space alone is one already, which saves half the time."""


def normalise(text: str, *, marks: bool = True) -> str:
    """The form in which two texts are compared.

    NFC, case folded, what joins parts of a word (apostrophes, hyphens) gone, other punctuation and white space one
    space. A text of punctuation alone stays what it is.

    Args:
        text: any text.
        marks: keep combining marks; without, words that differ in vowel signs or tones alone are the same.
    """
    composed = unicodedata.normalize("NFC", text)
    folded = composed.casefold()
    if not marks:
        folded = _MARKS.sub("", unicodedata.normalize("NFD", folded))
    bare = _JOINERS.sub("", folded)
    if folded != composed or _JOINED.search(folded):  # composing takes as long as all the rest
        bare = unicodedata.normalize("NFC", bare)
    return _PUNCTUATION.sub(" ", bare).strip() or folded.strip()


def fingerprint(text: str) -> int:
    """A stable 64-bit hash."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def is_long(key: str, min_words: int) -> bool:
    """Whether a normalised text says enough to join two segments by itself."""
    return len(key) >= NEAR_CHARACTERS or key.count(" ") + 1 >= min_words


@dataclass
class _Side:
    """The long texts of one language, in order of arrival."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    hashes: array[int] = field(default_factory=lambda: array("Q"))
    near: array[int] = field(default_factory=lambda: array("q"))
    """For each text that may have near-duplicates, its place in ``rows``."""
    texts: Texts = field(default_factory=Texts)
    """These texts."""


class TextIndex:
    """The texts of many segments, kept as hashes and one compact buffer.

    Args:
        min_words: words from which a text in one language joins two segments by itself.
        keep_texts: keep what the search for near-duplicates needs.
        marks: as in :func:`normalise`.
    """

    def __init__(self, min_words: int = 3, *, keep_texts: bool = True, marks: bool = True) -> None:
        self.min_words = min_words
        self.marks = marks
        self.keep_texts = keep_texts
        self._whole = array("Q")
        self._sides: dict[str, _Side] = {}

    def __len__(self) -> int:
        return len(self._whole)

    def add(self, texts: Mapping[str, str]) -> int:
        """Add a segment; gives its row, counted from 0. Empty texts are left out."""
        row = len(self._whole)
        whole = []
        for lang, text in sorted(texts.items()):
            key = normalise(text, marks=self.marks)
            if not key:
                continue
            whole.append(f"{lang}\t{key}")
            if not is_long(key, self.min_words):
                continue
            if (side := self._sides.get(lang)) is None:  # one has a file, so it is not made for nothing
                side = self._sides[lang] = _Side()
            if self.keep_texts and len(key) >= NEAR_CHARACTERS:
                side.near.append(len(side.rows))
                side.texts.append(key)
            side.rows.append(row)
            side.hashes.append(fingerprint(key))
        self._whole.append(fingerprint("\n".join(whole)))
        return row

    def whole(self) -> npt.NDArray[np.uint64]:
        """For every row, the hash of all its languages together."""
        import numpy as np

        return np.array(self._whole, dtype=np.uint64)

    def clusters(self, similarity: float | None, seed: int = 0) -> Integers:
        """For every row the smallest row of its cluster.

        Args:
            similarity: Jaccard similarity of near-duplicates; ``None`` joins exact duplicates only.
            seed: seed of the MinHash permutations.
        """
        import numpy as np

        links = [_equal(self.whole(), np.arange(len(self)))]
        for _, side in sorted(self._sides.items()):
            rows, hashes = np.array(side.rows, dtype=np.int64), np.array(side.hashes, dtype=np.uint64)
            links.append(_equal(hashes, rows))
            if similarity is not None:
                near = np.array(side.near, dtype=np.int64)
                _, numbers = np.unique(hashes[near], return_index=True)
                numbers.sort()
                links.append(rows[near[numbers[near_pairs(side.texts, numbers, similarity, seed)]]])
        return components(len(self), np.concatenate(links))

    def exact_leaks(self, held_out: Flags, train: Flags) -> Flags:
        """Which held-out rows have a long text in one language, or all languages together, in a train row.

        Args:
            held_out: the rows asked about, shape (rows,).
            train: the rows of train, shape (rows,).
        """
        import numpy as np

        whole = self.whole()
        leaks = held_out & np.isin(whole, whole[train])
        for side in self._sides.values():
            rows, hashes = np.array(side.rows, dtype=np.int64), np.array(side.hashes, dtype=np.uint64)
            leaks[rows[held_out[rows] & np.isin(hashes, hashes[train[rows]])]] = True
        return leaks


def near_leaks(clusters: Integers, held_out: Flags, train: Flags) -> Flags:
    """Which held-out rows belong to the cluster of a train row; exact leaks among them."""
    import numpy as np

    return held_out & np.isin(clusters, clusters[train])


def _equal(keys: npt.NDArray[np.uint64], rows: Integers) -> Integers:
    """Links between the rows that follow each other among those with one key, shape (m, 2)."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    (same,) = np.nonzero(keys[order][1:] == keys[order][:-1])
    return np.stack([rows[order[same]], rows[order[same + 1]]], axis=1)
