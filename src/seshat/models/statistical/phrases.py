"""Phrase pairs: extracted from aligned sentences, scored, kept in a file that answers at once.

The file is plain text, sorted, one phrase pair a line; a look-up is a binary search in the mapped file, so nothing is
loaded to translate one sentence.
"""

from __future__ import annotations

import mmap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

from seshat.core.jsonl import atomic_write
from seshat.models.statistical.alignment import Links
from seshat.models.statistical.thot import Pair
from seshat.models.statistical.tokens import is_verbatim

Phrase = tuple[str, ...]
Scores = tuple[float, float, float, float, float]
"""Natural logs: P(target | source), P(source | target), and both as products of word translations; and the count."""

TOP = 30
"""Translations kept of a source phrase, by P(target | source) and lexical weight."""
_NULL = ""
_FLOOR = 1e-7


@dataclass
class Counts:
    """Joint counts of phrase pairs, and of word pairs by their links."""

    phrases: Counter[tuple[Phrase, Phrase]]
    words: Counter[tuple[str, str]]
    links: dict[tuple[Phrase, Phrase], tuple[tuple[int, int], ...]]
    """The links inside a phrase pair, of its first occurrence."""


def extract(pairs: Sequence[Pair], links: Sequence[Links], max_phrase: int) -> Counts:
    """All phrase pairs consistent with the word alignment (Koehn, Och & Marcu 2003).

    Args:
        pairs: source keys and target tokens.
        links: word alignment of every pair.
        max_phrase: most tokens of a side.
    """
    phrases: Counter[tuple[Phrase, Phrase]] = Counter()
    words: Counter[tuple[str, str]] = Counter()
    inside: dict[tuple[Phrase, Phrase], tuple[tuple[int, int], ...]] = {}
    for (source, target), found in zip(pairs, links, strict=True):
        _count_words(words, source, target, found)
        for (i1, i2), (j1, j2) in _spans(len(source), len(target), found, max_phrase):
            pair = (tuple(source[i1 : i2 + 1]), tuple(target[j1 : j2 + 1]))
            if _verbatim(pair[0]) != _verbatim(pair[1]):
                continue
            phrases[pair] += 1
            if pair not in inside:
                inside[pair] = tuple((i - i1, j - j1) for i, j in found if i1 <= i <= i2 and j1 <= j <= j2)
    return Counts(phrases, words, inside)


def _verbatim(phrase: Iterable[str]) -> list[str]:
    return sorted(token for token in phrase if is_verbatim(token))


def _count_words(words: Counter[tuple[str, str]], source: Sequence[str], target: Sequence[str], links: Links) -> None:
    for i, j in links:
        words[source[i], target[j]] += 1
    for i in set(range(len(source))) - {i for i, _ in links}:
        words[source[i], _NULL] += 1
    for j in set(range(len(target))) - {j for _, j in links}:
        words[_NULL, target[j]] += 1


def _spans(rows: int, columns: int, links: Links, longest: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    by_source: dict[int, list[int]] = defaultdict(list)
    by_target: dict[int, list[int]] = defaultdict(list)
    for i, j in links:
        by_source[i].append(j)
        by_target[j].append(i)
    for i1 in range(rows):
        low, high = columns, -1
        for i2 in range(i1, min(rows, i1 + longest)):
            for j in by_source.get(i2, ()):
                low, high = min(low, j), max(high, j)
            if high < 0 or high - low >= longest:
                continue
            if any(i < i1 or i > i2 for j in range(low, high + 1) for i in by_target.get(j, ())):
                continue
            j1 = low
            while j1 >= 0 and (j1 == low or j1 not in by_target) and high - j1 < longest:
                j2 = high
                while j2 < columns and (j2 == high or j2 not in by_target) and j2 - j1 < longest:
                    yield (i1, i2), (j1, j2)
                    j2 += 1
                j1 -= 1


def score(counts: Counts) -> Iterator[tuple[Phrase, Phrase, Scores]]:
    """Score phrase pairs, sorted by source phrase; of each the :data:`TOP` best.

    Relative frequencies are discounted as in Foster, Kuhn & Johnson 2006 ("Phrasetable smoothing for statistical
    machine translation"): absolute discounting by Ney's n1 / (n1 + 2 n2); lexical weights as in Koehn, Och & Marcu.
    """
    of_source: Counter[Phrase] = Counter()
    of_target: Counter[Phrase] = Counter()
    grouped: dict[Phrase, list[Phrase]] = defaultdict(list)
    for (source, target), count in counts.phrases.items():
        of_source[source] += count
        of_target[target] += count
        grouped[source].append(target)
    discount = _discount(counts.phrases)
    lexical = _Lexical(counts.words)
    for source in sorted(grouped, key=" ".join):
        rows = []
        for target in grouped[source]:
            mass = counts.phrases[source, target] - discount
            forward, backward = lexical.weigh(source, target, counts.links[source, target])
            count = counts.phrases[source, target]
            scores = (log(mass / of_source[source]), log(mass / of_target[target]), forward, backward, float(count))
            rows.append((source, target, scores))
        rows.sort(key=lambda row: (-row[2][0] - 0.2 * row[2][2], row[1]))
        yield from rows[:TOP]


def _discount(phrases: Counter[tuple[Phrase, Phrase]]) -> float:
    spectrum = Counter(phrases.values())
    once, twice = spectrum[1], spectrum[2]
    return min(0.9, once / (once + 2 * twice)) if once + twice else 0.5


class _Lexical:
    def __init__(self, words: Counter[tuple[str, str]]) -> None:
        self.words = words
        self.source: Counter[str] = Counter()
        self.target: Counter[str] = Counter()
        for (source, target), count in words.items():
            self.source[source] += count
            self.target[target] += count

    def weigh(self, source: Phrase, target: Phrase, links: Sequence[tuple[int, int]]) -> tuple[float, float]:
        """Log of the lexical weights target given source and source given target."""
        forward: list[list[float]] = [[] for _ in target]
        backward: list[list[float]] = [[] for _ in source]
        for i, j in links:
            count = self.words[source[i], target[j]]
            forward[j].append(count / self.source[source[i]])
            backward[i].append(count / self.target[target[j]])
        for j, found in enumerate(forward):
            if not found:
                found.append(self.words[_NULL, target[j]] / max(1, self.source[_NULL]))
        for i, found in enumerate(backward):
            if not found:
                found.append(self.words[source[i], _NULL] / max(1, self.target[_NULL]))
        logs = [sum(log(max(_FLOOR, sum(found) / len(found))) for found in side) for side in (forward, backward)]
        return logs[0], logs[1]


def write_table(path: Path, rows: Iterable[tuple[Phrase, Phrase, Scores]]) -> int:
    """Write scored phrase pairs; returns how many. The order of bytes is the order of the look-up."""
    lines = sorted(
        f"{' '.join(source)}\t{' '.join(target)}\t{' '.join(f'{value:.4g}' for value in scores)}".encode()
        for source, target, scores in rows
    )
    with atomic_write(path) as stream:
        for line in lines:
            stream.write(line.decode() + "\n")
    return len(lines)


class PhraseTable:
    """A file of phrase pairs, mapped into memory."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            empty = not stream.read(1)
            self._map: mmap.mmap | bytes = b"" if empty else mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._cache: dict[str, list[tuple[Phrase, Scores]]] = {}

    def lookup(self, source: str) -> list[tuple[Phrase, Scores]]:
        """Translations of a source phrase (tokens joined by spaces) with their scores; empty when there is none."""
        found = self._cache.get(source)
        if found is None:
            found = [self._parse(line) for line in self._lines(source.encode() + b"\t")]
            found.sort(key=lambda row: (-row[1][0] - 0.2 * row[1][2], row[0]))
            self._cache[source] = found
        return found

    @staticmethod
    def _parse(line: bytes) -> tuple[Phrase, Scores]:
        _, target, scores = line.decode().split("\t")
        a, b, c, d, count = (float(value) for value in scores.split())
        return tuple(target.split(" ")), (a, b, c, d, count)

    def _lines(self, prefix: bytes) -> Iterator[bytes]:
        low, high = 0, len(self._map)
        while low < high:  # invariant: the first line that is not below prefix starts in [low, high]
            middle = self._map.rfind(b"\n", low, (low + high) // 2) + 1 or low
            middle = max(middle, low)
            end = self._map.find(b"\n", middle)
            if self._map[middle : middle + len(prefix)] < prefix and self._map[middle:end] < prefix:
                low = end + 1
            else:
                high = middle
        while self._map[low : low + len(prefix)] == prefix:
            end = self._map.find(b"\n", low)
            yield self._map[low:end]
            low = end + 1
