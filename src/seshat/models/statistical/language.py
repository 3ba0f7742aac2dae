"""The target language model: modified Kneser-Ney counts in the form that Thot reads.

Thot interpolates orders as ``p(w | h) = b c(h w) / c(h) + (1 - b) p(w | h')`` with a weight ``b`` chosen by a bucket
of ``c(h)``. Kneser-Ney needs a weight of its own for every history; so the "count" written for a history is the number
of a bucket that holds (almost) its weight, and the n-gram counts are scaled to match.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from seshat.core.jsonl import write_text

BUCKETS = 200
"""Distinct interpolation weights per order."""
_UNIGRAM_WEIGHT = 0.98
"""The rest is shared by all words, the unknown one too."""
Gram = tuple[str, ...]


def _grams(texts: Iterable[Sequence[str]], order: int) -> list[Counter[Gram]]:
    """Counts per order; below the highest, in how many contexts a gram is seen (Kneser & Ney 1995)."""
    highest: Counter[Gram] = Counter()
    for tokens in texts:
        padded = ("<s>", *tokens, "</s>")
        for end in range(2, len(padded) + 1):
            highest[padded[max(0, end - order) : end]] += 1
    counts: list[Counter[Gram]] = [Counter() for _ in range(order)]
    # A gram shorter than the order begins a sentence: nothing can stand before it, so its count is as seen.
    counts[order - 1] = Counter({gram: count for gram, count in highest.items() if len(gram) == order})
    starts = {gram: count for gram, count in highest.items() if len(gram) < order}
    for size in range(order - 1, 0, -1):
        current = counts[size - 1]
        for gram in counts[size]:
            current[gram[1:]] += 1
        for gram, count in starts.items():
            if len(gram) == size:
                current[gram] = count
    return counts


def _discounts(counts: Counter[Gram]) -> tuple[float, float, float]:
    """Discounts for counts of one, two, and three or more (Chen & Goodman 1999, equation 26)."""
    spectrum = Counter(count for count in counts.values() if count <= 4)
    n1, n2, n3, n4 = (spectrum[k] or 1 for k in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    values = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    first, second, third = (min(max(value, 0.05), size - 0.05) for size, value in enumerate(values, start=1))
    return first, second, third


def write_model(prefix: Path, texts: Iterable[Sequence[str]], order: int) -> int:
    """Count n-grams and write ``prefix`` and ``prefix.weights``, as Thot loads them.

    Args:
        prefix: the file of counts.
        texts: tokens of target texts.
        order: longest n-gram.

    Returns:
        How many n-grams.
    """
    counts = _grams(texts, order)
    lines = ["<unk> 1000000 0", "<s> 1000000 0"]
    total = sum(counts[0].values()) or 1
    for gram, count in sorted(counts[0].items()):
        lines.append(f"{gram[0]} 1000000 {count / total * 1e6:.6g}")
    for size in range(2, order + 1):
        lines += _lines(counts[size - 1])
    weights = [_UNIGRAM_WEIGHT] * BUCKETS
    for _ in range(2, order + 1):
        weights += [bucket / BUCKETS for bucket in range(BUCKETS)]
    write_text(prefix, "\n".join(lines) + "\n")
    write_text(prefix.with_name(prefix.name + ".wp"), "")
    described = " ".join(f"{weight:.6g}" for weight in weights)
    write_text(prefix.with_name(prefix.name + ".weights"), f"{order} {BUCKETS} 1 {described}\n")
    return sum(len(table) for table in counts)


def _lines(counts: Counter[Gram]) -> list[str]:
    first, second, third = _discounts(counts)
    followers: dict[Gram, list[tuple[str, int]]] = defaultdict(list)
    for gram, count in counts.items():
        followers[gram[:-1]].append((gram[-1], count))
    lines = []
    for history in sorted(followers):
        words = followers[history]
        total = sum(count for _, count in words)
        kept = [(word, count - (first, second, third)[min(count, 3) - 1]) for word, count in sorted(words)]
        weight = sum(mass for _, mass in kept) / total
        bucket = min(max(round(weight * BUCKETS), 1), BUCKETS - 1)
        for word, mass in kept:
            share = mass / total / weight * bucket
            lines.append(f"{' '.join((*history, word))} {bucket} {share:.6g}")
    return lines
